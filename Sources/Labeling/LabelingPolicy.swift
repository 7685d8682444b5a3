/// How many people are asked, and when that is enough.
public struct LabelingPolicy: Hashable, Sendable {
    /// Answers before a task may close; at least 1.
    public var minimumVotes: Int
    /// Answers at most; at least `minimumVotes`.
    public var maximumVotes: Int
    /// A task closes once the posterior of a class reaches this, in `0.5...1`.
    public var confidence: Double
    /// How long a task stays open, in milliseconds.
    public var lifetime: Int64
    /// A task closes without a label after so many skips and flags.
    public var maximumSkips: Int

    public init(
        minimumVotes: Int = 1,
        maximumVotes: Int = 3,
        confidence: Double = 0.95,
        lifetime: Int64 = 3_600_000,
        maximumSkips: Int = 3
    ) {
        self.minimumVotes = minimumVotes
        self.maximumVotes = maximumVotes
        self.confidence = confidence
        self.lifetime = lifetime
        self.maximumSkips = maximumSkips
    }
}
