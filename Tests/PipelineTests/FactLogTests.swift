import Events
import Foundation
import JSON
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

/// Whether tests try every fault point there is, as `make s3` does, instead of a few that a seed draws.
enum Exhaustive {
    static let isOn = ProcessInfo.processInfo.environment["FLYWHEEL_EXHAUSTIVE"] == "1"

    /// All of some cases, or about so many, by a seed.
    static func some<Case>(_ cases: [Case], about count: Int, seed: UInt64 = 7) -> [Case] {
        guard !isOn, cases.count > count else { return cases }
        var draw = seed
        return cases.filter { _ in
            // A Weyl sequence: equally spread, another one for each seed.
            draw = draw &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(draw >> 33) % cases.count < count
        }
    }
}

@Suite("A version is the fold of all facts up to its cut: added, revised, retracted and moved labels")
struct FactLogTests {
    private func plant(_ records: some Collection<OutputRecord>) throws -> Plant {
        let plant = try Plant(isApplied: false)
        for record in records { try plant.cluster.append(record) }
        return plant
    }

    private func ids(_ plant: Plant) throws -> [DatasetVersionID] {
        try plant.decoded(.datasetVersions) { try SealedVersion(json: $0) }.sorted { $0.ordinal < $1.ordinal }.map(\.id)
    }

    private func expect(_ log: FactLog, in store: DatasetStore, _ ids: [DatasetVersionID], _ comment: Comment) throws {
        #expect(ids.count == log.versions.count, comment)
        for (number, labels) in log.versions.enumerated() {
            let manifest = try #require(try store.manifest(World.project, ordinal: number + 1), comment)
            #expect(manifest.id == ids[number], comment)
            #expect(try FactLog.read(store, manifest) == labels, comment)
            #expect(manifest.semanticVersion == log.semanticVersions[number], comment)
            for split in Split.allCases {
                #expect(manifest.count(of: split) == labels.count { $0.split == split }, comment)
            }
        }
        #expect(try store.verify(World.project).problems == [], comment)
    }

    @discardableResult
    private func settle(_ log: FactLog, _ store: DatasetStore) throws -> [DatasetVersionID] {
        let plant = try plant(log.outputs)
        let runner = try plant.makeMaterializer(store: store)
        try runner.settle()
        let stage = try #require(runner.stage as? MaterializerStage)
        #expect(stage.stops.isEmpty, "\(stage.stops.map(\.text))")
        return try ids(plant)
    }

    @Test(
        "Every version of 200 logs reads as the naive fold, plain and packed, and packs hold the same",
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
            let (pack, _) = try store.pack(World.project, id: try #require(ids.last), size: 2_000)
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
            let folder = try Plant()
            #expect(try settle(log, folder.store) == ids, "seed \(seed)")
            #expect(try (folder.store.objects.contents == memory.objects) == true, "seed \(seed)")
            let bucket = FakeBucket()
            let plant = try Plant(buckets: .plant(bucket))
            #expect(try settle(log, plant.store) == ids, "seed \(seed)")
            #expect(try (plant.store.objects.contents == memory.objects) == true, "seed \(seed)")
            try expect(log, in: plant.store, ids, "seed \(seed)")
        }
    }

    @Test("Two materializers that both believe they own the partition announce the same versions")
    func two() throws {
        for seed in Exhaustive.some(Array(UInt64(1)...200), about: 12) {
            let log = FactLog(seed: seed)
            let alone = MemoryStore()
            let ids = try settle(log, DatasetStore(objects: alone))
            let shared = MemoryStore()
            let plants = try (0..<2).map { _ in try plant([]) }
            let runners = try plants.map { try $0.makeMaterializer(store: DatasetStore(objects: shared)) }
            for (number, record) in log.outputs.enumerated() {
                for plant in plants { try plant.cluster.append(record) }
                // Now the one is ahead, now the other.
                try runners[number / 3 % 2].settle()
            }
            for runner in runners { try runner.settle() }
            for plant in plants { #expect(try self.ids(plant) == ids, "seed \(seed)") }
            #expect((shared.objects == alone.objects) == true, "seed \(seed)")
        }
    }

    @Test("A kill at any write leaves whole versions, and the same ones in the end")
    func kills() throws {
        var tried = 0
        for seed in Exhaustive.isOn ? 1...20 : 1...3 as ClosedRange<UInt64> {
            let log = FactLog(seed: seed, facts: 45)
            let healthy = MemoryStore()
            let expected = try settle(log, DatasetStore(objects: healthy))
            func run(_ plant: Plant, _ objects: MemoryStore) throws {
                // Keeps what waits every few records, changes among it, and begins anew in the middle.
                let store = DatasetStore(objects: objects)
                let there = plant.cluster.committed(plant.topics[.datasetLog], World.partition).count
                try plant.makeMaterializer(store: store, keepEvery: 4).settle()
                for record in log.outputs[there...] { try plant.cluster.append(record) }
                try plant.makeMaterializer(store: store, keepEvery: 4).settle()
            }
            let undisturbed = MemoryStore()
            try run(plant(log.outputs[..<25]), undisturbed)
            let crashes = (0..<undisturbed.writes).flatMap { number in
                [false, true].map { MemoryStore.Crash(number: number, isDone: $0) }
            }
            for crash in Exhaustive.some(crashes, about: 40, seed: seed) {
                tried += 1
                let objects = MemoryStore()
                objects.set(crash)
                let plant = try plant(log.outputs[..<25])
                _ = Result { try run(plant, objects) }
                objects.set(nil)
                #expect(try DatasetStore(objects: objects).verify(World.project).problems == [], "\(seed) \(crash)")
                try run(plant, objects)
                #expect(try Set(ids(plant)) == Set(expected), "\(seed) \(crash)")
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

    @Test("A kill at any effect on a disk, or any request to a bucket, leaves the same whole versions in the end")
    func killsOfStores() throws {
        let log = FactLog(seed: 5, facts: 60)
        let disk = Disk()
        let undisturbed = try plant(log.outputs)
        let folder = DatasetStore(objects: try disk.store(undisturbed.store.objects.location))
        try undisturbed.makeMaterializer(store: folder).settle()
        let (expected, files) = try (ids(undisturbed), undisturbed.store.objects.contents)
        try expect(log, in: folder, expected, "undisturbed")
        let crashes = Exhaustive.some(disk.crashes, about: 12)
        for crash in crashes {
            let plant = try plant(log.outputs)
            let disk = Disk(crash: crash)
            _ = Result {
                let store = DatasetStore(objects: try disk.store(plant.store.objects.location))
                try plant.makeMaterializer(store: store).settle()
            }
            #expect(disk.isGone, "\(crash)")
            #expect(try plant.store.verify(World.project).problems == [], "\(crash)")
            try plant.makeMaterializer().settle()
            #expect(try ids(plant) == expected, "\(crash)")
            #expect(try (plant.store.objects.contents == files) == true, "\(crash)")
        }
        let healthy = FakeBucket()
        try settle(log, DatasetStore(objects: S3Store(.plant("datasets"), client: .plant(healthy))))
        let requests = Exhaustive.some(healthy.requests.indices.flatMap { [($0, false), ($0, true)] }, about: 8)
        for (number, isDone) in requests {
            let bucket = FakeBucket { at, _ in at < number ? nil : at == number && isDone ? .lostAnswer : .nothing }
            let store = DatasetStore(objects: S3Store(.plant("datasets"), client: try .plant(bucket)))
            let plant = try plant(log.outputs)
            try? plant.makeMaterializer(store: store).settle()
            bucket.set(nil)
            #expect(try store.verify(World.project).problems == [], "\(number)")
            try plant.makeMaterializer(store: store).settle()
            #expect(try ids(plant) == expected, "\(number) \(isDone)")
            #expect((bucket.objects == healthy.objects) == true, "\(number) \(isDone)")
        }
        print("crash points tried on a disk and a bucket: \(crashes.count) and \(requests.count)")
    }
}
