import Crdkafka

/// Owns one librdkafka client with its main and log queues. Used on one thread only.
final class ClientHandle {
    private(set) var client: OpaquePointer
    /// Errors of the client, and a producer's delivery reports.
    let mainQueue: OpaquePointer
    private let logQueue: OpaquePointer
    private var diagnostics: [KafkaDiagnostic] = []
    /// Last fault that kept the client from a broker, found `faultCount` times in a row; nil since `connected`.
    private(set) var fault: ConnectionFault?
    private(set) var faultCount = 0
    private var isOpen = true

    /// Most lines of the log that are kept between two calls of `takeDiagnostics`.
    private static let diagnosticsLimit = 256

    init(_ configuration: ClientConfiguration, operation: String) throws(KafkaError) {
        client = try configuration.open(operation: operation)
        guard let main = rd_kafka_queue_get_main(client), let log = rd_kafka_queue_new(client) else {
            rd_kafka_destroy(client)
            throw KafkaError(.fatal, operation: operation, code: "_FAIL", reason: "librdkafka made no queue")
        }
        mainQueue = main
        logQueue = log
        // Without this call, librdkafka writes to standard error. It acquires the reference that it needs.
        rd_kafka_set_log_queue(client, log)
    }

    deinit { close() }

    /// Frees the client; everything borrowed from it (messages, queues, topics) must be released before.
    func close() {
        guard isOpen else { return }
        isOpen = false
        rd_kafka_queue_destroy(mainQueue)
        rd_kafka_queue_destroy(logQueue)
        // A consumer was closed by its owner; closing it here again would wait for a group whose events are no longer
        // served.
        rd_kafka_destroy_flags(client, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE)
    }

    /// The error that made the client useless, if there is one.
    func fatalError(operation: String) -> KafkaError? {
        var reason = ErrorText()
        let code = reason.fill { rd_kafka_fatal_error(client, $0, $1) }
        guard code != RD_KAFKA_RESP_ERR_NO_ERROR else { return nil }
        return KafkaError(
            .fatal,
            operation: operation,
            code: String(cString: rd_kafka_err2name(code)),
            reason: reason.text
        )
    }

    /// Notes an event that requires no action: an error that librdkafka retries by itself, or an event of another type.
    func note(_ event: OpaquePointer) {
        if rd_kafka_event_type(event) == RD_KAFKA_EVENT_ERROR {
            let code = String(cString: rd_kafka_err2name(rd_kafka_event_error(event)))
            let text = rd_kafka_event_error_string(event).map { String(cString: $0) } ?? ""
            observe(text)
            append(KafkaDiagnostic(severity: 4, facility: code, text: text))
        } else {
            append(KafkaDiagnostic(severity: 5, facility: "EVENT", text: String(cString: rd_kafka_event_name(event))))
        }
    }

    func note(_ error: KafkaError) {
        append(KafkaDiagnostic(severity: 4, facility: error.code, text: error.description))
    }

    /// Moves the lines that librdkafka logged into the bounded list of diagnostics. Cheap if there are none.
    func drainLog() {
        guard isOpen else { return }
        while rd_kafka_queue_length(logQueue) > 0, let event = rd_kafka_queue_poll(logQueue, 0) {
            defer { rd_kafka_event_destroy(event) }
            var facility: UnsafePointer<CChar>?
            var text: UnsafePointer<CChar>?
            var level: Int32 = 6
            guard rd_kafka_event_log(event, &facility, &text, &level) == 0, let facility, let text else { continue }
            let line = String(cString: text)
            observe(line)
            append(KafkaDiagnostic(severity: Int(level), facility: String(cString: facility), text: line))
        }
    }

    func takeDiagnostics() -> [KafkaDiagnostic] {
        drainLog()
        defer { diagnostics.removeAll() }
        return diagnostics
    }

    /// Clears the fault; to be called once a broker has answered.
    func connected() {
        fault = nil
        faultCount = 0
    }

    /// Returns an error that describes the fault, in place of an error that only describes its consequence.
    func explained(_ error: KafkaError) -> KafkaError {
        guard let fault else { return error }
        switch error.code {
        case "_TRANSPORT", "_TIMED_OUT", "_ALL_BROKERS_DOWN", "_AUTHENTICATION", "_SSL":
            let (operation, reason) = (error.operation, fault.explanation)
            return KafkaError(error.disposition, operation: operation, code: fault.code, reason: reason)
        default: return error
        }
    }

    private func observe(_ text: String) {
        guard let found = ConnectionFault(text) else { return }
        // Errors that follow from a certificate's fault carry less information.
        guard found != .certificate || fault == nil else { return }
        faultCount = found == fault ? faultCount + 1 : 1
        fault = found
    }

    private func append(_ diagnostic: KafkaDiagnostic) {
        if diagnostics.count >= Self.diagnosticsLimit { diagnostics.removeFirst(Self.diagnosticsLimit / 2) }
        diagnostics.append(diagnostic)
    }
}

/// A line of librdkafka's log, or an error that it retries by itself.
public struct KafkaDiagnostic: Hashable, Sendable, CustomStringConvertible {
    /// As in syslog: 0 emergency … 3 error, 4 warning, 5 notice, 6 information, 7 debug.
    public let severity: Int
    /// The part of librdkafka that logged the line, or the name of an error code.
    public let facility: String
    /// Text of the line; it names brokers, but no secrets.
    public let text: String

    /// The facility and the text.
    public var description: String { "\(facility): \(text)" }
}
