import Crdkafka

/// Configuration of a librdkafka client: properties that may be overridden, properties that may not, and the events
/// that the client emits.
struct ClientConfiguration {
    enum Kind { case consumer, producer }

    var kind: Kind
    /// Set first, so that the user's properties win.
    var defaults: KafkaProperties = [:]
    var properties: KafkaProperties
    /// Properties that this module relies on; a different value in `properties` is an error.
    var required: KafkaProperties = [:]
    var events: Int32

    /// Opens the client, which takes ownership of the configuration handle; on failure, the handle is destroyed.
    func open(operation: String) throws(KafkaError) -> OpaquePointer {
        try checkRequired(operation: operation)
        guard let handle = rd_kafka_conf_new() else {
            throw KafkaError(.fatal, operation: operation, code: "_FAIL", reason: "no memory for a configuration")
        }
        do {
            let all = defaults.merging(properties).merging(required).merging(["log.queue": "true"])
            for (name, value) in all.entries { try Self.set(name, value, in: handle, operation: operation) }
        } catch {
            rd_kafka_conf_destroy(handle)
            throw error
        }
        crdkafka_name_certificate_faults(handle)
        rd_kafka_conf_set_events(handle, events)
        let type = kind == .consumer ? RD_KAFKA_CONSUMER : RD_KAFKA_PRODUCER
        var reason = ErrorText()
        let client = reason.fill { rd_kafka_new(type, handle, $0, $1) }
        guard let client else {
            let code = rd_kafka_last_error()
            rd_kafka_conf_destroy(handle)
            throw KafkaError(
                .fatal,
                operation: operation,
                code: String(cString: rd_kafka_err2name(code)),
                reason: reason.text
            )
        }
        return client
    }

    private func checkRequired(operation: String) throws(KafkaError) {
        for (name, value) in required.entries {
            guard let given = properties[name], given != value else { continue }
            throw KafkaError(
                .fatal,
                operation: operation,
                code: "_INVALID_ARG",
                reason: "property \(name) must be \(value), found \(given)"
            )
        }
    }

    private static func set(
        _ name: String,
        _ value: String,
        in handle: OpaquePointer,
        operation: String
    ) throws(KafkaError) {
        guard let fault = fault(of: name, value, in: handle) else { return }
        throw KafkaError(.fatal, operation: operation, code: "_INVALID_ARG", reason: "property \(name) \(fault)")
    }

    /// Sets a property and returns a description of its fault; nil if librdkafka accepted it.
    fileprivate static func fault(of name: String, _ value: String, in handle: OpaquePointer) -> String? {
        var reason = ErrorText()
        let result = reason.fill { rd_kafka_conf_set(handle, name, value, $0, $1) }
        guard result != RD_KAFKA_CONF_OK else { return nil }
        if result == RD_KAFKA_CONF_UNKNOWN { return "is not known to librdkafka \(KafkaLibrary.version)" }
        let shown = KafkaProperties.isSecret(name) ? "its value" : "“\(value)”"
        return "does not accept \(shown): \(reason.text)"
    }
}

extension KafkaProperties {
    /// Returns librdkafka's objection to one property, as a sentence that begins with its name; nil if it accepts
    /// the value. Faults of several properties together, and of files that they name, show when a client opens.
    public static func fault(of name: String, _ value: String) -> String? {
        guard let handle = rd_kafka_conf_new() else { return nil }
        defer { rd_kafka_conf_destroy(handle) }
        return ClientConfiguration.fault(of: name, value, in: handle).map { "\(name) \($0)" }
    }
}

/// The buffer into which librdkafka writes a reason.
struct ErrorText {
    private var bytes = [CChar](repeating: 0, count: 512)

    mutating func fill<R>(_ body: (UnsafeMutablePointer<CChar>?, Int) -> R) -> R {
        bytes.withUnsafeMutableBufferPointer { body($0.baseAddress, $0.count) }
    }

    var text: String {
        String(decoding: bytes.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

/// The librdkafka that this process uses.
public enum KafkaLibrary {
    /// As in `2.0.2`.
    public static var version: String { String(cString: rd_kafka_version_str()) }

    /// As in `0x020002ff`: major, minor, revision, pre-release.
    static var number: Int32 { rd_kafka_version() }
}
