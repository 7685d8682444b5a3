import Datasets
import EngineCore
import Events
import Flywheel
import JSON
import Loop
import Operations
import PipelineTesting
import StreamRuntime
import StreamTesting
import Testing
import Vocabulary

@Suite("Labels that are corrected, from the command to the log")
struct LabelCorrectionTests {
    private static func configuration(_ format: Int? = 2, cutEvery: Int = 1_000) -> ProjectConfiguration {
        let usual = Scenario.configuration()
        return ProjectConfiguration(
            project: usual.project,
            revision: 1,
            partition: usual.partition,
            schema: usual.schema,
            acquisition: usual.acquisition,
            labeling: usual.labeling,
            datasets: DatasetPolicy(cutEvery: cutEvery, cutAfter: 3_600_000, format: format),
            training: usual.training,
            rollout: usual.rollout
        )
    }

    private func send(
        _ action: Command.Action,
        _ pipeline: Pipeline,
        to project: String = Scenario.project.rawValue,
        reason: String = "looked again"
    ) throws -> LabelCorrection.Outcome {
        try LabelCorrection(transport: pipeline.cluster, topics: pipeline.topics)
            .send(
                action,
                project: project,
                by: "olga",
                reason: reason,
                maximumWait: 1_000,
                now: { pipeline.clock.now },
                pause: {
                    try? pipeline.settle()
                    pipeline.clock.advance(by: $0)
                }
            )
    }

    private func log(_ pipeline: Pipeline) throws -> [DatasetLogRecord] {
        try pipeline.decoded(.datasetLog) { try DatasetLogRecord(json: $0) }
    }

    @Test("The command line changes a label once; impossible changes are reported before anything is sent")
    func corrections() throws {
        let pipeline = try Pipeline(seed: 1, configuration: Self.configuration())
        for _ in 0..<8 { try pipeline.round() }
        var labels: [Split: (sample: SampleID, name: String)] = [:]
        for case .accepted(let fact, let names) in try log(pipeline) {
            #expect(fact.format == 2 && fact.acceptedAt != nil && fact.propensity != nil)
            #expect((fact.inclusionProbability != nil) == (fact.split == .test))
            labels[fact.split] = (fact.consensus.sample.id, try #require(names.first))
        }
        let (trainingLabel, testLabel) = (try #require(labels[.training]), try #require(labels[.test]))
        let other = try #require(Scenario.classes.first { $0 != trainingLabel.name })
        #expect(try send(.revise(trainingLabel.sample, className: other), pipeline) == .done)
        #expect(try send(.revise(trainingLabel.sample, className: other), pipeline) == .unchanged)
        let sent = pipeline.cluster.committed(pipeline.topics[.commands]).count
        func reason(_ action: Command.Action, to project: String = Scenario.project.rawValue, reason: String = "so")
            -> String
        {
            "\(#expect(throws: EngineError.self) { try send(action, pipeline, to: project, reason: reason) }.map { "\($0)" } ?? "")"
        }
        #expect(reason(.retract(trainingLabel.sample), to: "nothing").contains("there is no project nothing"))
        #expect(
            reason(.revise(trainingLabel.sample, className: "yak")).contains("\"yak\" is not among those of shapes")
        )
        #expect(reason(.retract(SampleID("nobody"))).contains("sample nobody has no label"))
        #expect(reason(.move(trainingLabel.sample, to: .test)).contains("test labels come from the audit sample alone"))
        #expect(reason(.move(testLabel.sample, to: .validation)).contains("may train from now on"))
        #expect(reason(.retract(trainingLabel.sample), reason: " ").contains("--reason is empty"))
        let long = String(repeating: "x", count: 1_025)
        #expect(reason(.retract(trainingLabel.sample), reason: long).contains("--reason 1025"))
        #expect(pipeline.cluster.committed(pipeline.topics[.commands]).count == sent)
        #expect(try send(.move(testLabel.sample, to: .training), pipeline) == .done)
        #expect(try send(.retract(trainingLabel.sample), pipeline) == .done)
        #expect(try send(.retract(trainingLabel.sample), pipeline) == .unchanged)

        let changes = try log(pipeline).compactMap { fact -> (LabelChange, [String]?, [String]?)? in
            if case .changed(let change, let names, let former) = fact { (change, names, former) } else { nil }
        }
        #expect(changes.map(\.0.sample) == [trainingLabel.sample, testLabel.sample, trainingLabel.sample])
        #expect(changes[0].1 == [other] && changes[0].2 == [trainingLabel.name])
        #expect(changes.allSatisfy { $0.0.by == "olga" && $0.0.reason == "looked again" })
        #expect(changes[2].0.replaces == changes[0].0.sequence)
        let types = pipeline.cluster.committed(pipeline.topics[.datasetLog]).compactMap { $0.header("ce_type") }
        #expect(Set(types).isSuperset(of: ["revised", "moved", "retracted"].map { "io.flywheel.label.\($0).v1" }))

        let explanation = try Explain(transport: pipeline.cluster, topics: pipeline.topics, salt: [1, 2, 3])
            .explain(trainingLabel.sample, of: pipeline.configuration, since: 0)
        let label = try #require(explanation.label)
        #expect(label.className == other && label.isRetracted && label.sequence == changes[2].0.sequence)
        #expect(
            label.changes.map(\.text) == ["revised from \(trainingLabel.name) to \(other)", "retracted from training"]
        )
        let summary = try #require(
            try StatusView(transport: pipeline.cluster, topics: pipeline.topics).summaries().first
        )
        #expect(summary.retractedLabels == 1 && summary.labels == summary.trainingLabels + summary.testLabels)
        let report = try Replay(transport: pipeline.cluster, topics: pipeline.topics)
            .verify(project: Scenario.project.rawValue, partition: Scenario.partition)
        #expect(report.isEqual, "\(report.firstDifference ?? "")")
    }

    @Test("A correction that looks done while another command is pending is sent, and is eventually in force")
    func lagging() throws {
        let pipeline = try Pipeline(configuration: Self.configuration())
        let text =
            #"{"project":"shapes","source":"tool","id":"row-1","sample":{"id":"x1"},"label":{"kind":"choice","class":"star"}}"#
        try pipeline.send(.imports, Array(text.utf8))
        try pipeline.settle()
        let correction = LabelCorrection(transport: pipeline.cluster, topics: pipeline.topics)
        let first = try correction.send(
            .revise(SampleID("x1"), className: "circle"),
            project: Scenario.project.rawValue,
            by: "olga",
            reason: "so",
            maximumWait: 0
        )
        #expect(first == .waiting)
        #expect(try send(.revise(SampleID("x1"), className: "star"), pipeline) == .done)
        let changes = try log(pipeline).compactMap { if case .changed(_, let names, _) = $0 { names } else { nil } }
        #expect(changes == [["circle"], ["star"]])
    }

    @Test("An imported label is explained with its changes, although no prediction of its sample exists")
    func imported() throws {
        let pipeline = try Pipeline(configuration: Self.configuration())
        let text =
            #"{"project":"shapes","source":"tool","id":"row-1","sample":{"id":"x1"},"label":{"kind":"choice","class":"star"}}"#
        try pipeline.send(.imports, Array(text.utf8))
        try pipeline.settle()
        #expect(try send(.revise(SampleID("x1"), className: "circle"), pipeline) == .done)
        #expect(try send(.move(SampleID("x1"), to: .validation), pipeline) == .done)
        let explanation = try Explain(transport: pipeline.cluster, topics: pipeline.topics, salt: [1, 2, 3])
            .explain(SampleID("x1"), of: pipeline.configuration, since: 0)
        let label = try #require(explanation.label)
        #expect(explanation.outcome == .queriedBefore(.imported))
        #expect(label.className == "circle" && label.split == .validation && label.confidence == nil)
        #expect(label.changes.map(\.text) == ["revised from star to circle", "moved from training to validation"])
        #expect(label.changes.map(\.sequence) == [2, 3])
    }

    @Test("For a project of format 1 the error names the required key; without a worker the command waits")
    func waiting() throws {
        let pipeline = try Pipeline(seed: 1, configuration: Self.configuration(nil))
        for _ in 0..<6 { try pipeline.round() }
        let sample = try #require(
            try log(pipeline).compactMap {
                if case .accepted(let fact, _) = $0 { fact.consensus.sample.id } else { nil }
            }
            .first
        )
        let error = #expect(throws: EngineError.self) { try send(.retract(sample), pipeline) }
        #expect("\(try #require(error))".contains("datasets.format: 2"))
        let idle = try Pipeline(configuration: Self.configuration())
        let outcome = try LabelCorrection(transport: idle.cluster, topics: idle.topics)
            .send(
                .retract(SampleID("a")),
                project: Scenario.project.rawValue,
                by: "olga",
                reason: "so",
                maximumWait: 400,
                now: { idle.clock.now },
                pause: { idle.clock.advance(by: $0) }
            )
        #expect(outcome == .waiting)
        // Intake or the loop, when started later, refuses the command with its reason code.
        try idle.settle()
        let deadLetters = idle.cluster.committed(idle.topics[.deadLetters])
        #expect(deadLetters.map { $0.header("flywheel.reason.code") } == ["unknown_label"])
    }

    /// A journal with labels, changes of labels, and cuts in between.
    private func recording() throws -> Recording {
        let pipeline = try Pipeline(seed: 5, configuration: Self.configuration(cutEvery: 4))
        var changed = 0
        for round in 0..<8 {
            try pipeline.round()
            let samples = try log(pipeline).compactMap {
                if case .accepted(let fact, _) = $0 { fact.consensus.sample.id } else { nil }
            }
            for (number, sample) in samples.enumerated() where number % 4 == round % 4 {
                let action: Command.Action =
                    switch (number + round) % 5 {
                    case 0: .retract(sample)
                    case 1: .move(sample, to: .training)
                    default: .revise(sample, className: Scenario.classes[round % 3])
                    }
                changed += 1
                try pipeline.send(.commands, Wire.command("l\(changed)", action))
            }
            try pipeline.settle()
        }
        return try Recording(of: pipeline)
    }

    @Test("The same commands give the same log, wherever Loop fails")
    func crashes() throws {
        let recording = try recording()
        func run(_ step: FaultPlan.Step?) throws -> (written: [WrittenDecision], plan: FaultPlan) {
            let pipeline = try recording.pipeline()
            let policy = CommitPolicy(interval: 0, maximumRecords: 20, batchSize: 20)
            let successor = step.map { Successor.of($0) } ?? .itself
            let plan = try settle(pipeline, group: "loop", step, successor: successor) { plan, instance in
                try pipeline.makeLoop(plan, instance: instance, policy: policy, now: { 0 })
            }
            let written = pipeline.decisions().filter {
                $0.topic == .deadLetters || $0.entryNumber <= recording.records.count
            }
            return (written, plan)
        }
        let (expected, baselinePlan) = try run(nil)
        let kinds = expected.filter { $0.topic == .datasetLog }.map { String(decoding: $0.value, as: UTF8.self) }
        for kind in ["label_revised", "label_retracted", "label_moved", #""format":2"#] {
            #expect(kinds.contains { $0.contains(kind) }, "the script has no \(kind)")
        }
        #expect(baselinePlan.effects.count > 20)
        for step in FaultPlan.steps(baselinePlan.effects, [.crash, .fatal]) {
            let (found, plan) = try run(step)
            #expect(plan.hasStruck, "\(step)")
            let isSame = found == expected
            #expect(isSame, "\(step) (\(baselinePlan.effects[step.number])): \(expected.count) became \(found.count)")
        }
    }
}
