/// A point on the monotonic clock until which a blocking call may go on.
struct Deadline {
    private let end: ContinuousClock.Instant

    init(milliseconds: Int) { end = .now + .milliseconds(milliseconds) }

    /// Milliseconds left, rounded up; 0 when it has passed.
    var milliseconds: Int {
        let left = ContinuousClock.Instant.now.duration(to: end)
        guard left > .zero else { return 0 }
        return Int(left.components.seconds) * 1000 + Int(left.components.attoseconds / 1_000_000_000_000_000) + 1
    }

    var hasPassed: Bool { ContinuousClock.Instant.now >= end }

    /// The remaining time, at most `limit`, in the type that librdkafka expects.
    func slice(atMost limit: Int) -> Int32 { Int32(min(limit, milliseconds)) }
}
