internal import Tables
internal import Vocabulary

/// Facts of the open tasks that every entry needs, computed once for each change of them.
///
/// A cache, not part of the state: it is valid for one revision of the table, and is computed from its rows alone.
struct OpenTaskFacts: Sendable {
    private var revision: UInt64?
    private var ageingEvery: Int64?
    /// When the first of them expires.
    private(set) var nextDeadline: StreamTime?
    /// When the first priority rises.
    private(set) var nextAgeing: StreamTime?
    /// Number of open tasks for training labels.
    private(set) var trainingTasks = 0

    init() {}

    /// - Complexity: O(*n*) in the open tasks.
    init(_ open: Table<TaskID, OpenTask>, ageingEvery span: Int64?) {
        revision = open.revision
        ageingEvery = span
        self = open.reduce(into: self) { facts, _, task in
            facts.nextDeadline = Self.earlier(facts.nextDeadline, task.expiresAt)
            if let span { facts.nextAgeing = Self.earlier(facts.nextAgeing, task.nextAgeing(every: span)) }
            if task.selection.purpose.split == .training { facts.trainingTasks += 1 }
        }
    }

    /// The facts of the tasks as they are now; ageing is included only if `span` is given.
    ///
    /// - Complexity: O(1) if the cached facts are current.
    func current(_ open: Table<TaskID, OpenTask>, ageingEvery span: Int64? = nil) -> OpenTaskFacts {
        let isCurrent = revision == open.revision && (span == nil || span == ageingEvery)
        return isCurrent ? self : OpenTaskFacts(open, ageingEvery: span)
    }

    private static func earlier(_ a: StreamTime?, _ b: StreamTime?) -> StreamTime? {
        guard let a, let b else { return a ?? b }
        return min(a, b)
    }
}
