import Rollout
import Tables
import Testing
import Vocabulary

@Suite("Time that versions have served, and the version that a freeze restores")
struct TrustTests {
    private static let evidence = Evidence.command(id: "c", by: "ada", reason: "r")
    private static let policy = RolloutPolicy(bound: .challenger, bakeBeforeTrust: 50)

    /// State with models that became champion in order, each after its predecessor served for the given span in ms.
    private func served(_ spans: [Int64]) -> (state: RolloutState, now: Int64) {
        var (state, now) = (RolloutState(), Int64(0))
        for (index, span) in spans.enumerated() {
            serve(index + 1, &state, at: now)
            now += span
        }
        return (state, now)
    }

    private func serve(_ number: Int, _ state: inout RolloutState, at milliseconds: Int64) {
        var roles = state.roles.value
        if let champion = roles.champion { roles.history.append(FormerChampion(model: champion, expectedRate: 0.3)) }
        if roles.history.count > RolloutState.historyCapacity { roles.history.removeFirst() }
        roles.champion = model(number)
        state.roles.value = roles
        state.noteService(at: time(milliseconds))
    }

    private func freeze(_ state: inout RolloutState, at milliseconds: Int64) -> String? {
        state.freeze(policy: Self.policy, evidence: Self.evidence, at: time(milliseconds))
            .map { "\($0.replaced?.rawValue ?? "-") to \($0.champion.version)" }
    }

    @Test(
        "A freeze restores the newest former champion with enough service, unless the champion has it or none has",
        arguments: [
            ([100, 5, 5], "v3 to v1"), ([100, 50, 5], "v3 to v2"), ([100, 49, 49], "v3 to v1"), ([49, 5, 49], nil),
            ([100, 5, 50], nil), ([5], nil), ([100, 100], nil), ([60, 0], "v2 to v1"), ([], nil),
        ] as [([Int64], String?)]
    )
    func choice(spans: [Int64], expected: String?) {
        let (start, now) = served(spans)
        var state = start
        let before = state.champion
        expect(freeze(&state, at: now), is: expected)
        #expect(state.isFrozen)
        if expected == nil { #expect(state.champion == before) }
        #expect(state.roles.value.quarantined.isEmpty)
        // Champions newer than the restored one are forgotten.
        let versionNumber = state.roles.value.champion?.datasetVersionNumber ?? 0
        #expect(state.roles.value.history.allSatisfy { $0.model.datasetVersionNumber < versionNumber })
        // A second freeze changes nothing.
        let champion = state.champion
        expect(freeze(&state, at: now), is: nil)
        #expect(state.champion == champion)
        state.endFreeze()
        #expect(!state.isFrozen)
    }

    @Test("The expected rate is restored with the model, and the challenger stays")
    func watch() {
        let (start, now) = served([100, 5])
        var state = start
        _ = state.register(model(3), policy: .init(), at: time(now))
        _ = freeze(&state, at: now)
        #expect(state.watch.value == FeedbackWatch(expectedRate: 0.3))
        #expect(state.challenger == "v3")
    }

    @Test("Times as champion add up over a rollback, and are removed with a forgotten version")
    func sums() {
        var (state, now) = served([30, 10])
        _ = state.rollBack(from: ModelVersion("v2"), evidence: Self.evidence)
        state.noteService(at: time(now))
        #expect(state.trust.value.served.map(\.version.rawValue) == ["v1"])
        now += 25
        serve(3, &state, at: now)
        expect(freeze(&state, at: now), is: "v3 to v1")
        for number in 4..<40 { serve(number, &state, at: now + Int64(number)) }
        #expect(state.trust.value.served.count == ReleaseTrust.capacity)
        // Without a change nothing is written.
        state.trust.commit()
        state.noteService(at: time(now + 1_000))
        #expect(!state.trust.hasChanges)
        #expect(state.trust.value.served.last?.since == time(now + 39))
    }

    @Test("A version that served before times were recorded counts as trusted")
    func unknown() {
        var (state, now) = served([5])
        state.trust.value = ReleaseTrust()
        expect(freeze(&state, at: now), is: nil)
        state.endFreeze()
        serve(2, &state, at: now)
        expect(freeze(&state, at: now), is: "v2 to v1")
        // The time of the restored model counts only from now on, and another freeze does not roll it back.
        state.noteService(at: time(now))
        now += 10
        expect(freeze(&state, at: now), is: nil)
    }
}
