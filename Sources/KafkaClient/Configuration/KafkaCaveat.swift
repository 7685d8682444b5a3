import Crdkafka

/// Limitation of this process's librdkafka with given properties, described in words.
public struct KafkaCaveat: Hashable, Sendable, CustomStringConvertible {
    /// Whether no client can work; otherwise, it depends on the brokers.
    public let isFatal: Bool
    /// Consequence to expect and action to perform, as text.
    public let description: String

    /// Caveats of these properties, to be reported before any broker is contacted.
    public static func all(_ properties: KafkaProperties) -> [KafkaCaveat] {
        all(properties, library: KafkaLibrary.number, version: KafkaLibrary.version)
    }

    static func all(_ properties: KafkaProperties, library: Int32, version: String) -> [KafkaCaveat] {
        var found: [KafkaCaveat] = []
        if library >> 8 == 0x0201_00 {
            found.append(
                KafkaCaveat(
                    isFatal: true,
                    description:
                        "librdkafka \(version) does not count the polling of queues, so every consumer would be taken for "
                        + "dead after max.poll.interval.ms: install another version, 2.1.1 or newer"
                )
            )
        }
        let mechanism = properties["sasl.mechanism"] ?? properties["sasl.mechanisms"] ?? ""
        if mechanism.uppercased().hasPrefix("SCRAM"), library >> 8 < 0x0206_01 {
            found.append(
                KafkaCaveat(
                    isFatal: false,
                    description:
                        "SASL SCRAM of librdkafka \(version) repeats its nonce, and Kafka 4 refuses that as invalid "
                        + "credentials: against Kafka 4 install librdkafka 2.6.1 or newer, or use PLAIN over TLS or mutual TLS"
                )
            )
        }
        return found
    }
}
