/// How much is fetched ahead: the properties shared by consumer and reader.
enum FetchQueue {
    /// Fetching stops at 50,000 records or 32 MB and goes on below one half, see `FetchWaker`.
    static let defaults: KafkaProperties = [
        "queued.min.messages": "50000",
        "queued.max.messages.kbytes": "32768",
        // A fetch that is under way when partitions are assigned or moved delays theirs by this much at most.
        "fetch.wait.max.ms": "100",
        // Only a limit: some brokers answer with more than was asked for.
        "receive.message.max.bytes": "1000000000",
        "isolation.level": "read_committed",
        "auto.offset.reset": "error",
    ]

    /// The defaults, and for librdkafka 2.2.0 or newer the property that makes `FetchWaker` unnecessary.
    static func defaults(libraryNumber: Int32) -> KafkaProperties {
        libraryNumber >= 0x0202_00ff ? defaults.merging(["fetch.queue.backoff.ms": "10"]) : defaults
    }
}
