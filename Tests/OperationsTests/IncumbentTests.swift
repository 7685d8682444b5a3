import EngineCore
import Events
import Flywheel
import Hashing
import JSON
import Learner
import Loop
import Operations
import PipelineTesting
import Storage
import StreamRuntime
import StreamTesting
import Testing
import Vocabulary

@Suite("An incumbent, from the command to its successor")
struct IncumbentPipelineTests {
    private func incumbent(_ pipeline: Pipeline, _ version: String) throws -> IncumbentModel {
        try pipeline.incumbent(version)
    }

    @Test("Trained models are compared with the incumbent and replace it only with evidence; the replay is equal")
    func judged() throws {
        let pipeline = try Pipeline(seed: 3)
        let model = try incumbent(pipeline, "theirs-9")
        try pipeline.send(.commands, Wire.command("c1", .register(model)))
        try pipeline.settle()
        let first = try #require(try pipeline.releases().first)
        #expect(first.cause == .registered && first.champion.version.rawValue == "theirs-9")
        for _ in 0..<25 { try pipeline.round() }
        let releases = try pipeline.releases()
        #expect(!releases.contains { $0.cause == .first })
        let shadow = try #require(releases.first { $0.cause == .shadow })
        #expect(shadow.champion.version.rawValue == "theirs-9" && shadow.challenger?.version.rawValue == "v1")
        let promoted = try #require(releases.first { $0.cause == .promoted })
        #expect(promoted.replaced?.rawValue == "theirs-9")
        guard case .paired(let labels, _, _, let logE, let threshold) = promoted.evidence else {
            Issue.record("\(promoted.evidence)")
            return
        }
        #expect(labels > 0 && logE >= threshold)
        let report = try Replay(transport: pipeline.cluster, topics: pipeline.topics)
            .verify(project: Scenario.project.rawValue, partition: Scenario.partition)
        #expect(report.isEqual, "\(report.firstDifference ?? "")")
    }

    /// Before: the second time was an error, so a script could not be run again.
    @Test("The command registers once; repeated it changes nothing, and another model or artifact is refused")
    func registration() throws {
        let pipeline = try Pipeline(seed: 1)
        let model = try incumbent(pipeline, "theirs-9")
        func send(_ model: IncumbentModel, to project: String = Scenario.project.rawValue) throws
            -> ModelRegistration.Outcome
        {
            try ModelRegistration(transport: pipeline.cluster, topics: pipeline.topics)
                .send(
                    model,
                    project: project,
                    by: "ada",
                    reason: "serves",
                    maximumWait: 1_000,
                    now: { pipeline.clock.now },
                    pause: {
                        try? pipeline.settle()
                        pipeline.clock.advance(by: $0)
                    }
                )
        }
        #expect(throws: EngineError.self) { try send(model, to: "nothing") }
        // Before: these were sent, refused by Intake, and reported as waiting for a worker.
        for (version, uri) in [("cafe\u{301}", "s3://m/a"), ("ok", "ftp://x/y")] {
            let refused = IncumbentModel(
                version: ModelVersion(version),
                artifact: ArtifactReference(uri: uri, size: 1, sha256: String(repeating: "a", count: 64))
            )
            let error = #expect(throws: EngineError.self) { try send(refused) }
            #expect("\(error.map { "\($0)" } ?? "")".contains("Intake refuses it"))
        }
        #expect(pipeline.cluster.committed(pipeline.topics[.commands]).isEmpty)
        #expect(try send(model) == .champion)
        let sent = pipeline.cluster.committed(pipeline.topics[.commands]).count
        #expect(try send(model) == .alreadyChampion)
        #expect(pipeline.cluster.committed(pipeline.topics[.commands]).count == sent)
        func reason(_ model: IncumbentModel) -> String {
            "\(#expect(throws: EngineError.self) { try send(model) }.map { "\($0)" } ?? "")"
        }
        let otherArtifact = IncumbentModel(
            version: model.version,
            artifact: ArtifactReference(uri: "s3://b/other", size: 1, sha256: String(repeating: "a", count: 64))
        )
        #expect(reason(otherArtifact).contains("theirs-9 is champion of shapes already, with the artifact file:"))
        #expect(reason(try incumbent(pipeline, "theirs-10")).contains("theirs-9 is champion of shapes;"))
    }

    @Test("An unregistered version is reported in tallies and in the summary, until it is registered")
    func unregistered() throws {
        let pipeline = try Pipeline(seed: 2)
        func predict(_ version: String) throws {
            for _ in 0..<5 {
                try pipeline.send(
                    .predictions,
                    Wire.prediction(pipeline.scenario.next(), [0.5, 0.3, 0.2], version: version)
                )
            }
            try pipeline.settle()
            pipeline.clock.advance(by: 11_000)
            try pipeline.settle()
        }
        func summary() throws -> ProjectSummary? {
            let view = try StatusView(transport: pipeline.cluster, topics: pipeline.topics)
            defer { view.close() }
            return try view.summaries().first
        }
        // The state of a project begins with its first entry.
        try predict("theirs-9")
        try predict("theirs-9")
        let reported = try #require(try summary()?.unregistered.first)
        #expect(reported.version == "theirs-9" && reported.predictions >= 5)
        let marked = pipeline.journal().filter { $0.text.contains("\"unregistered\":true") }
        #expect(!marked.isEmpty)
        try pipeline.send(.commands, Wire.command("c1", .register(try incumbent(pipeline, "theirs-9"))))
        try pipeline.settle()
        #expect(try summary()?.unregistered == [])
        try predict("theirs-9")
        #expect(try summary()?.unregistered == [])
        #expect(pipeline.journal().filter { $0.text.contains("\"unregistered\":true") }.count == marked.count)
    }
}

extension Pipeline {
    /// A model that always predicts the first class, as a file of the pipeline.
    func incumbent(_ version: String) throws -> IncumbentModel {
        var weights = [Double](repeating: 0, count: Scenario.classes.count * 3)
        // The last row holds the intercepts.
        weights[2 * Scenario.classes.count] = 4
        let bytes = try SoftmaxRegression(classes: Scenario.classes, featureCount: 2, weights: weights).bytes
        _ = try artifacts.put(bytes, as: "incumbent")
        let uri = try artifacts.uri(of: "incumbent").description
        let artifact = ArtifactReference(uri: uri, size: Int64(bytes.count), sha256: SHA256Digest(of: bytes).hex)
        return IncumbentModel(version: ModelVersion(version), artifact: artifact)
    }
}
