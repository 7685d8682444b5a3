/// How much a log record matters.
public enum LogLevel: String, Hashable, Sendable, Comparable, CaseIterable {
    /// Every step, for hunting one bug.
    case trace
    /// Details for a developer of the module.
    case debug
    /// Information that an operator may need later. Libraries log at or below this level.
    case info
    /// Unusual but fine.
    case notice
    /// Something is off and the process copes.
    case warning
    /// Something failed that should not.
    case error
    /// The process cannot go on.
    case critical

    private var rank: Int {
        switch self {
        case .trace: 0
        case .debug: 1
        case .info: 2
        case .notice: 3
        case .warning: 4
        case .error: 5
        case .critical: 6
        }
    }

    /// Whether `left` matters less than `right`.
    public static func < (left: Self, right: Self) -> Bool { left.rank < right.rank }
}
