import Events
import Flywheel
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
    private static let project = World.project.rawValue

    private static func configuration() -> ProjectConfiguration {
        let usual = World.configuration(votes: 4_000)
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
        _ plant: Plant,
        version: String? = nil,
        className: String? = nil,
        to project: String = Self.project,
        reason: String = "noon"
    ) throws -> ReleaseControl.Outcome {
        try ReleaseControl(transport: plant.cluster, topics: plant.topics)
            .send(
                order,
                version: version.map { ModelVersion($0) },
                className: className,
                project: project,
                by: "ada",
                reason: reason,
                patience: 1_000,
                now: { plant.clock.now },
                pause: {
                    try? plant.settle()
                    plant.clock.advance(by: $0)
                }
            )
    }

    /// Rounds until the releases are as they should be, forty at most.
    private func rounds(_ plant: Plant, until isEnough: ([ModelRelease]) -> Bool) throws {
        for _ in 0..<40 {
            if isEnough(try plant.releases()) { return }
            try plant.round()
        }
        Issue.record("forty rounds were not enough")
    }

    private func summary(_ plant: Plant) throws -> ProjectSummary {
        let view = try StatusView(transport: plant.cluster, topics: plant.topics)
        defer { view.close() }
        return try #require(try view.summaries().first)
    }

    @Test("The last trusted champion serves, nothing is trained or promoted meanwhile, and the replay is the same")
    func freeze() throws {
        let plant = try Plant(seed: 3, configuration: Self.configuration())
        try plant.send(.commands, Wire.command("c0", .register(plant.incumbent("theirs"))))
        try rounds(plant) { !$0.isEmpty }
        let first = try #require(try plant.releases().first).champion.version
        plant.clock.advance(by: 60_000)
        try rounds(plant) { $0.contains { $0.cause == .promoted } }
        let champion = try #require(try plant.releases().last).champion.version
        #expect(champion != first)

        #expect(try send(.freeze, plant) == .done(live: first, replaced: champion))
        #expect(try summary(plant).isFrozen && summary(plant).champion?.version == first)
        let history = try ReleaseHistory.read(Self.project, transport: plant.cluster, topics: plant.topics)
        let left = try #require(history.records.last { $0.transition.version == champion })
        #expect(left.transition.to == .superseded)
        #expect(left.why.contains("releases were frozen, and \(first) serves again"), "\(left.why)")
        #expect(ReleaseOverview(try summary(plant), history).text.contains("promotions   frozen"))

        let requests = plant.cluster.committed(plant.topics[.trainingRequests]).count
        let labels = try summary(plant).labels
        for _ in 0..<15 { try plant.round() }
        #expect(plant.cluster.committed(plant.topics[.trainingRequests]).count == requests)
        #expect(try plant.releases().allSatisfy { $0.cause != .promoted || $0.champion.version == champion })
        #expect(try summary(plant).champion?.version == first && summary(plant).labels > labels)

        #expect(try send(.unfreeze, plant) == .done(live: first, replaced: nil))
        #expect(try !summary(plant).isFrozen)
        for _ in 0..<5 { try plant.round() }
        #expect(plant.cluster.committed(plant.topics[.trainingRequests]).count > requests)
        let report = try Replay(transport: plant.cluster, topics: plant.topics)
            .verify(project: Self.project, partition: World.partition)
        #expect(report.isEqual, "\(report.firstDifference ?? "")")
    }

    @Test("A rollback brings the champion before back, once; a hold keeps the next from being promoted")
    func rollback() throws {
        let plant = try Plant(seed: 3, configuration: Self.configuration())
        try plant.send(.commands, Wire.command("c0", .register(plant.incumbent("theirs"))))
        try rounds(plant) { !$0.isEmpty }
        func reason(_ body: () throws -> Void) -> String {
            "\(#expect(throws: EngineError.self) { try body() }.map { "\($0)" } ?? "")"
        }
        #expect(reason { _ = try send(.rollBack, plant) }.contains("no model served before theirs"))
        try rounds(plant) { $0.contains { $0.cause == .promoted } }
        #expect(reason { _ = try send(.rollBack, plant, version: "theirs") }.contains("theirs is not live"))
        #expect(try send(.hold, plant) == .done(live: plant.releases().last?.champion.version, replaced: nil))
        let champion = try #require(try plant.releases().last).champion.version
        #expect(
            try send(.rollBack, plant, version: champion.rawValue)
                == .done(live: ModelVersion("theirs"), replaced: champion)
        )
        let overview = try ReleaseOverview(
            summary(plant),
            ReleaseHistory.read(Self.project, transport: plant.cluster, topics: plant.topics)
        )
        #expect(overview.text.contains("promotions   held"), "\(overview.text)")
        let promotions = try plant.releases().count { $0.cause == .promoted }
        for _ in 0..<15 { try plant.round() }
        #expect(try plant.releases().count { $0.cause == .promoted } == promotions)
        #expect(reason { _ = try send(.rollBack, plant) }.contains("no model served before theirs"))
        #expect(try send(.unhold, plant) == .done(live: ModelVersion("theirs"), replaced: nil))
        #expect(try !summary(plant).isHeld)
    }

    @Test("A suppressed class stands in the release, out of new tasks, and comes back by command")
    func suppression() throws {
        let plant = try Plant(seed: 3, configuration: Self.configuration())
        try plant.send(.commands, Wire.command("c0", .register(plant.incumbent("theirs"))))
        try rounds(plant) { !$0.isEmpty }
        func reason(_ body: () throws -> Void) -> String {
            "\(#expect(throws: EngineError.self) { try body() }.map { "\($0)" } ?? "")"
        }
        #expect(reason { _ = try send(.suppress, plant, className: "ox") }.contains("class \"ox\" is not in"))
        let live = try plant.releases().last?.champion.version
        #expect(try send(.suppress, plant, className: "square") == .done(live: live, replaced: nil))
        let release = try #require(try plant.releases().last)
        #expect(release.cause == .suppression && release.suppressed == ["square"])
        #expect(try send(.suppress, plant, className: "square") == .refused(live: live))
        #expect(try summary(plant).suppressed == ["square"])
        let opened = plant.cluster.committed(plant.topics[.labelingTasks]).count
        for _ in 0..<3 { try plant.round() }
        let tasks = plant.cluster.committed(plant.topics[.labelingTasks]).dropFirst(opened)
        #expect(tasks.contains { !String(decoding: $0.value ?? [], as: UTF8.self).contains("\"square\"") })
        #expect(
            try send(.unsuppress, plant, className: "square")
                == .done(live: plant.releases().last?.champion.version, replaced: nil)
        )
        #expect(try plant.releases().last { $0.cause == .suppression }?.suppressed == [])
        let report = try Replay(transport: plant.cluster, topics: plant.topics)
            .verify(project: Self.project, partition: World.partition)
        #expect(report.isEqual, "\(report.firstDifference ?? "")")
    }

    @Test("An unknown project and an empty reason are refused before anything is sent; without a worker it waits")
    func faults() throws {
        let plant = try Plant(seed: 1)
        func reason(_ body: () throws -> Void) -> String {
            "\(#expect(throws: EngineError.self) { try body() }.map { "\($0)" } ?? "")"
        }
        #expect(reason { _ = try send(.freeze, plant, to: "nothing") }.contains("there is no project nothing"))
        #expect(reason { _ = try send(.freeze, plant, reason: " ") }.contains("--reason is empty"))
        #expect(plant.cluster.committed(plant.topics[.commands]).isEmpty)
        let outcome = try ReleaseControl(transport: plant.cluster, topics: plant.topics)
            .send(
                .hold,
                project: Self.project,
                by: "ada",
                reason: "noon",
                patience: 1_000,
                now: { plant.clock.now },
                pause: { plant.clock.advance(by: $0) }
            )
        #expect(outcome == .waiting)
        #expect(plant.cluster.committed(plant.topics[.commands]).count == 1)
    }
}
