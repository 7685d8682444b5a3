internal import Acquisition
internal import Datasets
internal import Rollout
internal import Tables
internal import Vocabulary

/// Labels that judge models, and labels that train them: no label is ever both.
extension ProjectState {
    /// Moves test labels that are neither in the anchor nor in the window to training, from the version on that is
    /// about to be cut.
    ///
    /// No model is judged by them any more, not even a model that never saw them: champion and challenger are always
    /// judged by the same labels. The evidence from them is kept.
    mutating func moveTestLabelsToTraining(_ configuration: ProjectConfiguration, _ step: inout Step) {
        let policy = configuration.rollout
        // Until the first era, the number of known labels decides whether a model serves without proof: it must not
        // decrease again.
        let isProven = policy.bound == .challenger || rollout.era.value.number > 0
        let size = isProven ? policy.window : max(policy.window, policy.provisional)
        guard policy.move, datasets.window.count > size else { return }
        let context = changeContext(
            configuration,
            by: "rollout.move",
            reason: "neither among the first \(DatasetsState.anchorSize) audit labels nor among the newest \(size)",
            step
        )
        // Evidence enters in the order in which tasks opened: an old label may still wait for a task that is open.
        let waiting = rollout.samplesOfOpenings
        for change in datasets.shrinkWindow(to: size, context, isWaiting: { waiting.contains($0) }) {
            step.decide(.change(change))
            acquisition.auditRelabelled(change.sample, nil)
            rollout.removeMovedLabel(change.sample, policy)
        }
    }

    /// Removes from the evidence every label that judges models and is not a test label: at each cut, and when each
    /// model is registered.
    ///
    /// A label enters the test side from the audit sample, may be moved from there to training, and never returns. So a
    /// label that is a test label now is in the training data of no version that was ever cut, whichever of them a
    /// model names; any other label may be. The changes of labels enforce this themselves: a label found here results
    /// from damage, or from a fault of Flywheel.
    ///
    /// - Complexity: O(*rowCapacity*).
    mutating func excludeNonTestLabels(_ occasion: String, _ step: inout Step) {
        let labels = datasets.labels
        let found = rollout.excludeLabels { !(labels[$0]?.isTestLabel ?? false) }
        guard !found.isEmpty else { return }
        let names = found.prefix(Notice.samplesShown).map(\.rawValue).joined(separator: ", ")
        let more = found.count > Notice.samplesShown ? ", and \(found.count - Notice.samplesShown) more" : ""
        let text =
            "as \(occasion): \(found.count) of the labels that judge models are no test labels and may train them, of samples \(names)\(more): they are left out from now on. flywheel explain shows what became of each; flywheel replay, whether the state was changed from outside"
        step.decide(.notice(Notice(kind: .labelLeak, text: text)))
    }
}

extension Notice {
    /// Maximum number of samples that a notice lists.
    fileprivate static let samplesShown = 5
}
