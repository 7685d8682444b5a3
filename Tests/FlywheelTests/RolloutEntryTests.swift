import Events
import Flywheel
import JSON
import Rollout
import Tables
import Testing
import Vocabulary

@Suite("Rollouts by steps in a project: releases, transitions, ticks")
struct RolloutEntryTests {
    private static let hour: Int64 = 3_600_000
    private static let steps = [
        RolloutStep(share: 0.5, bake: 2 * hour, voices: 3, approve: true), RolloutStep(share: 1),
    ]

    private static func configuration(_ revision: Int, _ steps: [RolloutStep], holdback: Double) -> ProjectConfiguration
    {
        let stand = ReleaseStand()
        let usual = stand.configuration
        return ProjectConfiguration(
            project: usual.project,
            revision: revision,
            partition: 0,
            schema: usual.schema,
            training: usual.training,
            rollout: RolloutPolicy(minimumShadow: 0, bound: .challenger, steps: steps, holdback: holdback)
        )
    }

    /// A project with v1 as champion, v2 as its shadow, and seven labels on which only v2 is right.
    private static func stand() -> ReleaseStand {
        var stand = ReleaseStand()
        _ = stand.apply(.configured(configuration(5, steps, holdback: 0)))
        _ = stand.train(1)
        _ = stand.train(2)
        for number in 0..<7 {
            for (version, answer) in [("v1", 0), ("v2", 1)] {
                stand.state.rollout.predicted(
                    .choice(ClassIndex(answer)),
                    of: SampleID("known-\(number)"),
                    by: ModelVersion(version),
                    draw: 0.5,
                    isLive: true,
                    at: StreamTime(milliseconds: stand.now)
                )
            }
            stand.state.rollout.labelled(
                SampleID("known-\(number)"),
                .choice(ClassIndex(1)),
                at: StreamTime(milliseconds: stand.now)
            )
        }
        return stand
    }

    /// A prediction that a service shows.
    private static func servedPrediction(by version: String) -> JournalEntry.Body {
        let output = ClassDistribution([
            .init(label: ClassIndex(0), probability: 0.7), .init(label: ClassIndex(1), probability: 0.3),
        ])
        return .candidate(
            Candidate(
                sample: Sample(id: SampleID("s-\(version)"), content: .uri("https://x.example/s")),
                output: output.map(Output.choice),
                model: ModelReference(name: "m", version: ModelVersion(version)),
                score: 0.3,
                auditProbability: 0.2,
                auditDraw: 0.1,
                predictedAt: StreamTime(milliseconds: 0)
            )
        )
    }

    private static func feedback(_ number: Int, _ version: String) -> JournalEntry.Body {
        .feedback(
            Feedback(
                key: UInt64(number),
                sample: SampleID("f"),
                modelVersion: ModelVersion(version),
                user: UserDigest("u\(number)"),
                verdict: .confirmation,
                answer: nil
            )
        )
    }

    private func tick(_ stand: inout ReleaseStand, at milliseconds: Int64) -> [Decision.Body] {
        stand.now = milliseconds - 1
        return stand.apply(.tick(ChainMark(entryNumber: stand.state.position.value.entryNumber, digest: "")))
    }

    private func transitions(_ bodies: [Decision.Body]) -> [String] {
        bodies.compactMap {
            guard case .transition(let step, _) = $0 else { return nil }
            return "\(step.version) \(step.from?.rawValue ?? "new") \(step.to.rawValue) \(step.cause.rawValue)"
        }
    }

    private func release(_ bodies: [Decision.Body]) -> ModelRelease? {
        for case .release(let release) in bodies { return release }
        return nil
    }

    private func refusals(_ bodies: [Decision.Body]) -> [EntryRejection.Code] {
        bodies.compactMap { if case .refused(let refusal) = $0 { refusal.code } else { nil } }
    }

    @Test("From blessed to live, releases state the serving models, transitions are reported, and time is advanced")
    func life() throws {
        var stand = Self.stand()
        let blessed = stand.apply(Self.servedPrediction(by: "v1"))
        #expect(transitions(blessed) == ["v2 shadow blessed canary", "v2 blessed canary canary"])
        let first = try #require(release(blessed))
        #expect(first.champion.version.rawValue == "v1" && first.challenger == nil && first.replaced == nil)
        #expect(first.staging?.state == .canary && first.staging?.canary?.share == 0.5)
        #expect(first.staging?.shadows == [ModelVersion("v2"), ModelVersion("v1")] && first.staging?.holdback == nil)
        let began = stand.now
        func deadline(_ stand: ReleaseStand) -> StreamTime? {
            stand.state.rollout.nextStepDeadline(
                policy: Self.configuration(5, Self.steps, holdback: 0).rollout,
                after: stand.state.position.value.time
            )
        }
        #expect(deadline(stand) == StreamTime(milliseconds: began + 2 * Self.hour))
        #expect(stand.state.nextDeadline.map { $0 <= StreamTime(milliseconds: began + 2 * Self.hour) } ?? false)
        // The pause for lack of data is reported once, and elapsed time alone needs no further tick.
        let paused = tick(&stand, at: began + 2 * Self.hour)
        #expect(transitions(paused) == ["v2 canary paused canary"])
        #expect(release(paused)?.staging?.pause == .insufficientEvidence)
        #expect(paused.contains { if case .notice(let notice) = $0 { notice.kind == .rolloutPaused } else { false } })
        #expect(tick(&stand, at: began + 2 * Self.hour) == [] && deadline(stand) == nil)
        #expect(refusals(stand.command("c1", .approve(ModelVersion("v9")))) == [.unknownModel])
        for number in 1...2 { #expect(stand.apply(Self.feedback(number, "v2")) == []) }
        let approvalRequested = stand.apply(Self.feedback(3, "v2"))
        #expect(transitions(approvalRequested) == ["v2 paused canary canary"])
        #expect(
            approvalRequested.contains {
                if case .notice(let notice) = $0 { notice.kind == .approvalWanted } else { false }
            }
        )
        // While an operator's approval is requested, feedback of users is still counted.
        #expect(stand.apply(Self.feedback(4, "v2")) == [])
        let live = stand.command("c2", .approve(ModelVersion("v2")))
        #expect(transitions(live) == ["v1 live superseded live", "v2 canary live live"])
        let last = try #require(release(live))
        #expect(last.champion.version.rawValue == "v2" && last.staging?.state == .live && last.staging?.canary == nil)
        guard case .rollout(let figures) = last.evidence else {
            Issue.record("\(last.evidence)")
            return
        }
        #expect(figures.map(\.voices) == [4] && figures.map(\.approvedBy) == ["ada"])
        #expect(refusals(stand.command("c3", .approve(ModelVersion("v2")))) == [.unknownModel])
        #expect(stand.state.rollout.trust.value.served.map(\.version.rawValue) == ["v1", "v2"])
    }

    @Test("A former champion returns by the steps: superseded, canary, live, and the other version is quarantined")
    func returns() throws {
        var stand = Self.stand()
        let quick = [RolloutStep(share: 0.5, bake: Self.hour, voices: 1), RolloutStep(share: 1)]
        _ = stand.apply(.configured(Self.configuration(6, quick, holdback: 0)))
        _ = stand.apply(Self.servedPrediction(by: "v1"))
        _ = stand.apply(Self.feedback(1, "v2"))
        #expect(transitions(tick(&stand, at: 2 * Self.hour)) == ["v1 live superseded live", "v2 canary live live"])
        // Longer than `rollbackWindow` after it served.
        stand.now += 15 * 24 * Self.hour
        let back = stand.command("c1", .rollBack(ModelVersion("v2")))
        #expect(transitions(back) == ["v1 superseded canary canary"])
        for case .transition(let step, _) in back { #expect(step.by == "ada" && step.reason == "noon") }
        #expect(release(back)?.champion.version == ModelVersion("v2"))
        _ = stand.apply(Self.feedback(2, "v1"))
        let live = tick(&stand, at: stand.now + 2 * Self.hour)
        #expect(transitions(live) == ["v2 live quarantined live", "v1 canary live live"])
    }

    @Test("A revision that changes shares is reported in a release, and one without steps ends the rollout")
    func revisions() {
        var stand = Self.stand()
        _ = stand.apply(Self.servedPrediction(by: "v1"))
        #expect(stand.apply(.configured(Self.configuration(6, Self.steps, holdback: 0.1))) == [])
        // There is no model to hold back yet, but another share of the step is reported.
        let other = [RolloutStep(share: 0.25, bake: Self.hour, voices: 3), RolloutStep(share: 1)]
        let shares = stand.apply(.configured(Self.configuration(7, other, holdback: 0.1)))
        #expect(release(shares)?.cause == .assignment && release(shares)?.staging?.canary?.share == 0.25)
        #expect(transitions(shares) == [])
        let over = stand.apply(.configured(Self.configuration(8, [.atOnce], holdback: 0.1)))
        #expect(transitions(over) == ["v1 live superseded live", "v2 canary live live"])
        #expect(release(over)?.staging?.holdback?.version == ModelVersion("v1"))
        let none = stand.apply(.configured(Self.configuration(9, [.atOnce], holdback: 0)))
        #expect(release(none)?.cause == .assignment && release(none)?.staging == nil)
        #expect(stand.apply(.configured(Self.configuration(10, [.atOnce], holdback: 0))) == [])
    }

    @Test("A canary rolled back by command is reported as rolling back and quarantined; a freeze supersedes it")
    func ends() {
        var stand = Self.stand()
        _ = stand.apply(Self.servedPrediction(by: "v1"))
        var frozen = stand
        let back = stand.command("c1", .rollBack(ModelVersion("v2")))
        #expect(
            transitions(back) == [
                "v2 canary rolling_back canary_rolled_back", "v2 rolling_back quarantined canary_rolled_back",
            ]
        )
        for case .transition(let step, _) in back { #expect(step.by == "ada" && step.reason == "noon") }
        #expect(transitions(frozen.command("c1", .freeze)) == ["v2 canary superseded command"])
        #expect(frozen.state.rollout.canary == nil && frozen.state.rollout.isFrozen)
    }

    @Test("Releases and transitions of a rollout are read as they were written")
    func bytes() throws {
        var stand = Self.stand()
        var bodies = stand.apply(Self.servedPrediction(by: "v1"))
        bodies += stand.command("c1", .hold) + stand.command("c2", .releaseHold)
        bodies += stand.command("c3", .rollBack(ModelVersion("v2")))
        var count = 0
        for body in bodies {
            if case .release(let release) = body {
                let again = try JSONParser().withDocument(of: release.jsonBytes) { try ModelRelease(json: $0) }
                #expect(again == release)
                count += 1
            }
        }
        #expect(count == 4)
        let progress = stand.state.rollout.progress.value
        #expect(try JSONParser().withDocument(of: progress.jsonBytes) { try RolloutProgress(json: $0) } == progress)
    }
}
