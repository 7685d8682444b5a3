internal import Glibc

/// External inputs of a store's client, replaceable in tests.
public struct S3Environment: Sendable {
    /// Milliseconds since 1970, for signatures.
    public var now: @Sendable () -> Int64
    /// Waits so many milliseconds.
    public var pause: @Sendable (Int64) -> Void
    /// Returns a random number in `0..<1`.
    public var jitter: @Sendable () -> Double
    /// Bytes above which an object is sent in parts.
    public var partThreshold: Int
    /// Number of bytes of a part, and of a piece that is read at once.
    public var partSize: Int

    /// Creates an environment; by default with the system's clock, and parts of 16 MiB for objects above 64 MiB.
    public init(
        now: @escaping @Sendable () -> Int64 = { Self.milliseconds() },
        pause: @escaping @Sendable (Int64) -> Void = { Self.wait($0) },
        jitter: @escaping @Sendable () -> Double = { Double.random(in: 0..<1) },
        partThreshold: Int = 64 << 20,
        partSize: Int = 16 << 20
    ) {
        self.now = now
        self.pause = pause
        self.jitter = jitter
        self.partThreshold = partThreshold
        self.partSize = partSize
    }

    /// Waits so many milliseconds.
    public static func wait(_ milliseconds: Int64) { usleep(UInt32(clamping: max(0, milliseconds) * 1_000)) }

    /// The system's clock, in milliseconds since 1970.
    public static func milliseconds() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000
    }
}
