import Events
import Foundation
import Hashing
import PipelineTesting
import Storage
import StreamTesting
import Testing
import Vocabulary

@testable import DatasetFiles
@testable import EngineCore

/// A defect in files of a version of form 2 in which every digest that names a file is correct.
struct Damage: Sendable, CustomTestStringConvertible {
    enum File: Sendable { case root, page, segment, tombstones }

    let file: File
    let old: String
    let new: String
    /// Text that the refusal contains.
    let named: String
    var testDescription: String { "\(file): \(named)" }

    static let all = [
        Damage(file: .root, old: #""format_version":2"#, new: #""format_version":3"#, named: #"format_version: "3""#),
        Damage(file: .root, old: #""pages":["#, new: #""segments":[],"pages":["#, named: "segments: "),
        Damage(file: .root, old: #""pages":["#, new: #""tombstones":[3],"pages":["#, named: "tombstones: "),
        Damage(file: .root, old: #""level":0"#, new: #""level":1"#, named: "differs from the reference"),
        Damage(file: .root, old: #""level":0"#, new: #""level":9"#, named: "pages[0].level"),
        Damage(file: .root, old: "../../pages/", new: "../../../pages/", named: "pages[0].path"),
        Damage(file: .root, old: "../../pages/", new: "/etc/pages/", named: "pages[0].path"),
        Damage(file: .root, old: #""training":"#, new: #""training":1"#, named: "training labels remain"),
        Damage(file: .page, old: #""format_version":2"#, new: #""format_version":3"#, named: #"format_version: "3""#),
        Damage(file: .page, old: #""kind":"labels""#, new: #""kind":"boxes""#, named: #"entries[0].kind: "boxes""#),
        Damage(file: .page, old: "../../segments/", new: "../segments/", named: "entries[0].path"),
        Damage(file: .page, old: #""path":"../../segments/"#, new: #""path":"s3://b/"#, named: "entries[0].path"),
        Damage(
            file: .page,
            old: "flywheel-dataset-page",
            new: "flywheel-dataset",
            named: "expected flywheel-dataset-page"
        ),
        Damage(file: .page, old: #""level":0"#, new: #""level":1"#, named: "entries[0].level"),
        Damage(file: .page, old: #""split":"training""#, new: #""split":"test""#, named: "split"),
        Damage(
            file: .segment,
            old: #"{"sample":"#,
            new: #"{"kind":"label_retracted","sample":"#,
            named: #"kind: "label_retracted""#
        ),
        Damage(file: .segment, old: #""sequence":"#, new: #""sequence":9"#, named: "its sequence numbers differ"),
        Damage(file: .segment, old: #""sequence":"#, new: #""number":"#, named: "sequence"),
        Damage(file: .segment, old: #""split":"training""#, new: #""split":"test""#, named: "split"),
        Damage(file: .tombstones, old: #"{"sequence":"#, new: #"{"sequence":0"#, named: "line 1: expected"),
        Damage(file: .tombstones, old: #"{"sequence":"#, new: #"{"line":"#, named: "line 1: expected"),
    ]
}

@Suite("Every reader refuses damaged files of a version by name")
struct DamagedVersionTests {
    private static let project = Scenario.project

    /// A store with versions of all kinds of facts, and the manifest of the last one, which has tombstones.
    private func prepared() throws -> (store: MemoryStore, manifest: DatasetManifest) {
        let store = MemoryStore()
        let log = FactLog(seed: 4, facts: 80)
        let pipeline = try Pipeline(isApplied: false)
        for record in log.outputs { try pipeline.cluster.append(record) }
        try pipeline.makeMaterializer(store: DatasetStore(objects: store)).settle()
        let manifest = try #require(
            try DatasetStore(objects: store).manifest(Self.project, versionNumber: log.versions.count)
        )
        #expect(manifest.pages.count == 1 && manifest.pages[0].tombstones > 0)
        return (store, manifest)
    }

    private func entries(_ store: MemoryStore, _ manifest: DatasetManifest) throws -> [DatasetEntry] {
        var entries: [DatasetEntry] = []
        try DatasetStore(objects: store).reader(of: manifest).forEachEntry { entries.append($0) }
        return entries
    }

    /// The old and the new name and size of a changed file.
    private struct Renaming {
        let old: (name: String, size: Int)
        let new: (name: String, size: Int)

        /// The text of a file that names the renamed file, with the new name and size.
        func applied(to text: String) -> String {
            text.replacing(old.name, with: new.name)
                .replacing(
                    #""size":\#(old.size),"sha256":"\#(new.name)""#,
                    with: #""size":\#(new.size),"sha256":"\#(new.name)""#
                )
        }
    }

    /// Writes a changed copy of a file next to it, named by its digest.
    private func change(
        _ store: MemoryStore,
        _ subfolder: String,
        _ name: String,
        _ ending: String,
        _ body: (String) throws -> String
    ) throws -> Renaming {
        let folder = "\(Self.project)/\(subfolder)"
        let bytes = try store.read("\(folder)/\(name).\(ending)", maximumSize: 1 << 20)
        let new = Array(try body(String(decoding: bytes, as: UTF8.self)).utf8)
        let digest = SHA256Digest(of: new).hex
        try store.put(new, as: "\(folder)/\(digest).\(ending)")
        return Renaming(old: (name, bytes.count), new: (digest, new.count))
    }

    /// Changes a file, and the files that name it by its digest, up to the manifest.
    private func rewrite(_ store: MemoryStore, _ manifest: DatasetManifest, _ damage: Damage) throws -> DatasetVersionID
    {
        func apply(_ text: String) throws -> String {
            let range = try #require(text.range(of: damage.old))
            return text.replacingCharacters(in: range, with: damage.new)
        }
        let bytes = try store.read("\(Self.project)/versions/\(manifest.id)/manifest.json", maximumSize: 1 << 20)
        var text = String(decoding: bytes, as: UTF8.self)
        switch damage.file {
        case .root: text = try apply(text)
        case .page:
            text = try change(store, "pages", manifest.pages[0].sha256, "json", apply).applied(to: text)
        case .segment, .tombstones:
            let kind: DatasetEntry.Kind = damage.file == .segment ? .labels : .tombstones
            let entry = try #require(
                try entries(store, manifest).first { $0.kind == kind && ($0.split ?? .training) == .training }
            )
            let fileRenaming = try change(
                store,
                kind == .labels ? "segments" : "tombstones",
                entry.sha256,
                "jsonl",
                apply
            )
            let pageRenaming = try change(store, "pages", manifest.pages[0].sha256, "json") {
                fileRenaming.applied(to: $0)
            }
            text = pageRenaming.applied(to: text)
        }
        let id = SHA256Digest(of: Array(text.utf8)).hex
        try store.put(Array(text.utf8), as: "\(Self.project)/versions/\(id)/manifest.json")
        return DatasetVersionID(id)
    }

    @Test("Verify and the reader name every kind of damage", arguments: Damage.all)
    func refused(damage: Damage) throws {
        let (store, manifest) = try prepared()
        let datasets = DatasetStore(objects: store)
        #expect(try datasets.verify(Self.project, id: manifest.id) == [])
        let id = try rewrite(store, manifest, damage)
        #expect(id != manifest.id)
        let verified = Result { try datasets.verify(Self.project, id: id).joined(separator: "\n") }
        let read = Result {
            let manifest = try #require(try datasets.manifest(Self.project, id: id))
            _ = try FactLog.read(datasets, manifest)
        }
        switch verified {
        case .success(let text): #expect(!text.isEmpty)
        case .failure(let error): #expect("\(error)".contains(damage.named), "\(error)")
        }
        guard case .failure(let error) = read else {
            Issue.record("read")
            return
        }
        #expect("\(error)".contains(damage.named), "\(error)")
    }

    @Test("A flipped byte in any file, and any missing file, is found and named")
    func changedFiles() throws {
        let (store, manifest) = try prepared()
        let datasets = DatasetStore(objects: store)
        let entries = try entries(store, manifest)
        var names = entries.map { "\(Self.project)\($0.path.dropFirst("../..".count))" }
        names.append("\(Self.project)/pages/\(manifest.pages[0].sha256).json")
        for name in names {
            let bytes = try #require(store.objects[name])
            for offset in [0, bytes.count / 2, bytes.count - 1] {
                var flipped = bytes
                flipped[offset] ^= 1
                try store.write(flipped, to: name)
                let problems = try datasets.verify(Self.project, id: manifest.id)
                #expect(problems.contains { $0.contains(name) }, "\(name) \(offset): \(problems)")
                let error = #expect(throws: EngineError.self) { try FactLog.read(datasets, manifest) }
                #expect(error?.description.contains(name) == true, "\(String(describing: error))")
            }
            try store.remove(name)
            let problems = try datasets.verify(Self.project, id: manifest.id)
            #expect(problems.contains { $0.contains(name) && $0.contains("is missing") }, "\(name): \(problems)")
            #expect(throws: StorageError.self) { try FactLog.read(datasets, manifest) }
            try store.write(bytes, to: name)
        }
        #expect(try datasets.verify(Self.project, id: manifest.id) == [])
        // The verification of a whole history reports each version that contains the file.
        let missing = try #require(names.first)
        try store.remove(missing)
        let (versions, problems) = try datasets.verify(Self.project)
        #expect(Set(problems.compactMap(\.version)).count == versions.count)
    }

    @Test("A page that names itself causes no endless walk, because its digest or level does not match")
    func cycle() throws {
        let (store, manifest) = try prepared()
        let datasets = DatasetStore(objects: store)
        let page = manifest.pages[0]
        // A page that contains the manifest's page replaces it under its name.
        let above = DatasetPage(pages: [page]).jsonBytes
        try store.write(above, to: "\(Self.project)/pages/\(page.sha256).json")
        let problems = try datasets.verify(Self.project, id: manifest.id)
        #expect(problems.contains { $0.contains(page.sha256) }, "\(problems)")
        #expect(throws: EngineError.self) { try FactLog.read(datasets, manifest) }
    }

    @Test(
        "A link instead of a file, and a path outside the project, are refused by name, in form 1, too"
    )
    func links() throws {
        var versions = try PagedVersions()
        defer { versions.remove() }
        try versions.cut(5, times: 2)
        let manifest = try versions.manifest()
        var entries: [DatasetEntry] = []
        try versions.store.reader(of: manifest).forEachEntry { entries.append($0) }
        let entry = try #require(entries.first)
        let path = "\(versions.folder)/\(Scenario.project)\(entry.path.dropFirst("../..".count))"
        try FileManager.default.moveItem(atPath: path, toPath: path + ".old")
        try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: path + ".old")
        let error = #expect(throws: EngineError.self) { try PagedVersions.read(versions.store, manifest) }
        #expect(
            error?.description.contains("symbolic link") == true && error?.description.contains(entry.sha256) == true
        )
        let problems = try versions.store.verify(Scenario.project, id: manifest.id)
        #expect(problems.contains { $0.contains("symbolic link") }, "\(problems)")
        for path in ["/etc/passwd", "../../../other/segments/x", "a/../b", "file:/etc/passwd", "a//b", "./a", "..", ""]
        {
            let old = DatasetManifest(
                project: Scenario.project,
                versionNumber: 1,
                sequence: 9,
                parent: nil,
                semanticVersion: "1.0.0",
                classes: Scenario.classes,
                segments: [DatasetSegment(split: .training, path: path, size: 4, sha256: entry.sha256, records: 1)]
            )
            let error = #expect(throws: EngineError.self, "\(path)") { try PagedVersions.read(versions.store, old) }
            #expect(error?.description.contains("a relative path inside the project's folder") == true, "\(path)")
        }
    }
}
