/// Keeps the rate of passing scores near a target: a decaying histogram of scores provides the quantile to use as
/// threshold, and a token bucket limits bursts.
///
/// Memory is bounded, whatever the stream's length. The threshold determines which records are examined, never what is
/// decided.
public struct AdaptiveThreshold {
    private static let bins = 512
    /// Time after which the histogram has forgotten half of its contents, in milliseconds.
    private static let halfLife = 30_000.0
    /// Number of scores that mainly train the threshold of a new stream; the warm-up ends earlier when `warmUpTime`
    /// milliseconds have passed.
    private static let warmUp = 300
    private static let warmUpTime = 1_000.0

    /// Wanted passes per millisecond.
    public var target: Double
    private let burst: Double
    private var histogram = [Float](repeating: 0, count: bins)
    private var mass: Float = 0
    private var windowStart: Int64?
    private var last: Int64 = 0
    private var tokens: Double
    private var sinceUpdate = 0
    private var observed = 0
    private var firstScoreAt: Int64?
    /// The lowest score that currently passes, in `0...1`.
    public private(set) var value = 0.0

    /// - Parameters:
    ///   - perSecond: Wanted passes per second.
    ///   - burst: Passes that may occur at once.
    public init(perSecond: Double, burst: Double) {
        target = perSecond / 1_000
        self.burst = max(1, burst)
        tokens = self.burst
    }

    /// Adds a score to the histogram and judges it.
    ///
    /// - Parameters:
    ///   - score: In `0...1`.
    ///   - time: Milliseconds; a step back counts as no elapsed time.
    /// - Returns: Whether the score passes. Before the stream's 300th score or the end of its first second, whichever
    ///   comes first, scores of at least 0.5 pass.
    public mutating func admits(_ score: Double, at time: Int64) -> Bool {
        if windowStart == nil {
            windowStart = time
            firstScoreAt = time
            last = time
        }
        // When the clock goes back, the start times are moved back with it; otherwise nothing would pass until the
        // clock has caught up.
        if time < last {
            windowStart = windowStart.map { $0 - (last - time) }
            firstScoreAt = firstScoreAt.map { $0 - (last - time) }
            last = time
        }
        let elapsed = Double(time - last)
        last = time
        // The bucket only limits bursts; at twice the rate, the threshold remains in control.
        if isWarm { tokens = min(burst, tokens + 2 * elapsed * target) }
        let bin = min(Self.bins - 1, max(0, Int(score * Double(Self.bins))))
        histogram[bin] += 1
        mass += 1
        sinceUpdate += 1
        observed += 1
        if sinceUpdate >= 256 || elapsed >= 100 { update() }
        // The first scores of a new stream mainly train the threshold, because they are not the best ones; a few may
        // pass, because there may be no others.
        guard score >= (isWarm ? value : 0.5), tokens >= 1 else { return false }
        tokens -= 1
        return true
    }

    private var isWarm: Bool { observed >= Self.warmUp || Double(last - (firstScoreAt ?? last)) >= Self.warmUpTime }

    private mutating func update() {
        sinceUpdate = 0
        guard let windowStart else { return }
        let span = Double(last - windowStart)
        guard span > 0 else { return }
        // The mass of a steady stream of rate r is r × (1 - 2^(-span/halfLife)) × halfLife/ln 2; for short spans r × span.
        let effective = min(span, Self.halfLife * 1.4427)
        let rate = Double(mass) / effective
        let passingShare = rate > 0 ? min(1, target / rate) : 1
        var left = Float(passingShare) * mass
        var bin = Self.bins
        while bin > 0, left > 0 {
            bin -= 1
            left -= histogram[bin]
        }
        value = Double(bin) / Double(Self.bins)
        guard span > Self.halfLife else { return }
        // Apply the decay of a half-life in one step: cheap, and accurate enough for a rate.
        if mass > 65_536 || span > 2 * Self.halfLife {
            for index in histogram.indices { histogram[index] *= 0.5 }
            mass *= 0.5
            self.windowStart = last - Int64(Self.halfLife * 0.5)
        }
    }
}
