import Rollout
import Statistics
import Tables
import Testing
import Vocabulary

/// Policy under which trainers predict for challengers.
let predicting = RolloutPolicy(minimumShadow: 0, provisional: 0, predict: true)
private let question = Question.choice(LabelSchema(question: "?", classes: ["no", "yes"]))

extension RolloutState {
    /// Records a request for predictions of samples.
    mutating func request(
        _ id: String,
        _ samples: [String],
        champion: Int = 1,
        challenger: Int = 2,
        at milliseconds: Int64 = 0,
        deadline: Int64 = 60_000
    ) {
        noteRequest(
            PredictionRequest(
                id: RequestID(id),
                candidates: samples.map { Sample(id: SampleID($0)) },
                champion: model(champion),
                challenger: model(challenger),
                deadline: time(deadline)
            ),
            at: time(milliseconds)
        )
    }

    /// Applies a trainer's answer: the challenger's prediction of each sample.
    mutating func predict(
        _ id: String,
        _ answers: [(String, Label?)],
        policy: RolloutPolicy = predicting
    ) -> Result<[SampleID], EntryRejectionError> {
        let labels = PredictedLabels(
            request: RequestID(id),
            answers: answers.map { PredictedAnswer(sample: SampleID($0.0), challenger: $0.1) }
        )
        return receive(labels, under: question, policy: policy)
    }
}

extension Result<[SampleID], EntryRejectionError> {
    fileprivate var code: EntryRejection.Code? {
        if case .failure(let error) = self { error.refusal.code } else { nil }
    }
    fileprivate var received: [String]? {
        if case .success(let received) = self { received.map(\.rawValue) } else { nil }
    }
}

@Suite("If services cannot shadow, trainers predict the challenger's answers")
struct PredictionTests {
    /// A state with the champion v1, in which v2 has just been registered.
    private func state() -> RolloutState { RolloutState(models: 1...2) }

    @Test("A challenger counts as observed from its registration, and a timely prediction of its trainer is evidence")
    func pairs() throws {
        var state = state()
        expect(state.live("s", "v1", wrong, policy: judging)?.pair, is: nil)
        let fixed = state.live("s", "v1", wrong, policy: predicting, at: 5)
        let pairing = try #require(fixed)
        #expect(pairing.isSilent && pairing.awaitedUntil == nil)
        #expect(!pairing.isSettled(at: time(60_004), wait: 60_000) && pairing.isSettled(at: time(60_005), wait: 60_000))
        state.request("r", ["s", "cover"], deadline: 70_000)
        // The pair now waits until the request's deadline.
        let requested = try #require(state.pairing(of: SampleID("s")))
        #expect(requested.awaitedUntil == time(70_000))
        #expect(
            !requested.isSettled(at: time(69_999), wait: 60_000) && requested.isSettled(at: time(70_000), wait: 60_000)
        )
        #expect(state.pairing(of: SampleID("cover")) == nil)
        expect(state.predict("r", [("cover", wrong), ("s", right)]).received, is: ["s"])
        #expect(state.pairing(of: SampleID("s"))?.stratum == .disagree)
        #expect(state.roles.value.challengerLivePredictions == 1)
        // Samples that only hide which ones are wanted are not stored.
        #expect(state.rows[SampleID("cover")] == nil)
        state.opened(SampleID("s"), isDuel: true, at: time(9))
        state.answer("s", policy: predicting)
        #expect(state.evidence(predicting).all == .init(labels: 1, wins: 1, losses: 0))
    }

    @Test("A missing answer counts as wrong, and an answer after the task opened is late and no evidence")
    func silence() {
        var state = state()
        for sample in ["a", "b"] { state.live(sample, "v1", right, policy: predicting) }
        state.request("r", ["a", "b", "x", "y"])
        state.opened(SampleID("a"), isDuel: false, at: time(60_000))
        expect(state.predict("r", [("a", right), ("b", nil), ("x", right), ("y", nil)]).received, is: ["a"])
        state.opened(SampleID("b"), isDuel: false, at: time(60_001))
        state.answer("a", policy: predicting)
        state.answer("b", policy: predicting)
        let evidence = state.evidence(predicting)
        #expect(evidence.all == .init(labels: 2, wins: 0, losses: 2))
        #expect((evidence.settled, evidence.silent, evidence.lateLeftOut) == (2, 2, 1))
    }

    /// Before: with annotators that answered immediately no task was open for an answer to be late for, and a slow
    /// trainer looked like a dead one.
    @Test("An answer is also late if the label has already been accepted")
    func lateBehindTheLabel() {
        var state = state()
        for sample in ["a", "b"] { state.live(sample, "v1", right, policy: predicting) }
        state.request("r", ["a", "b", "x", "y"])
        for sample in ["a", "b"] {
            state.opened(SampleID(sample), isDuel: false, at: time(60_000))
            state.answer(sample, policy: predicting)
        }
        #expect(state.evidence(predicting).lateLeftOut == 0)
        _ = state.predict("r", [("a", right), ("b", right), ("x", right), ("y", nil)])
        let evidence = state.evidence(predicting)
        #expect(evidence.all == .init(labels: 2, wins: 0, losses: 2))
        #expect((evidence.settled, evidence.silent, evidence.lateLeftOut) == (2, 2, 2))
    }

    @Test("A record that is no answer to a request is refused with its code, and leaves no trace")
    func refusals() {
        var state = state()
        for sample in ["a", "b"] { state.live(sample, "v1", wrong, policy: predicting) }
        state.request("r", ["a", "b"])
        let before = (state.rows.sortedRows.map(\.value), state.requests[RequestID("r")])
        expect(state.predict("other", [("a", right), ("b", right)]).code, is: .unknownRequest)
        expect(state.predict("r", [("a", right)]).code, is: .contradictsRequest)
        expect(state.predict("r", []).code, is: .contradictsRequest)
        expect(state.predict("r", [("a", right), ("b", right), ("c", right)]).code, is: .contradictsRequest)
        expect(state.predict("r", [("a", right), ("a", right)]).code, is: .contradictsRequest)
        expect(state.predict("r", [("a", right), ("b", .choice(ClassIndex(2)))]).code, is: .contradictsRequest)
        #expect(state.rows.sortedRows.map(\.value) == before.0 && state.requests[RequestID("r")] == before.1)
        expect(state.predict("r", [("b", nil), ("a", right)]).received, is: ["a"])
        expect(state.predict("r", [("b", right), ("a", right)]).code, is: .duplicateResult)
        #expect(state.pairing(of: SampleID("b"))?.isSilent == true)
    }

    @Test("An answer for a replaced challenger counts for its pair, and for no pair after its era")
    func replaced() {
        var state = state()
        for sample in ["a", "b"] { state.live(sample, "v1", wrong, policy: predicting) }
        state.request("r", ["a", "x"])
        state.request("q", ["b", "y"])
        _ = state.register(model(3), policy: predicting, at: time(3))
        expect(state.predict("r", [("a", right), ("x", right)]).received, is: ["a"])
        #expect(state.roles.value.challengerLivePredictions == 0)
        state.opened(SampleID("a"), isDuel: false, at: time(4))
        state.answer("a", policy: predicting)
        #expect(state.evidence(predicting).all.wins == 1 && state.evidence(predicting).own.labels == 0)
        // Another model is champion: the pairs of the era are removed.
        _ = state.rollBack(from: ModelVersion("v1"), evidence: .none, policy: predicting, at: time(5))
        var afterEra = state
        afterEra.era.value.isRunning = false
        for number in afterEra.bets.sortedKeys { afterEra.bets[number] = nil }
        afterEra.roles.value.challenger = nil
        expect(afterEra.predict("q", [("b", right), ("y", right)]).received, is: [])
        afterEra.opened(SampleID("b"), isDuel: false, at: time(6))
        #expect(
            afterEra.openings.isEmpty && afterEra.rows[SampleID("b")]?.predictions.map(\.version.rawValue) == ["v1"]
        )
    }

    @Test("Services' predictions for a challenger are not counted, and their absence is not reported")
    func services() {
        var state = state()
        state.predicted(
            right,
            of: SampleID("s"),
            by: ModelVersion("v2"),
            draw: 0.5,
            isLive: true,
            trainersPredict: true,
            at: time(1)
        )
        #expect(state.roles.value.challengerLivePredictions == 0)
        let waiting = RolloutPolicy(provisional: 0, predict: true)
        for number in 0..<50 {
            expect(
                state.noteMissingShadow(version: ModelVersion("v1"), policy: waiting, at: time(Int64(number))),
                is: nil
            )
        }
        #expect(waiting.predicts && !RolloutPolicy(bound: .challenger, predict: true).predicts)
    }

    @Test("A trainer without answers is reported once an hour, and promotes no model")
    func deadTrainer() {
        var state = state()
        let policy = RolloutPolicy(provisional: 0, predict: true)
        var notices: [Notice] = []
        for number in 0..<40 {
            let now = Int64(number) * 600_000
            let sample = "s\(number)"
            state.live(sample, "v1", wrong, policy: policy, at: now)
            state.request("r\(number)", [sample, "x\(number)"], at: now, deadline: now + 60_000)
            state.opened(SampleID(sample), isDuel: false, at: time(now + 60_000))
            notices += [state.noteMissingPrediction(of: SampleID(sample), policy: policy, at: time(now + 60_000))]
                .compactMap { $0 }
            state.answer(sample, wrong, policy: policy)
            expect(state.promoteIfBetter(policy: policy), is: nil)
        }
        // A notice from the tenth missing answer on, at most one an hour: 30 samples in five hours.
        #expect(notices.count == 6 && notices.allSatisfy { $0.kind == .predictionsMissing })
        #expect(state.evidence(policy).all == .init(labels: 40, wins: 0, losses: 40))
        #expect(state.nextRequest(at: time(24_000_000)) == time(24_000_000))
        let last = state.live("t", "v1", wrong, policy: policy, at: 24_000_000)
        state.request("last", ["t", "u"], deadline: 24_060_000)
        #expect(last?.isSilent == true)
        expect(state.predict("last", [("t", right), ("u", right)], policy: policy).received, is: ["t"])
        #expect(state.roles.value.livePredictionsWithoutChallenger == 0)
        // Promotion requires as many predictions as services would have had to make.
        #expect(state.roles.value.challengerLivePredictions == 1)
    }

    @Test(
        "Only the newest requests are stored, and samples of a second request keep their first deadline"
    )
    func capacity() {
        var state = state()
        state.live("s", "v1", wrong, policy: predicting)
        for number in 0..<(RolloutState.requestCapacity + 10) {
            let now = Int64(1_000 * number)
            state.request("r\(number)", ["s", "x\(number)"], at: now, deadline: now + 20_000)
        }
        #expect(state.requests.count == RolloutState.requestCapacity)
        #expect(state.requests[RequestID("r9")] == nil && state.requests[RequestID("r10")] != nil)
        #expect(state.pairing(of: SampleID("s"))?.awaitedUntil == time(20_000))
        // Twenty requests are open: when five have expired there is capacity for another. Later all are answered, and
        // sixty are from the last minute.
        let last = Int64(1_000 * (RolloutState.requestCapacity + 9))
        #expect(state.nextRequest(at: time(last)) == time(last + 5_000))
        for number in 200..<(RolloutState.requestCapacity + 10) {
            _ = state.predict("r\(number)", [("s", nil), ("x\(number)", nil)])
        }
        #expect(state.nextRequest(at: time(last)) == time(last + 1_000))
        #expect(state.nextRequest(at: time(last + 1_000)) == time(last + 1_000))
        expect(state.predict("r9", [("s", right), ("x9", right)]).code, is: .unknownRequest)
    }
}

@Suite("The first step of a rollout compares services' answers with a trainer's")
struct ServedAnswerTests {
    private let policy = RolloutPolicy(minimumShadow: 4, provisional: 0, predict: true)

    /// A state in which v2 was blessed by its trainer's predictions.
    private func blessed(_ policy: RolloutPolicy) -> RolloutState {
        var state = RolloutState(models: 1...2)
        for number in 0..<40 {
            let sample = "p\(number)"
            state.live(sample, "v1", wrong, policy: policy)
            state.request("p\(number)", [sample, "x\(number)"])
            _ = state.predict("p\(number)", [(sample, right), ("x\(number)", right)], policy: policy)
            state.opened(SampleID(sample), isDuel: false, at: time(1))
            state.answer(sample, policy: policy)
            if state.promoteIfBetter(policy: policy) != nil { break }
        }
        #expect(state.canary?.version == ModelVersion("v2") && state.champion == "v1")
        return state
    }

    /// Services answer the samples `numbers`, and the trainer answers a request for each, differently for `differing`.
    private func serve(
        _ state: inout RolloutState,
        _ numbers: Range<Int>,
        differing: Set<Int> = [],
        policy: RolloutPolicy? = nil
    ) {
        let policy = policy ?? self.policy
        for number in numbers {
            let sample = SampleID("c\(number)")
            let version = ModelVersion("v2")
            state.predicted(right, of: sample, by: version, draw: 0.5, isLive: true, trainersPredict: true, at: time(2))
            state.noteServed(sample, by: version, right, policy: policy, at: time(2))
            let unrequested = state.unrequestedAnswers(policy).map(\.sample.rawValue)
            #expect(unrequested == ["c\(number)"])
            state.request("c\(number)", ["c\(number)", "y\(number)"])
            #expect(state.unrequestedAnswers(policy).isEmpty)
            let predicted = differing.contains(number) ? wrong : right
            _ = state.predict("c\(number)", [("c\(number)", predicted), ("y\(number)", wrong)], policy: policy)
        }
    }

    @Test(
        "A model promoted by its trainer's predictions is blessed first, under any steps, and live after comparison"
    )
    func passes() throws {
        var state = blessed(policy)
        #expect(state.staging(policy)?.shadows == [] && state.staging(policy)?.state == .canary)
        expect(state.advance(policy: policy, at: time(10)).release, is: nil)
        serve(&state, 0..<3)
        expect(state.advance(policy: policy, at: time(20)).release, is: nil)
        serve(&state, 3..<4)
        let outcome = state.advance(policy: policy, at: time(30))
        let release = try #require(outcome.release)
        #expect(release.cause == .live && release.champion.version == ModelVersion("v2"))
        // If no number of predictions is required, nothing is compared.
        var free = blessedAtOnce()
        #expect(free.canary == nil && free.champion == "v2")
        _ = free.advance(policy: predicting, at: time(1))
        #expect(free.checks.isEmpty)
    }

    private func blessedAtOnce() -> RolloutState {
        var state = RolloutState(models: 1...2)
        for number in 0..<40 where state.champion == "v1" {
            state.live("p\(number)", "v1", wrong, policy: predicting)
            state.request("p\(number)", ["p\(number)"])
            _ = state.predict("p\(number)", [("p\(number)", right)])
            state.opened(SampleID("p\(number)"), isDuel: false, at: time(1))
            state.answer("p\(number)", policy: predicting)
            _ = state.promoteIfBetter(policy: predicting)
        }
        return state
    }

    @Test("More than one difference in a hundred pauses the rollout as inconclusive; later agreement resumes it")
    func pauses() {
        var state = blessed(policy)
        _ = state.advance(policy: policy, at: time(10))
        serve(&state, 0..<10, differing: [4])
        let paused = state.advance(policy: policy, at: time(20))
        #expect(paused.release?.cause == .canary && paused.notice?.kind == .rolloutPaused)
        #expect(
            paused.notice?.text.contains("of 10 answers of services to audit samples that were compared 1 are not")
                == true
        )
        #expect(state.staging(policy)?.state == .paused && state.staging(policy)?.pause == .inconclusive)
        // The canary continues to serve, so that answers can be compared; the pause is reported once.
        #expect(state.staging(policy)?.canary?.share == 1)
        expect(state.advance(policy: policy, at: time(30)), is: StepOutcome())
        serve(&state, 10..<99)
        expect(state.advance(policy: policy, at: time(40)), is: StepOutcome())
        serve(&state, 99..<100)
        expect(state.advance(policy: policy, at: time(50)).release?.cause, is: .live)
    }

    @Test(
        "A sample counts once, another model's and a later step's answers do not count, and old differences expire"
    )
    func counting() throws {
        var state = blessed(policy)
        _ = state.advance(policy: policy, at: time(10))
        serve(&state, 0..<1, differing: [0])
        // The same sample repeatedly, and one that the champion served.
        for _ in 0..<5 { state.noteServed(SampleID("c0"), by: ModelVersion("v2"), right, policy: policy, at: time(3)) }
        state.noteServed(SampleID("d"), by: ModelVersion("v1"), right, policy: policy, at: time(3))
        #expect(state.unrequestedAnswers(policy).isEmpty)
        var rollout = try #require(state.progress.value.rollout)
        #expect((rollout.compared, rollout.differing) == (1, 1))
        serve(&state, 1..<20, differing: Set(1..<20))
        serve(&state, 20..<2_000)
        rollout = try #require(state.progress.value.rollout)
        #expect(rollout.compared < 200 && rollout.differing == 1)
        #expect(state.checks.count <= RolloutState.checkCapacity)
        expect(state.advance(policy: policy, at: time(60)).release?.cause, is: .live)
        state.noteServed(SampleID("e"), by: ModelVersion("v2"), right, policy: policy, at: time(61))
        #expect(state.checks[SampleID("e")] == nil)
    }

    @Test("A trainer's prediction that precedes the service's is compared at once")
    func known() {
        var state = blessed(policy)
        _ = state.advance(policy: policy, at: time(10))
        // The service meets the samples again on which v2 was judged.
        for number in 0..<4 {
            state.noteServed(SampleID("p\(number)"), by: ModelVersion("v2"), right, policy: policy, at: time(11))
        }
        #expect(state.progress.value.rollout?.compared == 4 && state.unrequestedAnswers(policy).isEmpty)
        expect(state.advance(policy: policy, at: time(12)).release?.cause, is: .live)
    }

    @Test("Without comparisons the rollout is paused after an hour with a notice, and never completes")
    func lacks() {
        var state = blessed(policy)
        _ = state.advance(policy: policy, at: time(0))
        #expect(state.nextStepDeadline(policy: policy, after: time(0)) == time(3_600_000))
        let paused = state.advance(policy: policy, at: time(3_600_000))
        #expect(state.progress.value.rollout?.pause == .insufficientEvidence)
        #expect(paused.notice?.text.contains("0 of 4 answers of services") == true)
        for hour in 2..<100 {
            expect(state.advance(policy: policy, at: time(Int64(hour) * 3_600_000)), is: StepOutcome())
        }
        #expect(state.champion == "v1")
        // Under a revision without the key the model completes the step like any other.
        expect(state.advance(policy: RolloutPolicy(), at: time(400_000_000)).release?.cause, is: .live)
    }
}
