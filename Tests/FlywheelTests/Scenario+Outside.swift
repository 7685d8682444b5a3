import Acquisition
import Datasets
import Flywheel
import Labeling
import Rollout
import Statistics
import Strategies
import Tables
import Training
import Vocabulary

/// Trainers, the materializer and operators.
extension Scenario {
    mutating func seal() {
        guard !cuts.isEmpty else { return }
        let cut = generator.next(below: 6) == 0 ? cuts[0] : cuts.removeFirst()
        let digest = String(repeating: "0", count: 56) + "\(10_000_000 + cut.versionNumber)"
        append(
            .versionSealed(
                SealedVersion(
                    id: DatasetVersionID(digest),
                    versionNumber: cut.versionNumber,
                    parent: nil,
                    semanticVersion: "1.\(cut.versionNumber).0",
                    manifest: ArtifactReference(uri: "file:///d/\(cut.versionNumber)", size: 10, sha256: digest),
                    training: cut.training,
                    validation: cut.validation,
                    test: cut.test
                )
            )
        )
    }

    mutating func train() {
        guard let request = trainingRequests.last else { return }
        for trial in request.trials.indices {
            for repetition in 0..<request.repeats {
                let isFailure = generator.next(below: 20) == 0
                let digest = String(repeating: "a", count: 64)
                let artifact = ArtifactReference(
                    uri: "file:///\(request.modelVersion)/\(trial)/\(repetition)",
                    size: 5,
                    sha256: digest
                )
                // Some trainers do not report the predictions of their model for the test labels.
                let isReported = generator.next(below: 2) == 0
                let predictions = isReported ? (0..<request.dataset.test).map { Label.choice(ClassIndex($0 % 3)) } : nil
                let score = 0.5 + generator.nextUnit() / 2
                append(
                    .trainingResult(
                        TrainingResult(
                            request: request.id,
                            trial: trial,
                            repetition: repetition,
                            outcome: isFailure
                                ? .failed("no memory")
                                : .finished(
                                    artifact: artifact,
                                    score: score,
                                    itemsScored: request.dataset.test,
                                    predictions: predictions
                                ),
                            duration: 700
                        )
                    )
                )
            }
        }
        trainingRequests.removeLast()
    }

    mutating func command() {
        guard generator.next(below: 3) == 0 else { return }
        let action: Command.Action =
            switch generator.next(below: 10) {
            case 0: .hold
            case 1..<7: .releaseHold
            default: .rollBack(champion ?? ModelVersion("v0"))
            }
        // An operator whose approval is requested approves the model or rolls it back.
        let rollout = state.rollout.progress.value.rollout
        let unapproved = rollout.flatMap { $0.isApprovalRequested && $0.approvedBy == nil ? $0.model.version : nil }
        var answer = unapproved.map { journal.count % 4 == 0 ? Command.Action.rollBack($0) : .approve($0) }
        if answer == nil, let rollout, rollout.pause == nil, journal.count % 2 == 0 { answer = .hold }
        let id = "c\(generator.next(below: 200))"
        append(.command(Command(id: id, action: answer ?? action, by: "ada", reason: "drill")))
    }

    /// Suppresses a class, or ends its suppression.
    mutating func suppress() {
        let action = Command.Action.suppress(!state.rollout.suppressedClasses.contains("cow"), className: "cow")
        append(.command(Command(id: "x\(count)", action: action, by: "eve", reason: "drill")))
    }
}
