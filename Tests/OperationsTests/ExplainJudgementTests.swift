import Acquisition
import Events
import Flywheel
import Operations
import PipelineTesting
import Strategies
import StreamRuntime
import StreamTesting
import Testing
import Vocabulary

@Suite("Explain judges as Intake does")
struct ExplainJudgementTests {
    private func explain(_ sample: String, _ pipeline: Pipeline, salt: [UInt8] = [1, 2, 3]) throws -> Explanation {
        try Explain(transport: pipeline.cluster, topics: pipeline.topics, salt: salt)
            .explain(SampleID(sample), of: pipeline.configuration, since: 0)
    }

    static func configuration(
        _ change: (inout AcquisitionPolicy) -> Void,
        of base: ProjectConfiguration = Scenario.configuration()
    ) -> ProjectConfiguration {
        var policy = base.acquisition
        change(&policy)
        return ProjectConfiguration(
            project: Scenario.project,
            revision: 1,
            partition: Scenario.partition,
            question: .choice(Scenario.schema),
            acquisition: policy,
            labeling: base.labeling,
            datasets: base.datasets,
            training: base.training,
            rollout: base.rollout
        )
    }

    /// A prediction with all facts that any acquisition function uses.
    private static func full(_ id: String) throws -> [UInt8] {
        let members = try #require(
            EnsembleOutput([[0.9, 0.1, 0], [0.2, 0.8, 0]], labels: (0..<3).map { ClassIndex($0) })
        )
        let output = [0.55, 0.45, 0].enumerated().map {
            ClassDistribution.Entry(label: ClassIndex($0.offset), probability: $0.element)
        }
        let event = PredictionEvent(
            project: Scenario.project,
            sample: Sample(id: SampleID(id)),
            model: ModelReference(name: "linear", version: ModelVersion("v1")),
            output: ClassDistribution(output).map(Output.choice),
            predictedAt: nil,
            detail: PredictionDetail(members: members, logits: [2, 1, -1], score: 0.125)
        )
        return Wire.bytes { event.write(to: &$0, question: .choice(Scenario.schema)) }
    }

    /// Before: such a prediction was reported as below the threshold, or as not read.
    @Test("A sample outside the project's space is reported as such")
    func outOfSpace() throws {
        let pipeline = try Pipeline(seed: 4)
        for _ in 0..<8 { try pipeline.round() }
        let dimension = try #require(pipeline.scenario.next().embedding?.count)
        let far = Sample(id: SampleID("far"), embedding: [Float](repeating: 1e9, count: dimension))
        try pipeline.send(.predictions, Wire.prediction(far, [0.4, 0.3, 0.3]))
        try pipeline.settle()
        let found = try explain("far", pipeline)
        let verdicts = found.predictions.map(\.text)
        #expect(
            verdicts.count == 1 && verdicts.allSatisfy { $0.contains("wrong_space") || $0.contains("norm") },
            "\(verdicts)"
        )
        guard case .refused? = found.predictions.first?.verdict else {
            Issue.record("\(found.predictions)")
            return
        }
    }

    @Test("The score equals that of the candidate, for every function", arguments: AcquisitionFunction.allCases)
    func evidence(function: AcquisitionFunction) throws {
        let configuration = Self.configuration {
            $0.function = function
            $0.temperature = 2.5
        }
        let (processed, unprocessed) = (
            try Pipeline(configuration: configuration), try Pipeline(configuration: configuration)
        )
        for pipeline in [processed, unprocessed] {
            for number in 0..<12 { try pipeline.send(.predictions, try Self.full("s\(number)")) }
        }
        try processed.makeIntake().settle()
        let candidates = try TriggerScenario.candidates(processed)
        #expect(!candidates.isEmpty)
        for candidate in candidates {
            let prediction = try explain(candidate.sample.id.rawValue, unprocessed).predictions.first
            #expect(prediction?.score == candidate.score, "\(candidate.sample.id)")
        }
    }

    @Test("Without the salt a draw is unknown, and does not affect conditions on the score")
    func withoutSalt() throws {
        let triggers = [
            Trigger(name: "low", condition: .score(TriggerBounds(below: 0.5).unsafelyUnwrapped), perHour: 1),
            Trigger(name: "not-low", condition: .not(.score(TriggerBounds(below: 0.5).unsafelyUnwrapped)), perHour: 1),
            Trigger(name: "any", condition: .role(.champion), perHour: 1),
        ]
        let base = TriggerScenario.configuration(triggers, cutoff: 0)
        let pipeline = try Pipeline(configuration: Self.configuration({ $0.function = .random }, of: base))
        for number in 0..<400 {
            try pipeline.send(.predictions, Wire.prediction(Sample(id: SampleID("s\(number)")), [0.98, 0.01, 0.01]))
        }
        try pipeline.settle()
        var notForwarded = 0
        for number in 0..<400 {
            let blind = try explain("s\(number)", pipeline, salt: [])
            guard let prediction = blind.predictions.first else { continue }
            #expect(prediction.score == nil && prediction.limitedTriggers == ["any"])
            let known = try #require(try explain("s\(number)", pipeline).predictions.first)
            #expect(known.limitedTriggers == [(known.score ?? 1) < 0.5 ? "low" : "not-low", "any"])
            notForwarded += 1
        }
        #expect(notForwarded > 300)
    }

    @Test("Explain refuses a record that Intake refuses for its size, but none whose time Intake omits")
    func refused() throws {
        let pipeline = try Pipeline()
        let times = [("early", 946_684_799_999), ("late", pipeline.clock.now + 86_400_002)] as [(String, Int64)]
        for (id, time) in times {
            try pipeline.send(.predictions, Wire.prediction(Sample(id: SampleID(id)), [0.9, 0.1, 0], at: time))
        }
        let small = String(decoding: Wire.prediction(Sample(id: SampleID("large")), [0.9, 0.1, 0]), as: UTF8.self)
        let large = small.dropLast() + ",\"more\":\"" + String(repeating: "x", count: 262_144) + "\"}"
        try pipeline.send(.predictions, Array(large.utf8))
        try pipeline.makeIntake().settle()
        let deadLetters = pipeline.cluster.committed(pipeline.topics[.deadLetters]).count
        #expect(deadLetters == 1)
        for (id, text) in [("early", nil), ("late", nil), ("large", "262144")] as [(String, String?)] {
            var reason: String?
            if case .refused(let found)? = try explain(id, pipeline).predictions.first?.verdict { reason = found }
            #expect((reason == nil) == (text == nil), "\(id): \(reason ?? "not refused")")
            if let reason, let text { #expect(reason.contains(text), "\(reason)") }
        }
        // A producer may give its records any timestamp.
        let stamped = Wire.prediction(Sample(id: SampleID("stamped")), [0.9, 0.1, 0], at: pipeline.clock.now)
        for time in [.max, -1] as [Int64] {
            try pipeline.cluster.append(
                OutputRecord(topic: pipeline.topics[.predictions], partition: 0, value: stamped),
                at: time
            )
        }
        let verdicts = try explain("stamped", pipeline).predictions.map(\.verdict)
        #expect(verdicts == [.uncounted, .uncounted])
    }
}
