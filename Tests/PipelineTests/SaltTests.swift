import EngineCore
import Events
import Intake
import StreamRuntime
import StreamTesting
import Testing
import Vocabulary
import Worker

@Suite("All workers of a group have one salt")
struct SaltTests {
    private static let own = SaltDigest(salt: [1, 2, 3])
    private static let other = SaltDigest(salt: [3, 2, 1])
    private static let none = SaltDigest(salt: [])

    private func runner(_ plant: Plant, _ digest: SaltDigest?, instance: String = "w1") throws -> StageRunner {
        try StageRunner(
            cluster: plant.cluster,
            group: "intake",
            instance: instance,
            topics: IntakeStage.inputs.map { plant.topics[$0] },
            agreement: digest?.attribute
        ) { transport in
            IntakeStage(
                topics: plant.topics,
                directory: try ProjectDirectory(transport: transport, topics: plant.topics),
                salt: [1, 2, 3],
                tokens: .plant,
                worker: instance,
                partitionCount: 2,
                now: { plant.clock.now }
            )
        }
    }

    private func plant() throws -> Plant {
        let plant = try Plant(seed: 6)
        try plant.send(.annotations, Wire.annotation("t", "a", .skip))
        return plant
    }

    private func check(_ plant: Plant, _ digest: SaltDigest) throws {
        let topics = IntakeStage.inputs.map { plant.topics[$0] }
        try digest.check(group: "intake", of: .intake, topics: topics, transport: plant.cluster)
    }

    private func note(_ plant: Plant) -> String? {
        plant.cluster.note(of: TopicPartition(plant.topics[.annotations], 0), group: "intake")
    }

    @Test("The digest is 16 digits of a salt, others for every other, and computed as documented")
    func digest() {
        let digests = (0..<200).map { SaltDigest(salt: Array("salt \($0)".utf8)).hex } + [Self.none.hex]
        #expect(Set(digests).count == 201)
        #expect(digests.allSatisfy { $0.count == 16 && $0.allSatisfy(\.isHexDigit) })
        // printf 'flywheel salt\0s' | sha256sum, and HMAC-SHA-256 of "flywheel salt in use" under its bytes.
        #expect(SaltDigest(salt: Array("s".utf8)).hex == "3c2877f0456d9d97")
    }

    @Test("Whoever has the same salt goes on; another one, or none, is refused before it joins, with what to do")
    func before() throws {
        let plant = try plant()
        try check(plant, Self.other)
        let first = try runner(plant, Self.own)
        try first.settle()
        #expect(note(plant) == "open salt=\(Self.own.hex)")
        first.task.close()
        #expect(note(plant) == "clean salt=\(Self.own.hex)")
        try check(plant, Self.own)
        let another = try #require(throws: EngineError.self) { try check(plant, Self.other) }
        #expect(another.reason.contains("another one (digest \(Self.other.hex))"), "\(another)")
        #expect(another.reason.contains("with the salt of digest \(Self.own.hex)"), "\(another)")
        #expect(another.remedy.contains("FLYWHEEL_SALT"))
        let none = try #require(throws: EngineError.self) { try check(plant, Self.none) }
        #expect(none.reason.contains("this worker has none"), "\(none)")
    }

    @Test("A group that worked without a salt refuses a worker that has one")
    func without() throws {
        let plant = try plant()
        try runner(plant, Self.none).settle()
        let error = try #require(throws: EngineError.self) { try check(plant, Self.own) }
        #expect(error.reason.contains("has worked without a salt, and this worker has another one"), "\(error)")
    }

    @Test("A worker that was let in before the first commit is stopped where it takes a partition of the others")
    func late() throws {
        let plant = try plant()
        let right = try runner(plant, Self.own)
        try right.settle()
        right.task.close()
        let before = plant.cluster.offsets(of: "intake")
        try plant.send(.annotations, Wire.annotation("later", "a", .skip))
        let wrong = try runner(plant, Self.other, instance: "w2")
        let error = try #require(throws: OffsetDisagreement.self) { try wrong.settle() }
        #expect(error.found == Self.own.attribute && error.own == Self.other.attribute)
        #expect(plant.cluster.offsets(of: "intake") == before)
        #expect(note(plant) == "clean salt=\(Self.own.hex)")
    }

    @Test("Groups of builds that wrote no digest are gone on with, and get one")
    func olderBuild() throws {
        let plant = try plant()
        let old = try runner(plant, nil)
        try old.settle()
        old.task.close()
        #expect(note(plant) == "clean")
        try check(plant, Self.own)
        try plant.send(.annotations, Wire.annotation("later", "a", .skip))
        try runner(plant, Self.own).settle()
        #expect(note(plant) == "open salt=\(Self.own.hex)")
    }

    @Test("Whoever does not depend on the salt keeps the digest, and words that newer builds wrote; long ones it drops")
    func kept() throws {
        let plant = try plant()
        let first = try runner(plant, Self.own)
        try first.settle()
        first.task.close()
        try plant.send(.annotations, Wire.annotation("later", "a", .skip))
        let indifferent = try runner(plant, nil)
        try indifferent.settle()
        #expect(note(plant) == "open salt=\(Self.own.hex)")
        indifferent.task.close()
        try check(plant, Self.own)
        #expect(OffsetMark("few 3 9 salt=1 new=2") == .few(from: 3, until: 9))
        #expect(OffsetMark("salt=1") == nil)
        #expect(OffsetAttribute.value(of: "salt", in: "one 3 1 left=suspicious salt=ab") == "ab")
        #expect(OffsetAttribute.value(of: "salt", in: "open xsalt=ab salty=1") == nil)
    }
}
