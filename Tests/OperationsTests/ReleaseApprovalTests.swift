import EngineCore
import Events
import Flywheel
import PipelineTesting
import Rollout
import StreamRuntime
import StreamTesting
import Testing
import Vocabulary

@testable import Loop
@testable import Operations

@Suite("Staged rollouts, from the command to the log")
struct ReleaseApprovalTests {
    private static let project = Scenario.project.rawValue

    private static func configuration() -> ProjectConfiguration {
        let usual = Scenario.configuration(votes: 4_000)
        var rollout = usual.rollout
        rollout.steps = [RolloutStep(share: 0.5, approve: true), RolloutStep(share: 1)]
        return ProjectConfiguration(
            project: usual.project,
            revision: 1,
            partition: usual.partition,
            schema: usual.schema,
            acquisition: usual.acquisition,
            labeling: usual.labeling,
            datasets: usual.datasets,
            training: usual.training,
            rollout: rollout
        )
    }

    private func approve(_ version: String, _ pipeline: Pipeline) throws -> ReleaseApproval.Outcome {
        try ReleaseApproval(transport: pipeline.cluster, topics: pipeline.topics)
            .send(
                ModelVersion(version),
                project: Self.project,
                by: "ada",
                reason: "looks well",
                maximumWait: 1_000,
                now: { pipeline.clock.now },
                pause: {
                    try? pipeline.settle()
                    pipeline.clock.advance(by: $0)
                }
            )
    }

    private func summary(_ pipeline: Pipeline) throws -> ProjectSummary {
        let view = try StatusView(transport: pipeline.cluster, topics: pipeline.topics)
        defer { view.close() }
        return try #require(try view.summaries().first)
    }

    /// Runs rounds until a model is a canary; returns its version.
    private func runUntilCanary(_ pipeline: Pipeline) throws -> String {
        try pipeline.send(.commands, Wire.command("c0", .register(pipeline.incumbent("theirs"))))
        for _ in 0..<80 {
            if let release = try pipeline.releases().last(where: { $0.cause == .canary }) {
                return try #require(release.staging?.canary).version.rawValue
            }
            try pipeline.round()
        }
        Issue.record("eighty rounds were not enough")
        return ""
    }

    @Test("An approval makes the model live; status, log and replay report the same")
    func approves() throws {
        let pipeline = try Pipeline(seed: 3, configuration: Self.configuration())
        let version = try runUntilCanary(pipeline)
        let overview = try ReleaseOverview(
            summary(pipeline),
            ReleaseHistory.read(Self.project, transport: pipeline.cluster, topics: pipeline.topics)
        )
        #expect(overview.text.contains("canary       \(version): step 1 (share 0.5)"), "\(overview.text)")
        #expect(overview.text.contains("audit labels of what it served, log e against it "), "\(overview.text)")
        #expect(overview.text.contains("waits for approval"), "\(overview.text)")
        #expect(overview.json.contains(#""canary":{"version":"\#(version)","state":"canary","step":1,"share":0.5"#))
        func refusal(_ version: String) -> String {
            let error = #expect(throws: EngineError.self) { _ = try approve(version, pipeline) }
            return error?.description ?? ""
        }
        let commands = pipeline.cluster.committed(pipeline.topics[.commands]).count
        #expect(refusal("theirs").contains("\(version) is in rollout"))
        #expect(pipeline.cluster.committed(pipeline.topics[.commands]).count == commands)
        #expect(try approve(version, pipeline) == .done(step: nil))
        #expect(try summary(pipeline).champion?.version.rawValue == version && summary(pipeline).rollout == nil)
        #expect(refusal(version).contains("no model is in rollout"))
        let history = try ReleaseHistory.read(Self.project, transport: pipeline.cluster, topics: pipeline.topics)
        let states = history.records.filter { $0.transition.version.rawValue == version }.map(\.transition.to)
        #expect(states.suffix(3) == [.blessed, .canary, .live])
        let why = try ReleaseReasons(history, version: version)
        #expect(why.text.contains("approved by ada"), "\(why.text)")
        let report = try Replay(transport: pipeline.cluster, topics: pipeline.topics)
            .verify(project: Self.project, partition: Scenario.partition)
        #expect(report.isEqual, "\(report.firstDifference ?? "")")
    }

    @Test("A rollback that names a canary removes it, and the champion stays")
    func rollsBack() throws {
        let pipeline = try Pipeline(seed: 3, configuration: Self.configuration())
        let version = try runUntilCanary(pipeline)
        let outcome = try ReleaseControl(transport: pipeline.cluster, topics: pipeline.topics)
            .send(
                .rollBack,
                version: ModelVersion(version),
                project: Self.project,
                by: "ada",
                reason: "looks odd",
                maximumWait: 1_000,
                now: { pipeline.clock.now },
                pause: {
                    try? pipeline.settle()
                    pipeline.clock.advance(by: $0)
                }
            )
        #expect(outcome == .withdrawn(canary: ModelVersion(version), live: ModelVersion("theirs")))
        #expect(try summary(pipeline).quarantined == [version] && summary(pipeline).rollout == nil)
    }
}
