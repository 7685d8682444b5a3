import Events
import PipelineTesting
import StreamRuntime
import StreamTesting
import Testing
import Vocabulary

@Suite("Where Intake begins to read")
struct BeginningTests {
    @Test("A first start reads the existing records, and a new partition is read from its beginning")
    func first() throws {
        let pipeline = try Pipeline(seed: 4)
        for _ in 0..<5 { try pipeline.send(.predictions, Wire.prediction(pipeline.scenario.next())) }
        try pipeline.makeIntake().settle()
        #expect(!pipeline.journal().isEmpty)
        // As if `feedback` had been added later: the group has offsets of the other topics.
        for partition in 0..<2 as Range<Int32> {
            pipeline.cluster.setOffset(nil, of: TopicPartition(pipeline.topics[.feedback], partition), group: "intake")
        }
        try pipeline.send(.feedback, Wire.feedback("f", on: "s0", by: "none", user: "u", .rejection))
        try pipeline.makeIntake().settle()
        #expect(pipeline.journal().contains { $0.text.contains(#""kind":"feedback""#) })
    }

    @Test("A group with expired offsets is refused with the remedy; once they are set it continues")
    func expired() throws {
        let pipeline = try Pipeline(seed: 4)
        for _ in 0..<5 { try pipeline.send(.predictions, Wire.prediction(pipeline.scenario.next())) }
        try pipeline.makeIntake().settle()
        let entries = pipeline.journal().count
        for (topicPartition, _) in pipeline.cluster.offsets(of: "intake") {
            pipeline.cluster.setOffset(nil, of: topicPartition, group: "intake")
        }
        do {
            try pipeline.makeIntake().settle()
            Issue.record("it guessed")
        } catch {
            #expect("\(error)".contains("kafka-consumer-groups.sh"))
        }
        #expect(pipeline.journal().count == entries)
        pipeline.cluster.setOffset(5, of: TopicPartition(pipeline.topics[.predictions], 0), group: "intake")
        try pipeline.makeIntake().settle()
        #expect(pipeline.journal().count == entries)
    }
}
