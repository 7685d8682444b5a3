internal import Acquisition
internal import Datasets
internal import Labeling
internal import Rollout
internal import Tables
internal import Training

/// All tables at once, one by one by name: to go over them by key paths costs as much as applying an entry. A test finds
/// one that is left out.
extension ProjectState {
    /// What is now is what is stored.
    public mutating func commit() {
        position.commit()
        configuration.commit()
        commands.commit()
        stages.commit()
        refusals.commit()
        entries.commit()
        acquisition.pool.commit()
        acquisition.audit.commit()
        acquisition.asked.commit()
        acquisition.ledger.commit()
        acquisition.cadence.commit()
        acquisition.memory.commit()
        acquisition.stream.commit()
        acquisition.slices.commit()
        acquisition.triggered.commit()
        acquisition.awaiting.commit()
        labeling.open.commit()
        labeling.closed.commit()
        labeling.annotators.commit()
        datasets.labels.commit()
        datasets.position.commit()
        datasets.pending.commit()
        training.progress.commit()
        training.models.commit()
        training.ended.commit()
        rollout.phase.commit()
        rollout.rows.commit()
        rollout.pairs.commit()
        rollout.watch.commit()
        rollout.buckets.commit()
        rollout.seen.commit()
    }

    /// Returns to the last commit.
    public mutating func undo() {
        position.undo()
        configuration.undo()
        commands.undo()
        stages.undo()
        refusals.undo()
        entries.undo()
        acquisition.pool.undo()
        acquisition.audit.undo()
        acquisition.asked.undo()
        acquisition.ledger.undo()
        acquisition.cadence.undo()
        acquisition.memory.undo()
        acquisition.stream.undo()
        acquisition.slices.undo()
        acquisition.triggered.undo()
        acquisition.awaiting.undo()
        labeling.open.undo()
        labeling.closed.undo()
        labeling.annotators.undo()
        datasets.labels.undo()
        datasets.position.undo()
        datasets.pending.undo()
        training.progress.undo()
        training.models.undo()
        training.ended.undo()
        rollout.phase.undo()
        rollout.rows.undo()
        rollout.pairs.undo()
        rollout.watch.undo()
        rollout.buckets.undo()
        rollout.seen.undo()
    }
}
