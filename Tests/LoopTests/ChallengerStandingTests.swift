import Events
import Flywheel
import PipelineTesting
import Rollout
import Statistics
import StreamRuntime
import StreamTesting
import Telemetry
import Testing
import Vocabulary

@testable import Loop
@testable import Operations
@testable import Worker

@Suite("The progress of a challenger is reported")
struct ChallengerStandingTests {
    private static func model(_ number: Int) -> ReleasedModel {
        ReleasedModel(
            version: ModelVersion("v\(number)"),
            artifact: ArtifactReference(uri: "file:///v\(number)", size: 1, sha256: String(repeating: "0", count: 64)),
            datasetVersionNumber: number,
            newestSampleAt: StreamTime(milliseconds: 0)
        )
    }

    private func summary(_ pipeline: Pipeline) throws -> ProjectSummary {
        let view = try StatusView(transport: pipeline.cluster, topics: pipeline.topics)
        defer { view.close() }
        return try #require(try view.summaries().first)
    }

    @Test("Status shows the standing by which promotion is decided", arguments: 1...2 as ClosedRange<UInt64>)
    func standing(seed: UInt64) throws {
        let pipeline = try Pipeline(seed: seed)
        var shown: ChallengerStanding?
        var shadowing = 0
        var promotions = 0
        for _ in 0..<40 where promotions < 2 {
            let before = try pipeline.releases().count
            try pipeline.round()
            let release = try pipeline.releases().dropFirst(before).first { $0.cause == .promoted }
            if let release, case .paired(let labels, let won, let lost, let logE, let threshold) = release.evidence {
                promotions += 1
                #expect(logE >= threshold)
                if let shown {
                    // Labels that arrived later can only have increased the counts.
                    #expect(labels >= shown.labels && won >= shown.won && lost >= shown.lost)
                    #expect(threshold == shown.threshold)
                }
            }
            let summary = try summary(pipeline)
            #expect((summary.standing == nil) == (summary.challenger == nil))
            shown = summary.standing
            guard let shown else { continue }
            shadowing += 1
            #expect(shown.logE == pairedEProcess(wins: shown.won, losses: shown.lost))
            #expect(shown.threshold == -Reproducible.log(pipeline.configuration.rollout.alpha))
            #expect(shown.minimumPredictions == pipeline.configuration.rollout.minimumShadow)
            // A challenger that reaches its threshold is promoted with the same entry.
            let isProven = shown.logE >= shown.threshold && shown.won > shown.lost
            #expect(!isProven || shown.livePredictions < shown.minimumPredictions || summary.isHeld, "\(shown)")
        }
        #expect(shadowing > 0, "seed \(seed): nobody ever shadowed")
    }

    @Test("The metrics contain the challenger's standing, and 0 when no model shadows")
    func metrics() throws {
        var rollout = RolloutState()
        _ = rollout.register(Self.model(1), policy: .init(), at: StreamTime(milliseconds: 1))
        _ = rollout.register(Self.model(2), policy: .init(), at: StreamTime(milliseconds: 2))
        for number in 0..<5 {
            let sample = SampleID("s\(number)")
            let time = StreamTime(milliseconds: 3)
            rollout.predicted(
                .choice(ClassIndex(0)),
                of: sample,
                by: ModelVersion("v1"),
                draw: 0.1,
                isLive: true,
                at: time
            )
            rollout.predicted(
                .choice(ClassIndex(number == 0 ? 0 : 1)),
                of: sample,
                by: ModelVersion("v2"),
                draw: 0.1,
                isLive: true,
                at: time
            )
            rollout.labelled(sample, .choice(ClassIndex(number == 4 ? 0 : 1)), at: time)
        }
        let standing = ChallengerStanding(rollout, RolloutPolicy(bound: .challenger))
        #expect((standing.labels, standing.won, standing.lost) == (5, 3, 1))
        #expect((standing.livePredictions, standing.minimumPredictions) == (5, 10))
        let registry = MetricsRegistry()
        let metrics = EngineMetrics(registry: registry)
        metrics.observe(standing, ["project": "p"])
        for line in [
            #"flywheel_challenger{project="p"} 1"#, #"flywheel_challenger_pairs{project="p",result="won"} 3"#,
            #"flywheel_challenger_pairs{project="p",result="lost"} 1"#,
            #"flywheel_challenger_log_evidence{project="p"} \#(standing.logE)"#,
            #"flywheel_challenger_log_threshold{project="p"} \#(standing.threshold)"#,
            #"flywheel_challenger_live_predictions{project="p"} 5"#,
            #"flywheel_challenger_live_predictions_needed{project="p"} 10"#,
        ] {
            #expect(registry.exposition().contains(line + "\n"), "\(line) not in \(registry.exposition())")
        }
        metrics.observe(nil, ["project": "p"])
        #expect(registry.exposition().contains("flywheel_challenger_live_predictions{project=\"p\"} 0\n"))
        #expect(registry.exposition().contains("flywheel_challenger{project=\"p\"} 0\n"))
    }

    @Test("Surplus answers are reported as expected")
    func surplus() throws {
        let pipeline = try Pipeline(seed: 2)
        for _ in 0..<6 { try pipeline.round() }
        for (task, token) in try pipeline.offeredTasks() where task.state != .open {
            for name in ["x", "y"] {
                let value = Wire.annotation(task.id.rawValue, name, .answer(.choice(ClassIndex(0))), token: token)
                try pipeline.send(.annotations, value)
            }
        }
        try pipeline.send(.annotations, Wire.annotation("shapes-999-0", "a", .skip))
        try pipeline.settle()
        let refusals = try summary(pipeline).refusals
        let closed = try #require(refusals.first { $0.code == "task_closed" })
        #expect(closed.isExpected && closed.count > 0)
        #expect(
            refusals.allSatisfy { $0.isExpected == (EntryRejection.Code(rawValue: $0.code)?.isDeadLetter == false) }
        )
    }
}
