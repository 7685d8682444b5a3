import Events
import Foundation
import Hashing
import JSON
import PipelineTesting
import Statistics
import Storage
import StreamTesting
import Testing
import Vocabulary

@testable import DatasetFiles
@testable import EngineCore
@testable import Trainer

@Suite("Verify reports a version as whole exactly if it can be read")
struct VerifiedHistoryTests {
    private static let project = Scenario.project

    /// Objects and manifests of a history of all kinds of facts.
    private func prepared(seed: UInt64 = 4) throws -> (objects: MemoryStore, manifests: [DatasetManifest]) {
        let objects = MemoryStore()
        let log = FactLog(seed: seed, facts: 80)
        let pipeline = try Pipeline(isApplied: false)
        for record in log.outputs { try pipeline.cluster.append(record) }
        let store = DatasetStore(objects: objects)
        try pipeline.makeMaterializer(store: store).settle()
        let manifests = try store.versionNumbers(Self.project).compactMap {
            try store.manifest(Self.project, versionNumber: $0)
        }
        return (objects, manifests)
    }

    private func entries(_ objects: MemoryStore, _ manifest: DatasetManifest) throws -> [DatasetEntry] {
        var entries: [DatasetEntry] = []
        try DatasetStore(objects: objects).reader(of: manifest).forEachEntry { entries.append($0) }
        return entries
    }

    /// Seals a version of these files after the last one; every digest that names a file is correct.
    private func seal(
        _ objects: MemoryStore,
        _ entries: [DatasetEntry],
        _ counts: [Split: Int],
        after last: DatasetManifest
    ) throws -> DatasetManifest {
        var pages: [DatasetPageReference] = []
        if !entries.isEmpty {
            let page = DatasetPage(files: entries)
            let reference = DatasetPageReference(page, page.jsonBytes)
            try objects.put(page.jsonBytes, as: "\(Self.project)/pages/\(reference.sha256).json")
            pages = [reference]
        }
        return try seal(objects, pages: pages, counts, after: last)
    }

    /// Seals a version of these pages after the last one.
    private func seal(
        _ objects: MemoryStore,
        pages: [DatasetPageReference],
        _ counts: [Split: Int],
        after last: DatasetManifest
    ) throws -> DatasetManifest {
        let manifest = DatasetManifest(
            Self.project,
            cut: VersionCut(
                versionNumber: last.versionNumber + 1,
                sequence: last.sequence + 1,
                training: 0,
                validation: 0,
                test: 0,
                classes: last.classes,
                format: 2
            ),
            parent: last.id,
            semanticVersion: "9.0.0",
            counts: counts,
            pages: pages
        )
        _ = try DatasetStore(objects: objects).seal(manifest)
        return manifest
    }

    private func counts(_ manifest: DatasetManifest) -> [Split: Int] {
        [
            .training: manifest.count(of: .training), .validation: manifest.count(of: .validation),
            .test: manifest.count(of: .test),
        ]
    }

    /// Problems of a version that verify reports, and the error of the reader; expects that verify reports no other
    /// version.
    private func verifyAndRead(_ objects: MemoryStore, _ manifest: DatasetManifest) throws -> (
        verified: [String], read: String?
    ) {
        let store = DatasetStore(objects: objects)
        let problems = try store.verify(Self.project).problems
        #expect(problems.allSatisfy { $0.version == manifest.id }, "\(problems)")
        let alone = try store.verify(Self.project, id: manifest.id)
        #expect(alone.isEmpty == problems.isEmpty, "\(alone) \(problems)")
        do {
            _ = try FactLog.read(store, try #require(try store.manifest(Self.project, id: manifest.id)))
            return (problems.map(\.text), nil)
        } catch {
            return (problems.map(\.text), "\(error)")
        }
    }

    @Test("Verify and the reader agree on 300 versions with repeated, reordered, omitted or altered files")
    func agree() throws {
        var generator = SplitMix64(seed: 20_261_130)
        var (whole, refused) = (0, 0)
        let histories = try (4...6).map { try prepared(seed: $0) }
        for number in 0..<300 {
            let (known, manifests) = histories[number % histories.count]
            let objects = MemoryStore()
            for (name, bytes) in known.objects { try objects.write(bytes, to: name) }
            let last = try #require(manifests.last)
            var list = try entries(objects, last)
            var counts = counts(last)
            for _ in 0..<Int(generator.next() % 3) {
                let index = Int(generator.next() % UInt64(list.count))
                let other = Int(generator.next() % UInt64(list.count))
                let entry = list[index]
                switch generator.next() % 6 {
                case 0: list.insert(entry, at: other)
                case 1:
                    list.remove(at: index)
                    // The counts match the remaining files, so only order and withdrawals reveal the omission.
                    if let split = entry.split { counts[split] = max(0, (counts[split] ?? 0) - entry.records) }
                case 2: list.swapAt(index, other)
                case 3:
                    list[index] = DatasetEntry(
                        entry.kind,
                        entry.split,
                        size: entry.size,
                        sha256: entry.sha256,
                        records: entry.records + Int(generator.next() % 2),
                        sequences: entry.sequences.map { $0.lowerBound...($0.upperBound + 1) }
                    )
                case 4 where entry.kind == .labels:
                    let split = Split.allCases[Int(generator.next() % 3)]
                    list[index] = DatasetEntry(
                        .labels,
                        split,
                        size: entry.size,
                        sha256: entry.sha256,
                        records: entry.records,
                        sequences: entry.sequences
                    )
                default: counts[Split.allCases[Int(generator.next() % 3)], default: 0] += Int(generator.next() % 2)
                }
            }
            let manifest = try seal(objects, list, counts, after: last)
            let (verified, read) = try verifyAndRead(objects, manifest)
            #expect(verified.isEmpty == (read == nil), "\(number): \(verified), \(read ?? "read")")
            if read == nil { whole += 1 } else { refused += 1 }
        }
        #expect(whole > 60 && refused > 60, "\(whole) whole, \(refused) refused")
    }

    @Test("A version without pages whose manifest counts labels is not whole")
    func noPages() throws {
        let (objects, manifests) = try prepared()
        let last = try #require(manifests.last)
        let empty = try seal(objects, [], counts(last), after: last)
        let (verified, read) = try verifyAndRead(objects, empty)
        #expect(!verified.isEmpty && read?.contains("labels remain, the manifest counts") == true)
    }

    @Test("Pages that name one page repeatedly are refused at once, at any depth")
    func manyTimes() throws {
        let (objects, manifests) = try prepared()
        let last = try #require(manifests.last)
        var pages = [try #require(last.pages.first)]
        for _ in 1...6 {
            let page = DatasetPage(pages: Array(repeating: pages[0], count: 64))
            let reference = DatasetPageReference(page, page.jsonBytes)
            try objects.put(page.jsonBytes, as: "\(Self.project)/pages/\(reference.sha256).json")
            pages = [reference]
        }
        let manifest = try seal(objects, pages: pages, counts(last), after: last)
        let (verified, read) = try verifyAndRead(objects, manifest)
        #expect(verified.count < 1_000 && verified.contains { $0.contains("is named twice") })
        #expect(read?.contains("is named twice") == true)
    }

    @Test("A trainer with rows kept from the last version refuses a version that it refuses without them")
    func keptRows() throws {
        let (objects, manifests) = try prepared()
        let store = DatasetStore(objects: objects)
        let last = try #require(manifests.last)
        var list = try entries(objects, last)
        // The first file of labels is repeated, and counted twice.
        let again = try #require(list.first { $0.kind == .labels })
        let split = try #require(again.split)
        list.append(again)
        let twice = try seal(
            objects,
            list,
            counts(last).merging([split: last.count(of: split) + again.records]) { $1 },
            after: last
        )
        for isKept in [false, true] {
            let kept = isKept ? try VersionRows(store.reader(of: last), cachedRows: nil) : nil
            let error = #expect(throws: EngineError.self, "\(isKept)") {
                _ = try VersionRows(store.reader(of: twice), cachedRows: kept)
            }
            #expect(error?.description.contains("does not follow") == true)
        }
    }

    @Test("An unreadable file is named, and the others are verified")
    func unreadable() throws {
        var versions = try PagedVersions()
        defer { versions.remove() }
        try versions.cut(30, times: 3)
        var entries: [DatasetEntry] = []
        try versions.store.reader(of: versions.manifest()).forEachEntry { entries.append($0) }
        // A folder replaces the first file, and the last file has an extra byte.
        let paths = entries.map { "\(versions.folder)/\(Scenario.project)\($0.path.dropFirst("../..".count))" }
        let (first, last) = (try #require(paths.first), try #require(paths.last))
        try FileManager.default.removeItem(atPath: first)
        try FileManager.default.createDirectory(atPath: first, withIntermediateDirectories: false)
        let bytes = try #require(FileManager.default.contents(atPath: last))
        try (bytes + [0x0A]).write(to: URL(filePath: last))
        let problems = try versions.store.verify(Scenario.project).problems.map(\.text)
        #expect(problems.contains { $0.contains(entries[0].sha256) && $0.contains("cannot be read") }, "\(problems)")
        #expect(problems.contains { $0.contains(entries[entries.count - 1].sha256) && $0.contains("another digest") })
    }

    @Test("A manifest with a member of a newer build keeps the id of its bytes")
    func newerMember() throws {
        let (objects, manifests) = try prepared()
        let last = try #require(manifests.last)
        let text = String(decoding: last.jsonBytes, as: UTF8.self)
            .replacing(#""ordinal":"#, with: #""note":"of a newer build","ordinal":"#)
        let id = DatasetVersionID(SHA256Digest(of: Array(text.utf8)).hex)
        try objects.put(Array(text.utf8), as: "\(Self.project)/versions/\(id)/manifest.json")
        let store = DatasetStore(objects: objects)
        let read = try #require(try store.manifest(Self.project, id: id))
        #expect(read.id == id && read.id != last.id)
        #expect(try store.verify(Self.project, id: id) == [])
    }
}
