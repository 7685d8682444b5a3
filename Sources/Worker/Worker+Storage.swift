internal import EngineCore
internal import Events
internal import KafkaTransport
internal import Storage
internal import Telemetry

/// Stores that roles write to.
extension Worker {
    /// Opens a store of this cluster's files, and removes the remains of killed writers.
    func openStore(
        _ location: String,
        _ transport: KafkaStreamTransport,
        _ logger: Logger
    ) throws -> any ObjectStore {
        let store = try StoreLocation(location).open(configuration.s3)
        try FolderOwner(cluster: transport.clusterID(), prefix: configuration.topics.prefix).claim(store)
        let removed = try store.removeLeftovers()
        if removed > 0 {
            logger.info("unfinished files removed", ["store": .string(store.location), "files": .number(removed)])
        }
        return store
    }

    /// Reports work that a store refuses: the first time as an error, then as warnings, and once when the refusal has
    /// ended.
    func watchBackoffs(_ role: Role, _ logger: Logger) -> (StorageBackoff) -> Void {
        metrics.observe(StorageBackoff(), role)
        return { [metrics] backoff in
            metrics.observe(backoff, role)
            guard let reason = backoff.reason else { return logger.notice("the store accepts writes again") }
            let fields: LogFields = [
                "reason": .string(reason), "attempts": .number(backoff.attempts),
            ]
            if backoff.attempts == 1 {
                logger.error("the store refuses writes; reading is paused", fields)
            } else {
                logger.warning("the store still refuses", fields)
            }
        }
    }
}
