import Acquisition
import DatasetFiles
import Events
import Flywheel
import Learner
import Loop
import PipelineTesting
import Strategies
import StreamRuntime
import StreamTesting
import Tables
import Testing
import Vocabulary

extension ProjectConfiguration {
    /// Returns this project with a space that its configuration names.
    fileprivate func inSpace(_ space: EmbeddingSpace?, revision: Int, isAllAudit: Bool = false) -> ProjectConfiguration
    {
        var acquisition = acquisition
        if isAllAudit { acquisition.auditCutoff = 1 }
        return ProjectConfiguration(
            project: project,
            revision: revision,
            partition: partition,
            schema: schema,
            acquisition: acquisition,
            labeling: labeling,
            datasets: datasets,
            training: training,
            rollout: rollout,
            embedding: space
        )
    }
}

extension Pipeline {
    fileprivate func apply(_ configuration: ProjectConfiguration) throws {
        try cluster.append(
            OutputRecord(
                topic: topics[.projects],
                partition: 0,
                key: Array(Scenario.project.rawValue.utf8),
                value: configuration.jsonBytes
            )
        )
    }

    fileprivate func send(_ id: String, _ embedding: [Float]?, in space: String? = nil) throws {
        let sample = Sample(
            id: SampleID(id),
            content: .uri("memory:\(id)"),
            embedding: embedding,
            space: space.map { SpaceID($0) }
        )
        try send(.predictions, Wire.prediction(sample))
    }

    /// Sample ids of the dead letters with `code`.
    fileprivate func refused(_ code: String = "wrong_space") -> [String] {
        cluster.committed(topics[.deadLetters]).filter { $0.header("flywheel.reason.code") == code }.compactMap {
            $0.text.split(separator: "\"id\":\"").last?.split(separator: "\"").first.map { String($0) }
        }
    }

    fileprivate var acquisition: AcquisitionState? {
        var found: AcquisitionState?
        loopProcessor?.forEachProject { found = $0.state.acquisition }
        return found
    }
}

@Suite("Only embeddings of one space are compared, or trained on together")
struct SpaceTests {
    /// Embeddings of other lengths or much larger norms. There are several of each kind, since some are only counted,
    /// without a check of the space.
    private static let foreignEmbeddings: [(id: String, embedding: [Float], space: String?)] = (0..<12).flatMap {
        number in
        [
            ("short-\(number)", [1], nil), ("long-\(number)", [1, 2, 3], nil),
            ("far-\(number)", [3.4e38, -3.4e38], nil), ("rather-far-\(number)", [0, 200], nil),
        ]
    }

    private static func kinds(_ ids: [String]) -> Set<String> {
        Set(ids.map { $0.split(separator: "-").dropLast().joined(separator: "-") })
    }

    @Test("The space is learnt from the first candidates; from then on Intake refuses other embeddings")
    func learnt() throws {
        let pipeline = try Pipeline()
        // The space is not yet known: the sample is accepted, and removed when the space is known.
        try pipeline.send("early", [1, 2, 3])
        // Enough samples that the space is known before the first batch.
        try pipeline.round(serving: 40)
        for _ in 0..<4 { try pipeline.round() }
        let space = try #require(pipeline.acquisition?.space.value.space)
        #expect(space.dimension == 2 && space.name == nil)
        #expect(try #require(space.norm) > 10 && space.norm ?? 0 < 100)
        #expect(try pipeline.tasks().allSatisfy { $0.sample.id != SampleID("early") })
        #expect(pipeline.acquisition?.pool.candidates[SampleID("early")] == nil)
        #expect(pipeline.refused().isEmpty)
        for (id, embedding, name) in Self.foreignEmbeddings { try pipeline.send(id, embedding, in: name) }
        // No name is known, so a sample with any name is accepted, and so is one without an embedding.
        try pipeline.send("none-0", nil)
        try pipeline.send("named-0", [1, 2], in: "any")
        for _ in 0..<3 { try pipeline.round() }
        #expect(Self.kinds(pipeline.refused()) == ["short", "long", "far", "rather-far"])
        let journal = pipeline.journal().map(\.text).joined()
        #expect(Self.foreignEmbeddings.allSatisfy { !journal.contains("\"\($0.0)\"") })
    }

    @Test("A space that the configuration names applies from the first record")
    func declared() throws {
        let space = EmbeddingSpace(name: SpaceID("encoder-1"), dimension: 2, norm: 50)
        let pipeline = try Pipeline(configuration: Scenario.configuration().inSpace(space, revision: 1))
        for (id, embedding, name) in Self.foreignEmbeddings { try pipeline.send(id, embedding, in: name) }
        for number in 0..<12 { try pipeline.send("other-\(number)", [1, 2], in: "encoder-0") }
        try pipeline.send("same", [1, 2], in: "encoder-1")
        for _ in 0..<8 { try pipeline.round() }
        #expect(Self.kinds(pipeline.refused()) == ["short", "long", "far", "rather-far", "other"])
        // Nothing remains to be learnt, and the written records name the space.
        #expect(pipeline.acquisition?.space.row == nil)
        let requests = try pipeline.decoded(.trainingRequests) { try TrainingRequest(json: $0) }
        #expect(!requests.isEmpty && requests.allSatisfy { $0.embedding == space })
        for case .accepted(let fact, _) in try pipeline.decoded(.datasetLog, { try DatasetLogRecord(json: $0) }) {
            #expect(fact.consensus.sample.space == SpaceID("encoder-1"))
        }
        let notices = try pipeline.decoded(.notices) { try Notice(json: $0) }
        #expect(notices.contains { $0.kind == .studyFinished } && !notices.contains { $0.kind == .studyFailed })
    }

    @Test("If Intake does not know the space yet, the loop refuses candidates outside it")
    func byTheLoop() throws {
        let pipeline = try Pipeline(configuration: Scenario.configuration().inSpace(nil, revision: 1, isAllAudit: true))
        let (intake, loop) = (try pipeline.makeIntake(readsState: false), try pipeline.makeLoop())
        for number in 0..<20 { try pipeline.send("s\(number)", [Float(number), 1]) }
        for (id, embedding, name) in Self.foreignEmbeddings { try pipeline.send(id, embedding, in: name) }
        try intake.settle()
        try loop.settle()
        let processor = try #require(loop.processor as? LoopProcessor)
        #expect(processor.counts.refused == ["wrong_space": Int64(Self.foreignEmbeddings.count)])
        processor.forEachProject { project in
            for (id, _, _) in Self.foreignEmbeddings {
                #expect(project.state.acquisition.pool.candidates[SampleID(id)] == nil)
                #expect(project.state.acquisition.audit.candidates[SampleID(id)] == nil)
            }
        }
        #expect(pipeline.cluster.committed(pipeline.topics[.deadLetters]).isEmpty)
    }

    @Test("Intake reads the learnt space again after a restart")
    func restart() throws {
        let pipeline = try Pipeline()
        for _ in 0..<5 { try pipeline.round() }
        for number in 0..<20 { try pipeline.send("long-\(number)", [1, 2, 3]) }
        pipeline.cluster.expireMember("w1", of: "intake")
        try pipeline.makeIntake(instance: "w2").settle()
        #expect(Self.kinds(pipeline.refused()) == ["long"])
        #expect(!pipeline.journal().contains { $0.text.contains("long-") })
    }
}

/// A service whose first encoder passes on half of the information, and whose second passes on all of it.
private final class Migration {
    let pipeline: Pipeline
    private var models: [ModelVersion: SoftmaxRegression] = [:]
    private(set) var served: Set<SampleID> = []
    /// Whether the embeddings of the new encoder are sent; their space has the name `name`.
    var isMigrated = false
    var name: String?

    init(seed: UInt64) throws { pipeline = try Pipeline(seed: seed) }

    func model(_ released: ReleasedModel) throws -> SoftmaxRegression {
        if let known = models[released.version] { return known }
        let model = try SoftmaxRegression(bytes: ArtifactFile.read(released.artifact))
        models[released.version] = model
        return model
    }

    func round() throws {
        let release = try pipeline.releases().last
        for _ in 0..<8 {
            let sample = pipeline.scenario.next()
            let point = try #require(sample.embedding)
            let sent = Sample(
                id: sample.id,
                content: sample.content,
                embedding: isMigrated ? point : [point[1]],
                space: isMigrated ? name.map { SpaceID($0) } : nil
            )
            served.insert(sample.id)
            guard let release else {
                try pipeline.send(.predictions, Wire.prediction(sent))
                continue
            }
            for (released, role) in [(release.champion, ModelRole.champion), (release.challenger, .challenger)] {
                guard let released else { continue }
                // Each model predicts from the embedding on which it was trained, whichever embedding the event
                // carries.
                let model = try model(released)
                let features = model.featureCount == 1 ? [Double(point[1])] : point.map(Double.init)
                let version = released.version.rawValue
                let value = Wire.prediction(sent, model.probabilities(of: features), version: version, role: role)
                try pipeline.send(.predictions, value)
            }
        }
        try pipeline.settle()
        try pipeline.annotate()
        try pipeline.settle()
        pipeline.clock.advance(by: 1_500)
        try pipeline.settle()
    }

    func forget() { served = [] }
}

@Suite("A new encoder is a new space")
struct NewEncoderTests {
    @Test(
        "Learning begins anew in it, and the old champion serves until a model of the new space has won",
        arguments: [EmbeddingSpace(name: SpaceID("encoder-2")), EmbeddingSpace(dimension: 2)]
    )
    func migration(space: EmbeddingSpace) throws {
        let migration = try Migration(seed: 4)
        let pipeline = migration.pipeline
        for _ in 0..<10 { try migration.round() }
        let before = try #require(try pipeline.releases().last)
        #expect(try migration.model(before.champion).featureCount == 1)
        let (tasks, requests) = (
            try pipeline.tasks().count, pipeline.cluster.committed(pipeline.topics[.trainingRequests]).count
        )
        let releases = try pipeline.releases().count
        migration.forget()
        migration.isMigrated = true
        migration.name = space.name?.rawValue
        try pipeline.apply(pipeline.configuration.inSpace(space, revision: 2))
        var rounds = 0
        while rounds < 80 {
            try migration.round()
            rounds += 1
            if try pipeline.releases().contains(where: { try migration.model($0.champion).featureCount == 2 }) { break }
        }
        // A late sample of the old encoder.
        try pipeline.send("straggler", [1])
        try migration.round()
        #expect(pipeline.refused() == ["straggler"], "space \(space)")

        // Until a model of the new space has won, the old champion serves.
        let later = try pipeline.releases().dropFirst(releases)
        let winner = try #require(
            later.first { try migration.model($0.champion).featureCount == 2 },
            "after \(rounds) rounds"
        )
        #expect(winner.cause == .promoted)
        for release in later.prefix(while: { $0 != winner }) {
            #expect(try migration.model(release.champion).featureCount == 1)
        }
        // Queried samples, queried sketches, training requests and training data are in the new space.
        let known = Set(try pipeline.tasks().prefix(tasks).map(\.id))
        for task in try pipeline.tasks().dropFirst(tasks) where !known.contains(task.id) {
            #expect(migration.served.contains(task.sample.id), "\(task.sample.id) lies in the old space")
        }
        let sketches = try #require(pipeline.acquisition?.pool.queriedSketches)
        #expect(!sketches.isEmpty && sketches.sortedRows.allSatisfy { $0.1.dimension == 2 })
        let laterRequests = try pipeline.decoded(.trainingRequests) { try TrainingRequest(json: $0) }.dropFirst(
            requests
        )
        // The first request may have been due before the new space was known.
        #expect(
            laterRequests.dropFirst().allSatisfy { $0.embedding?.dimension == 2 && $0.embedding?.name == space.name }
        )
        let cuts = try pipeline.decoded(.datasetLog) { try DatasetLogRecord(json: $0) }.compactMap {
            if case .cut(let cut) = $0 { cut } else { nil }
        }
        #expect(cuts.last?.embedding?.dimension == 2 && cuts.first?.embedding?.name == nil)
        let results = try pipeline.decoded(.trainingResults) { try TrainingResult(json: $0) }
        #expect(try #require(results.last?.leftOut).training > 0)
        print("migration to \(space): won after \(rounds) rounds")
    }
}
