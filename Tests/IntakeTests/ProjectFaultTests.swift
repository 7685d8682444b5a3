import EngineCore
import Events
import Flywheel
import Intake
import Operations
import PipelineTesting
import StreamRuntime
import StreamTesting
import Testing
import Vocabulary

/// Records of `projects` are checked before they are used.
@Suite("Faulty records of projects")
struct ProjectFaultTests {
    private func put(_ pipeline: Pipeline, _ configuration: ProjectConfiguration, key: String? = nil) throws {
        try put(pipeline, configuration.jsonBytes, key: key ?? configuration.project.rawValue)
    }

    private func put(_ pipeline: Pipeline, _ value: [UInt8]?, key: String) throws {
        try pipeline.cluster.append(
            OutputRecord(topic: pipeline.topics[.projects], partition: 0, key: Array(key.utf8), value: value)
        )
    }

    /// The pipeline's configuration under another name and number.
    private func configuration(
        _ name: String = "shapes",
        revision: Int = 2,
        partition: Int32 = Scenario.partition,
        classes: [String] = Scenario.classes
    ) -> ProjectConfiguration {
        let usual = Scenario.configuration()
        return ProjectConfiguration(
            project: ProjectID(name),
            revision: revision,
            partition: partition,
            schema: LabelSchema(question: "What is it?", classes: classes),
            acquisition: usual.acquisition,
            labeling: usual.labeling,
            datasets: usual.datasets,
            training: usual.training,
            rollout: usual.rollout
        )
    }

    private func skip(_ project: String, _ task: String) -> [UInt8] {
        Array(#"{"project":"\#(project)","task":"\#(task)","annotator":"a","outcome":"skip"}"#.utf8)
    }

    private func aborted(_ runner: ProcessorRunner) -> Int {
        runner.events.reduce(0) { if case .aborted = $1 { $0 + 1 } else { $0 } }
    }

    /// Before: every transaction was aborted with `_UNKNOWN_PARTITION`, for ever: 0 records of any project were accepted.
    @Test("A partition that the cluster does not have affects only its own project", arguments: [1, 2])
    func wrongPartition(revision: Int) throws {
        let pipeline = try Pipeline()
        let name = revision == 1 ? "ghost" : "shapes"
        try put(pipeline, configuration(name, revision: revision, partition: 99_999))
        for number in 0..<20 {
            try pipeline.send(.annotations, skip("shapes", "t-\(number)"))
            try pipeline.send(.annotations, skip(name, "u-\(number)"))
        }
        let intake = try pipeline.makeIntake()
        try intake.settle(maximum: 2_000)
        let processor = try #require(intake.processor as? IntakeProcessor)
        #expect(aborted(intake) == 0)
        #expect(processor.counts.accepted == (revision == 1 ? 20 : 40), "an older revision stays in force")
        #expect(processor.counts.dead == (revision == 1 ? ["faulty_project": 20] : [:]))
        #expect(processor.projectFaults.map(\.project) == [name])
        #expect(
            processor.projectFaults.first?.reason.contains(
                revision == 1 ? "partition 99999 is not among the 2" : "stays in the partition of its journal"
            ) == true
        )
        let deadLetter = pipeline.cluster.committed(pipeline.topics[.deadLetters]).first
        #expect((deadLetter?.header("flywheel.reason.text")?.contains("99999") ?? false) == (revision == 1))
    }

    @Test("Partitions added later are found without a restart, and the fault is cleared")
    func partitionsComeLater() throws {
        let pipeline = try Pipeline()
        try put(pipeline, configuration("late", revision: 1, partition: 3))
        let intake = try pipeline.makeIntake()
        try intake.settle()
        let processor = try #require(intake.processor as? IntakeProcessor)
        #expect(processor.projectFaults.count == 1)
        for topic in Topic.allCases where topic.partitioning == .project {
            pipeline.cluster.addPartitions(pipeline.topics[topic], upTo: 4)
        }
        pipeline.clock.advance(by: 10_000)
        try pipeline.send(.annotations, skip("late", "t"))
        try intake.settle()
        #expect(processor.projectFaults.isEmpty && processor.counts.dead.isEmpty && processor.counts.accepted == 1)
        #expect(pipeline.cluster.committed(pipeline.topics[.journal], 3).count == 2)
    }

    @Test("Keys, revisions, partitions and classes must be consistent with those in force; a violation is named")
    func inconsistent() throws {
        let pipeline = try Pipeline()
        let directory = try ProjectDirectory(
            transport: pipeline.cluster,
            topics: pipeline.topics,
            now: { [clock = pipeline.clock] in clock.now }
        )
        try put(pipeline, configuration(revision: 3, classes: Scenario.classes + ["cross"]))
        let cases: [(String, () throws -> Void)] = [
            ("its key is not", { try put(pipeline, configuration(revision: 4), key: "dogs") }),
            ("its key is not", { try put(pipeline, configuration(revision: 4), key: "\u{1B}[31m") }),
            ("is above", { try put(pipeline, configuration(revision: .max)) }),
            ("is above", { try put(pipeline, configuration(revision: 1_000_000_001)) }),
            ("with other content was written after", { try put(pipeline, configuration(revision: 2)) }),
            ("with other content", { try put(pipeline, configuration(revision: 3)) }),
            ("stays in the partition of its journal", { try put(pipeline, configuration(revision: 4, partition: 0)) }),
            ("removes or reorders", { try put(pipeline, configuration(revision: 4)) }),
            ("", { try put(pipeline, Array(#"{"revision":"#.utf8), key: "shapes") }),
            ("", { try put(pipeline, Array("[]".utf8), key: "") }),
        ]
        for (reason, put) in cases {
            try put()
            try directory.readToEnd()
            let last = try #require(directory.faults.last)
            #expect(last.reason.contains(reason), "\(last.text)")
            #expect(directory["shapes"]?.revision == 3 && directory["dogs"] == nil)
        }
        #expect(directory.faults.map(\.project) == ["dogs", nil, "shapes", nil])
        // The same record again is not a fault, and the next valid revision ends the fault.
        try put(pipeline, configuration(revision: 3, classes: Scenario.classes + ["cross"]))
        try put(pipeline, configuration(revision: 4, classes: Scenario.classes + ["cross", "disc"]))
        try directory.readToEnd()
        #expect(directory["shapes"]?.revision == 4)
        #expect(directory.faults.map(\.project) == ["dogs", nil, nil])
        try put(pipeline, nil, key: "dogs")
        try put(pipeline, nil, key: "shapes")
        try directory.readToEnd()
        #expect(directory.fault(of: "dogs") == nil && directory["shapes"] == nil)
    }

    /// Before: a null followed by revision 1 moved a project to another partition, or reversed its classes, without any
    /// report.
    @Test("A tombstone bypasses no check of the next revision; the removed revision may be published again")
    func afterTombstone() throws {
        let pipeline = try Pipeline()
        let directory = try ProjectDirectory(transport: pipeline.cluster, topics: pipeline.topics)
        let known = configuration(revision: 3, classes: Scenario.classes + ["cross"])
        try put(pipeline, known)
        for (reason, next) in [
            ("with other content was written after", configuration(revision: 1, classes: Scenario.classes + ["cross"])),
            ("with other content was written after", configuration(revision: 3, partition: 0)),
            ("stays in the partition of its journal", configuration(revision: 4, partition: 0)),
            ("removes or reorders", configuration(revision: 4, classes: ["cross"] + Scenario.classes)),
        ] {
            try put(pipeline, nil, key: "shapes")
            try put(pipeline, next)
            try directory.readToEnd()
            #expect(directory["shapes"] == nil)
            #expect(directory.fault(of: "shapes")?.reason.contains(reason) == true, "\(directory.faults)")
        }
        try put(pipeline, known)
        try directory.readToEnd()
        #expect(directory["shapes"]?.revision == 3 && directory.faults.isEmpty)
    }

    /// Before: every record of an unknown project waited ten seconds for the end of the transaction, and all of Intake
    /// with it, in every run; health reported that it was ready.
    @Test("An open transaction of another client on projects delays only the numbering of a revision")
    func openTransaction() throws {
        let pipeline = try Pipeline(transactionTimeout: 900_000)
        try put(pipeline, configuration(revision: 1))
        let otherProducer = try pipeline.cluster.makeProducer(transactionalID: "stranger")
        try otherProducer.initializeTransactions()
        try otherProducer.begin()
        try otherProducer.send([
            OutputRecord(topic: pipeline.topics[.projects], partition: 0, key: Array("x".utf8), value: [])
        ])
        let began = pipeline.clock.now
        let intake = try pipeline.makeIntake()
        for number in 0..<20 {
            try pipeline.send(.annotations, skip("shapes", "known \(number)"))
            try pipeline.send(.annotations, skip("nobody-\(number)", "t"))
            try intake.settle()
        }
        #expect(pipeline.cluster.committed(pipeline.topics[.deadLetters]).count == 20)
        let waited = pipeline.clock.now - began
        #expect(waited < 10_000, "waited \(waited) ms")
        #expect(throws: StreamError.self) {
            try ProjectApply(transport: pipeline.cluster, topics: pipeline.topics).apply(configuration(), partitions: 2)
        }
        try otherProducer.abort()
        _ = try ProjectApply(transport: pipeline.cluster, topics: pipeline.topics).apply(configuration(), partitions: 2)
    }

    /// Before: the file in force was "unchanged", and the fault stayed; after compaction of the topic, no worker knew
    /// the project.
    @Test("Applying the file in force over a faulty record writes the revision again, once", arguments: [false, true])
    func applyingOverFault(isForged: Bool) throws {
        let pipeline = try Pipeline()
        try put(pipeline, configuration(revision: 3))
        let apply = ProjectApply(transport: pipeline.cluster, topics: pipeline.topics)
        guard case .unchanged = try apply.apply(configuration(), partitions: 2) else {
            Issue.record("written without a reason")
            return
        }
        if isForged {
            try put(pipeline, configuration(revision: 9, classes: ["other"]))
        } else {
            try put(pipeline, Array("{".utf8), key: "shapes")
        }
        guard case .rewritten(let new, let fault) = try apply.apply(configuration(), partitions: 2) else {
            Issue.record("not written again")
            return
        }
        #expect(new.revision == 4 && fault.project == "shapes")
        let directory = try ProjectDirectory(transport: pipeline.cluster, topics: pipeline.topics)
        try directory.readToEnd()
        #expect(directory["shapes"] == new && directory.faults.isEmpty)
        guard case .unchanged = try apply.apply(configuration(), partitions: 2) else {
            Issue.record("written twice")
            return
        }
    }

    /// Before: such a fault stayed until the topic was compacted and the worker restarted.
    @Test("A tombstone clears the fault of a key that names no project, and the fault shows the key")
    func unnamed() throws {
        let pipeline = try Pipeline()
        let keys = ["Bad Key", "..", String(repeating: "x", count: 2_000)]
        for key in keys + keys { try put(pipeline, Array("{".utf8), key: key) }
        let directory = try ProjectDirectory(transport: pipeline.cluster, topics: pipeline.topics)
        try directory.readToEnd()
        #expect(directory.faults.count == 3)
        let text = try #require(directory.faults.first?.text)
        #expect(text.contains(#"of the key "Bad Key""#) && text.contains("write a null value under the same key"))
        for (remaining, key) in zip([2, 1, 0], keys) {
            try put(pipeline, nil, key: key)
            try directory.readToEnd()
            #expect(directory.faults.count == remaining)
        }
    }

    /// Before: "shapes is new: revision 1", which the loop ignored while Intake followed it.
    @Test(
        "Where compaction has left no revision, applying continues after the one that the loop has",
        arguments: [false, true]
    )
    func applyingAfterCompaction(isFaulty: Bool) throws {
        let pipeline = try Pipeline()
        try put(pipeline, configuration(revision: 7))
        _ = try (pipeline.makeIntake(), pipeline.makeLoop())
        for number in 0..<20 { try pipeline.send(.annotations, skip("shapes", "t\(number)")) }
        for _ in 0..<4 { try pipeline.settle() }
        try put(pipeline, isFaulty ? Array("{".utf8) : nil, key: "shapes")
        pipeline.cluster.compact(TopicPartition(pipeline.topics[.projects], 0), removingTombstones: true)
        let apply = ProjectApply(transport: pipeline.cluster, topics: pipeline.topics)
        #expect(throws: EngineError.self) { try apply.apply(configuration(classes: ["x", "y"]), partitions: 2) }
        guard case .revised(let new, let old) = try apply.apply(configuration(), partitions: 2) else {
            Issue.record("not a later revision")
            return
        }
        #expect(new.revision == 8 && new.partition == Scenario.partition && old.revision == 7)
        let directory = try ProjectDirectory(transport: pipeline.cluster, topics: pipeline.topics)
        try directory.readToEnd()
        #expect(directory["shapes"] == new && directory.faults.isEmpty)
    }

    /// Before: "shapes is new: revision 1", which moved the project or was refused by every worker.
    @Test("Applying after a tombstone continues after the removed revision", arguments: [false, true])
    func applyingAgain(isChanged: Bool) throws {
        let pipeline = try Pipeline()
        try put(pipeline, configuration(revision: 3))
        try put(pipeline, nil, key: "shapes")
        let proposed = configuration(classes: Scenario.classes + (isChanged ? ["cross"] : []))
        let outcome = try ProjectApply(transport: pipeline.cluster, topics: pipeline.topics).apply(
            proposed,
            partitions: 2
        )
        guard case .revised(let new, _) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(new.revision == 4 && new.partition == Scenario.partition)
        let directory = try ProjectDirectory(transport: pipeline.cluster, topics: pipeline.topics)
        try directory.readToEnd()
        #expect(directory["shapes"] == new && directory.faults.isEmpty)
    }

    /// Before: "shapes is new: revision 1", which replaced a project that this build cannot read.
    @Test(
        "A project of a newer build is not overwritten, whether or not this build can read an older revision of it"
    )
    func newerBuild() throws {
        let pipeline = try Pipeline()
        let apply = ProjectApply(transport: pipeline.cluster, topics: pipeline.topics)
        for isKnown in [false, true] {
            if isKnown { try put(pipeline, configuration(revision: 2)) }
            let text = String(decoding: configuration(revision: 3).jsonBytes, as: UTF8.self)
            let newer = text.replacing(#""kind":"choice""#, with: #""kind":"boxes""#)
            #expect(newer != text)
            try put(pipeline, Array(newer.utf8), key: "shapes")
            let count = pipeline.cluster.committed(pipeline.topics[.projects]).count
            let error = #expect(throws: EngineError.self) { try apply.apply(configuration(), partitions: 2) }
            #expect(error?.description.contains("upgrade this flywheel") == true, "\(String(describing: error))")
            #expect(pipeline.cluster.committed(pipeline.topics[.projects]).count == count)
        }
        // After a readable revision has been written there, applying works as usual.
        try put(pipeline, configuration(revision: 4))
        let classes = Scenario.classes + ["cross"]
        guard case .revised(let new, _) = try apply.apply(configuration(classes: classes), partitions: 2) else {
            Issue.record("not revised")
            return
        }
        #expect(new.revision == 5)
    }

    /// Before: `known.revision + 1` trapped.
    @Test(
        "Applying continues after a forged revision, and reports when the last possible revision is reached",
        arguments: [false, true]
    )
    func applying(isLast: Bool) throws {
        let pipeline = try Pipeline()
        try put(pipeline, configuration(revision: isLast ? ProjectDirectory.revisionLimit : .max))
        let apply = ProjectApply(transport: pipeline.cluster, topics: pipeline.topics)
        let proposed = configuration(classes: Scenario.classes + ["cross"])
        if isLast {
            #expect(throws: EngineError.self) { try apply.apply(proposed, partitions: 2) }
            // The same settings need no further revision.
            guard case .unchanged = try apply.apply(configuration(), partitions: 2) else {
                Issue.record("not unchanged")
                return
            }
        } else {
            let outcome = try apply.apply(proposed, partitions: 2)
            guard case .revised(let new, _) = outcome else {
                Issue.record("\(outcome)")
                return
            }
            #expect(new.revision == 2)
        }
    }

    @Test("If a partition was removed unnoticed, its record is a dead letter, and other projects continue")
    func partitionGone() throws {
        let pipeline = try Pipeline()
        try put(pipeline, configuration("other", revision: 1, partition: 0))
        let intake = try pipeline.makeIntake()
        try pipeline.send(.annotations, skip("shapes", "t"))
        try intake.settle()
        for topic in [Topic.journal, .tallies] {
            pipeline.cluster.deleteTopic(pipeline.topics[topic])
            pipeline.cluster.createTopic(pipeline.topics[topic], partitions: 1)
        }
        try pipeline.send(.annotations, skip("shapes", "u"))
        for number in 0..<5 { try pipeline.send(.annotations, skip("other", "v-\(number)")) }
        try intake.settle()
        let processor = try #require(intake.processor as? IntakeProcessor)
        #expect(processor.counts.dead == ["poison": 1])
        #expect(processor.counts.accepted == 6)
        #expect(pipeline.cluster.committed(pipeline.topics[.journal], 0).count == 6)
    }
}
