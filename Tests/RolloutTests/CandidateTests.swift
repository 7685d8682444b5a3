import Rollout
import Statistics
import Tables
import Testing
import Vocabulary

@Suite("Audit candidates are counted by stratum and day, whether labelled or not")
struct CandidateTests {
    private static let day: Int64 = 86_400_000

    /// A live prediction, counted as the loop counts it.
    private static func predict(
        _ sample: String,
        _ version: String,
        _ label: Label,
        at milliseconds: Int64 = 0,
        in state: inout RolloutState
    ) {
        guard let pairing = state.live(sample, version, label, at: milliseconds) else { return }
        state.countCandidate(SampleID(sample), pairing)
    }

    private static func counts(_ state: RolloutState) -> [String: Int] {
        state.candidateCounts.reduce(into: [:]) { $0["\($1.stratum.rawValue) \($1.day)"] = $1.count }
    }

    @Test("A candidate changes its stratum with its pair's predictions, and keeps it when its task opens")
    func moves() {
        var state = RolloutState.withLivePredictions()
        Self.predict("a", "v1", right, in: &state)
        #expect(Self.counts(state) == ["disagree 0": 1])
        Self.predict("a", "v2", right, at: 5, in: &state)
        #expect(Self.counts(state) == ["agree 0": 1])
        Self.predict("b", "v1", right, at: Self.day, in: &state)
        state.noteQueried(SampleID("b"), AuditOrigin(isDuel: true, stratum: .disagree, day: 1))
        Self.predict("b", "v2", right, at: Self.day, in: &state)
        #expect(Self.counts(state) == ["agree 0": 1, "disagree 1": 1])
        // Repeated predictions, or predictions of other models, are not counted a second time.
        Self.predict("a", "v1", wrong, at: 6, in: &state)
        #expect(Self.counts(state) == ["agree 0": 1, "disagree 1": 1])
    }

    @Test("A sample removed from the audit sample is no longer counted as a candidate")
    func forgotten() {
        var state = RolloutState.withLivePredictions()
        Self.predict("a", "v1", right, in: &state)
        Self.predict("b", "v1", right, in: &state)
        state.forget(SampleID("a"))
        #expect(Self.counts(state) == ["disagree 0": 1])
        state.forget(SampleID("b"))
        #expect(state.candidates.isEmpty)
    }

    @Test("Under the rules before eras no candidates are counted")
    func beforeEras() {
        var state = RolloutState.withLivePredictions(unshadowed)
        state.live("a", "v1", right, policy: unshadowed)
        #expect(state.candidates.isEmpty && state.rows[SampleID("a")]?.stratum == nil)
    }

    @Test("After a year the oldest day is merged into the next, and no candidate is lost")
    func bounded() {
        var state = RolloutState(models: 1...1)
        let days = RolloutState.candidateDays + 30
        for day in 0..<days { Self.predict("s\(day)", "v1", right, at: Int64(day) * Self.day, in: &state) }
        #expect(state.candidates.count == RolloutState.candidateDays)
        #expect(state.candidateCounts.map(\.count).reduce(0, +) == days)
        #expect(state.candidateCounts.first?.day == 30 && state.candidateCounts.first?.count == 31)
        // A sample of a day that was merged into another is removed from the merged count.
        state.forget(SampleID("s3"))
        #expect(state.candidateCounts.first?.count == 30)
    }

    @Test("Estimates weight labels by these counts")
    func figures() throws {
        var state = RolloutState.withLivePredictions()
        for number in 0..<90 {
            Self.predict("a\(number)", "v1", right, in: &state)
            Self.predict("a\(number)", "v2", right, in: &state)
        }
        for number in 0..<10 { Self.predict("d\(number)", "v1", right, in: &state) }
        let figures = PostStratification(candidates: state.candidateCounts)
        let agree = PostStratification.Cell(stratum: AuditStratum.agree.index, day: 0)
        let disagree = PostStratification.Cell(stratum: AuditStratum.disagree.index, day: 0)
        let labels = (0..<5).map { _ in (agree, 1.0) } + (0..<10).map { (disagree, $0 < 5 ? 1.0 : 0) }
        let estimate = try #require(figures.mean(of: labels.map { (cell: $0.0, value: $0.1) }))
        #expect((estimate.value - 0.95).magnitude < 1e-12)
    }
}
