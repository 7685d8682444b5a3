import DatasetFiles
import Events
import Foundation
import JSON
import Materializer
import PipelineTesting
import S3
import S3Testing
import Storage
import StreamRuntime
import StreamTesting
import Synchronization
import Testing
import Vocabulary

@Suite("Any number of materializers share a store, and each version is announced once")
struct SharedStoreTests {
    /// A log of at least sixty versions.
    private let log = FactLog(seed: 12, facts: 620)

    private func pipeline(_ records: some Collection<OutputRecord>) throws -> Pipeline {
        let pipeline = try Pipeline(isApplied: false)
        for record in records { try pipeline.cluster.append(record) }
        return pipeline
    }

    private func announced(_ pipeline: Pipeline) throws -> [SealedVersion] {
        try pipeline.decoded(.datasetVersions) { try SealedVersion(json: $0) }
    }

    private func topicPartition(_ pipeline: Pipeline) -> TopicPartition {
        TopicPartition(pipeline.topics[.datasetLog], Scenario.partition)
    }

    /// All objects except the progress, which depends on the order in which workers ran.
    private func files(_ objects: any ObjectStore) throws -> [String: [UInt8]] {
        try objects.contents.filter { !$0.key.hasPrefix("progress/") }
    }

    private func folder() throws -> FolderStore {
        try FolderStore(root: FileManager.default.temporaryDirectory.path + "/shared-\(UUID().uuidString)")
    }

    /// Before: 60 versions became 120, the second half with the URIs of the new disk.
    @Test("A worker on an empty disk rebuilds every version, and announces only versions that were never announced")
    func emptyDisk() throws {
        let late = log.outputs.suffix(60)
        let pipeline = try pipeline(log.outputs.dropLast(60))
        let first = try pipeline.makeMaterializer()
        try first.settle()
        first.task.close()
        let before = try announced(pipeline)
        #expect(before.count > 50)

        let disk = try folder()
        defer { try? FileManager.default.removeItem(atPath: disk.location) }
        let second = try pipeline.makeMaterializer(instance: "w2", store: DatasetStore(objects: disk))
        try second.settle()
        #expect(try announced(pipeline) == before)
        #expect(try (files(disk) == files(pipeline.store.objects)) == true)

        for record in late { try pipeline.cluster.append(record) }
        try second.settle()
        let all = try announced(pipeline)
        #expect(all.map(\.versionNumber) == Array(1...log.versions.count) && all.count > before.count)
        #expect(all.suffix(all.count - before.count).allSatisfy { $0.manifest.uri.contains(disk.location) })
        #expect(try DatasetStore(objects: disk).verify(Scenario.project).problems == [])
    }

    @Test("A second reading of the log announces nothing again, without progress, offsets or both", arguments: 0..<3)
    func readAgain(lost: Int) throws {
        let bucket = FakeBucket()
        let store = DatasetStore(objects: S3Store(.pipeline("datasets"), client: try .pipeline(bucket)))
        let pipeline = try pipeline(log.outputs)
        let first = try pipeline.makeMaterializer(store: store)
        try first.settle()
        first.task.close()
        let (before, objects) = try (announced(pipeline), bucket.objects)
        #expect(before.map(\.versionNumber) == Array(1...log.versions.count))
        if lost != 1 { for name in try store.objects.list("progress") { try store.objects.remove(name) } }
        if lost != 0 { pipeline.cluster.setOffset(nil, of: topicPartition(pipeline), group: "materializer") }
        try pipeline.makeMaterializer(instance: "w2", store: store).settle()
        #expect(try announced(pipeline) == before)
        #expect((bucket.objects == objects) == true)
    }

    @Test("Only a version whose announcement is missing is announced")
    func missingAnnouncement() throws {
        let pipeline = try pipeline(log.outputs)
        try pipeline.makeMaterializer().settle()
        let records = pipeline.cluster.committed(pipeline.topics[.datasetVersions], Scenario.partition)
        let fresh = try self.pipeline(log.outputs)
        for (number, record) in records.enumerated() where number % 7 != 3 {
            try fresh.cluster.append(
                OutputRecord(
                    topic: fresh.topics[.datasetVersions],
                    partition: Scenario.partition,
                    key: record.key,
                    value: record.value
                )
            )
        }
        let store = DatasetStore(objects: MemoryStore())
        try fresh.makeMaterializer(store: store).settle()
        let all = try announced(fresh)
        #expect(all.map(\.versionNumber).sorted() == Array(1...log.versions.count))
        let missing = records.indices.filter { $0 % 7 == 3 }.map { $0 + 1 }
        #expect(all.suffix(missing.count).map(\.versionNumber) == missing)
    }

    @Test("A version whose number is announced with another id is announced too, once; the worker reports it")
    func announcedUnderOtherID() throws {
        let pipeline = try pipeline(log.outputs)
        let other = DatasetVersionID(String(repeating: "ab", count: 32))
        let version = SealedVersion(
            id: other,
            versionNumber: 2,
            parent: nil,
            semanticVersion: "1.1.0",
            manifest: ArtifactReference(uri: "file:///gone/manifest.json", size: 1, sha256: other.rawValue),
            training: 1,
            validation: 0,
            test: 0
        )
        var writer = JSONWriter()
        SealedVersionEvent(project: Scenario.project, version: version).write(to: &writer)
        try pipeline.send(.datasetVersions, writer.bytes, partition: Scenario.partition)
        let runner = try pipeline.makeMaterializer()
        var reported: [Int] = []
        (runner.processor as? MaterializerProcessor)?.announcedUnderOtherID = { reported.append($1.versionNumber) }
        try runner.settle()
        #expect(reported == [2])
        let all = try announced(pipeline)
        #expect(all.count == log.versions.count + 1 && all.first?.id == other)
        let real = try #require(try pipeline.store.manifest(Scenario.project, versionNumber: 2)?.id)
        #expect(all.filter { $0.versionNumber == 2 }.map(\.id) == [other, real])
        // The next worker finds both announcements.
        let next = try pipeline.makeMaterializer(instance: "w9", store: DatasetStore(objects: MemoryStore()))
        (next.processor as? MaterializerProcessor)?.announcedUnderOtherID = { reported.append($1.versionNumber) }
        try next.settle()
        #expect(try reported == [2] && announced(pipeline).count == all.count)
        #expect(try pipeline.store.verify(Scenario.project).problems == [])
    }

    /// Announcements of a previous owner become visible after its offsets.
    @Test("A new owner waits for announcements that are committed and not yet visible")
    func markers() throws {
        let pipeline = try pipeline(log.outputs)
        pipeline.cluster.delayMarkers(of: pipeline.topics[.datasetVersions], by: 400)
        let first = try pipeline.makeMaterializer()
        try first.settle()
        first.task.abandon()
        pipeline.cluster.expireMember("w1", of: "materializer")
        try pipeline.makeMaterializer(instance: "w2", store: DatasetStore(objects: MemoryStore())).settle()
        pipeline.clock.advance(by: 1_000)
        #expect(try announced(pipeline).map(\.versionNumber) == Array(1...log.versions.count))
    }

    /// The first owner is interrupted in the middle of a change; another one acts, and is interrupted after a number of
    /// changes of its own or not at all; the first continues as if nothing had happened.
    @Test(
        "Two owners at any change of a store end with equal objects, and announce each version once",
        arguments: 0..<3
    )
    func owners(backend: Int) throws {
        let log = FactLog(seed: 5, facts: 60)
        func objects() throws -> any ObjectStore {
            switch backend {
            case 0: return MemoryStore()
            case 1: return try folder()
            default: return S3Store(.pipeline("datasets"), client: try .pipeline(Self.keep(FakeBucket())))
            }
        }
        let alone = try objects()
        let undisturbed = try pipeline(log.outputs)
        let countingStore = MeetingStore(alone)
        try undisturbed.makeMaterializer(store: DatasetStore(objects: countingStore), keepEvery: 4).settle()
        let (versions, expected) = (try announced(undisturbed), try files(alone))
        #expect(versions.count > 4 && countingStore.changes > 30)
        let moments = Exhaustive.some(MeetingStore.Moment.all(countingStore.changes), about: backend == 0 ? 60 : 12)
        for (number, moment) in moments.enumerated() {
            let shared = try objects()
            defer { if shared is FolderStore { try? FileManager.default.removeItem(atPath: shared.location) } }
            let pipeline = try pipeline(log.outputs)
            let limit = number % 3 == 0 ? nil : (number * 7) % countingStore.changes
            let second = try pipeline.makeMaterializer(
                instance: "w2",
                store: DatasetStore(
                    objects: MeetingStore(shared, at: limit.map { .init(change: $0, isAfter: number % 2 == 0) }) {
                        () throws(StorageError) in throw .processEnded
                    }
                ),
                keepEvery: 4
            )
            nonisolated(unsafe) let other = second
            let cluster = pipeline.cluster
            let meeting = MeetingStore(shared, at: moment) {
                cluster.expireMember("w1", of: "materializer")
                if (try? other.settle()) == nil { other.task.abandon() }
            }
            let first = try pipeline.makeMaterializer(store: DatasetStore(objects: meeting), keepEvery: 4)
            // The first owner is fenced, or the partition is assigned to it again.
            _ = Result { try first.settle() }
            first.task.close()
            for name in ["w1", "w2"] { cluster.expireMember(name, of: "materializer") }
            pipeline.clock.advance(by: 10_001)
            try pipeline.makeMaterializer(instance: "w3", store: DatasetStore(objects: shared), keepEvery: 4).settle()
            #expect(try announced(pipeline).map(\.id) == versions.map(\.id), "\(moment) \(String(describing: limit))")
            #expect(try (files(shared) == expected) == true, "\(moment) \(String(describing: limit))")
            #expect(try DatasetStore(objects: shared).verify(Scenario.project).problems == [], "\(moment)")
        }
        print("moments at which a second owner acted: \(moments.count) of \(2 * countingStore.changes)")
    }

    /// Keeps the bucket alive as long as the test run.
    private static func keep(_ bucket: FakeBucket) -> FakeBucket {
        kept.withLock { $0.append(bucket) }
        return bucket
    }

    private static let kept = Mutex<[FakeBucket]>([])
}
