public import Vocabulary

/// Votes of the current window that one slice has used.
public struct SliceAccount: Hashable, Sendable {
    /// Time at which its first task was opened.
    public var firstQueriedAt: StreamTime
    /// The window that `votes` belong to.
    public var windowStart: StreamTime
    /// Votes given to tasks opened in that window, or reserved for them.
    public var votes: Int

    public init(firstQueriedAt: StreamTime, windowStart: StreamTime, votes: Int = 0) {
        self.firstQueriedAt = firstQueriedAt
        self.windowStart = windowStart
        self.votes = votes
    }
}
