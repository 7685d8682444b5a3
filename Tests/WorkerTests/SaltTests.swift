import EngineCore
import Events
import Intake
import PipelineTesting
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

    private func runner(_ pipeline: Pipeline, _ digest: SaltDigest?, instance: String = "w1") throws -> ProcessorRunner
    {
        try ProcessorRunner(
            cluster: pipeline.cluster,
            group: "intake",
            instance: instance,
            topics: IntakeProcessor.inputs.map { pipeline.topics[$0] },
            agreement: digest?.attribute
        ) { transport in
            IntakeProcessor(
                topics: pipeline.topics,
                directory: try ProjectDirectory(transport: transport, topics: pipeline.topics),
                salt: [1, 2, 3],
                tokens: .pipeline,
                worker: instance,
                partitionCount: 2,
                now: { pipeline.clock.now }
            )
        }
    }

    private func pipeline() throws -> Pipeline {
        let pipeline = try Pipeline(seed: 6)
        try pipeline.send(.annotations, Wire.annotation("t", "a", .skip))
        return pipeline
    }

    private func check(_ pipeline: Pipeline, _ digest: SaltDigest) throws {
        let topics = IntakeProcessor.inputs.map { pipeline.topics[$0] }
        try digest.check(group: "intake", of: .intake, topics: topics, transport: pipeline.cluster)
    }

    private func offsetMetadata(_ pipeline: Pipeline) -> String? {
        pipeline.cluster.note(of: TopicPartition(pipeline.topics[.annotations], 0), group: "intake")
    }

    @Test("The digest has 16 digits, differs for every salt, and is computed as documented")
    func digest() {
        let digests = (0..<200).map { SaltDigest(salt: Array("salt \($0)".utf8)).hex } + [Self.none.hex]
        #expect(Set(digests).count == 201)
        #expect(digests.allSatisfy { $0.count == 16 && $0.allSatisfy(\.isHexDigit) })
        // printf 'flywheel salt\0s' | sha256sum, and HMAC-SHA-256 of "flywheel salt in use" under its bytes.
        #expect(SaltDigest(salt: Array("s".utf8)).hex == "3c2877f0456d9d97")
    }

    @Test("A worker with the same salt continues; another salt, or none, is refused before it joins, with a remedy")
    func before() throws {
        let pipeline = try pipeline()
        try check(pipeline, Self.other)
        let first = try runner(pipeline, Self.own)
        try first.settle()
        #expect(offsetMetadata(pipeline) == "open salt=\(Self.own.hex)")
        first.task.close()
        #expect(offsetMetadata(pipeline) == "clean salt=\(Self.own.hex)")
        try check(pipeline, Self.own)
        let another = try #require(throws: EngineError.self) { try check(pipeline, Self.other) }
        #expect(another.reason.contains("another one (digest \(Self.other.hex))"), "\(another)")
        #expect(another.reason.contains("with the salt of digest \(Self.own.hex)"), "\(another)")
        #expect(another.remedy.contains("FLYWHEEL_SALT"))
        let none = try #require(throws: EngineError.self) { try check(pipeline, Self.none) }
        #expect(none.reason.contains("this worker has none"), "\(none)")
    }

    @Test("A group that worked without a salt refuses a worker that has one")
    func without() throws {
        let pipeline = try pipeline()
        try runner(pipeline, Self.none).settle()
        let error = try #require(throws: EngineError.self) { try check(pipeline, Self.own) }
        #expect(error.reason.contains("has worked without a salt, and this worker has another one"), "\(error)")
    }

    @Test("A worker admitted before the first commit is stopped when it is assigned a partition of other workers")
    func late() throws {
        let pipeline = try pipeline()
        let right = try runner(pipeline, Self.own)
        try right.settle()
        right.task.close()
        let before = pipeline.cluster.offsets(of: "intake")
        try pipeline.send(.annotations, Wire.annotation("later", "a", .skip))
        let wrong = try runner(pipeline, Self.other, instance: "w2")
        let error = try #require(throws: OffsetDisagreement.self) { try wrong.settle() }
        #expect(error.found == Self.own.attribute && error.own == Self.other.attribute)
        #expect(pipeline.cluster.offsets(of: "intake") == before)
        #expect(offsetMetadata(pipeline) == "clean salt=\(Self.own.hex)")
    }

    @Test("Groups of builds that wrote no digest continue, and get one")
    func olderBuild() throws {
        let pipeline = try pipeline()
        let old = try runner(pipeline, nil)
        try old.settle()
        old.task.close()
        #expect(offsetMetadata(pipeline) == "clean")
        try check(pipeline, Self.own)
        try pipeline.send(.annotations, Wire.annotation("later", "a", .skip))
        try runner(pipeline, Self.own).settle()
        #expect(offsetMetadata(pipeline) == "open salt=\(Self.own.hex)")
    }

    @Test("A worker that does not depend on the salt keeps the digest, and words of newer builds unless they are long")
    func kept() throws {
        let pipeline = try pipeline()
        let first = try runner(pipeline, Self.own)
        try first.settle()
        first.task.close()
        try pipeline.send(.annotations, Wire.annotation("later", "a", .skip))
        let indifferent = try runner(pipeline, nil)
        try indifferent.settle()
        #expect(offsetMetadata(pipeline) == "open salt=\(Self.own.hex)")
        indifferent.task.close()
        try check(pipeline, Self.own)
        #expect(OffsetMetadata("few 3 9 salt=1 new=2") == .few(from: 3, until: 9))
        #expect(OffsetMetadata("salt=1") == nil)
        #expect(OffsetAttribute.value(of: "salt", in: "one 3 1 left=suspicious salt=ab") == "ab")
        #expect(OffsetAttribute.value(of: "salt", in: "open xsalt=ab salty=1") == nil)
    }
}
