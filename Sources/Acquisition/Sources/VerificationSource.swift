public import Tables
public import Vocabulary

/// Samples of which users rejected what a suspected version said: labels tell whether they were right.
///
/// Their tasks look like those of the audit sample, and their labels neither train nor test.
public struct VerificationSource: TaskSource, Sendable {
    var purpose: TaskPurpose { .verification }

    /// Disputed samples whose content is known.
    public var candidates = Table<SampleID, PooledCandidate>()

    public init() {}

    var isEmpty: Bool { candidates.isEmpty }

    /// Takes a disputed sample in.
    public mutating func receive(_ pooled: PooledCandidate) {
        candidates[pooled.candidate.sample.id] = pooled
    }

    mutating func remove(_ sample: SampleID) {
        if candidates[sample] != nil { candidates[sample] = nil }
    }

    /// Keeps those alone that may still be asked for.
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

    mutating func take(_ count: Int, _ accounts: inout TaskAccounts, _ context: SelectionContext) -> [Selection] {
        // As of the audit sample: nothing tells the two apart.
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

    func nextAsking(_ room: BatchRoom, _ accounts: TaskAccounts, _ context: SelectionContext) -> NextAsking {
        allowance(room, accounts, context) > 0 ? .afterPatience : .never
    }
}
