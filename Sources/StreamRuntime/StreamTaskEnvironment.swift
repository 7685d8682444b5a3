/// Events inside a stream task, for logs and metrics.
public enum StreamTaskEvent: Sendable {
    case assigned([TopicPartition])
    case unassigned([TopicPartition], lost: Bool)
    case committed(records: Int, outputs: Int, milliseconds: Int64)
    case aborted(StreamError)
    case restarted(StreamError)
    case retrying(StreamError, attempt: Int)
    /// The last owner of these partitions stopped without marking them as released: it died, or was considered dead.
    /// Reported once: an owner that released them in order since has marked them so.
    case foundUnclean([TopicPartition])
    /// The processor could not process the records in hand; the reason is in words.
    case refused(String)
    /// This record has used up its attempts and is removed from the stream.
    case quarantining(TopicPartition, Int64, Quarantine)
    /// No broker answers.
    case unreachable(StreamError)
    case reachable
    /// Fetching stops: the processor has enough to do.
    case paused([TopicPartition])
    case resumed([TopicPartition])
    /// Records expired before they were read.
    case expired(TopicPartition, from: Int64, to: Int64)
}

/// The services that a stream task needs from its surroundings.
public struct StreamTaskEnvironment {
    /// Milliseconds since 1970.
    public let now: () -> Int64
    /// Waits for the given number of milliseconds.
    public let pause: (Int64) -> Void
    /// Returns a random number in `0..<1`, for jitter.
    public let jitter: () -> Double
    /// Whether the process is requested to stop; then failed calls are not retried any more.
    public let isStopping: () -> Bool
    public let observe: (StreamTaskEvent) -> Void

    public init(
        now: @escaping () -> Int64,
        pause: @escaping (Int64) -> Void,
        jitter: @escaping () -> Double,
        isStopping: @escaping () -> Bool = { false },
        observe: @escaping (StreamTaskEvent) -> Void = { _ in }
    ) {
        self.now = now
        self.pause = pause
        self.jitter = jitter
        self.isStopping = isStopping
        self.observe = observe
    }
}
