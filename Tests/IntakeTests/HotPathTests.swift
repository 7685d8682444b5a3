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

@Suite("The cost of a dropped prediction")
struct HotPathTests {
    @Test("The allocation counter counts allocations")
    func counter() {
        #expect(Allocations.count {} == 0)
        var kept: [[Int]] = []
        #expect(Allocations.count { for size in 1...50 { kept.append(Array(repeating: 0, count: size * 100)) } } >= 50)
    }

    @Test(
        "Predictions that are counted and not forwarded are scanned with fewer than 20 allocations per 10,000",
        arguments: [false, true]
    )
    func allocations(hasTriggers: Bool) throws {
        let doubtful = try #require(TriggerBounds(below: 0.6))
        let conditions: [TriggerCondition] = [
            .probability(ClassIndex(1), doubtful), .confidence(nil, doubtful), .version(ModelVersion("v1")),
        ]
        let trigger = Trigger(name: "doubtful", condition: .all(conditions))
        let pipeline = try Pipeline(
            configuration: hasTriggers ? TriggerScenario.configuration([trigger]) : Scenario.configuration()
        )
        // The pool is full: nothing is forwarded because of its free capacity.
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
        let processor = try #require(intake.processor as? IntakeProcessor)
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
        // Only plain loops here, because in a debug build other loops allocate memory.
        func scan() {
            var number = 0
            while number < 500 {
                if let verdict = processor.scan(records[number], at: time) {
                    processor.count(verdict)
                    dropped += verdict.passes ? 0 : 1
                } else {
                    unread += 1
                }
                number += 1
            }
        }
        // In the first scan names are learnt and tallies grow to their size.
        scan()
        (dropped, unread) = (0, 0)
        let allocations = Allocations.count { for _ in 0..<20 { scan() } }
        #expect(unread == 0 && dropped > 5_000)
        #expect(allocations < 20, "\(allocations) allocations for 10,000 predictions")
    }

    @Test("Of predictions, only the headers of refused ones are read")
    func headers() throws {
        let pipeline = try Pipeline(configuration: TriggerScenario.configuration([], cutoff: 0))
        let intake = try pipeline.makeIntake()
        try intake.settle()
        let processor = try #require(intake.processor as? IntakeProcessor)
        _ = try processor.assigned([TopicPartition(pipeline.topics[.predictions], 0)], committed: [:])
        var values = (0..<2_000).map { number in
            Wire.prediction(Sample(id: SampleID("s\(number)")), [0.98, 0.01, 0.01])
        }
        for number in stride(from: 7, to: values.count, by: 250) { values[number] = [0xFE] }
        let buffers = values.map { value -> UnsafeMutableRawBufferPointer in
            let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: value.count, alignment: 1)
            copy.copyBytes(from: value)
            return copy
        }
        defer { for buffer in buffers { buffer.deallocate() } }
        let batch = RecordBatch()
        batch.records = ContiguousArray(
            buffers.enumerated().map { number, buffer in
                RecordView(
                    topic: 0,
                    partition: 0,
                    offset: Int64(number),
                    timestamp: pipeline.clock.now,
                    key: UnsafeRawBufferPointer(start: nil, count: 0),
                    value: UnsafeRawBufferPointer(buffer)
                )
            }
        )
        var read: Set<Int> = []
        batch.headerReader = { index in
            read.insert(index)
            return []
        }
        let before = processor.pendingCounts
        var transaction = PendingTransaction()
        try processor.process(batch, topics: IntakeProcessor.inputs.map { pipeline.topics[$0] }, into: &transaction)
        let dead = processor.pendingCounts.deadTotal - before.deadTotal
        let forwarded = processor.pendingCounts.forwarded - before.forwarded
        let refused = Set(stride(from: 7, to: values.count, by: 250))
        #expect(read == refused && dead == refused.count, "headers of \(read.count) records were read")
        #expect(forwarded > 0 && Int(forwarded) < values.count / 4, "\(forwarded) of \(values.count) went on")
        processor.aborted()
    }
}
