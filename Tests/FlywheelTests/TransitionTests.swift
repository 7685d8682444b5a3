import Flywheel
import Rollout
import Tables
import Testing
import Vocabulary

@Suite("Transitions of model versions")
struct TransitionTests {
    /// Texts of transitions, as in `v1 shadow -> superseded (shadow) by v2`.
    private func texts(_ bodies: [Decision.Body]) -> [String] {
        bodies.compactMap {
            guard case .transition(let step, _) = $0 else { return nil }
            let others = (step.replaced.map { " for \($0)" } ?? "") + (step.replacedBy.map { " by \($0)" } ?? "")
            return
                "\(step.version) \(step.from?.rawValue ?? "new") -> \(step.to.rawValue) (\(step.cause.rawValue))\(others)"
        }
    }

    @Test("A first model becomes live; each later model shadows it and replaces the shadow before")
    func shadows() {
        var stand = ReleaseStand()
        let first = stand.train(1)
        #expect(texts(first) == ["v1 new -> live (first)"])
        // The transition follows all other decisions of the entry, so that ids of tasks and requests do not change.
        guard case .transition(let step, let configuration)? = first.last else {
            Issue.record("\(first)")
            return
        }
        #expect(configuration == stand.configuration)
        #expect(step.evidence == .none && step.by == nil && step.reason == nil)
        #expect(texts(stand.train(2)) == ["v2 new -> shadow (shadow)"])
        #expect(
            texts(stand.train(3)) == ["v2 shadow -> superseded (shadow) by v3", "v3 new -> shadow (shadow) for v2"]
        )
    }

    @Test("A model that does not meet the conditions for a first model is registered, and the reason names them")
    func waits() {
        var stand = ReleaseStand(first: FirstModelPolicy(testLabels: 2))
        let bodies = stand.train(1)
        #expect(texts(bodies) == ["v1 new -> registered (trained)"])
        guard case .transition(let step, _)? = bodies.last else { return }
        #expect(step.reason == "it has 1 of 2 test labels")
        #expect(texts(stand.train(2)) == ["v2 new -> live (first)"])
    }

    @Test("While a proven challenger is judged, the newest model is registered, and shadows once the era ends")
    func waitsForItsPlace() {
        var stand = ReleaseStand(bound: .share)
        _ = stand.train(1)
        _ = stand.train(2)
        stand.state.rollout.roles.value.challengerLivePredictions = 1
        (stand.state.rollout.era.value.number, stand.state.rollout.era.value.isRunning) = (1, true)
        stand.state.rollout.era.value.logCapital = 50
        let third = stand.train(3)
        #expect(texts(third) == ["v3 new -> registered (trained)"])
        guard case .transition(let step, _)? = third.last else { return }
        #expect(step.reason?.contains("until v2") == true)
        #expect(
            texts(stand.train(4)) == [
                "v3 registered -> superseded (trained) by v4", "v4 new -> registered (trained)",
            ]
        )
        // The era ends, as by a rollback of the champion.
        stand.state.rollout.era.value.isRunning = false
        #expect(
            texts(stand.apply(.tick(ChainMark(entryNumber: 1, digest: "")))) == [
                "v2 shadow -> superseded (shadow) by v4", "v4 registered -> shadow (shadow) for v2",
            ]
        )
    }

    @Test("A registered incumbent goes live; a rollback by command quarantines and restores, with author and reason")
    func commands() {
        var stand = ReleaseStand()
        let incumbent = IncumbentModel(version: ModelVersion("theirs"), artifact: ReleaseStand.artifact)
        let registered = stand.command("c1", .register(incumbent))
        #expect(texts(registered) == ["theirs new -> live (registered)"])
        // A refused command makes no transition.
        #expect(texts(stand.command("c2", .rollBack(ModelVersion("theirs")))) == [])
        _ = stand.train(1)
        var roles = stand.state.rollout.roles.value
        roles.history = [FormerChampion(model: roles.champion ?? ReleaseStand.model("v0"), expectedRate: nil)]
        (roles.champion, roles.challenger) = (roles.challenger, nil)
        stand.state.rollout.roles.value = roles
        let bodies = stand.command("c3", .rollBack(ModelVersion("v1")))
        #expect(
            texts(bodies) == [
                "v1 live -> quarantined (command) by theirs", "theirs superseded -> live (command) for v1",
            ]
        )
        for case .transition(let step, _) in bodies {
            #expect(step.by == "ada" && step.reason == "noon")
            #expect(step.evidence == .command(id: "c3", by: "ada", reason: "noon"))
        }
    }

    private static let steps: Set<String> = [
        "new registered", "new shadow", "new live", "shadow live", "shadow superseded", "live superseded",
        "live quarantined", "superseded live", "shadow blessed", "blessed canary", "canary canary", "canary live",
        "rolling_back quarantined",
    ]

    /// Further transitions that a rollout in steps can make.
    private static let staged: Set<String> = [
        "canary paused", "paused canary", "paused paused", "paused live", "canary rolling_back", "paused rolling_back",
        "canary superseded", "paused superseded",
    ]

    @Test("In any scenario the transitions state which model is live and which shadows, without a gap")
    func law() {
        var (seen, causes): (Set<String>, Set<String>) = ([], [])
        for seed in Array(0..<10 as Range<UInt64>) + [14, 19, 24] {
            var scenario = Scenario(seed: seed, votes: 90)
            scenario.run(entries: 1_200)
            var states: [ModelVersion: ReleaseState] = [:]
            var replay = ProjectState(project: ProjectID("pets"))
            for (number, appended) in scenario.journal.enumerated() {
                let decisions = replay.apply(appended.entry, appendedAt: appended.at).map(\.body)
                var isLast = false
                var evidence: [Evidence] = []
                for body in decisions {
                    if case .release(let release) = body { evidence.append(release.evidence) }
                    guard case .transition(let step, let configuration) = body else {
                        #expect(!isLast, "a transition before another decision")
                        continue
                    }
                    isLast = true
                    #expect(step.from == states[step.version], "seed \(seed), entry \(number + 1): \(step)")
                    states[step.version] = step.to
                    seen.insert("\(step.from?.rawValue ?? "new") \(step.to.rawValue)")
                    causes.insert(step.cause.rawValue)
                    #expect(configuration == replay.configuration.value)
                    #expect(step.cause == .trained || evidence.contains(step.evidence))
                }
                let roles = replay.rollout.roles.value
                let live = roles.champion.map { [$0.version] } ?? []
                let shadow = roles.challenger.map { [$0.version] } ?? []
                #expect(states.filter { $0.value == .live }.map(\.key) == live, "seed \(seed), entry \(number + 1)")
                #expect(states.filter { $0.value == .shadow }.map(\.key) == shadow, "seed \(seed), entry \(number + 1)")
                #expect(roles.quarantined.allSatisfy { states[$0] == .quarantined })
                #expect(roles.history.allSatisfy { states[$0.model.version] == .superseded })
            }
        }
        #expect(seen.isSuperset(of: Self.steps) && seen.subtracting(Self.steps).isSubset(of: Self.staged), "\(seen)")
        #expect(
            causes == [
                "trained", "first", "shadow", "promoted", "rolled_back", "command", "canary", "live",
                "canary_rolled_back",
            ]
        )
    }
}
