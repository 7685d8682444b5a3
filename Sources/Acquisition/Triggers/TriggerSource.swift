internal import Kinds
internal import Strategies
public import Tables
public import Vocabulary

/// Candidates for which triggers fired; they are kept beside the pool and have their own share of the queries.
public struct TriggerSource: TaskSource, Sendable {
    /// The strategy that is named by a task that a trigger queried.
    public static let strategy = "trigger"

    var purpose: TaskPurpose { .acquisition }

    /// At most `poolCapacity` candidates for training labels for which triggers fired; they are also in the pool if
    /// they belong there.
    public var triggered = Table<SampleID, TriggeredCandidate>()
    /// At most `poolCapacity` candidates for which triggers may yet fire.
    public var pending = Table<SampleID, TriggeredCandidate>()
    /// Whether no candidate has free capacity, a cache.
    var block = QuotaBlock()

    var isEmpty: Bool { triggered.isEmpty }

    /// Adds a candidate for which triggers fired, or wait, independently of its treatment in the pool.
    ///
    /// - Complexity: O(1); O(*poolCapacity*) if a table is full.
    mutating func receive(_ pooled: PooledCandidate, _ context: SelectionContext) {
        let candidate = pooled.candidate
        let id = candidate.sample.id
        let known = triggered[id] ?? pending[id]
        var fired = known?.triggers ?? []
        var names = candidate.triggers
        let isPreferred = known.map { Self.isPreferred(pooled, to: $0.pooled) } ?? true
        // Facts about the prediction that represented the sample before do not apply to another one.
        let compared = known.flatMap { Self.disagree(candidate, $0.pooled.candidate) }
        let disagrees = compared ?? (isPreferred ? nil : known?.disagrees)
        let isOverridden = isPreferred ? nil : known?.isOverridden
        if let known, compared != nil {
            for name in candidate.pendingTriggers where known.pendingTriggers.contains(name) {
                let isFired = context.fires(name, for: candidate) {
                    $0.disagrees = disagrees
                    $0.isOverridden = isOverridden
                }
                if isFired { names.append(name) }
            }
        }
        for name in names where !fired.contains(name) { fired.append(name) }
        keep(
            TriggeredCandidate(
                pooled: isPreferred ? pooled : known?.pooled ?? pooled,
                triggers: fired,
                pendingTriggers: isPreferred ? candidate.pendingTriggers : known?.pendingTriggers ?? [],
                entryNumber: known?.entryNumber ?? context.entry.entryNumber,
                disagrees: disagrees,
                isOverridden: isOverridden
            ),
            context.policy
        )
    }

    /// Applies a user's feedback: triggers that waited for it may fire, and it is kept for those that wait for more.
    ///
    /// - Complexity: O(*poolCapacity*) if one fires and the table is full, else O(1).
    mutating func receive(_ feedback: Feedback, _ context: SelectionContext) {
        guard !context.policy.triggers.isEmpty,
            let known = triggered[feedback.sample] ?? pending[feedback.sample],
            known.pooled.candidate.model?.version == feedback.modelVersion
        else { return }
        // A user's confirmation does not cancel the correction of another user.
        let isOverridden = feedback.verdict.isNegative || known.isOverridden == true
        let fired = known.pendingTriggers.filter { name in
            context.fires(name, for: known.pooled.candidate) {
                $0.disagrees = known.disagrees
                $0.isOverridden = isOverridden
            }
        }
        let new = fired.filter { !known.triggers.contains($0) }
        guard !new.isEmpty || !known.pendingTriggers.isEmpty else { return }
        keep(
            TriggeredCandidate(
                pooled: known.pooled,
                triggers: known.triggers + new,
                pendingTriggers: known.pendingTriggers,
                entryNumber: known.entryNumber,
                disagrees: known.disagrees,
                isOverridden: isOverridden
            ),
            context.policy
        )
    }

    /// Whether champion and challenger disagree; nil unless one candidate is the champion's and the other the
    /// challenger's.
    private static func disagree(_ a: Candidate, _ b: Candidate) -> Bool? {
        guard let one = a.model, let other = b.model, one.role != other.role, one.version != other.version,
            let first = a.output?.top, let second = b.output?.top
        else { return nil }
        return first.agreement(with: second) < 1
    }

    /// Whether a candidate represents its sample instead of another: a champion's does, and of two of the same role the
    /// newer model's.
    private static func isPreferred(_ a: PooledCandidate, to b: PooledCandidate) -> Bool {
        let isChallenger = (a.candidate.model?.role == .challenger, b.candidate.model?.role == .challenger)
        guard isChallenger.0 == isChallenger.1 else { return !isChallenger.0 }
        return a.modelVersionNumber > b.modelVersionNumber
    }

    /// Keeps a candidate; if a table is full, the one that has waited longest is removed.
    private mutating func keep(_ row: TriggeredCandidate, _ policy: AcquisitionPolicy) {
        let id = row.pooled.candidate.sample.id
        if row.triggers.isEmpty {
            guard !row.pendingTriggers.isEmpty, pending[id] != row else { return }
            Self.makeRoom(in: &pending, for: id, policy.poolCapacity)
            pending[id] = row
        } else {
            pending[id] = nil
            guard triggered[id] != row else { return }
            Self.makeRoom(in: &triggered, for: id, policy.poolCapacity)
            triggered[id] = row
        }
    }

    private static func makeRoom(
        in table: inout Table<SampleID, TriggeredCandidate>,
        for id: SampleID,
        _ capacity: Int
    ) {
        guard table[id] == nil, table.count >= capacity else { return }
        let oldest = table.minimum { ($0.value.entryNumber, $0.key) < ($1.value.entryNumber, $1.key) }
        if let oldest { table[oldest.key] = nil }
    }

    mutating func remove(_ sample: SampleID) {
        triggered[sample] = nil
        pending[sample] = nil
    }

    /// Adds to a selection the triggers that fired for its sample, and removes them here.
    mutating func addTriggers(to selection: Selection) -> Selection {
        let id = selection.sample.id
        pending[id] = nil
        guard let row = triggered[id] else { return selection }
        triggered[id] = nil
        return selection.purpose.split == .test ? selection : selection.triggered(by: row.triggers)
    }
}

extension SelectionContext {
    /// Whether a trigger holds for a candidate once the facts that `addFacts` adds are known; false if the revision in
    /// force has no trigger of that name.
    fileprivate func fires(
        _ name: String,
        for candidate: Candidate,
        _ addFacts: (inout TriggerFacts) -> Void
    ) -> Bool {
        guard let trigger = policy.triggers.first(where: { $0.name == name }) else { return false }
        var facts = TriggerFacts(
            candidate.output,
            score: candidate.score,
            role: candidate.model?.role,
            classes: classes
        )
        addFacts(&facts)
        return TriggerProgram(trigger, project: entry.project).judge(
            facts,
            sample: candidate.sample,
            output: candidate.output,
            version: candidate.model?.version,
            classes: classes
        ) == .holds
    }
}
