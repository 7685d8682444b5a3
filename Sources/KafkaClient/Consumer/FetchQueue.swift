/// Limits of the records fetched ahead: the properties shared by consumer and reader.
///
/// Measured with librdkafka 2.0.2 and Apache Kafka 4.3.0 on two shared cores, a million records of 300 bytes in four
/// partitions, memory of the whole process; “without” is the same queue without `FetchWaker`.
///
/// | Work for each record | records/s | longest wait | memory | without |
/// |---|---|---|---|---|
/// | none | 1,000,000–1,860,000 | 48 ms | 45 MB | the same |
/// | 1 µs | 740,000–810,000 | 23 ms | 66 MB | 125,000/s, waits of 0.9 s |
/// | 2 µs | 430,000–440,000 | 14 ms | 66 MB | 111,000/s, waits of 0.8 s |
/// | 1 µs, three brokers | 650,000–710,000 | 21 ms | 85 MB | 107,000–137,000/s |
/// | 1 µs, queue of 400,000 records | 770,000 | 7 ms | 255–271 MB | |
enum FetchQueue {
    /// Fetching stops at 50,000 records or 32 MB and continues below one half, see `FetchWaker`.
    static let defaults: KafkaProperties = [
        "queued.min.messages": "50000",
        "queued.max.messages.kbytes": "32768",
        // A fetch in flight when partitions are assigned or moved delays their first fetch by this much at most.
        "fetch.wait.max.ms": "100",
        // Only a limit: the answers of some brokers are larger than requested.
        "receive.message.max.bytes": "1000000000",
        "isolation.level": "read_committed",
        "auto.offset.reset": "error",
    ]

    /// The defaults, and for librdkafka 2.2.0 or newer the property that makes `FetchWaker` unnecessary.
    static func defaults(libraryNumber: Int32) -> KafkaProperties {
        libraryNumber >= 0x0202_00ff ? defaults.merging(["fetch.queue.backoff.ms": "10"]) : defaults
    }
}
