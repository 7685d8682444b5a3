/// Phase of a task in its commit cycle.
///
///     joining ──assign──▶ running ──commit──▶ committing
///        ▲                   │ ▲                   │
///        └──────revoke───────┘ └─committed, aborted┘
///
/// Any of them becomes `closed`, and nothing follows that. A task of `joining` owns no partition; a change of assignment
/// within `running` leaves it there.
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

    /// Moves on to another phase; one that the task is in already is no transition.
    ///
    /// - Precondition: It is a legal successor: another one is a programming error, and going on could commit what belongs to
    ///   nobody.
    mutating func become(_ next: TaskPhase) {
        guard next != self else { return }
        precondition(successors.contains(next), "a task that is \(self) cannot become \(next)")
        self = next
    }
}
