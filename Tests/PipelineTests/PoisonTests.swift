import EngineCore
import Events
import Flywheel
import Intake
import JSON
import Loop
import PipelineTesting
import StreamRuntime
import StreamTesting
import Testing
import Trainer
import Training
import Vocabulary

/// Well-formed records that would stop a worker without special handling.
@Suite("Poison")
struct PoisonTests {
    /// Settles, within the number of cycles that a worker may spend on a record that it cannot process.
    private func settle(_ runner: ProcessorRunner, cycles: Int = 300) throws { try runner.settle(maximum: cycles) }

    @Test(
        "A record whose key and headers would not fit into the journal is a dead letter",
        arguments: [Topic.annotations, .commands, .trainingResults]
    )
    func headers(topic: Topic) throws {
        let pipeline = try Pipeline()
        let value: [UInt8]
        switch topic {
        case .annotations: value = Wire.annotation("shapes-1-1", "a", .skip)
        case .commands: value = Wire.command("c", .hold)
        default:
            value = Array(
                #"{"project":"shapes","request":"r","trial":0,"repeat":0,"status":"failed","error":"no"}"#.utf8
            )
        }
        let huge = [RecordHeader("trace", [UInt8](repeating: 0x78, count: 800_000))]
        try pipeline.send(topic, value, headers: huge)
        for _ in 0..<20 { try pipeline.send(.predictions, Wire.prediction(pipeline.scenario.next())) }
        let intake = try pipeline.makeIntake()
        try settle(intake)
        #expect(pipeline.journal().contains { $0.text.contains(#""kind":"candidate""#) }, "the stream stands still")
        let deadLetters = pipeline.cluster.committed(pipeline.topics[.deadLetters])
        #expect(deadLetters.map { $0.header("flywheel.reason.code") } == ["too_large"])
        #expect(deadLetters.first?.value == value)
        // No configuration would ever accept the header, so it is omitted, and the omission is marked.
        #expect(deadLetters.first?.headers.first == RecordHeader("flywheel.headers.cut", "true"))
    }

    @Test("The largest values that Intake accepts fit into the journal, whatever has to be escaped in them")
    func escapes() throws {
        let pipeline = try Pipeline()
        for character in [#"\""#, #"\\"#, "\u{1F600}", #"\u0001"#] {
            let fill = String(repeating: character, count: 261_900 / character.utf8.count)
            let result =
                #"{"project":"shapes","request":"r","trial":0,"repeat":0,"status":"failed","error":"\#(fill)"}"#
            #expect(result.utf8.count <= IntakeProcessor.recordLimit)
            try pipeline.send(.trainingResults, Array(result.utf8))
        }
        let (intake, loop) = (try pipeline.makeIntake(), try pipeline.makeLoop())
        try settle(intake)
        try settle(loop)
        let deadLetters = pipeline.cluster.committed(pipeline.topics[.deadLetters])
        #expect(deadLetters.map { $0.header("flywheel.reason.code") } == Array(repeating: "unknown_request", count: 4))
        #expect(deadLetters.map(\.value) == pipeline.cluster.committed(pipeline.topics[.trainingResults]).map(\.value))
    }

    @Test("Intake refuses artifacts with very long names, because rows of state contain them")
    func artifactNames() throws {
        let pipeline = try Pipeline()
        let uri = "file:///" + String(repeating: "x", count: 200_000)
        let digest = String(repeating: "0", count: 64)
        let artifact = #"{"uri":"\#(uri)","size":1,"sha256":"\#(digest)"}"#
        let result =
            #"{"project":"shapes","request":"r","trial":0,"repeat":0,"status":"finished","artifact":\#(artifact)}"#
        try pipeline.send(.trainingResults, Array(result.utf8))
        try settle(try pipeline.makeIntake())
        let deadLetters = pipeline.cluster.committed(pipeline.topics[.deadLetters])
        #expect(deadLetters.map { $0.header("flywheel.reason.code") } == ["schema"])
    }

    @Test("The largest study that a configuration permits fits into its row of state")
    func largestStudy() throws {
        let uri = "file:///" + String(repeating: "x", count: 1_016)
        let artifact = ArtifactReference(uri: uri, size: .max, sha256: String(repeating: "f", count: 64))
        let version = SealedVersion(
            id: DatasetVersionID(artifact.sha256 ?? ""),
            versionNumber: 1,
            parent: nil,
            semanticVersion: "1.0.0",
            manifest: artifact,
            training: 1,
            validation: 0,
            test: 0
        )
        let shapes = [(1_000, 1_000), (200, 50), (500, 1), (1, 500), (20, 25), (1_000, 1)]
        for (trials, repeats) in shapes {
            let policy = TrainingPolicy(trials: Array(repeating: Hyperparameters(), count: trials), repeats: repeats)
            let parser = JSONParser()
            guard let policy = try? parser.withDocument(of: policy.jsonBytes, { try TrainingPolicy(json: $0) }) else {
                continue
            }
            let request = TrainingRequest(
                id: RequestID("shapes-1-1"),
                dataset: version,
                modelVersion: ModelVersion("v1"),
                trials: policy.trials,
                repeats: policy.repeats,
                deadline: StreamTime(milliseconds: 1),
                priority: 0,
                warmStart: nil
            )
            var study = Study(
                request: request,
                newestSampleAt: StreamTime(milliseconds: 1),
                startedAt: StreamTime(milliseconds: 1)
            )
            for trial in 0..<trials {
                for repetition in 0..<repeats {
                    study.results.append(
                        .init(trial: trial, repetition: repetition, artifact: artifact, score: 1.0 / 3)
                    )
                }
            }
            let row = TrainingProgress(studies: 1, trainedLabels: 1, running: study)
            #expect(
                row.jsonBytes.count < 1_000_000,
                "\(trials) trials of \(repeats) repeats: \(row.jsonBytes.count) bytes"
            )
        }
    }

    @Test("A transaction that cannot be committed is retried with pauses, never in a busy loop")
    func busyLoop() throws {
        let pipeline = try Pipeline()
        pipeline.cluster.createTopic("small.journal", partitions: 2)
        let began = pipeline.clock.now
        final class Stuck: Processor {
            func assigned(_ partitions: [TopicPartition], committed: [TopicPartition: Int64]) -> [TopicPartition: Int64]
            {
                Dictionary(uniqueKeysWithValues: partitions.map { ($0, committed[$0] ?? 0) })
            }
            func unassigned(_ partitions: [TopicPartition]) {}
            func process(_ batch: RecordBatch, topics: [String], into transaction: inout PendingTransaction) {
                for record in batch.records {
                    transaction.advance(TopicPartition(topics[record.topic], record.partition), to: record.offset + 1)
                }
                transaction.write(
                    OutputRecord(topic: "small.journal", partition: 0, value: [UInt8](repeating: 0, count: 2_000_000))
                )
            }
            func punctuate(now: Int64, into transaction: inout PendingTransaction) {}
            func willCommit(into transaction: inout PendingTransaction) {}
            func committed() {}
            func aborted() {}
        }
        let topics = [pipeline.topics[.predictions]]
        let runner = try ProcessorRunner(cluster: pipeline.cluster, group: "g", instance: "w", topics: topics) { _ in
            Stuck()
        }
        try pipeline.send(.predictions, [1])
        for _ in 0..<40 { try runner.task.cycle() }
        var aborts = 0
        for case .aborted in runner.events { aborts += 1 }
        #expect(aborts > 5)
        // At most one try a second after the first few failures.
        #expect(
            pipeline.clock.now - began > Int64(aborts - 8) * 1_000,
            "\(aborts) tries in \(pipeline.clock.now - began) ms"
        )
    }

    @Test("A new group reads topics without their oldest records from the first remaining one")
    func retention() throws {
        let pipeline = try Pipeline(seed: 3)
        for _ in 0..<20 { try pipeline.send(.predictions, Wire.prediction(pipeline.scenario.next())) }
        pipeline.cluster.delete(TopicPartition(pipeline.topics[.predictions], 0), before: 12)
        let intake = try pipeline.makeIntake()
        try settle(intake)
        #expect((intake.processor as? IntakeProcessor)?.counts.read == 8)
        pipeline.cluster.delete(TopicPartition(pipeline.topics[.tallies], Scenario.partition), before: 1)
        let loop = try pipeline.makeLoop()
        try settle(loop)
        #expect(((loop.processor as? LoopProcessor)?.counts.entries ?? 0) > 5)
    }

    @Test("A build that takes over is recorded in the journal, though its first transaction is aborted")
    func upgrade() throws {
        func upgrade(_ step: FaultPlan.Step?) throws -> FaultPlan {
            let pipeline = try Pipeline(seed: 1)
            try pipeline.round()
            let older = #"{"kind":"engine","project":"shapes","entry":{"build":"0.0.1"},"v":1}"#
            try pipeline.cluster.append(
                OutputRecord(
                    topic: pipeline.topics[.journal],
                    partition: Scenario.partition,
                    key: [1],
                    value: Array(older.utf8)
                )
            )
            try pipeline.settle()
            let before = pipeline.journal().count
            let plan = FaultPlan(step)
            try pipeline.makeLoop(plan).settle()
            let after = pipeline.journal().dropFirst(before).filter { $0.text.contains(#""kind":"engine""#) }
            #expect(!after.isEmpty, "\(step?.description ?? "undisturbed")")
            #expect(after.allSatisfy { $0.text.contains(Build.version) })
            return plan
        }
        let steps = FaultPlan.steps(try upgrade(nil).effects, [.abortable, .fatal])
        for step in steps where step.number > 4 { #expect(try upgrade(step).hasStruck, "\(step)") }
    }

    @Test("A poll that fails temporarily is retried with pauses; a fatal failure ends the task")
    func polls() throws {
        let pipeline = try Pipeline()
        try pipeline.send(.predictions, Wire.prediction(pipeline.scenario.next()))
        let intake = try pipeline.makeIntake()
        for disposition in [StreamError.Disposition.retry, .fatal] {
            pipeline.cluster.failPoll(
                StreamError(disposition, operation: "consume", code: "UNKNOWN_TOPIC_OR_PART", reason: "not there yet")
            )
            if disposition == .retry {
                try settle(intake)
                #expect((intake.processor as? IntakeProcessor)?.counts.read == 1)
            } else {
                #expect(throws: StreamError.self) { try settle(intake) }
            }
        }
    }
}
