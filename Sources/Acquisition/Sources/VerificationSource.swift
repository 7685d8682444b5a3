public import Tables
public import Vocabulary

/// Samples for which users rejected predictions of a suspected version: labels show whether the users were right.
///
/// Their tasks have the same form as those of the audit sample, and their labels are used neither for training nor for
/// testing.
public struct VerificationSource: TaskSource, Sendable {
    var purpose: TaskPurpose { .verification }

    /// Disputed samples whose content is known.
    public var candidates = Table<SampleID, PooledCandidate>()

    public init() {}

    var isEmpty: Bool { candidates.isEmpty }

    /// Adds a disputed sample.
    public mutating func receive(_ pooled: PooledCandidate) {
        candidates[pooled.candidate.sample.id] = pooled
    }

    mutating func remove(_ sample: SampleID) {
        if candidates[sample] != nil { candidates[sample] = nil }
    }

    /// Keeps only the samples that may still be queried.
    ///
    /// - Complexity: O(*n*) in the candidates, which are few.
    public mutating func keep(_ isWanted: (SampleID) -> Bool) {
        for sample in candidates.sortedKeys where !isWanted(sample) { candidates[sample] = nil }
    }

    func hasCandidates(_ accounts: TaskAccounts, _ context: SelectionContext) -> Bool {
        !isEmpty && context.disputedTasksWanted > 0
    }

    func isActive(_ context: SelectionContext) -> Bool { !isEmpty && context.disputedTasksWanted > 0 }

    func allowance(_ room: BatchRoom, _ accounts: TaskAccounts, _ context: SelectionContext) -> Int {
        max(0, min(context.disputedTasksWanted, candidates.count, room.affordable))
    }

    mutating func select(_ count: Int, _ accounts: inout TaskAccounts, _ context: SelectionContext) -> [Selection] {
        // The values are those of the audit sample, so that the two cannot be distinguished.
        let probability = context.policy.auditCutoff
        return candidates.sortedRows.prefix(count).map { _, pooled in
            pooled.selection(
                purpose,
                strategy: "audit",
                score: probability,
                inclusionProbability: probability,
                propensity: probability
            )
        }
    }

    func nextQueryTime(_ room: BatchRoom, _ accounts: TaskAccounts, _ context: SelectionContext) -> NextQueryTime {
        allowance(room, accounts, context) > 0 ? .afterMaximumWait : .never
    }
}
