import Events
import Foundation
import JSON
import PipelineTesting
import S3
import S3Testing
import Storage
import StreamRuntime
import StreamTesting
import Testing
import Vocabulary

@testable import DatasetFiles
@testable import EngineCore
@testable import Materializer

@Suite("A version is the fold of all facts up to its cut: added, revised, retracted and moved labels")
struct FactLogTests {
    private func pipeline(_ records: some Collection<OutputRecord>) throws -> Pipeline {
        let pipeline = try Pipeline(isApplied: false)
        for record in records { try pipeline.cluster.append(record) }
        return pipeline
    }

    private func ids(_ pipeline: Pipeline) throws -> [DatasetVersionID] {
        try pipeline.decoded(.datasetVersions) { try SealedVersion(json: $0) }.sorted {
            $0.versionNumber < $1.versionNumber
        }.map(
            \.id
        )
    }

    private func expect(_ log: FactLog, in store: DatasetStore, _ ids: [DatasetVersionID], _ comment: Comment) throws {
        #expect(ids.count == log.versions.count, comment)
        for (number, labels) in log.versions.enumerated() {
            let manifest = try #require(try store.manifest(Scenario.project, versionNumber: number + 1), comment)
            #expect(manifest.id == ids[number], comment)
            #expect(try FactLog.read(store, manifest) == labels, comment)
            #expect(manifest.semanticVersion == log.semanticVersions[number], comment)
            for split in Split.allCases {
                #expect(manifest.count(of: split) == labels.count { $0.split == split }, comment)
            }
        }
        #expect(try store.verify(Scenario.project).problems == [], comment)
    }

    @discardableResult
    private func settle(_ log: FactLog, _ store: DatasetStore) throws -> [DatasetVersionID] {
        let pipeline = try pipeline(log.outputs)
        let runner = try pipeline.makeMaterializer(store: store)
        try runner.settle()
        let processor = try #require(runner.processor as? MaterializerProcessor)
        #expect(processor.stops.isEmpty, "\(processor.stops.map(\.text))")
        return try ids(pipeline)
    }

    @Test(
        "Every version of 200 logs reads as a naive fold of the log, plain and packed, and packs have the same lines",
        arguments: 0..<8,
        StoreCompression.allCases
    )
    func fold(part: Int, compression: StoreCompression) throws {
        var changes = 0
        for seed in UInt64(part * 25 + 1)...UInt64(part * 25 + 25) {
            let log = FactLog(seed: seed)
            let store = DatasetStore(objects: MemoryStore(), compression: compression)
            let ids = try settle(log, store)
            try expect(log, in: store, ids, "seed \(seed)")
            let (pack, _) = try store.pack(Scenario.project, id: try #require(ids.last), size: 2_000)
            var lines: [Int64] = []
            for file in pack.files {
                let text = try store.objects.read("shapes/packs/\(pack.version)/\(file.path)")
                lines += text.split(separator: 0x0A).map { DatasetLine.sequence(of: Array($0), JSONParser()) ?? 0 }
            }
            #expect(lines.sorted() == log.versions.last?.map(\.sequence), "seed \(seed)")
            changes += log.records.count { if case .changed = $0 { true } else { false } }
        }
        #expect(changes > 25 * 8)
    }

    @Test("A folder and a bucket hold the same objects")
    func backends() throws {
        for seed in Exhaustive.some(Array(UInt64(1)...200), about: 6) {
            let log = FactLog(seed: seed)
            let memory = MemoryStore()
            let ids = try settle(log, DatasetStore(objects: memory))
            let folder = try Pipeline()
            #expect(try settle(log, folder.store) == ids, "seed \(seed)")
            #expect(try (folder.store.objects.contents == memory.objects) == true, "seed \(seed)")
            let bucket = FakeBucket()
            let pipeline = try Pipeline(buckets: .pipeline(bucket))
            #expect(try settle(log, pipeline.store) == ids, "seed \(seed)")
            #expect(try (pipeline.store.objects.contents == memory.objects) == true, "seed \(seed)")
            try expect(log, in: pipeline.store, ids, "seed \(seed)")
        }
    }

    @Test("Two materializers that both believe they own the partition announce the same versions")
    func twoMaterializers() throws {
        for seed in Exhaustive.some(Array(UInt64(1)...200), about: 12) {
            let log = FactLog(seed: seed)
            let alone = MemoryStore()
            let ids = try settle(log, DatasetStore(objects: alone))
            let shared = MemoryStore()
            let pipelines = try (0..<2).map { _ in try pipeline([]) }
            let runners = try pipelines.map { try $0.makeMaterializer(store: DatasetStore(objects: shared)) }
            for (number, record) in log.outputs.enumerated() {
                for pipeline in pipelines { try pipeline.cluster.append(record) }
                // The two materializers take turns at being ahead.
                try runners[number / 3 % 2].settle()
            }
            for runner in runners { try runner.settle() }
            for pipeline in pipelines { #expect(try self.ids(pipeline) == ids, "seed \(seed)") }
            #expect((shared.objects == alone.objects) == true, "seed \(seed)")
        }
    }

    @Test("A kill at any write leaves complete versions, and eventually the same ones")
    func kills() throws {
        var tried = 0
        for seed in Exhaustive.isOn ? 1...20 : 1...3 as ClosedRange<UInt64> {
            let log = FactLog(seed: seed, facts: 45)
            let healthy = MemoryStore()
            let expected = try settle(log, DatasetStore(objects: healthy))
            func run(_ pipeline: Pipeline, _ objects: MemoryStore) throws {
                // Keeps waiting labels every few records, changes included, and starts again in the middle.
                let store = DatasetStore(objects: objects)
                let recordCount = pipeline.cluster.committed(pipeline.topics[.datasetLog], Scenario.partition).count
                try pipeline.makeMaterializer(store: store, keepEvery: 4).settle()
                for record in log.outputs[recordCount...] { try pipeline.cluster.append(record) }
                try pipeline.makeMaterializer(store: store, keepEvery: 4).settle()
            }
            let undisturbed = MemoryStore()
            try run(pipeline(log.outputs[..<25]), undisturbed)
            let crashes = (0..<undisturbed.writes).flatMap { number in
                [false, true].map { MemoryStore.Crash(number: number, isDone: $0) }
            }
            for crash in Exhaustive.some(crashes, about: 40, seed: seed) {
                tried += 1
                let objects = MemoryStore()
                objects.set(crash)
                let pipeline = try pipeline(log.outputs[..<25])
                _ = Result { try run(pipeline, objects) }
                objects.set(nil)
                #expect(try DatasetStore(objects: objects).verify(Scenario.project).problems == [], "\(seed) \(crash)")
                try run(pipeline, objects)
                #expect(try Set(ids(pipeline)) == Set(expected), "\(seed) \(crash)")
                try expect(log, in: DatasetStore(objects: objects), expected, "\(seed) \(crash)")
                let files = objects.objects.filter { !$0.key.hasPrefix("progress/") }
                #expect(
                    (files == healthy.objects.filter { !$0.key.hasPrefix("progress/") }) == true,
                    "\(seed) \(crash)"
                )
            }
        }
        print("crash points tried on logs with changes: \(tried)")
    }

    @Test("A kill at any effect on a disk, or at any request to a bucket, eventually leaves the same complete versions")
    func killsOfStores() throws {
        let log = FactLog(seed: 5, facts: 60)
        let disk = Disk()
        let undisturbed = try pipeline(log.outputs)
        let folder = DatasetStore(objects: try disk.store(undisturbed.store.objects.location))
        try undisturbed.makeMaterializer(store: folder).settle()
        let (expected, files) = try (ids(undisturbed), undisturbed.store.objects.contents)
        try expect(log, in: folder, expected, "undisturbed")
        let crashes = Exhaustive.some(disk.crashes, about: 12)
        for crash in crashes {
            let pipeline = try pipeline(log.outputs)
            let disk = Disk(crash: crash)
            _ = Result {
                let store = DatasetStore(objects: try disk.store(pipeline.store.objects.location))
                try pipeline.makeMaterializer(store: store).settle()
            }
            #expect(disk.hasCrashed, "\(crash)")
            #expect(try pipeline.store.verify(Scenario.project).problems == [], "\(crash)")
            try pipeline.makeMaterializer().settle()
            #expect(try ids(pipeline) == expected, "\(crash)")
            #expect(try (pipeline.store.objects.contents == files) == true, "\(crash)")
        }
        let healthy = FakeBucket()
        try settle(log, DatasetStore(objects: S3Store(.pipeline("datasets"), client: .pipeline(healthy))))
        let requests = Exhaustive.some(healthy.requests.indices.flatMap { [($0, false), ($0, true)] }, about: 8)
        for (number, isDone) in requests {
            let bucket = FakeBucket { at, _ in at < number ? nil : at == number && isDone ? .lostAnswer : .nothing }
            let store = DatasetStore(objects: S3Store(.pipeline("datasets"), client: try .pipeline(bucket)))
            let pipeline = try pipeline(log.outputs)
            try? pipeline.makeMaterializer(store: store).settle()
            bucket.set(nil)
            #expect(try store.verify(Scenario.project).problems == [], "\(number)")
            try pipeline.makeMaterializer(store: store).settle()
            #expect(try ids(pipeline) == expected, "\(number) \(isDone)")
            #expect((bucket.objects == healthy.objects) == true, "\(number) \(isDone)")
        }
        print("crash points tried on a disk and a bucket: \(crashes.count) and \(requests.count)")
    }
}
