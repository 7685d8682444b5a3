internal import EngineCore
internal import Events
internal import KafkaTransport
internal import Storage
internal import Telemetry

/// Stores that roles write to.
extension Worker {
    /// A store of this cluster's files, rid of what writers have left behind that were killed.
    func openStore(
        _ place: String,
        _ transport: KafkaStreamTransport,
        _ logger: Logger
    ) throws -> any ObjectStore {
        let store = try StorePlace(place).open(configuration.s3)
        try FolderOwner(cluster: transport.clusterID(), prefix: configuration.topics.prefix).claim(store)
        let removed = try store.removeLeftovers()
        if removed > 0 {
            logger.info("unfinished files removed", ["store": .string(store.location), "files": .number(removed)])
        }
        return store
    }

    /// Tells of work that a store refuses: the first time as an error, then as warnings, and once when it has passed.
    func watchBackoffs(_ role: Role, _ logger: Logger) -> (StorageBackoff) -> Void {
        metrics.observe(StorageBackoff(), role)
        return { [metrics] backoff in
            metrics.observe(backoff, role)
            guard let reason = backoff.reason else { return logger.notice("the store takes the work again") }
            let fields: LogFields = [
                "reason": .string(reason), "attempts": .number(backoff.attempts),
            ]
            if backoff.attempts == 1 {
                logger.error("the store refuses; nothing more is read until it does not", fields)
            } else {
                logger.warning("the store still refuses", fields)
            }
        }
    }
}
