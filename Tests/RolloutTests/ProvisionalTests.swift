import Rollout
import Statistics
import Tables
import Testing
import Vocabulary

@Suite("Provisional releases, evidence by blocks, and limits")
struct ProvisionalTests {
    @Test("A block counts as one label once a later block begins")
    func blocks() {
        let policy = RolloutPolicy(minimumShadow: 0, provisional: 0, block: 1_000)
        var state = RolloutState.withLivePredictions(policy)
        for number in 0..<40 { state.judge("s\(number)", wrong, right, policy: policy, at: Int64(number) * 100) }
        // Ten labels per block: three of four blocks are complete. λ is 0, 1/5, 2/6 at the beginning of each.
        let expected = Reproducible.log1p(0.2) + Reproducible.log1p(1.0 / 3)
        #expect(abs(state.evidence(policy).logE - expected) < 1e-12)
        #expect(state.evidence(policy).all.labels == 40)
        // A revision without blocks ends the current block.
        state.judge("last", wrong, right)
        #expect(state.evidence(judging).logE > expected)
    }

    @Test("Before twenty labels are known the newest leading model serves, without evidence")
    func provisional() throws {
        let policy = RolloutPolicy(minimumShadow: 10, provisional: 20)
        var state = RolloutState(models: 1...1)
        for number in 0..<5 {
            state.live("s\(number)", "v1", number < 3 ? wrong : right, policy: policy)
            state.labelled(SampleID("s\(number)"), right, at: time(0))
        }
        _ = state.register(model(2), policy: .init(), at: time(1))
        func report(_ state: inout RolloutState, _ version: String, _ answers: [Label]) {
            for (number, answer) in answers.enumerated() {
                let sample = SampleID("s\(number)")
                state.predicted(answer, of: sample, by: ModelVersion(version), draw: 0, isLive: false, at: time(1))
            }
        }
        report(&state, "v2", [wrong, wrong, wrong, right, right])
        // An equal result is not a lead.
        expect(state.promoteIfBetter(policy: policy), is: nil)
        _ = state.register(model(3), policy: .init(), at: time(2))
        report(&state, "v3", [right, wrong, wrong, right, right])
        let released = state.promoteIfBetter(policy: policy)
        let release = try #require(released)
        #expect(release.cause == .provisional && release.champion == model(3))
        #expect(release.evidence == .provisional(labels: 5, challengerOnly: 1, championOnly: 0))
        #expect(state.era.value.promotions == 0 && state.era.value.number == 0)
        // From twenty labels on there is no provisional release.
        for number in 5..<20 { state.labelled(SampleID("s\(number)"), right, at: time(3)) }
        _ = state.register(model(4), policy: .init(), at: time(4))
        report(&state, "v4", [right, right, right, right, right])
        #expect(!state.isProvisional(policy))
        expect(state.promoteIfBetter(policy: policy), is: nil)
    }

    @Test("With an incumbent there is no provisional release")
    func incumbent() {
        var state = RolloutState()
        let served = IncumbentModel(
            version: ModelVersion("served"),
            artifact: ArtifactReference(uri: "file:///served", size: nil, sha256: nil)
        )
        _ = state.register(incumbent: served, evidence: .none)
        #expect(!state.isProvisional(RolloutPolicy()))
        #expect(RolloutState(models: 1...1).isProvisional(RolloutPolicy()))
        #expect(!RolloutState(models: 1...1).isProvisional(RolloutPolicy(provisional: 0)))
    }

    @Test("The numbers of pairs and open tasks are bounded, however many challengers there are")
    func bounds() {
        var state = RolloutState.withLivePredictions()
        for number in 3...400 {
            _ = state.register(model(number), policy: .init(), at: time(Int64(number)))
            state.live("heard\(number)", "v\(number)", right)
            state.live("s\(number)", "v1", wrong)
            if number % 2 == 0 { state.answer("s\(number)") }
        }
        // Pairs of samples that were labelled before they were queried are not needed.
        #expect(state.bets.count <= 264)
        for number in 0..<6_000 {
            state.live("o\(number)", "v1", wrong)
            state.opened(SampleID("o\(number)"), isDuel: false, at: time(9))
        }
        #expect(state.openings.count <= RolloutState.openingCapacity)
        #expect(state.rows.count <= RolloutState.rowCapacity)
    }
}
