import Events
import Foundation
import Hashing
import JSON
import PipelineTesting
import Storage
import Synchronization
import Testing
import Vocabulary

@testable import DatasetFiles
@testable import Materializer

@Suite("The cost of a version of form 2 depends on its change, and not on its history")
struct PagedVersionTests {
    @Test(
        "Every version reads as the log up to its cut, however far the tree has grown",
        arguments: [1, 7]
    )
    func history(labels: Int) throws {
        var versions = try PagedVersions()
        defer { versions.remove() }
        var expected: [[Split: [[UInt8]]]] = []
        for _ in 0..<80 {
            try versions.cut(labels)
            expected.append(versions.lines)
        }
        for (number, lines) in expected.enumerated() where number % 9 == 7 {
            let manifest = try versions.manifest(number + 1)
            #expect(manifest.formatVersion == 2 && manifest.segments.isEmpty)
            #expect(try (PagedVersions.read(versions.store, manifest) == lines) == true, "\(number + 1)")
            #expect(manifest.id == versions.versions[number].id)
            #expect(manifest.semanticVersion == "1.\(number).0")
            #expect(manifest.parent == (number == 0 ? nil : versions.versions[number - 1].id))
        }
        let (ids, problems) = try versions.store.verify(Scenario.project)
        #expect(ids == versions.versions.map(\.id) && problems == [])
    }

    @Test(
        "A cut writes its segments, one page, the manifest and the pointer, and reads the parent's manifest and last page"
    )
    func cost() throws {
        let counting = Holder<CountingStore>()
        var versions = try PagedVersions {
            let store = CountingStore(try FolderStore(root: $0))
            counting.value = store
            return store
        }
        defer { versions.remove() }
        let store = try #require(counting.value)
        try versions.cut(1, times: 150)
        for _ in 0..<60 {
            store.reset()
            try versions.cut(3)
            let traffic = store.traffic
            let added = traffic.written.filter { $0.key.contains("/segments/") }
            let otherFiles = traffic.written.filter { !$0.key.contains("/segments/") }
            let pages = otherFiles.keys.count { $0.contains("/pages/") }
            #expect(added.count <= 3 && pages <= 3 && otherFiles.count == pages + 2)
            #expect(otherFiles.values.reduce(0, +) <= 128 << 10)
            #expect(traffic.bytesRead <= 256 << 10)
            // The pointers of this version number, which does not exist yet, and of the parent; the parent's manifest
            // and its last page.
            #expect(traffic.reads.count <= 3 && traffic.reads.values.allSatisfy { $0 == 1 }, "\(traffic.reads)")
        }
        let manifest = try versions.manifest()
        #expect(manifest.pages.first?.level == 1 || manifest.pages.count <= PageTree.pageCount)
        store.reset()
        #expect(try versions.store.verify(Scenario.project).problems == [])
        #expect(store.traffic.reads.filter { !$0.key.contains("/ordinals/") }.values.allSatisfy { $0 == 1 })
    }

    @Test("A tree of three levels reads as the inserted lines, in order, and full pages never change")
    func tree() throws {
        var known: [String: [UInt8]] = [:]
        func page(_ reference: DatasetPageReference) throws -> DatasetPage {
            let bytes = try #require(known[reference.sha256])
            return try JSONParser().withDocument(of: bytes) { json in try DatasetPage(json: json) }
        }
        func files(_ references: [DatasetPageReference]) throws -> [String] {
            try references.flatMap { reference -> [String] in
                switch try page(reference).content {
                case .files(let files): return files.map(\.sha256)
                case .pages(let pages): return try files(pages)
                }
            }
        }
        var references: [DatasetPageReference] = []
        var expected: [String] = []
        for count in [1, 3, 1, 9, 40, 1, 130, 5, 4] {
            let added = (0..<count).map { number in
                DatasetEntry(
                    .labels,
                    .training,
                    size: 1,
                    sha256: SHA256Digest(of: Array("\(expected.count + number)".utf8)).hex,
                    records: 1,
                    sequences: Int64(expected.count + number + 1)...Int64(expected.count + number + 1)
                )
            }
            expected += added.map(\.sha256)
            var tree = PageTree(references, fileCount: 4, pageCount: 3) { try page($0) }
            try tree.append(added)
            let full = references.filter { $0.level == 0 && $0.segments == 4 }
            for (reference, bytes) in tree.written { known[reference.sha256] = bytes }
            references = tree.pages
            #expect(references.count <= 4 * 3 + 4)
            #expect(full.allSatisfy { known[$0.sha256] != nil })
            #expect(references.reduce(0) { $0 + $1.segments } == expected.count)
            #expect(references.first?.sequences?.lowerBound == 1)
            #expect(references.last?.sequences?.upperBound == Int64(expected.count))
        }
        #expect(references.first?.level == 3)
        #expect(try (files(references) == expected) == true)
    }

    @Test("A parent of form 1 is adopted once; the versions before it are unchanged")
    func adopted() throws {
        var versions = try PagedVersions()
        defer { versions.remove() }
        try versions.cut(5, form: 1, times: 3)
        let old = try versions.store.objects.contents
        let oldLines = versions.lines
        #expect(try versions.manifest().formatVersion == 1)
        try versions.cut(4, times: 2)
        let manifest = try versions.manifest(4)
        #expect(manifest.formatVersion == 2 && manifest.pages.count == 1 && manifest.semanticVersion == "1.3.0")
        #expect(try (PagedVersions.read(versions.store, versions.manifest(3)) == oldLines) == true)
        #expect(try (PagedVersions.read(versions.store, versions.manifest()) == versions.lines) == true)
        let now = try versions.store.objects.contents
        #expect(old.allSatisfy { now[$0.key] == $0.value })
        // A later request for form 1 produces form 2: versions of form 1 cannot represent the content of their parents.
        try versions.cut(2, form: 1)
        #expect(try versions.manifest().formatVersion == 2)
        #expect(try (PagedVersions.read(versions.store, versions.manifest()) == versions.lines) == true)
        #expect(try versions.store.verify(Scenario.project).problems == [])
    }

    @Test("Segments have at most 8 MiB, except for a single longer line")
    func large() throws {
        let versions = try PagedVersions()
        defer { versions.remove() }
        let sizes = [5 << 20, 3 << 20, 1, 9 << 20, 2, 8 << 20]
        let lines = sizes.enumerated().map { number, size in
            WaitingLabels.Line(
                sequence: Int64(number + 1),
                bytes: [UInt8](repeating: 0x20, count: size - 1) + [0x0A]
            )
        }
        let entries = try versions.store.writeSegments(Scenario.project, .test, lines)
        #expect(entries.map(\.size) == [8 << 20, 1, 9 << 20, 2, 8 << 20])
        #expect(entries.map(\.records) == [2, 1, 1, 1, 1])
        #expect(entries.map(\.sequences) == [1...2, 3...3, 4...4, 5...5, 6...6])
    }

    /// Before: with another form a version got another id, and both ids were announced.
    @Test("A version in the store keeps its id, whatever form the project has now")
    func known() throws {
        var versions = try PagedVersions()
        defer { versions.remove() }
        try versions.cut(5, form: 1, times: 2)
        let ids = versions.versions.map(\.id)
        for form in [1, 2] {
            var again = try PagedVersions { _ in versions.store.objects }
            try again.cut(5, form: form, times: 2)
            #expect(again.versions.map(\.id) == ids, "\(form)")
        }
        // A build without format 2 read the same facts, and wrote fewer members of each line.
        var more = try PagedVersions { _ in versions.store.objects }
        try more.cut(5, factFormat: 2, times: 2)
        #expect(more.versions.map(\.id) == ids)
        // Before: if the store could not read its lines at that time, the version was considered another and received a
        // second id.
        let counting = CountingStore(versions.store.objects)
        counting.unavailablePart.withLock { $0 = "/segments/" }
        var late = try PagedVersions { _ in counting }
        #expect(throws: StorageError.self) { try late.cut(5, factFormat: 2, times: 1) }
        #expect(try versions.store.manifest(Scenario.project, versionNumber: 1)?.id == ids.first)
        // A version of another log with the same numbers is another version, because the content of the log counts.
        var other = try PagedVersions(seed: 2) { _ in versions.store.objects }
        try other.cut(5, times: 1)
        #expect(other.versions.first?.id != ids.first)
    }
}

/// A holder for a value that a closure sets.
final class Holder<Value>: @unchecked Sendable {
    // Set once, by the test that reads it.
    var value: Value?
}
