import Events
import Flywheel
import Rollout
import StreamRuntime
import StreamTesting
import Testing
import Vocabulary

@testable import Loop
@testable import Operations

@Suite("Rollouts by steps, from the command to the log")
struct ReleaseApprovalTests {
    private static let project = World.project.rawValue

    private static func configuration() -> ProjectConfiguration {
        let usual = World.configuration(votes: 4_000)
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

    private func approve(_ version: String, _ plant: Plant) throws -> ReleaseApproval.Outcome {
        try ReleaseApproval(transport: plant.cluster, topics: plant.topics)
            .send(
                ModelVersion(version),
                project: Self.project,
                by: "ada",
                reason: "looks well",
                patience: 1_000,
                now: { plant.clock.now },
                pause: {
                    try? plant.settle()
                    plant.clock.advance(by: $0)
                }
            )
    }

    private func summary(_ plant: Plant) throws -> ProjectSummary {
        let view = try StatusView(transport: plant.cluster, topics: plant.topics)
        defer { view.close() }
        return try #require(try view.summaries().first)
    }

    /// Until a model is on its way.
    private func begin(_ plant: Plant) throws -> String {
        try plant.send(.commands, Wire.command("c0", .register(plant.incumbent("theirs"))))
        for _ in 0..<80 {
            if let release = try plant.releases().last(where: { $0.cause == .canary }) {
                return try #require(release.staging?.canary).version.rawValue
            }
            try plant.round()
        }
        Issue.record("eighty rounds were not enough")
        return ""
    }

    @Test("Who approves lets the model go live; status, log and replay tell the same")
    func approves() throws {
        let plant = try Plant(seed: 3, configuration: Self.configuration())
        let version = try begin(plant)
        let overview = try ReleaseOverview(
            summary(plant),
            ReleaseHistory.read(Self.project, transport: plant.cluster, topics: plant.topics)
        )
        #expect(overview.text.contains("canary       \(version): step 1 (share 0.5)"), "\(overview.text)")
        #expect(overview.text.contains("waits for approval"), "\(overview.text)")
        #expect(overview.json.contains(#""canary":{"version":"\#(version)","state":"canary","step":1,"share":0.5"#))
        #expect(try approve("theirs", plant) == .refused)
        #expect(try approve(version, plant) == .done(step: nil))
        #expect(try summary(plant).champion?.version.rawValue == version && summary(plant).rollout == nil)
        #expect(try approve(version, plant) == .refused)
        let history = try ReleaseHistory.read(Self.project, transport: plant.cluster, topics: plant.topics)
        let states = history.records.filter { $0.transition.version.rawValue == version }.map(\.transition.to)
        #expect(states.suffix(3) == [.blessed, .canary, .live])
        let why = try ReleaseReasons(history, version: version)
        #expect(why.text.contains("approved by ada"), "\(why.text)")
        let report = try Replay(transport: plant.cluster, topics: plant.topics)
            .verify(project: Self.project, partition: World.partition)
        #expect(report.isEqual, "\(report.firstDifference ?? "")")
    }

    @Test("A canary is rolled back by its name, and the champion stays")
    func rollsBack() throws {
        let plant = try Plant(seed: 3, configuration: Self.configuration())
        let version = try begin(plant)
        let outcome = try ReleaseControl(transport: plant.cluster, topics: plant.topics)
            .send(
                .rollBack,
                version: ModelVersion(version),
                project: Self.project,
                by: "ada",
                reason: "looks odd",
                patience: 1_000,
                now: { plant.clock.now },
                pause: {
                    try? plant.settle()
                    plant.clock.advance(by: $0)
                }
            )
        #expect(outcome == .withdrawn(canary: ModelVersion(version), live: ModelVersion("theirs")))
        #expect(try summary(plant).quarantined == [version] && summary(plant).rollout == nil)
    }
}
