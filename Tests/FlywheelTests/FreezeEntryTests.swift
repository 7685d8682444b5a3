import Flywheel
import Rollout
import Tables
import Testing
import Vocabulary

@Suite("Commands that freeze releases")
struct FreezeEntryTests {
    private func isPromotion(_ decision: Decision) -> Bool {
        if case .release(let release) = decision.body { release.cause == .promoted } else { false }
    }

    private func entry(_ id: String, _ action: Command.Action) -> JournalEntry {
        let command = Command(id: id, action: action, by: "ada", reason: "noon")
        return JournalEntry(project: ProjectID("pets"), body: .command(command))
    }

    private func isAudited(_ entry: JournalEntry, by version: ModelVersion?) -> Bool {
        guard case .candidate(let candidate) = entry.body else { return false }
        return candidate.auditProbability != nil && candidate.model?.version == version
    }

    @Test("While releases are frozen no entry promotes a model; afterwards the next one does")
    func promotions() throws {
        var tested = 0
        for seed in 0..<10 as Range<UInt64> {
            var scenario = Scenario(seed: seed, votes: 90)
            scenario.run(entries: 1_200)
            guard let promoted = scenario.decisions.firstIndex(where: { $0.contains(where: isPromotion) }) else {
                continue
            }
            tested += 1
            var state = ProjectState(project: ProjectID("pets"))
            for appended in scenario.journal[..<promoted] { _ = state.apply(appended.entry, appendedAt: appended.at) }
            let (entry, at) = (scenario.journal[promoted].entry, scenario.journal[promoted].at)
            let champion = state.rollout.roles.value.champion
            let frozen = state.apply(self.entry("freeze-1", .freeze), appendedAt: at)
            #expect(!frozen.contains { if case .refused = $0.body { true } else { false } })
            #expect(state.rollout.isFrozen)
            #expect(!state.apply(entry, appendedAt: at).contains(where: isPromotion))
            #expect(state.rollout.roles.value.champion == champion)
            _ = state.apply(self.entry("unfreeze-1", .unfreeze), appendedAt: at)
            #expect(!state.rollout.isFrozen)
            // An entry about the audit sample promotes the model; an old prediction of the champion is sufficient.
            let old = scenario.journal[..<promoted].last { isAudited($0.entry, by: champion?.version) }
            let next = (old.map { [$0.entry] } ?? []) + scenario.journal[(promoted + 1)...].map(\.entry)
            let isPromoted = next.contains { state.apply($0, appendedAt: at).contains(where: isPromotion) }
            #expect(isPromoted, "seed \(seed)")
        }
        #expect(tested > 0)
    }

    private func requestsStudy(_ bodies: [Decision.Body]) -> Bool {
        bodies.contains { if case .training = $0 { true } else { false } }
    }

    @Test("No study is requested while releases are frozen; the newest version is studied afterwards")
    func studies() {
        var stand = ReleaseStand()
        _ = stand.train(1)
        let running = stand.seal(2)
        #expect(requestsStudy(running))
        _ = stand.command("c1", .freeze)
        // The running study ends as usual, and no study follows it.
        #expect(!requestsStudy(stand.finish(running)))
        #expect(stand.state.rollout.roles.value.challenger?.version.rawValue == "v2")
        #expect(!requestsStudy(stand.seal(3)) && !requestsStudy(stand.seal(4)))
        let ended = stand.command("c2", .unfreeze)
        #expect(requestsStudy(ended))
        guard case .training(let request)? = ended.first else { return }
        #expect(request.dataset.versionNumber == 4)
        // A repeated command changes nothing.
        #expect(stand.command("c3", .unfreeze).isEmpty)
    }

    @Test("A first model does not go live while releases are frozen")
    func first() {
        var stand = ReleaseStand()
        let running = stand.seal(1)
        _ = stand.command("c1", .freeze)
        let bodies = stand.finish(running)
        #expect(stand.state.rollout.roles.value.champion == nil)
        guard case .transition(let step, _)? = bodies.last else {
            Issue.record("\(bodies)")
            return
        }
        #expect(step.to == .registered && step.reason == "releases are frozen")
    }

    @Test("A freeze replaces a champion that is too young by the last trusted one")
    func returns() {
        var stand = ReleaseStand()
        _ = stand.train(1)
        stand.now += stand.configuration.rollout.bakeBeforeTrust
        _ = stand.train(2)
        // The challenger is made champion, as by a promotion.
        var roles = stand.state.rollout.roles.value
        roles.history = [FormerChampion(model: ReleaseStand.model("v1"), expectedRate: 0.2)]
        (roles.champion, roles.challenger) = (roles.challenger, nil)
        stand.state.rollout.roles.value = roles
        stand.state.rollout.noteService(at: StreamTime(milliseconds: stand.now))
        let bodies = stand.command("c1", .freeze)
        let steps = bodies.compactMap {
            if case .transition(let step, _) = $0 { "\(step.version) \(step.to) \(step.cause.rawValue)" } else { nil }
        }
        #expect(steps == ["v2 superseded command", "v1 live command"])
        guard case .release(let release)? = bodies.first else { return }
        #expect(release.champion.version.rawValue == "v1" && release.quarantined.isEmpty)
        #expect(release.evidence == .command(id: "c1", by: "ada", reason: "noon"))
    }
}
