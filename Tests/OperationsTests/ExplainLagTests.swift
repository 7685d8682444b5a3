import Acquisition
import Events
import PipelineTesting
import StreamRuntime
import StreamTesting
import Testing
import Vocabulary

@testable import Loop
@testable import Operations

@Suite("Explaining samples that the loop has not read yet")
struct ExplainLagTests {
    private func explain(_ sample: String, _ pipeline: Pipeline) throws -> Explanation {
        try Explain(transport: pipeline.cluster, topics: pipeline.topics, salt: [1, 2, 3])
            .explain(SampleID(sample), of: pipeline.configuration, since: 0)
    }

    private func send(_ numbers: Range<Int>, _ pipeline: Pipeline) throws {
        for number in numbers {
            let first = 0.5 + Double(number) / 300
            let sample = Sample(id: SampleID("s\(number)"))
            try pipeline.send(.predictions, Wire.prediction(sample, [first, 1 - first, 0]))
        }
    }

    @Test("A candidate that the loop has not read is reported as undecided, with the reason, until it is read")
    func notApplied() throws {
        let pipeline = try Pipeline(configuration: ExplainJudgementTests.configuration { $0.poolCapacity = 6 })
        let intake = try pipeline.makeIntake()
        for round in 0..<12 {
            try send((10 * round)..<(10 * round + 10), pipeline)
            pipeline.clock.advance(by: 1_000)
            try intake.settle()
        }
        let names = try TriggerScenario.candidates(pipeline).map(\.sample.id.rawValue)
        let first = try #require(names.first)
        let offset = try #require(try explain(first, pipeline).appearances.first?.offset)
        #expect(names.count > 40)
        #expect(try explain(first, pipeline).outcome == .notApplied(pause: nil))

        let pause = ProjectPause(next: offset, since: 0, reason: "3 deaths")
        func write(_ value: [UInt8]?) throws {
            let key = Array(ProjectPause.key(of: Scenario.project.rawValue).utf8)
            try pipeline.cluster.append(
                OutputRecord(topic: pipeline.topics[.state], partition: Scenario.partition, key: key, value: value)
            )
        }
        try write(pause.jsonBytes)
        #expect(try explain(first, pipeline).outcome == .notApplied(pause: pause.text))
        try write(nil)

        let loop = try pipeline.makeLoop()
        try loop.settle()
        var outcomes = Set<Explanation.Outcome?>()
        for name in names { outcomes.insert(try explain(name, pipeline).outcome) }
        #expect(outcomes.contains(.passedOver) && outcomes.contains(.waiting("pool", triggers: [])))
        #expect(!outcomes.contains(.notApplied(pause: nil)))

        // The other projects of the partition have continued after a pause of this one.
        try write(pause.jsonBytes)
        let undecided = try names.filter { try explain($0, pipeline).outcome == .notApplied(pause: pause.text) }
        #expect(!undecided.isEmpty)
    }

    @Test("A prediction of a version that is not counted separately is reported as read")
    func others() throws {
        let pipeline = try Pipeline(configuration: TriggerScenario.configuration([], cutoff: 0))
        let intake = try pipeline.makeIntake(policy: CommitPolicy(interval: 0, batchSize: 1_000))
        let sure = [0.98, 0.01, 0.01]
        try pipeline.send(.predictions, Wire.prediction(Sample(id: SampleID("warm")), sure, version: "warm"))
        try intake.settle()
        for number in 0..<200 {
            let value = Wire.prediction(Sample(id: SampleID("s\(number)")), sure, version: "v\(number)")
            try pipeline.send(.predictions, value)
        }
        try intake.settle()
        let explanation = try explain("s150", pipeline)
        #expect(explanation.appearances.isEmpty && explanation.predictions.map(\.verdict) == [.amongOthers])
        #expect(explanation.predictions.first?.text.contains("has read it") == true)
        #expect(try explain("s1", pipeline).predictions.first?.verdict != .amongOthers)
    }
}
