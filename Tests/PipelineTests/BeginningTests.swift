import Events
import StreamRuntime
import StreamTesting
import Testing
import Vocabulary

@Suite("Where Intake begins")
struct BeginningTests {
    @Test("A first start takes what is there, and a partition that is new begins at its beginning")
    func first() throws {
        let plant = try Plant(seed: 4)
        for _ in 0..<5 { try plant.send(.predictions, Wire.prediction(plant.world.next())) }
        try plant.makeIntake().settle()
        #expect(!plant.journal().isEmpty)
        // As if `feedback` had come later: the group knows the others.
        for partition in 0..<2 as Range<Int32> {
            plant.cluster.setOffset(nil, of: TopicPartition(plant.topics[.feedback], partition), group: "intake")
        }
        try plant.send(.feedback, Wire.feedback("f", "s0", "none", user: "u", .rejection))
        try plant.makeIntake().settle()
        #expect(plant.journal().contains { $0.text.contains(#""kind":"feedback""#) })
    }

    @Test("A group whose offsets have expired is refused, and says what to do; once they are set it goes on")
    func expired() throws {
        let plant = try Plant(seed: 4)
        for _ in 0..<5 { try plant.send(.predictions, Wire.prediction(plant.world.next())) }
        try plant.makeIntake().settle()
        let entries = plant.journal().count
        for (place, _) in plant.cluster.offsets(of: "intake") {
            plant.cluster.setOffset(nil, of: place, group: "intake")
        }
        do {
            try plant.makeIntake().settle()
            Issue.record("it guessed")
        } catch {
            #expect("\(error)".contains("kafka-consumer-groups.sh"))
        }
        #expect(plant.journal().count == entries)
        plant.cluster.setOffset(5, of: TopicPartition(plant.topics[.predictions], 0), group: "intake")
        try plant.makeIntake().settle()
        #expect(plant.journal().count == entries)
    }
}
