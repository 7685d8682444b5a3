/// Severity of a log record.
public enum LogLevel: String, Hashable, Sendable, Comparable, CaseIterable {
    /// Every step, for the search for a single bug.
    case trace
    /// Details for a developer of the module.
    case debug
    /// Information that an operator may need later. Libraries log at or below this level.
    case info
    /// An unusual but acceptable event.
    case notice
    /// A problem that the process handles.
    case warning
    /// A failure that should not have occurred.
    case error
    /// A reason why the process cannot continue.
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

    /// Whether `left` is less severe than `right`.
    public static func < (left: Self, right: Self) -> Bool { left.rank < right.rank }
}
