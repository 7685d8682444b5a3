public import Vocabulary

/// Votes that one slice has taken of the current window.
public struct SliceAccount: Hashable, Sendable {
    /// When its first task was opened.
    public var firstAskedAt: StreamTime
    /// The window that `votes` belong to.
    public var windowStart: StreamTime
    /// Votes given to tasks opened in that window, or promised to them.
    public var votes: Int

    public init(firstAskedAt: StreamTime, windowStart: StreamTime, votes: Int = 0) {
        self.firstAskedAt = firstAskedAt
        self.windowStart = windowStart
        self.votes = votes
    }
}
