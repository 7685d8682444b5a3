import Events
import Flywheel
import PipelineTesting
import Rollout
import StreamRuntime
import StreamTesting
import Testing
import Vocabulary

@testable import EngineCore
@testable import Loop
@testable import Operations

@Suite("Releases that operators control, from the command to the log")
struct ReleaseControlTests {
    private static let project = Scenario.project.rawValue

    private static func configuration() -> ProjectConfiguration {
        let usual = Scenario.configuration(votes: 4_000)
        var rollout = usual.rollout
        rollout.bakeBeforeTrust = 60_000
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

    private func send(
        _ order: ReleaseControl.Order,
        _ pipeline: Pipeline,
        version: String? = nil,
        className: String? = nil,
        to project: String = Self.project,
        reason: String = "noon"
    ) throws -> ReleaseControl.Outcome {
        try ReleaseControl(transport: pipeline.cluster, topics: pipeline.topics)
            .send(
                order,
                version: version.map { ModelVersion($0) },
                className: className,
                project: project,
                by: "ada",
                reason: reason,
                maximumWait: 1_000,
                now: { pipeline.clock.now },
                pause: {
                    try? pipeline.settle()
                    pipeline.clock.advance(by: $0)
                }
            )
    }

    /// Runs at most forty rounds, until the releases satisfy `isEnough`.
    private func runRounds(_ pipeline: Pipeline, until isEnough: ([ModelRelease]) -> Bool) throws {
        for _ in 0..<40 {
            if isEnough(try pipeline.releases()) { return }
            try pipeline.round()
        }
        Issue.record("forty rounds were not enough")
    }

    private func summary(_ pipeline: Pipeline) throws -> ProjectSummary {
        let view = try StatusView(transport: pipeline.cluster, topics: pipeline.topics)
        defer { view.close() }
        return try #require(try view.summaries().first)
    }

    @Test("In a freeze the last trusted champion serves, and nothing is trained or promoted; the replay is equal")
    func freeze() throws {
        let pipeline = try Pipeline(seed: 3, configuration: Self.configuration())
        try pipeline.send(.commands, Wire.command("c0", .register(pipeline.incumbent("theirs"))))
        try runRounds(pipeline) { !$0.isEmpty }
        let first = try #require(try pipeline.releases().first).champion.version
        pipeline.clock.advance(by: 60_000)
        try runRounds(pipeline) { $0.contains { $0.cause == .promoted } }
        let champion = try #require(try pipeline.releases().last).champion.version
        #expect(champion != first)

        #expect(try send(.freeze, pipeline) == .done(live: first, replaced: champion))
        #expect(try summary(pipeline).isFrozen && summary(pipeline).champion?.version == first)
        let history = try ReleaseHistory.read(Self.project, transport: pipeline.cluster, topics: pipeline.topics)
        let superseding = try #require(history.records.last { $0.transition.version == champion })
        #expect(superseding.transition.to == .superseded)
        #expect(superseding.why.contains("releases were frozen, and \(first) serves again"), "\(superseding.why)")
        #expect(ReleaseOverview(try summary(pipeline), history).text.contains("promotions   frozen"))

        let requests = pipeline.cluster.committed(pipeline.topics[.trainingRequests]).count
        let labels = try summary(pipeline).labels
        for _ in 0..<15 { try pipeline.round() }
        #expect(pipeline.cluster.committed(pipeline.topics[.trainingRequests]).count == requests)
        #expect(try pipeline.releases().allSatisfy { $0.cause != .promoted || $0.champion.version == champion })
        #expect(try summary(pipeline).champion?.version == first && summary(pipeline).labels > labels)

        #expect(try send(.unfreeze, pipeline) == .done(live: first, replaced: nil))
        #expect(try !summary(pipeline).isFrozen)
        for _ in 0..<5 { try pipeline.round() }
        #expect(pipeline.cluster.committed(pipeline.topics[.trainingRequests]).count > requests)
        let report = try Replay(transport: pipeline.cluster, topics: pipeline.topics)
            .verify(project: Self.project, partition: Scenario.partition)
        #expect(report.isEqual, "\(report.firstDifference ?? "")")
    }

    @Test("A rollback restores the previous champion, once; a hold keeps the next model from being promoted")
    func rollback() throws {
        let pipeline = try Pipeline(seed: 3, configuration: Self.configuration())
        try pipeline.send(.commands, Wire.command("c0", .register(pipeline.incumbent("theirs"))))
        try runRounds(pipeline) { !$0.isEmpty }
        func reason(_ body: () throws -> Void) -> String {
            "\(#expect(throws: EngineError.self) { try body() }.map { "\($0)" } ?? "")"
        }
        #expect(reason { _ = try send(.rollBack, pipeline) }.contains("no model served before theirs"))
        try runRounds(pipeline) { $0.contains { $0.cause == .promoted } }
        #expect(reason { _ = try send(.rollBack, pipeline, version: "theirs") }.contains("theirs is not live"))
        #expect(try send(.hold, pipeline) == .done(live: pipeline.releases().last?.champion.version, replaced: nil))
        let champion = try #require(try pipeline.releases().last).champion.version
        #expect(
            try send(.rollBack, pipeline, version: champion.rawValue)
                == .done(live: ModelVersion("theirs"), replaced: champion)
        )
        let overview = try ReleaseOverview(
            summary(pipeline),
            ReleaseHistory.read(Self.project, transport: pipeline.cluster, topics: pipeline.topics)
        )
        #expect(overview.text.contains("promotions   held"), "\(overview.text)")
        let promotions = try pipeline.releases().count { $0.cause == .promoted }
        for _ in 0..<15 { try pipeline.round() }
        #expect(try pipeline.releases().count { $0.cause == .promoted } == promotions)
        #expect(reason { _ = try send(.rollBack, pipeline) }.contains("no model served before theirs"))
        #expect(try send(.unhold, pipeline) == .done(live: ModelVersion("theirs"), replaced: nil))
        #expect(try !summary(pipeline).isHeld)
    }

    @Test("A suppressed class is in the release and not in new tasks, and a command restores it")
    func suppression() throws {
        let pipeline = try Pipeline(seed: 3, configuration: Self.configuration())
        try pipeline.send(.commands, Wire.command("c0", .register(pipeline.incumbent("theirs"))))
        try runRounds(pipeline) { !$0.isEmpty }
        func reason(_ body: () throws -> Void) -> String {
            "\(#expect(throws: EngineError.self) { try body() }.map { "\($0)" } ?? "")"
        }
        #expect(reason { _ = try send(.suppress, pipeline, className: "ox") }.contains("class \"ox\" is not in"))
        let live = try pipeline.releases().last?.champion.version
        #expect(try send(.suppress, pipeline, className: "square") == .done(live: live, replaced: nil))
        let release = try #require(try pipeline.releases().last)
        #expect(release.cause == .suppression && release.suppressed == ["square"])
        #expect(try send(.suppress, pipeline, className: "square") == .refused(live: live))
        #expect(try summary(pipeline).suppressed == ["square"])
        let before = Set(pipeline.cluster.committed(pipeline.topics[.labelingTasks]).map(\.key))
        for _ in 0..<3 { try pipeline.round() }
        let tasks = pipeline.cluster.committed(pipeline.topics[.labelingTasks])
            .filter { !before.contains($0.key) && $0.value != nil }
        #expect(!tasks.isEmpty)
        #expect(tasks.allSatisfy { !String(decoding: $0.value ?? [], as: UTF8.self).contains("\"square\"") })
        #expect(
            try send(.unsuppress, pipeline, className: "square")
                == .done(live: pipeline.releases().last?.champion.version, replaced: nil)
        )
        #expect(try pipeline.releases().last { $0.cause == .suppression }?.suppressed == [])
        let report = try Replay(transport: pipeline.cluster, topics: pipeline.topics)
            .verify(project: Self.project, partition: Scenario.partition)
        #expect(report.isEqual, "\(report.firstDifference ?? "")")
    }

    @Test("An unknown project or an empty reason is refused before anything is sent; without a worker a command waits")
    func faults() throws {
        let pipeline = try Pipeline(seed: 1)
        func reason(_ body: () throws -> Void) -> String {
            "\(#expect(throws: EngineError.self) { try body() }.map { "\($0)" } ?? "")"
        }
        #expect(reason { _ = try send(.freeze, pipeline, to: "nothing") }.contains("there is no project nothing"))
        #expect(reason { _ = try send(.freeze, pipeline, reason: " ") }.contains("--reason is empty"))
        #expect(pipeline.cluster.committed(pipeline.topics[.commands]).isEmpty)
        let outcome = try ReleaseControl(transport: pipeline.cluster, topics: pipeline.topics)
            .send(
                .hold,
                project: Self.project,
                by: "ada",
                reason: "noon",
                maximumWait: 1_000,
                now: { pipeline.clock.now },
                pause: { pipeline.clock.advance(by: $0) }
            )
        #expect(outcome == .waiting)
        #expect(pipeline.cluster.committed(pipeline.topics[.commands]).count == 1)
    }
}
