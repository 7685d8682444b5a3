internal import Acquisition
internal import Labeling
internal import Vocabulary

/// Settings of a project that are valid individually and cancel each other out. Settings that cannot work at all are
/// refused by the project's form; these work, but hardly as intended.
public struct SettingConflict: Hashable, Sendable {
    /// The keys as a project's file has them.
    public let keys: [String]
    /// Consequence of the settings, for people.
    public let text: String
}

extension ProjectConfiguration {
    /// All known conflicts between the settings, in a fixed order; docs/guides/operator.md has the same table.
    public var settingConflicts: [SettingConflict] {
        let policy = acquisition
        var found: [SettingConflict] = []
        func note(_ keys: [String], _ text: String, if holds: Bool) {
            if holds { found.append(SettingConflict(keys: keys, text: text)) }
        }
        note(
            ["acquisition.audit_share", "acquisition.audit_cutoff"],
            "no sample belongs to the audit sample, so no label ever tests: a model is released without a score, and none is promoted",
            if: policy.isAudited && policy.auditCutoff == 0
        )
        note(
            ["acquisition.audit_share"],
            "at 0 no label tests: the first model is released without a score, and no later one is promoted",
            if: !policy.isAudited
        )
        note(
            ["acquisition.audit_cutoff"],
            "at 1 every sample belongs to the audit sample, so there is no label to train on",
            if: policy.isAudited && policy.auditCutoff >= 1
        )
        note(
            ["acquisition.triggers", "acquisition.trigger_share"],
            "at a share of 0 no trigger ever asks",
            if: !policy.triggers.isEmpty && policy.triggerShare == 0
        )
        note(
            ["acquisition.votes_per_window", "labeling.maximum_votes", "acquisition.batch_size"],
            "a window holds \(tasksPerWindow) tasks, fewer than a batch of \(policy.batchSize): a batch takes whole windows",
            if: policy.stream == nil && tasksPerWindow > 0 && tasksPerWindow < policy.batchSize
        )
        note(
            ["acquisition.audit_first", "acquisition.votes_per_window"],
            "the first \(policy.auditFirst) tasks are audit tasks, and a window holds \(tasksPerWindow): for whole windows nothing is asked for training",
            if: policy.edition >= 2 && policy.isAudited && tasksPerWindow > 0 && policy.auditFirst >= tasksPerWindow
        )
        note(
            ["labeling.ageing_every", "labeling.lifetime"],
            "a task closes before it rises for the first time",
            if: (labeling.ageingEvery ?? 0) >= labeling.lifetime
        )
        note(
            ["labeling.confidence", "labeling.maximum_votes"],
            "no number of answers makes a class certain, so every task takes all its votes",
            if: labeling.confidence >= 1 && labeling.maximumVotes > labeling.minimumVotes
        )
        note(
            ["acquisition.exploration_share"],
            "at 1 whole batches are drawn by chance, whatever the strategy",
            if: policy.explorationShare >= 1 && policy.function != .random
        )
        return found
    }

    /// Maximum number of whole tasks that the votes of one window allow.
    public var tasksPerWindow: Int { acquisition.votes / max(1, labeling.maximumVotes) }

    /// Candidates per hour that Intake forwards once a pool is full: `votes_per_window` × `oversample` ÷ `window`.
    public var candidatesPerHour: Double {
        Double(acquisition.votes) * acquisition.oversample * 3_600_000 / Double(max(1, acquisition.window))
    }
}
