import Crdkafka

/// Checks whether a cluster accepts a client at all, before any request is sent.
///
/// librdkafka retries for ever, whatever the reason is; a call then ends with its own timeout, which does not state the
/// reason. This check reports a user name, a certificate or a protocol that cannot work as such, within a second or
/// two.
public enum KafkaConnection {
    /// Milliseconds from the first sign of a fault until it is reported; another broker may still answer meanwhile.
    private static let grace = 700
    /// Milliseconds from the first sign until the report of a fault that a starting broker may show, too; the fault
    /// must also have been found `minimumFaults` times.
    private static let longGrace = 1_500
    private static let minimumFaults = 3

    /// Returns once a broker has answered: for callers that cannot continue without one, and for a person who waits.
    ///
    /// - Parameters:
    ///   - properties: As for any client.
    ///   - timeoutMilliseconds: How long to wait.
    /// - Throws: The errors of `check`; and `.retry` if no broker has answered in time.
    public static func require(
        _ properties: KafkaProperties,
        timeoutMilliseconds: Int = 7_000
    ) throws(KafkaError) {
        guard try !check(properties, timeoutMilliseconds: timeoutMilliseconds) else { return }
        throw KafkaError(
            .retry,
            operation: "connect to \(properties["bootstrap.servers"] ?? "a broker")",
            code: "_ALL_BROKERS_DOWN",
            reason: "no broker has answered within \(timeoutMilliseconds / 1_000) s"
        )
    }

    /// Returns once a broker has answered, and after the timeout if none can be reached: the caller then waits for a
    /// broker elsewhere.
    ///
    /// - Parameters:
    ///   - properties: As for any client; names of groups and transactions are ignored.
    ///   - timeoutMilliseconds: How long to wait for an answer, or for a reason why there is none.
    /// - Returns: Whether a broker has answered.
    /// - Throws: `.fatal`, with the explanation of `ConnectionFault`, if every broker that answers rejects the client;
    ///   and with the name of a property that librdkafka does not accept.
    @discardableResult
    public static func check(
        _ properties: KafkaProperties,
        timeoutMilliseconds: Int = 4_000
    ) throws(KafkaError) -> Bool {
        let operation = "connect to \(properties["bootstrap.servers"] ?? "a broker")"
        var clientProperties = properties
        for name in ["group.id", "group.instance.id", "transactional.id"] { clientProperties[name] = nil }
        // Each attempt reports a fault; attempts on the same address are at least this far apart.
        for name in ["reconnect.backoff.ms", "reconnect.backoff.max.ms"] { clientProperties[name] = "100" }
        // Some versions report a disconnect only in their log, at the information level.
        clientProperties["log_level"] = "6"
        clientProperties["log.connection.close"] = "true"
        let handle = try ClientHandle(
            ClientConfiguration(kind: .producer, properties: clientProperties, events: RD_KAFKA_EVENT_ERROR),
            operation: operation
        )
        defer { handle.close() }
        let deadline = Deadline(milliseconds: timeoutMilliseconds)
        var firstSign: ContinuousClock.Instant?
        while !deadline.hasPassed {
            let answer = Result { () throws(KafkaError) in
                try Metadata.read(handle.client, timeout: 100, operation: operation, allTopics: false) { $0.broker_cnt }
            }
            if case .success = answer { return true }
            handle.drainLog()
            // Also the pause before the next try.
            while let event = rd_kafka_queue_poll(handle.mainQueue, deadline.slice(atMost: 50)) {
                handle.note(event)
                rd_kafka_event_destroy(event)
            }
            guard let fault = handle.fault else { continue }
            let since = firstSign ?? .now
            firstSign = since
            let passed = since.duration(to: .now)
            let isSure =
                fault.mayBeTransient
                ? handle.faultCount >= minimumFaults && passed >= .milliseconds(longGrace)
                : passed >= .milliseconds(grace)
            guard isSure else { continue }
            throw KafkaError(.fatal, operation: operation, code: fault.code, reason: fault.explanation)
        }
        return false
    }
}
