/// Phase of a task in its commit cycle.
///
///        ┌─────────────commit (of marks)─────────────┐
///        │                                           ▼
///     joining ──assign──▶ running ──commit──▶ committing
///        ▲  ▲                │ ▲                   │ │
///        │  └─────revoke─────┘ └─committed, aborted┘ │
///        └─────────────committed, aborted────────────┘
///
/// A task commits in `joining` when it has marks or outputs to commit but no partition left. Any phase can become
/// `closed`, which has no successor. A task in `joining` owns no partition; a change of assignment
/// in `running` does not change the phase.
enum TaskPhase: String, Hashable, Sendable, CaseIterable {
    /// A member of the group without partitions.
    case joining
    /// Owner of partitions, with at most one pending transaction in memory.
    case running
    /// A transaction is open at the broker.
    case committing
    /// Left the group; its consumer and producer are closed.
    case closed

    /// Phases that may follow.
    var successors: Set<TaskPhase> {
        switch self {
        case .joining: [.running, .committing, .closed]
        case .running: [.joining, .committing, .closed]
        case .committing: [.joining, .running, .closed]
        case .closed: []
        }
    }

    /// Changes to another phase; a change to the current phase is no transition.
    ///
    /// - Precondition: The phase is a legal successor. Any other is a programming error, and continuing could commit
    ///   data without an owner.
    mutating func become(_ next: TaskPhase) {
        guard next != self else { return }
        precondition(successors.contains(next), "a task that is \(self) cannot become \(next)")
        self = next
    }
}
