import Events
import Flywheel
import Foundation
import JSON
import PipelineTesting
import Rollout
import S3
import S3Testing
import Statistics
import Storage
import StreamRuntime
import StreamTesting
import Testing
import Training
import Vocabulary

@testable import DatasetFiles
@testable import EngineCore
@testable import Materializer
@testable import Operations
@testable import Worker

@Suite("Unneeded versions are collected, and no object that a version names or will name is removed")
struct CollectionTests {
    private static let day: Int64 = 86_400
    /// Objects of `MemoryStore` are from 1970: all of them are older than a day.
    private static let now: Int64 = 10 * day

    private func pipeline(_ records: some Collection<OutputRecord>) throws -> Pipeline {
        let pipeline = try Pipeline(isApplied: false)
        for record in records { try pipeline.cluster.append(record) }
        return pipeline
    }

    private func announced(_ pipeline: Pipeline) throws -> [SealedVersion] {
        try pipeline.decoded(.datasetVersions) { try SealedVersion(json: $0) }
    }

    private func sealed(_ log: FactLog, _ objects: any ObjectStore) throws -> Pipeline {
        let pipeline = try pipeline(log.outputs)
        try pipeline.makeMaterializer(store: DatasetStore(objects: objects)).settle()
        return pipeline
    }

    /// Checks that the kept versions read as the naive fold, that the others are recorded as collected, and that no
    /// problem is found.
    private func expect(
        _ log: FactLog,
        in store: DatasetStore,
        kept: Set<Int>,
        _ comment: Comment
    ) throws {
        let collected = try store.collected(Scenario.project)
        for (number, labels) in log.versions.enumerated() {
            let versionNumber = number + 1
            let id = try #require(try store.id(Scenario.project, versionNumber: versionNumber), comment)
            #expect(collected.contains(id) == !kept.contains(versionNumber), comment)
            guard kept.contains(versionNumber) else { continue }
            let manifest = try #require(try store.manifest(Scenario.project, versionNumber: versionNumber), comment)
            #expect(try FactLog.read(store, manifest) == labels, comment)
        }
        let verified = try store.verify(Scenario.project)
        #expect(verified.problems == [], comment)
        #expect(verified.versions.count == kept.count, comment)
    }

    @Test("Needed, newest and young versions are kept; the rest is removed with its pages and packs")
    func collection() throws {
        for seed in UInt64(1)...6 {
            let log = FactLog(seed: seed, facts: 300)
            let objects = MemoryStore()
            _ = try sealed(log, objects)
            let store = DatasetStore(objects: objects)
            let count = log.versions.count
            let needs = VersionNeeds(reasons: [2: ["champion"], count - 2: ["running study"]], newestKnown: count - 1)
            let packed = try #require(try store.id(Scenario.project, versionNumber: 4))
            let kept = try #require(try store.id(Scenario.project, versionNumber: 2))
            for id in [packed, kept] { _ = try store.pack(Scenario.project, id: id) }
            let young = try #require(try store.id(Scenario.project, versionNumber: 3))
            objects.setTime(Self.now - 100, of: "shapes/versions/\(young)/manifest.json")

            let before = objects.objects
            let plan = try store.collection(Scenario.project, needs, now: Self.now)
            #expect(objects.objects == before)
            #expect(plan.kept.map(\.versionNumber) == [2, 3, count - 2, count])
            #expect(
                plan.kept.map { $0.reasons.first } == ["champion", "younger than a day", "running study", "the newest"]
            )
            #expect(plan.collected.count == count - 4 && plan.bytes > 0)
            try store.carryOut(plan)
            let keptNumbers: Set<Int> = [2, 3, count - 2, count]
            try expect(log, in: store, kept: keptNumbers, "seed \(seed)")
            #expect(try objects.list("shapes/packs/\(packed)") == [])
            #expect(try !objects.list("shapes/packs/\(kept)").isEmpty)
            // Every remaining page is named by a kept version.
            let again = try store.collection(Scenario.project, needs, now: Self.now)
            #expect(again.removed == [] && again.collected == [] && again.spared == [], "\(seed)")
            #expect(again.collectedBefore == count - 4)
        }
    }

    @Test("A kill at any change leaves versions complete or recorded as collected, and the next collection continues")
    func kills() throws {
        let log = FactLog(seed: 4, facts: 120)
        let needs = VersionNeeds(reasons: [2: ["champion"]], newestKnown: log.versions.count)
        let undisturbed = MemoryStore()
        _ = try sealed(log, undisturbed)
        let full = undisturbed.objects
        undisturbed.set(nil)
        let undisturbedStore = DatasetStore(objects: undisturbed)
        try undisturbedStore.carryOut(undisturbedStore.collection(Scenario.project, needs, now: Self.now))
        let changes = undisturbed.writes
        #expect(changes > 20)
        for number in 0..<changes {
            for isDone in [false, true] {
                let objects = MemoryStore(full)
                let store = DatasetStore(objects: objects)
                objects.set(.init(number: number, isDone: isDone))
                let plan = try store.collection(Scenario.project, needs, now: Self.now)
                _ = Result { try store.carryOut(plan) }
                objects.set(nil)
                let collected = try store.collected(Scenario.project)
                for (index, labels) in log.versions.enumerated() {
                    let id = try #require(try store.id(Scenario.project, versionNumber: index + 1))
                    guard !collected.contains(id) else { continue }
                    let manifest = try #require(try store.manifest(Scenario.project, id: id), "\(number)")
                    #expect(try FactLog.read(store, manifest) == labels, "\(number) \(isDone)")
                }
                #expect(try store.verify(Scenario.project).problems == [], "\(number) \(isDone)")
                try store.carryOut(store.collection(Scenario.project, needs, now: Self.now))
                #expect((objects.objects == undisturbed.objects) == true, "\(number) \(isDone)")
            }
        }
        print("kills tried of a collection: \(2 * changes)")
    }

    @Test("Rereading a log writes no collected version, announces nothing, and continues")
    func readAgain() throws {
        for seed in UInt64(1)...6 {
            let log = FactLog(seed: seed, facts: 200)
            let objects = MemoryStore()
            let half = log.outputs.prefix(130)
            let pipeline = try pipeline(half)
            let store = DatasetStore(objects: objects)
            let first = try pipeline.makeMaterializer(store: store)
            try first.settle()
            first.task.close()
            let sealedCount = try store.versionNumbers(Scenario.project).count
            #expect(sealedCount > 3)
            let needs = VersionNeeds(newestKnown: sealedCount)
            try store.carryOut(store.collection(Scenario.project, needs, now: Self.now))
            let remaining = objects.objects
            let before = try announced(pipeline)
            for name in try objects.list("progress") { try objects.remove(name) }
            pipeline.cluster.setOffset(
                nil,
                of: TopicPartition(pipeline.topics[.datasetLog], Scenario.partition),
                group: "materializer"
            )
            let second = try pipeline.makeMaterializer(instance: "w2", store: store)
            try second.settle()
            #expect((second.processor as? MaterializerProcessor)?.stops.isEmpty == true, "\(seed)")
            #expect(
                (objects.objects.filter { !$0.key.hasPrefix("progress/") }
                    == remaining.filter { !$0.key.hasPrefix("progress/") }) == true
            )
            #expect(try announced(pipeline) == before)
            for record in log.outputs.dropFirst(130) { try pipeline.cluster.append(record) }
            try second.settle()
            #expect(try announced(pipeline).map(\.versionNumber) == Array(1...log.versions.count))
            try expect(log, in: store, kept: Set(sealedCount...log.versions.count), "seed \(seed)")
            // The versions are those of a run without any collection.
            let alone = MemoryStore()
            let undisturbed = try sealed(log, alone)
            #expect(try announced(undisturbed).map(\.id) == announced(pipeline).map(\.id))
        }
    }

    /// A materializer is interrupted at any change for longer than a day. A collection runs, either to its end or
    /// interrupted while the materializer continues. The versions are those of an undisturbed run.
    @Test("A collection in the middle of a seal removes no object that the next version names, however old")
    func duringSeal() throws {
        let log = FactLog(seed: 9, facts: 110)
        let healthy = MemoryStore()
        let begun = log.outputs.prefix(60)
        let undisturbed = try pipeline(begun)
        try undisturbed.makeMaterializer(store: DatasetStore(objects: healthy)).settle()
        let (announcedCount, objectsBefore) = try (announced(undisturbed).count, healthy.objects)
        healthy.set(nil)
        for record in log.outputs.dropFirst(60) { try undisturbed.cluster.append(record) }
        try undisturbed.makeMaterializer(store: DatasetStore(objects: healthy)).settle()
        let ids = try announced(undisturbed).map(\.id)
        #expect(announcedCount > 2 && ids.count > announcedCount + 2)
        var spared = 0
        let moments = Exhaustive.some(MeetingStore.Moment.all(healthy.writes), about: 40)
        for moment in moments {
            let (number, isDone) = (moment.change, moment.isAfter)
            let pipeline = try pipeline(begun)
            try pipeline.makeMaterializer(store: DatasetStore(objects: MemoryStore())).settle()
            for record in log.outputs.dropFirst(60) { try pipeline.cluster.append(record) }
            let objects = MemoryStore(objectsBefore)
            objects.set(.init(number: number, isDone: isDone))
            let store = DatasetStore(objects: objects)
            _ = Result { try pipeline.makeMaterializer(store: store).settle() }
            objects.set(nil)
            // The removals are planned now, and carried out while the materializer checks which objects it reuses.
            let plan = try store.collection(Scenario.project, VersionNeeds(newestKnown: announcedCount), now: Self.now)
            spared += plan.spared.count
            let meeting = MeetingStore(objects, at: .init(change: number % 7, isAfter: isDone)) {
                () throws(StorageError) in try store.carryOut(plan)
            }
            let last = try pipeline.makeMaterializer(store: DatasetStore(objects: meeting))
            try last.settle()
            // A materializer that reads the log again encounters a version that is being removed: it pauses, checks
            // again, and skips it.
            pipeline.clock.advance(by: 20_000)
            try last.settle()
            #expect((last.processor as? MaterializerProcessor)?.backoff.isActive == false, "\(number) \(isDone)")
            let stops = (last.processor as? MaterializerProcessor)?.stops.map(\.text)
            #expect(stops == [], "\(number) \(isDone)")
            try store.carryOut(plan)
            let collected = try store.collected(Scenario.project)
            #expect(try store.verify(Scenario.project).problems == [], "\(number) \(isDone)")
            for (index, labels) in log.versions.enumerated() {
                let id = try #require(try store.id(Scenario.project, versionNumber: index + 1), "\(number) \(isDone)")
                #expect(id == ids[index], "\(number) \(isDone)")
                guard !collected.contains(id) else { continue }
                let manifest = try #require(try store.manifest(Scenario.project, id: id), "\(number) \(isDone)")
                #expect(try FactLog.read(store, manifest) == labels, "\(number) \(isDone)")
            }
            #expect(try announced(pipeline).map(\.id) == ids, "\(number) \(isDone)")
        }
        #expect(spared > 10)
        print("collections tried in the middle of a seal: \(moments.count), objects spared: \(spared)")
    }

    @Test("Objects that no version names are removed after a day, except those that the next version may name")
    func orphans() throws {
        let log = FactLog(seed: 2, facts: 80)
        let objects = MemoryStore()
        _ = try sealed(log, objects)
        let store = DatasetStore(objects: objects)
        let last = try #require(try store.manifest(Scenario.project, versionNumber: log.versions.count))
        func put(_ folder: String, _ text: String) throws -> String {
            let name = "shapes/\(folder)/\(String(repeating: "0", count: 60))\(text.utf8.count % 10_000).jsonl"
            try objects.put(Array(text.utf8), as: name)
            return name
        }
        let old = try put("segments", "{\"sequence\":3}\n")
        let next = try put("segments", "{\"sequence\":\(last.sequence + 1),\"x\":1}\n")
        let broken = try put("segments", "no line at all, and longer")
        let withdrawals = try put("tombstones", "{\"sequence\":1}\n")
        let fresh = try put("segments", "{\"sequence\":4,\"fresh\":true}\n")
        objects.setTime(Self.now - 5, of: fresh)
        let foreign = "shapes/notes/mine.txt"
        try objects.put([1], as: foreign)
        let needs = VersionNeeds(newestKnown: 0)
        let plan = try store.collection(Scenario.project, needs, now: Self.now)
        #expect(plan.removed.map(\.name) == [old] && plan.collected == [])
        #expect(Set(plan.spared.map(\.name)) == [next, broken, withdrawals, fresh])
        try store.carryOut(plan)
        #expect(try !objects.exists(old))
        for name in [next, broken, withdrawals, fresh, foreign] { #expect(try objects.exists(name), "\(name)") }
    }

    @Test("Nothing is removed while a needed version cannot be read", arguments: ["pages", "versions"])
    func damaged(folder: String) throws {
        let log = FactLog(seed: 2, facts: 80)
        let objects = MemoryStore()
        _ = try sealed(log, objects)
        let store = DatasetStore(objects: objects)
        let manifest = try #require(try store.manifest(Scenario.project, versionNumber: log.versions.count))
        let page = try #require(manifest.pages.last)
        let name =
            folder == "pages" ? "shapes/pages/\(page.sha256).json" : "shapes/versions/\(manifest.id)/manifest.json"
        var bytes = try objects.read(name)
        bytes[bytes.count / 2] ^= 1
        try objects.write(bytes, to: name)
        let error = #expect(throws: EngineError.self) {
            try store.collection(Scenario.project, VersionNeeds(newestKnown: log.versions.count), now: Self.now)
        }
        #expect(error?.description.contains(name) == true, "\(String(describing: error))")
    }

    @Test(
        "In a folder and in a bucket, only objects that the store dates more than a day back are removed",
        arguments: [true, false]
    )
    func times(isFolder: Bool) throws {
        let log = FactLog(seed: 6, facts: 80)
        let bucket = FakeBucket()
        let pipeline = try isFolder ? Pipeline() : Pipeline(buckets: .pipeline(bucket))
        let store = pipeline.store
        let source = try self.pipeline(log.outputs)
        try source.makeMaterializer(store: store).settle()
        let now = Int64(Date().timeIntervalSince1970)
        for name in try store.objects.list() where !isFolder { bucket.setTime(now, of: "datasets/\(name)") }
        let needs = VersionNeeds(newestKnown: log.versions.count)
        let young = try store.collection(Scenario.project, needs, now: now)
        #expect(young.removed == [] && young.collected == [] && young.kept.count == log.versions.count)
        let later = try store.collection(Scenario.project, needs, now: now + Self.day + 10)
        #expect(later.collected.count == log.versions.count - 1)
        try store.carryOut(later)
        try expect(log, in: store, kept: [log.versions.count], "later")
    }

    @Test("All versions that the loop's state names are needed: champions, challengers, former ones and studies")
    func needs() throws {
        let pipeline = try Pipeline(seed: 2)
        for _ in 0..<24 { try pipeline.round() }
        let needs = try VersionNeeds.read(Scenario.project, transport: pipeline.cluster, topics: pipeline.topics)
        let releases = try pipeline.releases()
        let last = try #require(releases.last)
        let expected = Set(
            (releases.map(\.champion) + [last.challenger].compactMap { $0 }).map(\.datasetVersionNumber).suffix(8)
        )
        #expect(expected.count > 1 && expected.isSubset(of: Set(needs.reasons.keys)))
        #expect(needs.reasons(of: last.champion.datasetVersionNumber).contains("champion \(last.champion.version)"))
        #expect(!needs.reasons(of: needs.newestKnown + 1).isEmpty)
        let error = #expect(throws: EngineError.self) {
            try VersionNeeds.read(ProjectID("other"), transport: pipeline.cluster, topics: pipeline.topics)
        }
        #expect(error?.description.contains("knows no such project") == true)
        // A collection with these needs keeps the data of releases and studies.
        let store = pipeline.store
        let now = Int64(Date().timeIntervalSince1970) + 2 * Self.day
        try store.carryOut(store.collection(Scenario.project, needs, now: now))
        for versionNumber in needs.reasons.keys {
            let manifest = try #require(try store.manifest(Scenario.project, versionNumber: versionNumber))
            #expect(try store.verify(Scenario.project, id: manifest.id) == [])
        }
        // The loop continues to produce versions.
        let before = try pipeline.decoded(.datasetVersions) { try SealedVersion(json: $0) }.count
        for _ in 0..<8 { try pipeline.round() }
        #expect(try pipeline.decoded(.datasetVersions) { try SealedVersion(json: $0) }.count > before)
        #expect(try store.verify(Scenario.project).problems == [])
    }

    @Test("A collection refuses a store of another cluster, or of no cluster")
    func owner() throws {
        let objects = MemoryStore()
        let owner = FolderOwner(cluster: "a", prefix: "t.")
        #expect(throws: EngineError.self) { try owner.check(objects) }
        #expect(objects.objects.isEmpty)
        try owner.claim(objects)
        try owner.check(objects)
        #expect(throws: EngineError.self) { try FolderOwner(cluster: "b", prefix: "t.").check(objects) }
    }
}
