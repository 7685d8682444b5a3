import Compression
import Events
import Foundation
import Hashing
import JSON
import PipelineTesting
import S3
import S3Testing
import Storage
import StreamRuntime
import StreamTesting
import Synchronization
import Testing
import Vocabulary

@testable import DatasetFiles
@testable import EngineCore

@Suite("Label files may be packed: ids, readers and conflicts depend only on the unpacked texts")
struct PackedStoreTests {
    private func pipeline(_ records: some Collection<OutputRecord>) throws -> Pipeline {
        let pipeline = try Pipeline(isApplied: false)
        for record in records { try pipeline.cluster.append(record) }
        return pipeline
    }

    private func announced(_ pipeline: Pipeline) throws -> [DatasetVersionID] {
        try pipeline.decoded(.datasetVersions) { try SealedVersion(json: $0).id }
    }

    private func expect(_ log: FactLog, in store: DatasetStore, _ comment: Comment) throws {
        for (number, labels) in log.versions.enumerated() {
            let manifest = try #require(try store.manifest(Scenario.project, versionNumber: number + 1), comment)
            #expect(try FactLog.read(store, manifest) == labels, comment)
        }
        #expect(try store.verify(Scenario.project).problems == [], comment)
    }

    private func files(_ objects: any ObjectStore) throws -> [String: [UInt8]] {
        try objects.contents.filter { !$0.key.hasPrefix("progress/") }
    }

    /// The objects with packed ones unpacked, under the names of the unpacked texts.
    private func texts(_ objects: [String: [UInt8]]) throws -> [String: [UInt8]] {
        var texts: [String: [UInt8]] = [:]
        for (name, bytes) in objects {
            let isPacked = name.hasSuffix(".zst")
            texts[isPacked ? String(name.dropLast(4)) : name] =
                isPacked ? try Zstd.unpack(bytes, maximumSize: 1 << 20) : bytes
        }
        return texts
    }

    @Test("Versions have the same ids and the same texts whether packed or not")
    func ids() throws {
        let log = FactLog(seed: 3, facts: 120)
        let (plain, packed) = (MemoryStore(), MemoryStore())
        let first = try pipeline(log.outputs)
        try first.makeMaterializer(store: DatasetStore(objects: plain)).settle()
        let second = try pipeline(log.outputs)
        try second.makeMaterializer(store: DatasetStore(objects: packed, compression: .zstd)).settle()
        #expect(try announced(first) == announced(second))
        #expect(try (texts(packed.objects) == plain.objects) == true)
        let names = packed.objects.keys.filter { $0.contains("/segments/") || $0.contains("/tombstones/") }
        #expect(names.count > 10 && names.allSatisfy { $0.hasSuffix(".jsonl.zst") })
        #expect(packed.objects.keys.allSatisfy { !$0.hasSuffix(".zst") || names.contains($0) })
        // A reader configured for either form reads the other.
        for compression in StoreCompression.allCases {
            try expect(log, in: DatasetStore(objects: packed, compression: compression), "\(compression)")
            try expect(log, in: DatasetStore(objects: plain, compression: compression), "\(compression)")
        }
    }

    @Test("A store can contain plain and packed files: versions in both forms are read again")
    func mixed() throws {
        let log = FactLog(seed: 8, facts: 140)
        for order in [[StoreCompression.none, .zstd], [.zstd, .none]] {
            let objects = MemoryStore()
            let pipeline = try pipeline(log.outputs.prefix(70))
            let first = try pipeline.makeMaterializer(store: DatasetStore(objects: objects, compression: order[0]))
            try first.settle()
            first.task.close()
            for record in log.outputs.dropFirst(70) { try pipeline.cluster.append(record) }
            let second = try pipeline.makeMaterializer(store: DatasetStore(objects: objects, compression: order[1]))
            try second.settle()
            second.task.close()
            let names = objects.objects.keys.filter { $0.contains("/segments/") }
            #expect(names.contains { $0.hasSuffix(".zst") } && names.contains { !$0.hasSuffix(".zst") })
            try expect(log, in: DatasetStore(objects: objects), "\(order)")
            // A text that exists plain is not also written packed.
            let before = try files(objects)
            for name in try objects.list("progress") { try objects.remove(name) }
            try pipeline.makeMaterializer(store: DatasetStore(objects: objects, compression: .zstd)).settle()
            let after = try files(objects)
            #expect(order[1] == .none || after == before)
            #expect(try (texts(after) == texts(before)) == true)
        }
    }

    @Test("The same text packed to other bytes is no conflict; another text is one")
    func conflicts() throws {
        let text = Array(String(repeating: "{\"sequence\":1,\"a\":\"b\"}\n", count: 300).utf8)
        let name = "shapes/segments/\(SHA256Digest(of: text).hex).jsonl"
        let objects = MemoryStore()
        let store = DatasetStore(objects: objects, compression: .zstd).objects
        let other = try text.withUnsafeBytes { buffer in try Zstd.pack(buffer, level: 19) }
        try objects.put(other, as: "\(name).zst")
        #expect(try !store.put(text, as: name))
        #expect(objects.objects["\(name).zst"] == other && objects.objects.count == 1)
        #expect(try store.read(name, maximumSize: text.count) == text && store.size(of: name) == text.count)
        #expect(try store.read(name, range: 10..<30) == Array(text[10..<30]))
        for wrong in [Array(text.dropLast()), text + [0x0A], Array(text.reversed()), []] {
            let error = #expect(throws: StorageError.self) { try store.put(wrong, as: name) }
            #expect(error?.kind == .conflict)
        }
        let small = #expect(throws: StorageError.self) { try store.read(name, maximumSize: text.count - 1) }
        #expect(small?.kind == .tooLarge)
        let lost = #expect(throws: StorageError.self) { try store.read("shapes/segments/lost.jsonl") }
        #expect(lost?.kind == .notFound && lost?.path.hasSuffix("lost.jsonl") == true)
        #expect(try store.size(of: "shapes/segments/lost.jsonl") == nil)
    }

    @Test(
        "A text that exists packed is written plain only if the packed copy is damaged, not if it is unavailable"
    )
    func plainBeside() throws {
        let text = Array((1...3_000).map { "{\"sequence\":\($0),\"a\":\"\($0 * 7_919 % 1_009)\"}\n" }.joined().utf8)
        let name = "shapes/segments/\(SHA256Digest(of: text).hex).jsonl"
        let objects = MemoryStore()
        let (plain, packing) = (DatasetStore(objects: objects), DatasetStore(objects: objects, compression: .zstd))
        try objects.put(try text.withUnsafeBytes { try Zstd.pack($0, level: 19) }, as: "\(name).zst")
        #expect(try !plain.objects.put(text, as: name))
        #expect(objects.objects.count == 1)
        // The packed copy of another writer cannot be read at present.
        let counting = CountingStore(objects)
        counting.unavailablePart.withLock { $0 = ".zst" }
        for compression in StoreCompression.allCases {
            let store = DatasetStore(objects: counting, compression: compression).objects
            let error = #expect(throws: StorageError.self) { try store.put(text, as: name) }
            #expect(error?.kind == .unavailable, "\(compression)")
        }
        try objects.write([1, 2, 3], to: "\(name).zst")
        #expect(try plain.objects.put(text, as: name))
        // A damaged copy does not prevent reading the other one.
        for store in [plain, packing] {
            #expect(try store.objects.read(name, maximumSize: text.count) == text)
        }
        // Parts are read from the plain copy; if both copies exist, both are verified.
        #expect(try packing.objects.read(name, range: 3..<9) == Array(text[3..<9]))
        let sha256 = SHA256Digest(of: text).hex
        let entry = DatasetEntry(.labels, .test, size: text.count, sha256: sha256, records: 300, sequences: nil)
        #expect(try plain.problemOfCopy(entry, name)?.contains("\(name).zst") == true)
        try objects.write(try text.withUnsafeBytes { try Zstd.pack($0) }, to: "\(name).zst")
        #expect(try plain.problemOfCopy(entry, name) == nil && packing.problemOfCopy(entry, name) == nil)
    }

    /// Damages of a packed file, each with text that the refusal contains.
    private static let damages: [(name: String, change: @Sendable ([UInt8]) throws -> [UInt8], message: String)] = [
        (
            "flipped",
            { bytes in bytes.enumerated().map { $0.offset == bytes.count / 2 ? $0.element ^ 1 : $0.element } },
            "its frame is damaged"
        ),
        ("cut off", { Array($0.dropLast(3)) }, "cut off or damaged"),
        ("plain", { _ in Array("{\"sequence\":1}\n".utf8) }, "not a zstd frame"),
        (
            "a bomb",
            { _ in try [UInt8](repeating: 0x7B, count: 300 << 20).withUnsafeBytes { try Zstd.pack($0) } },
            "its frame says 314572800"
        ),
    ]

    @Test("A damaged, truncated, frameless or oversized packed file is refused by name", arguments: 0..<4)
    func damage(kind: Int) throws {
        let log = FactLog(seed: 3, facts: 60)
        let pipeline = try Pipeline(compression: .zstd)
        let source = try self.pipeline(log.outputs)
        try source.makeMaterializer(store: pipeline.store).settle()
        let name = try #require(try pipeline.store.objects.list("shapes/segments").first)
        let damage = Self.damages[kind]
        let objects = pipeline.store.objects
        try objects.write(damage.change(objects.read(name)), to: name)
        let problems = try pipeline.store.verify(Scenario.project).problems.map(\.text)
        let text = String(name.dropLast(4))
        #expect(
            !problems.isEmpty && problems.allSatisfy { $0.contains(text) && $0.contains(damage.message) },
            "\(problems)"
        )
        let newest = try #require(try pipeline.store.manifest(Scenario.project, versionNumber: log.versions.count))
        let inStore = #expect(throws: EngineError.self) { try FactLog.read(pipeline.store, newest) }
        #expect(inStore?.description.contains(text) == true)
        // The version is read by URIs, as a trainer does.
        let uri = try objects.uri(of: "shapes/versions/\(newest.id)/manifest.json").description
        let reader = DatasetReader(newest, DatasetFiles(uri, nil), name: uri)
        let byURI = #expect(throws: EngineError.self) { try reader.forEachLine { _ in } }
        #expect(byURI?.description.contains(text) == true, "\(String(describing: byURI))")
    }

    @Test(
        "The whole cycle makes the same decisions on packed files, in a folder and in a bucket",
        arguments: [false, true]
    )
    func cycle(isBucket: Bool) throws {
        let bucket = FakeBucket()
        let plain = try Pipeline(seed: 2)
        let packed = try Pipeline(seed: 2, buckets: isBucket ? .pipeline(bucket) : nil, compression: .zstd)
        for _ in 0..<10 {
            try plain.round()
            try packed.round()
        }
        #expect(try announced(plain) == announced(packed) && announced(plain).count > 2)
        #expect(try plain.releases().map(\.champion.version) == packed.releases().map(\.champion.version))
        #expect(try !packed.releases().isEmpty)
        #expect(try plain.artifacts.contents == packed.artifacts.contents)
        #expect(try packed.store.objects.list().contains { $0.hasSuffix(".jsonl.zst") })
        #expect(try (texts(packed.store.objects.contents) == plain.store.objects.contents) == true)
        #expect(try packed.store.verify(Scenario.project).problems == [])
    }

    @Test("A large file scanned in pieces yields the same lines, and any damage is reported")
    func pieces() throws {
        var lines = (0..<400).map { "{\"sequence\":\($0),\"x\":\"\(String(repeating: "y", count: $0 % 37))\"}" }
        lines[7] = String(repeating: "z", count: 3_000)
        let text = Array((lines.joined(separator: "\n") + "\n").utf8)
        let sha256 = SHA256Digest(of: text).hex
        let path = "../../segments/\(sha256).jsonl"
        let name = "shapes/segments/\(sha256).jsonl"
        func scan(_ objects: any ObjectStore, _ piece: Int) throws -> [String] {
            var found: [String] = []
            try DatasetFiles(objects, Scenario.project, DatasetVersionID("v"))
                .scan(path, size: text.count, sha256: sha256, pieceSize: piece) { line in
                    found.append(String(decoding: line, as: UTF8.self))
                }
            return found
        }
        let bucket = FakeBucket()
        let stores: [any ObjectStore] = [
            MemoryStore(), S3Store(.pipeline("datasets"), client: try .pipeline(bucket)),
            DatasetStore(objects: MemoryStore(), compression: .zstd).objects,
        ]
        for store in stores {
            try store.put(text, as: name)
            for piece in [300, 1_000, text.count - 1, text.count, text.count + 1] {
                #expect(try scan(store, piece) == lines, "\(piece)")
            }
        }
        let damaged = MemoryStore()
        for change in 0..<4 {
            var bytes = text
            switch change {
            case 0: bytes[text.count / 2] ^= 1
            case 1: bytes.removeLast()
            case 2: bytes.append(0x0A)
            default: bytes.append(contentsOf: text)
            }
            try damaged.write(bytes, to: name)
            for piece in [300, 5_000, text.count + 1] {
                let error = #expect(throws: EngineError.self) { try scan(damaged, piece) }
                #expect(error?.description.contains(name) == true, "\(change) \(piece)")
            }
        }
    }

    @Test("A collection treats packed files as the files that versions name")
    func collection() throws {
        let log = FactLog(seed: 7, facts: 160)
        let objects = MemoryStore()
        let pipeline = try pipeline(log.outputs)
        let store = DatasetStore(objects: objects, compression: .zstd)
        try pipeline.makeMaterializer(store: store).settle()
        let old = Array("{\"sequence\":2}\n".utf8)
        let name = "shapes/segments/\(SHA256Digest(of: old).hex).jsonl"
        try store.objects.put(old, as: name)
        let plan = try store.collection(Scenario.project, VersionNeeds(newestKnown: log.versions.count), now: 1 << 40)
        #expect(plan.removed.map(\.name).contains("\(name).zst") && plan.spared == [])
        try store.carryOut(plan)
        let last = try #require(try store.manifest(Scenario.project, versionNumber: log.versions.count))
        #expect(try FactLog.read(store, last) == log.versions.last)
        #expect(try store.verify(Scenario.project).problems == [])
    }
}
