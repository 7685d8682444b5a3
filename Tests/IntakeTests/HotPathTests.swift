import Acquisition
import Events
import Flywheel
import PipelineTesting
import Strategies
import StreamRuntime
import StreamTesting
import Testing
import Vocabulary

@testable import Intake

@Suite("What a dropped prediction costs")
struct HotPathTests {
    @Test("Counting allocates where something is allocated")
    func counter() {
        #expect(Allocations.count {} == 0)
        var kept: [[Int]] = []
        #expect(Allocations.count { for size in 1...50 { kept.append(Array(repeating: 0, count: size * 100)) } } >= 50)
    }

    @Test("Predictions that are counted and left out are looked at without any allocation", arguments: [false, true])
    func allocations(hasTriggers: Bool) throws {
        let doubtful = try #require(TriggerBounds(below: 0.6))
        let conditions: [TriggerCondition] = [
            .probability(ClassIndex(1), doubtful), .confidence(nil, doubtful), .version(ModelVersion("v1")),
        ]
        let trigger = Trigger(name: "doubtful", condition: .all(conditions))
        let pipeline = try Pipeline(
            configuration: hasTriggers ? TriggerScenario.configuration([trigger]) : Scenario.configuration()
        )
        // The pool is full: by its room nothing goes on.
        for number in 0..<pipeline.configuration.acquisition.poolCapacity {
            let record = OutputRecord(
                topic: pipeline.topics[.state],
                partition: Scenario.partition,
                key: Array("\(Scenario.project)/acquisition.pool/old-\(number)".utf8),
                value: [UInt8(ascii: "1")]
            )
            try pipeline.cluster.append(record)
        }
        try pipeline.send(.predictions, Wire.prediction(pipeline.scenario.next(), [0.9, 0.05, 0.05]))
        let intake = try pipeline.makeIntake()
        try intake.settle()
        let stage = try #require(intake.stage as? IntakeProcessor)
        let records = UnsafeMutablePointer<RecordView>.allocate(capacity: 500)
        for number in 0..<500 {
            let value = Wire.prediction(
                Sample(id: SampleID("sample-\(number)")),
                [0.98, 0.01, 0.01],
                version: "v\(number % 3)",
                role: number % 2 == 0 ? .champion : .challenger
            )
            let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: value.count, alignment: 1)
            copy.copyBytes(from: value)
            (records + number).initialize(
                to: RecordView(
                    topic: 0,
                    partition: 0,
                    offset: Int64(number),
                    timestamp: 0,
                    key: UnsafeRawBufferPointer(start: nil, count: 0),
                    value: UnsafeRawBufferPointer(copy)
                )
            )
        }
        defer {
            for number in 0..<500 { records[number].value.deallocate() }
            records.deallocate()
        }
        let time = pipeline.clock.now
        var (dropped, unread) = (0, 0)
        // Nothing here but plain loops: in a debug build other loops allocate themselves.
        func look() {
            var number = 0
            while number < 500 {
                if let judgement = stage.scan(records[number], at: time) {
                    stage.count(judgement)
                    dropped += judgement.passes ? 0 : 1
                } else {
                    unread += 1
                }
                number += 1
            }
        }
        // Names are learnt, tallies find their size.
        look()
        (dropped, unread) = (0, 0)
        let allocations = Allocations.count { for _ in 0..<20 { look() } }
        #expect(unread == 0 && dropped > 5_000)
        #expect(allocations < 20, "\(allocations) allocations for 10,000 predictions")
    }
}
