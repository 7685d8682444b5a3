import Events
import Flywheel
import PipelineTesting
import Storage
import StreamRuntime
import StreamTesting
import Testing
import Vocabulary

@testable import DatasetFiles
@testable import EngineCore
@testable import Materializer

/// One project that cuts versions, and another that never does, in one partition of the dataset log.
@Suite("Labels that wait for a version for a long time")
struct KeptLabelTests {
    private let log: [OutputRecord]
    private static let keepEvery: Int64 = 8

    init() throws {
        let source = try Pipeline(seed: 2)
        for _ in 0..<12 { try source.round() }
        let facts = source.cluster.committed(source.topics[.datasetLog], Scenario.partition)
        // Another project of the partition has the same facts without a cut, so none of its labels is ever in a
        // version.
        var log: [OutputRecord] = []
        var sequence = 0
        for fact in facts {
            let text = fact.text
            if text.contains(#""kind":"label_accepted""#), sequence < facts.count / 2 {
                sequence += 1
                let other = text.replacing(#""project":"shapes""#, with: #""project":"idle""#)
                    .replacing(#/"sequence":\d+/#, with: "\"sequence\":\(sequence)")
                log.append(Self.record(other, fact))
            }
            log.append(Self.record(text, fact))
        }
        self.log = log
    }

    private static func record(_ text: String, _ fact: StoredRecord) -> OutputRecord {
        OutputRecord(topic: "t.dataset-log", partition: Scenario.partition, key: fact.key, value: Array(text.utf8))
    }

    private func pipeline(_ records: some Collection<OutputRecord>) throws -> Pipeline {
        let pipeline = try Pipeline()
        for record in records { try pipeline.cluster.append(record) }
        return pipeline
    }

    private func materializer(_ pipeline: Pipeline, _ plan: FaultPlan = FaultPlan(), store: DatasetStore? = nil) throws
        -> ProcessorRunner
    {
        try pipeline.makeMaterializer(plan, store: store, keepEvery: Self.keepEvery)
    }

    private func versions(_ pipeline: Pipeline) throws -> [String] {
        try pipeline.decoded(.datasetVersions) { try SealedVersion(json: $0) }.map(\.id.rawValue)
    }

    private func offset(_ pipeline: Pipeline) -> Int64? {
        pipeline.cluster.offsets(of: "materializer")[TopicPartition(pipeline.topics[.datasetLog], Scenario.partition)]
    }

    /// All objects except the progress, which depends on when a worker died.
    private func files(_ pipeline: Pipeline) throws -> [String: [UInt8]] {
        try pipeline.store.objects.contents.filter { !$0.key.hasPrefix("progress/") }
    }

    private func expected() throws -> (versions: [String], files: [String: [UInt8]]) {
        let pipeline = try pipeline(log)
        // As in an older build: the offset never advances beyond a waiting label.
        try pipeline.makeMaterializer(keepEvery: .max).settle()
        #expect(offset(pipeline) ?? 0 < 3)
        return (try versions(pipeline), try files(pipeline))
    }

    /// Before: a restart read the whole log again, because of one label of a project that never cuts.
    @Test(
        "The group's offset advances beyond waiting labels, and a restart reads a bounded part of the log again"
    )
    func bounded() throws {
        let (expected, files) = try expected()
        #expect(expected.count > 2)
        let pipeline = try pipeline([])
        var runner = try materializer(pipeline)
        for (number, record) in log.enumerated() {
            try pipeline.cluster.append(record)
            try runner.settle()
            // A new run every few records, after an orderly stop or without one.
            guard number % 5 == 4 else { continue }
            if number % 2 == 0 { runner.task.close() } else { runner.task.abandon() }
            runner = try materializer(pipeline)
        }
        try runner.settle()
        #expect(Array(Set(try versions(pipeline))).sorted() == expected.sorted())
        #expect(try self.files(pipeline) == files)
        let end = Int64(log.count)
        let waiting = Int64(
            log.count { String(decoding: $0.value ?? [], as: UTF8.self).contains(#""project":"idle""#) }
        )
        let reached = try #require(offset(pipeline))
        #expect(reached >= end - Self.keepEvery - waiting && reached > end / 2, "\(reached) of \(end), \(waiting) wait")
        let kept = try pipeline.store.objects.list("progress/waiting")
        #expect(kept == ["progress/waiting/\(Scenario.partition)/\(reached)"])
        // Waiting labels are restored line by line, with the sequence numbers of their facts.
        let again = try materializer(pipeline)
        try again.settle()
        let processor = try #require(again.processor as? MaterializerProcessor)
        #expect(processor.stops.isEmpty)
        #expect(processor.pending[Scenario.partition]?["idle"]?.count == Int(waiting))
        let last = try #require(
            log.last { String(decoding: $0.value ?? [], as: UTF8.self).contains(#""project":"idle""#) }
        )
        let late = String(decoding: last.value ?? [], as: UTF8.self)
            .replacing("\"sequence\":\(waiting)", with: "\"sequence\":\(waiting + 2)")
        try pipeline.cluster.append(
            OutputRecord(topic: last.topic, partition: Scenario.partition, key: nil, value: Array(late.utf8))
        )
        try again.settle()
        let reason = processor.stops.first?.text ?? ""
        #expect(reason.contains("fact \(waiting + 2) of project idle follows fact \(waiting)"), "\(reason)")
    }

    /// Before: every rebalance announced all versions again, in the journal, which keeps them for ever.
    @Test("A new owner does not announce versions again, although another project's label waits for a long time")
    func announcedOnce() throws {
        let pipeline = try pipeline([])
        for (number, record) in log.enumerated() {
            try pipeline.cluster.append(record)
            guard number % 4 == 3 else { continue }
            let runner = try pipeline.makeMaterializer()
            try runner.settle()
            runner.task.close()
        }
        let versions = try versions(pipeline)
        #expect(versions.count > 2 && Set(versions).count == versions.count)
    }

    @Test("Every version is announced and complete wherever the materializer fails")
    func effects() throws {
        let (expected, files) = try expected()
        let undisturbed = try pipeline(log)
        let baselinePlan = try settle(undisturbed, group: "materializer", nil) { plan, _ in
            try materializer(undisturbed, plan)
        }
        #expect(try versions(undisturbed) == expected)
        #expect(try undisturbed.store.objects.list("progress/waiting").count == 1)
        for step in FaultPlan.steps(baselinePlan.effects) {
            let pipeline = try pipeline(log)
            let plan = try settle(
                pipeline,
                group: "materializer",
                step,
                successor: step.number % 2 == 1 ? .another : .itself
            ) {
                plan,
                instance in
                try pipeline.makeMaterializer(plan, instance: instance, keepEvery: Self.keepEvery)
            }
            #expect(plan.hasStruck, "\(step)")
            #expect(try versions(pipeline) == expected, "\(step)")
            #expect(try self.files(pipeline) == files, "\(step)")
        }
    }

    @Test("A kill at any write leaves the same versions, and an incomplete file is ignored")
    func kills() throws {
        let (expected, files) = try expected()
        let disk = Disk()
        func run(_ pipeline: Pipeline, _ disk: Disk) throws {
            let store = DatasetStore(objects: try disk.store(pipeline.store.objects.location))
            // In two parts: the second starts from what the first has kept, and keeps more.
            try materializer(pipeline, store: store).settle()
            for record in log[(log.count / 2)...] { try pipeline.cluster.append(record) }
            try materializer(pipeline, store: store).settle()
        }
        let half = try pipeline(log[..<(log.count / 2)])
        try run(half, disk)
        #expect(try Set(versions(half)) == Set(expected))
        // Writes of other files are covered by DiskCrashTests.
        let crashes = disk.crashes.filter { disk.effects[$0.number].path.contains("progress") }
        for crash in Exhaustive.some(crashes, about: 40) {
            let pipeline = try pipeline(log[..<(log.count / 2)])
            let disk = Disk(crash: crash)
            // A worker that dies while it removes objects that are no longer needed has no work left.
            _ = Result { try run(pipeline, disk) }
            #expect(disk.hasCrashed, "\(crash)")
            let recordCount = pipeline.cluster.committed(pipeline.topics[.datasetLog], Scenario.partition).count
            for record in log[recordCount...] { try pipeline.cluster.append(record) }
            try materializer(pipeline).settle()
            #expect(try self.files(pipeline) == files, "\(crash)")
            #expect(try Set(versions(pipeline)) == Set(expected), "\(crash)")
        }
    }

    @Test(
        "Kept labels are not used if changed, truncated, missing, or of an offset beyond the group's"
    )
    func unusable() throws {
        let (expected, files) = try expected()
        for fault in 0..<6 {
            let pipeline = try pipeline(log[..<(log.count * 3 / 4)])
            try materializer(pipeline).settle()
            let name = try #require(try pipeline.store.objects.list("progress/waiting").first)
            var bytes = try pipeline.store.objects.read(name)
            switch fault {
            case 0: bytes[bytes.count - 3] ^= 1
            case 1: bytes.removeLast(40)
            case 2: bytes = []
            case 3: bytes += bytes.suffix(10)
            case 4: try pipeline.store.objects.remove(name)
            default:
                let topicPartition = TopicPartition(pipeline.topics[.datasetLog], Scenario.partition)
                pipeline.cluster.setOffset((offset(pipeline) ?? 1) - 1, of: topicPartition, group: "materializer")
            }
            if fault < 4 { try pipeline.store.objects.write(bytes, to: name) }
            for record in log[(log.count * 3 / 4)...] { try pipeline.cluster.append(record) }
            let runner = try materializer(pipeline)
            try runner.settle()
            #expect((runner.processor as? MaterializerProcessor)?.stops.isEmpty ?? false, "\(fault)")
            #expect(try Set(versions(pipeline)) == Set(expected), "\(fault)")
            #expect(try self.files(pipeline) == files, "\(fault)")
        }
    }

    @Test("A worker with another disk, and an older build, start where their own progress ends")
    func others() throws {
        let (expected, files) = try expected()
        let pipeline = try pipeline(log[..<(log.count * 3 / 4)])
        try materializer(pipeline).settle()
        let progress = try #require(try pipeline.store.progress(Scenario.partition))
        #expect(progress < 3 && offset(pipeline) ?? 0 > progress)
        for record in log[(log.count * 3 / 4)...] { try pipeline.cluster.append(record) }
        // An older build ignores the folder of kept labels; removing it has the same effect.
        for name in try pipeline.store.objects.list("progress/waiting") { try pipeline.store.objects.remove(name) }
        try pipeline.makeMaterializer(keepEvery: .max).settle()
        #expect(try self.files(pipeline) == files)
        #expect(try Set(versions(pipeline)) == Set(expected))
        let fresh = try Pipeline()
        for record in log { try fresh.cluster.append(record) }
        let topicPartition = TopicPartition(fresh.topics[.datasetLog], Scenario.partition)
        fresh.cluster.setOffset(Int64(log.count), of: topicPartition, group: "materializer")
        try materializer(fresh).settle()
        #expect(try self.files(fresh) == files)
    }
}
