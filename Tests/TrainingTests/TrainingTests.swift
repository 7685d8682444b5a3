import Statistics
import Tables
import Testing
import Training
import Vocabulary

/// The training state of a project, driven by the test.
private final class Trainer {
    var state = TrainingState()
    var policy: TrainingPolicy
    var entry: UInt64 = 0
    var now: Int64 = 0

    init(newLabels: Int = 10, trials: Int = 1, repeats: Int = 3) {
        var settings: [Hyperparameters] = []
        for trial in 0..<trials { settings.append(Hyperparameters(inverseRegularization: Double(trial + 1))) }
        policy = TrainingPolicy(newLabels: newLabels, trials: settings, repeats: repeats, deadline: 60_000)
    }

    private func context() -> EntryContext {
        entry += 1
        return EntryContext(
            project: ProjectID("p"),
            entryNumber: entry,
            time: StreamTime(milliseconds: now),
            seed: entry
        )
    }

    func seal(_ versionNumber: Int, training: Int, test: Int = 0) -> TrainingRequest? {
        let version = SealedVersion(
            id: DatasetVersionID("d\(versionNumber)"),
            versionNumber: versionNumber,
            parent: nil,
            semanticVersion: "1.0.0",
            manifest: artifact(0),
            training: training,
            validation: 0,
            test: test
        )
        var context = context()
        return state.versionSealed(
            version,
            newestSampleAt: StreamTime(milliseconds: Int64(versionNumber)),
            policy: policy,
            context: &context
        )
    }

    func next() -> TrainingRequest? {
        var context = context()
        return state.requestIfDue(policy: policy, context: &context)
    }

    func result(
        _ request: RequestID,
        _ trial: Int,
        _ repetition: Int,
        score: Double?,
        leftOut: LeftOutLabels? = nil
    ) -> Result<StudyOutcome?, EntryRejectionError> {
        let outcome = TrainingResult.Outcome.finished(
            artifact: artifact(trial * 100 + repetition),
            score: score,
            itemsScored: 10,
            predictions: [.choice(ClassIndex(trial)), .choice(ClassIndex(repetition))]
        )
        return receive(request, trial, repetition, outcome, leftOut: leftOut)
    }

    func failure(
        _ request: RequestID,
        _ trial: Int,
        _ repetition: Int,
        reason: String? = nil,
        leftOut: LeftOutLabels? = nil
    ) -> Result<StudyOutcome?, EntryRejectionError> {
        receive(request, trial, repetition, .failed("out of memory"), reason: reason, leftOut: leftOut)
    }

    private func receive(
        _ request: RequestID,
        _ trial: Int,
        _ repetition: Int,
        _ outcome: TrainingResult.Outcome,
        reason: String? = nil,
        leftOut: LeftOutLabels? = nil
    ) -> Result<StudyOutcome?, EntryRejectionError> {
        let result = TrainingResult(
            request: request,
            trial: trial,
            repetition: repetition,
            outcome: outcome,
            reason: reason,
            leftOut: leftOut
        )
        return state.receive(result, at: StreamTime(milliseconds: now))
    }

    func artifact(_ number: Int) -> ArtifactReference {
        ArtifactReference(uri: "file:///\(number)", size: 1, sha256: String(repeating: "0", count: 64))
    }
}

extension Result<StudyOutcome?, EntryRejectionError> {
    fileprivate var refusal: EntryRejection.Code? {
        if case .failure(let error) = self { error.refusal.code } else { nil }
    }
}

@Suite struct StudyTests {
    @Test("The first version starts a study at once, and a later one does when there are enough new labels")
    func due() throws {
        let trainer = Trainer(repeats: 1)
        let first = try #require(trainer.seal(1, training: 3))
        #expect(first.modelVersion == ModelVersion("v1"))
        #expect(first.id == RequestID("p-1-0"))
        #expect(first.warmStart == nil)
        #expect(first.deadline == StreamTime(milliseconds: 60_000))
        _ = try trainer.result(first.id, 0, 0, score: 0.5).get()
        let tooFew = trainer.seal(2, training: 12)
        #expect(tooFew == nil)
        let enough = try #require(trainer.seal(3, training: 13))
        #expect(enough.modelVersion == ModelVersion("v2"))
        #expect(enough.warmStart?.version == ModelVersion("v1"))
        #expect(enough.dataset.versionNumber == 3)
    }

    @Test("One study runs at a time, and the newest of the versions sealed meanwhile is trained next")
    func debounce() throws {
        let trainer = Trainer(repeats: 1)
        let first = try #require(trainer.seal(1, training: 10))
        for (versionNumber, labels) in [(2, 20), (4, 40), (3, 30)] {
            let request = trainer.seal(versionNumber, training: labels)
            #expect(request == nil)
        }
        let running = trainer.next()
        #expect(running == nil)
        _ = try trainer.result(first.id, 0, 0, score: 0.5).get()
        let second = try #require(trainer.next())
        #expect(second.dataset.versionNumber == 4)
        _ = try trainer.result(second.id, 0, 0, score: 0.5).get()
        let none = trainer.next()
        #expect(none == nil)
    }

    @Test("A version that is sealed late never replaces a newer one, trained or waiting")
    func lateVersion() throws {
        let trainer = Trainer(newLabels: 1, repeats: 1)
        let first = try #require(trainer.seal(5, training: 50))
        _ = try trainer.result(first.id, 0, 0, score: 0.5).get()
        let older = trainer.seal(4, training: 40)
        #expect(older == nil)
    }

    @Test("A study ends with its last repeat, in whatever order the results arrive", arguments: 0..<24 as Range<UInt64>)
    func completion(seed: UInt64) throws {
        var generator = SplitMix64(seed: seed)
        let trainer = Trainer(trials: 2, repeats: 3)
        let request = try #require(trainer.seal(1, training: 10))
        trainer.now = 5_000
        for (position, number) in SeededSampling.permutation(of: 6, using: &generator).enumerated() {
            let (trial, repetition) = (number / 3, number % 3)
            // Trial 1 is better: 0.70, 0.71 and 0.72, compared with 0.60, 0.61 and 0.62.
            let score = 0.6 + 0.1 * Double(trial) + 0.01 * Double(repetition)
            let outcome = try trainer.result(request.id, trial, repetition, score: score).get()
            #expect((outcome == nil) == (position < 5))
            guard let outcome else { continue }
            #expect(outcome.scores == [0.7, 0.71, 0.72])
            #expect(abs((outcome.mean ?? 0) - 0.71) < 1e-12)
            #expect(abs((outcome.standardDeviation ?? 0) - 0.01) < 1e-12)
            #expect(outcome.failures == 0)
            #expect(outcome.duration == 5_000)
            // The first repeat of the better trial, in any order of the results.
            #expect(outcome.model?.artifact.uri == "file:///100")
            // The predictions of the test labels are reported with the model.
            #expect(outcome.predictions == [.choice(ClassIndex(1)), .choice(ClassIndex(0))])
            #expect(outcome.model?.version == request.modelVersion)
            #expect(outcome.model?.datasetVersionNumber == 1)
            #expect(outcome.model?.newestSampleAt == StreamTime(milliseconds: 1))
        }
        #expect(trainer.state.models[ModelVersion("v1")] == trainer.state.progress.value.newest)
    }

    @Test(
        "The model is the first repeat, chosen before any score is known, not the one with the highest score",
        arguments: [[0.9, 0.5, 0.7], [0.5, 0.5, 0.9], [0.1, 0.2, 0.3, 0.9]]
    )
    func first(scores: [Double]) throws {
        let trainer = Trainer(repeats: scores.count)
        let request = try #require(trainer.seal(1, training: 10))
        var last: StudyOutcome?
        for (repetition, score) in scores.enumerated().reversed() {
            last = try trainer.result(request.id, 0, repetition, score: score).get()
        }
        #expect(last?.model?.artifact.uri == "file:///0")
    }

    @Test("Without test labels there is a model but no score")
    func unscored() throws {
        let trainer = Trainer(repeats: 2)
        let request = try #require(trainer.seal(1, training: 10))
        _ = try trainer.result(request.id, 0, 0, score: nil).get()
        let outcome = try trainer.result(request.id, 0, 1, score: nil).get()
        #expect(outcome?.model != nil)
        #expect(outcome?.mean == nil)
        #expect(outcome?.standardDeviation == nil)
        #expect(outcome?.scores == [])
    }

    @Test("An outcome has the reasons of failed repeats, and the labels that its chosen repeat left out")
    func reasons() throws {
        let leftOut = LeftOutLabels(training: 3, test: 1, testPositions: [2], example: "sample s7:\tno embedding")
        #expect(leftOut.example == "sample s7: no embedding")
        #expect(
            LeftOutLabels(training: 1, test: 0, testPositions: [], example: String(repeating: "é", count: 200))
                .example.utf8.count == LeftOutLabels.longestExample
        )
        let trainer = Trainer(newLabels: 1, repeats: 3)
        let first = try #require(trainer.seal(1, training: 10))
        _ = try trainer.failure(first.id, 0, 0, reason: "did_not_converge", leftOut: leftOut).get()
        _ = try trainer.failure(first.id, 0, 1, reason: "did_not_converge").get()
        let failed = try #require(try trainer.failure(first.id, 0, 2).get())
        #expect(failed.model == nil && failed.failures == 3)
        #expect(failed.reasons == ["did_not_converge": 2])
        #expect(failed.leftOut == leftOut.withoutPositions)
        let second = try #require(trainer.seal(2, training: 12))
        for repetition in [1, 2, 0] {
            let outcome = try trainer.result(second.id, 0, repetition, score: 0.5, leftOut: leftOut).get()
            guard let outcome else { continue }
            #expect(outcome.model != nil && outcome.reasons.isEmpty)
            #expect(outcome.leftOut == leftOut)
        }
    }

    /// Before: a trainer that had scored forty of two test labels was accepted, and its predictions of the wrong labels
    /// counted for and against its model.
    @Test("A result that contradicts its version is refused; a correct one is accepted after it")
    func contradictions() throws {
        let trainer = Trainer(repeats: 1)
        let question = Question.choice(LabelSchema(question: "?", classes: (0..<4).map { "\($0)" }))
        let request = try #require(trainer.seal(1, training: 10, test: 3))
        func send(
            items: Int = 3,
            predictions: [Int]? = nil,
            leftOut: LeftOutLabels? = nil,
            dataset: String? = nil
        ) -> Result<StudyOutcome?, EntryRejectionError> {
            let outcome = TrainingResult.Outcome.finished(
                artifact: trainer.artifact(1),
                score: 0.5,
                itemsScored: items,
                predictions: predictions?.map { Label.choice(ClassIndex($0)) }
            )
            let result = TrainingResult(
                request: request.id,
                trial: 0,
                repetition: 0,
                outcome: outcome,
                leftOut: leftOut,
                dataset: dataset.map { DatasetVersionID($0) }
            )
            return trainer.state.receive(result, under: question, at: StreamTime(milliseconds: 1))
        }
        func leftOutLabels(_ training: Int, _ test: Int, _ positions: [Int] = []) -> LeftOutLabels {
            LeftOutLabels(training: training, test: test, testPositions: positions, example: "")
        }
        for (refused, text) in [
            (send(items: 4), "scored 4 test labels, and d1 has 3"),
            (send(items: 3, leftOut: leftOutLabels(0, 1)), "scored 3 test labels and left out 1, and d1 has 3"),
            (send(items: 0), "has a score over 0 test labels"),
            (
                send(items: 1, predictions: [0, 1, 2], leftOut: leftOutLabels(0, 2, [1])),
                "left out 2 test labels and names 1"
            ),
            (send(predictions: [0, 1]), "predicts 2 test labels, and d1 has 3"),
            (send(predictions: [0, 1, 2, 3]), "predicts 4 test labels"),
            (send(predictions: [0, 4, 1]), "predicts class 4, and there are 4"),
            (send(dataset: "d2"), "says version d2, and the request is of d1"),
            (send(items: 1, leftOut: leftOutLabels(11, 0)), "left out 11 training labels of the 10"),
            (send(items: 1, leftOut: leftOutLabels(0, 4)), "left out 4 test labels of the 3"),
            (send(items: 1, leftOut: leftOutLabels(0, 2, [1, 3])), "left out test label 3, and d1 has 3"),
        ] {
            #expect(refused.refusal == .contradictsVersion)
            guard case .failure(let error) = refused else { continue }
            #expect(error.refusal.text.contains(text), "\(error.refusal.text)")
        }
        let outcome = try send(items: 2, predictions: [3, 0, 1], leftOut: leftOutLabels(10, 1, [1]), dataset: "d1")
            .get()
        #expect(outcome?.model != nil && outcome?.predictions.count == 3)
    }

    @Test("The first of two results for one repeat counts, even if it is a failure")
    func duplicates() throws {
        let trainer = Trainer(repeats: 3)
        let request = try #require(trainer.seal(1, training: 10))
        _ = try trainer.result(request.id, 0, 1, score: 0.5).get()
        #expect(trainer.result(request.id, 0, 1, score: 0.9).refusal == .duplicateResult)
        _ = try trainer.failure(request.id, 0, 2).get()
        #expect(trainer.result(request.id, 0, 2, score: 0.9).refusal == .duplicateResult)
        let outcome = try trainer.result(request.id, 0, 0, score: 0.4).get()
        #expect(outcome?.failures == 1)
    }

    @Test("A trial with a failed repeat gives no model, although another trial may")
    func failures() throws {
        let trainer = Trainer(trials: 2, repeats: 2)
        let request = try #require(trainer.seal(1, training: 10))
        _ = try trainer.result(request.id, 0, 0, score: 0.99).get()
        _ = try trainer.failure(request.id, 0, 1).get()
        _ = try trainer.result(request.id, 1, 0, score: 0.5).get()
        let outcome = try #require(try trainer.result(request.id, 1, 1, score: 0.6).get())
        #expect(outcome.model?.artifact.uri == "file:///100")
        #expect(outcome.scores == [0.5, 0.6])
        #expect(outcome.failures == 1)

        let other = Trainer(repeats: 2)
        let otherRequest = try #require(other.seal(1, training: 10))
        _ = try other.result(otherRequest.id, 0, 0, score: 0.9).get()
        let failed = try #require(try other.failure(otherRequest.id, 0, 1).get())
        #expect(failed.model == nil)
        #expect(other.state.progress.value.newest == nil)
        #expect(other.state.models.isEmpty)
        #expect(other.state.progress.value.running == nil)
    }

    @Test("A study whose deadline expires ends without a model, at the deadline and once")
    func deadline() throws {
        let trainer = Trainer(repeats: 2)
        let request = try #require(trainer.seal(1, training: 10))
        _ = try trainer.result(request.id, 0, 0, score: 0.9).get()
        #expect(trainer.state.nextDeadline == StreamTime(milliseconds: 60_000))
        let early = trainer.state.expire(at: StreamTime(milliseconds: 59_999))
        #expect(early == nil)
        let outcome = trainer.state.expire(at: StreamTime(milliseconds: 60_000))
        #expect(outcome?.model == nil)
        #expect(outcome?.request == request.id)
        #expect(outcome?.duration == 60_000)
        #expect(outcome?.failures == 0 && outcome?.missing == 1 && outcome?.repeats == 2)
        #expect(trainer.state.nextDeadline == nil)
        let again = trainer.state.expire(at: StreamTime(milliseconds: 70_000))
        #expect(again == nil)
        #expect(trainer.result(request.id, 0, 1, score: 0.9).refusal == .studyClosed)
    }

    @Test("Results of unknown requests are distinguished from late ones")
    func strays() throws {
        let trainer = Trainer(repeats: 1)
        #expect(trainer.result(RequestID("p-9-9"), 0, 0, score: 1).refusal == .unknownRequest)
        let request = try #require(trainer.seal(1, training: 10))
        for (trial, repetition) in [(1, 0), (0, 1), (-1, 0), (0, -1)] {
            #expect(trainer.result(request.id, trial, repetition, score: 1).refusal == .unknownRequest)
        }
        _ = try trainer.result(request.id, 0, 0, score: 0.5).get()
        #expect(trainer.result(request.id, 0, 0, score: 1).refusal == .studyClosed)
    }

    @Test("The numbers of stored models and requests are bounded")
    func bounds() throws {
        let trainer = Trainer(newLabels: 1, repeats: 1)
        var requests: [RequestID] = []
        for versionNumber in 1...300 {
            let request = try #require(trainer.seal(versionNumber, training: versionNumber))
            requests.append(request.id)
            _ = try trainer.result(request.id, 0, 0, score: 0.5).get()
        }
        #expect(trainer.state.models.count == TrainingState.modelCapacity)
        #expect(trainer.state.ended.count == TrainingState.requestCapacity)
        #expect(trainer.state.models[ModelVersion("v300")] != nil)
        #expect(trainer.state.models[ModelVersion("v1")] == nil)
        #expect(trainer.result(requests[299], 0, 0, score: 1).refusal == .studyClosed)
        #expect(trainer.result(requests[0], 0, 0, score: 1).refusal == .unknownRequest)
    }
}
