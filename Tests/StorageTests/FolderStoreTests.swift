import Foundation
import Storage
import Testing

/// A folder of its own for each test, removed with it.
private final class Folder {
    let path = NSTemporaryDirectory() + "flywheel-\(UUID().uuidString)"
    func store() throws -> FolderStore { try FolderStore(root: path) }
    deinit { try? FileManager.default.removeItem(atPath: path) }
}

@Suite struct FolderStoreTests {
    @Test("Written bytes are read back, complete and under their name only")
    func roundTrip() throws {
        let folder = Folder()
        let store = try folder.store()
        let bytes = (0..<100_000).map { UInt8(truncatingIfNeeded: $0) }
        try store.write(bytes, to: "a/b/c.bin")
        try store.write([], to: "empty")
        #expect(try store.read("a/b/c.bin") == bytes)
        #expect(try store.read("empty").isEmpty)
        #expect(try store.size(of: "a/b/c.bin") == 100_000)
        #expect(try store.exists("empty"))
        #expect(try !store.exists("a/b"))
        #expect(try !store.exists("a/b/c.bin/d"))
        #expect(try store.list() == ["a/b/c.bin", "empty"])
        #expect(try store.list("a") == ["a/b/c.bin"])
        #expect(try store.list("nothing").isEmpty)
        try store.write([1], to: "empty")
        #expect(try store.read("empty") == [1])
        try store.remove("empty")
        try store.remove("empty")
        #expect(try !store.exists("empty"))
    }

    @Test("Nothing behind a symbolic link is removed, and a link does not count as an object")
    func links() throws {
        let (folder, other) = (Folder(), Folder())
        let (store, outside) = (try folder.store(), try other.store())
        try outside.write([1], to: "kept/file")
        try store.write([2], to: "a/own")
        try FileManager.default.createSymbolicLink(atPath: folder.path + "/a/link", withDestinationPath: other.path)
        try FileManager.default.createSymbolicLink(
            atPath: folder.path + "/a/file",
            withDestinationPath: other.path + "/kept/file"
        )
        #expect(try store.list() == ["a/own"])
        let error = #expect(throws: StorageError.self) { try store.remove("a/link/kept/file") }
        #expect(error?.description.contains("a/link/kept/file") == true)
        try store.remove("a/file")
        #expect(try outside.read("kept/file") == [1])
        #expect(!FileManager.default.fileExists(atPath: folder.path + "/a/file"))
        try store.remove("a/own")
        try store.remove("a/own")
        try store.remove("no/such/folder")
        #expect(try store.list().isEmpty)
    }

    @Test("Putting the same content twice changes nothing, other content is a conflict")
    func put() throws {
        let folder = Folder()
        let store = try folder.store()
        #expect(try store.put([1, 2], as: "x/ab12"))
        #expect(try !store.put([1, 2], as: "x/ab12"))
        for other in [[1, 3], [1], [1, 2, 3]] as [[UInt8]] {
            let error = #expect(throws: StorageError.self) { try store.put(other, as: "x/ab12") }
            #expect(error?.kind == .conflict)
        }
        #expect(try store.read("x/ab12") == [1, 2])
    }

    @Test(
        "No name leads outside the folder",
        arguments: [
            "", "/etc/passwd", "..", "../x", "a/../../x", "a//b", "a/", "./a", "a/.", "a\u{0}b", ".tmp-1", "a/.tmp-1",
            String(repeating: "x", count: 2_000),
        ]
    )
    func traversal(name: String) throws {
        let folder = Folder()
        let store = try folder.store()
        for attempt in [
            { try store.write([1], to: name) }, { _ = try store.read(name) }, { _ = try store.exists(name) },
            { try store.remove(name) }, { try store.put([1], as: name) }, { _ = try store.uri(of: name) },
        ] as [() throws -> Void] {
            let error = #expect(throws: StorageError.self) { try attempt() }
            #expect(error?.kind == .invalidName)
        }
        #expect(try store.list().isEmpty)
    }

    @Test("Errors name the path and the system's reason")
    func errors() throws {
        let folder = Folder()
        let store = try folder.store()
        let missing = #expect(throws: StorageError.self) { try store.read("lost") }
        #expect(missing?.kind == .notFound)
        #expect(missing.map { "\($0)" } == "could not read \(folder.path)/lost: No such file or directory")
        try store.write([1, 2, 3], to: "f")
        let large = #expect(throws: StorageError.self) { try store.read("f", maximumSize: 2) }
        #expect(large?.kind == .tooLarge)
        #expect(try store.read("f", maximumSize: 3) == [1, 2, 3])
        let blocked = #expect(throws: StorageError.self) { try store.write([1], to: "f/g") }
        #expect(blocked?.kind == .system)
        #expect(throws: StorageError.self) { try FolderStore(root: "\(folder.path)/f") }
        #expect(throws: StorageError.self) { try FolderStore(root: "") }
        try store.write([1], to: "d/x")
        #expect(throws: StorageError.self) { try store.read("d") }
        #expect(throws: StorageError.self) { try store.write([1], to: "d") }
        #expect(try store.list() == ["d/x", "f"])
    }

    @Test("An abandoned writer leaves the old content and nothing else")
    func droppedWriter() throws {
        let folder = Folder()
        let store = try folder.store()
        try store.write([7], to: "x")
        do {
            var writer = try store.makeWriter(nextTo: "x")
            try writer.append([1, 2, 3])
            // Dropped without commit, as after an error.
        }
        #expect(try store.read("x") == [7])
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["x"])
    }

    @Test("A writer accepts pieces, and its name may be set at the end")
    func writer() throws {
        let folder = Folder()
        let store = try folder.store()
        var writer = try store.makeWriter(nextTo: "segments/any")
        for piece in 0..<10 { try writer.append([UInt8](repeating: UInt8(piece), count: 1_000)) }
        #expect(writer.count == 10_000)
        #expect(try store.list().isEmpty)
        try writer.commit(as: "segments/digest")
        #expect(try store.size(of: "segments/digest") == 10_000)
        let other = try store.makeWriter(nextTo: "a/b")
        do {
            try other.commit(as: "c/d")
            Issue.record("committed into another folder")
        } catch {
            #expect(error.kind == .invalidName)
        }
    }

    @Test("Leftovers of killed writers are hidden and can be removed")
    func leftovers() throws {
        let folder = Folder()
        let store = try folder.store()
        try store.write([1], to: "a/x")
        let leftover = "\(folder.path)/a/.tmp-1-1"
        try Data([1]).write(to: URL(filePath: leftover))
        // The file system's clock may be a tick ahead of the process's.
        try FileManager.default.setAttributes([.modificationDate: Date() - 5], ofItemAtPath: leftover)
        #expect(try store.list() == ["a/x"])
        #expect(try store.removeLeftovers() == 0)
        #expect(try store.removeLeftovers(olderThan: .zero) == 1)
        #expect(try FileManager.default.contentsOfDirectory(atPath: "\(folder.path)/a") == ["x"])
    }

    @Test("Many writers of one name leave the content of one of them")
    func concurrency() async throws {
        let folder = Folder()
        let store = try folder.store()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for writer in 0..<8 as Range<UInt8> {
                group.addTask {
                    for _ in 0..<10 { try store.write([UInt8](repeating: writer, count: 5_000), to: "shared/x") }
                }
            }
            try await group.waitForAll()
        }
        let bytes = try store.read("shared/x")
        #expect(bytes.count == 5_000)
        #expect(Set(bytes).count == 1)
        #expect(try store.list() == ["shared/x"])
    }
}

@Suite struct FileURITests {
    @Test("Paths survive their URIs", arguments: ["/", "/a/b.jsonl", "/a b/é%?#&", "/a/..//b", "/\u{1f600}"])
    func roundTrip(path: String) throws {
        let uri = try #require(FileURI(path: path))
        #expect(FileURI("\(uri)") == uri)
        #expect(uri.description.utf8.allSatisfy { (0x21...0x7e).contains($0) })
    }

    @Test("Usual spellings are read, and all others are refused")
    func spellings() {
        for text in ["file:///a/b", "file://localhost/a/b", "file:/a/b", "FILE:///a/%62"] {
            #expect(FileURI(text)?.path == "/a/b", "\(text)")
        }
        for text in [
            "", "file:", "file://", "file:a/b", "file://host/a", "http:///a", "file:///a?b", "file:///a#b", "file:///%",
            "file:///%4", "file:///%zz", "file:///%00", "file:///%ff",
        ] {
            #expect(FileURI(text) == nil, "\(text)")
        }
        #expect(FileURI(path: "/a b")?.description == "file:///a%20b")
        for text in ["file:///a/%2e%2e/b", "file:///a%2Fb", "file:///%2E./b", "file:///a/..%2fb"] {
            #expect(FileURI(text) == nil, "\(text)")
        }
        #expect(FileURI("file:///a%5Cb%25.txt")?.path == "/a\\b%.txt")
        #expect(FileURI(path: "a") == nil)
    }

    @Test("A store recognizes its own URIs and no others")
    func names() throws {
        let folder = Folder()
        let store = try folder.store()
        guard case .file(let uri) = try store.uri(of: "a/b c") else {
            Issue.record("a folder's objects are files")
            return
        }
        #expect(store.name(of: uri) == "a/b c")
        for path in ["\(folder.path)x/a", "\(folder.path)/../a", "/etc/passwd", folder.path] {
            #expect(FileURI(path: path).flatMap(store.name(of:)) == nil, "\(path)")
        }
    }
}
