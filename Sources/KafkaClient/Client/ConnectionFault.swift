/// Reason why no connection to a broker is established although a broker answers: derived from the errors and log lines
/// of librdkafka.
///
/// librdkafka reports most of these under codes that represent several reasons (`_SSL`, `_TRANSPORT`), retries for
/// ever, and words some of them differently from version to version. All code that parses its wording is in this file;
/// the wording is that of 2.0.2 and of 2.16.1, and OpenSSL's.
public enum ConnectionFault: Hashable, Sendable {
    /// The broker does not know the user, or the password is wrong.
    case credentials
    /// The broker supports other SASL mechanisms; `offered` lists the ones that it named.
    case mechanism(offered: String)
    /// The listener does not support SASL.
    case saslUnexpected
    /// The listener requires SASL.
    case saslMissing
    /// No authority that is trusted here has signed the broker's certificate.
    case untrusted
    /// The broker's certificate has expired.
    case expired
    /// The broker's certificate is not valid yet, by the clock of this machine.
    case notYetValid
    /// The broker's certificate is for other host names.
    case hostName
    /// The broker's certificate is not valid, for a reason that has no case of its own.
    case certificate
    /// The broker refuses the client's certificate, or requires one.
    case clientCertificate
    /// A client without TLS at a listener with TLS.
    case plaintextToTLS
    /// A client with TLS at a listener without TLS.
    case tlsToPlaintext

    /// One sentence: the fault, and the property to check.
    public var explanation: String {
        switch self {
        case .credentials:
            "the broker refuses user name or password: check sasl.username and sasl.password (SCRAM needs librdkafka 2.6.1 "
                + "or newer against Kafka 4; this is \(KafkaLibrary.version))"
        case .mechanism(let offered):
            "the broker does not support this SASL mechanism: set sasl.mechanism to one of "
                + (offered.isEmpty ? "the listener's" : offered)
        case .saslUnexpected:
            "the listener does not use SASL: set security.protocol to ssl or plaintext, or use the port of another listener"
        case .saslMissing:
            "the listener requires SASL: set security.protocol to sasl_ssl, and the sasl.* properties"
        case .untrusted:
            "the broker's certificate is signed by no authority that is trusted here: check ssl.ca.location"
        case .expired: "the broker's certificate has expired: renew it (or this machine's clock is wrong)"
        case .notYetValid: "the broker's certificate is not valid yet: check this machine's clock"
        case .hostName:
            "the broker's certificate is for another host name: use a name that it contains in bootstrap.servers and in "
                + "the broker's advertised.listeners"
        case .certificate: "the broker's certificate could not be verified: check it and ssl.ca.location"
        case .clientCertificate:
            "the broker refuses the client's certificate, or requires one: check ssl.certificate.location and ssl.key.location"
        case .plaintextToTLS:
            "the listener speaks TLS and this client does not: set security.protocol to ssl or sasl_ssl"
        case .tlsToPlaintext:
            "this client speaks TLS and the listener does not: set security.protocol to plaintext or sasl_plaintext, or use "
                + "the port of another listener"
        }
    }

    /// The code of an error that reports the fault.
    public var code: String {
        switch self {
        case .credentials, .mechanism, .saslUnexpected, .saslMissing: "_AUTHENTICATION"
        default: "_SSL"
        }
    }

    /// Whether a broker that is just starting or stopping may show the same fault for a short time.
    var mayBeTransient: Bool {
        switch self {
        case .plaintextToTLS, .tlsToPlaintext, .saslMissing: true
        default: false
        }
    }

    /// The fault that a line of librdkafka reports; nil if it reports none.
    public init?(_ text: String) {
        func has(_ part: String) -> Bool { text.contains(part) }
        if has("Unsupported SASL mechanism") {
            let range = text.firstRange(of: "supported mechanisms: ")
            let offered = range.map { text[$0.upperBound...].prefix { $0 != " " } } ?? ""
            self = .mechanism(offered: offered.split(separator: ",").joined(separator: ", "))
        } else if has("not valid in current SASL state") {
            self = .saslUnexpected
        } else if has("SASL authentication error") || has("SASL authentication failed") || has("invalid credentials") {
            self = .credentials
        } else if has(Self.certificateWords) {
            guard let fault = Self.certificate(text) else { return nil }
            self = fault
        } else if has("certificate verify failed") {
            self = .certificate
        } else if has("alert bad certificate") || has("alert certificate required") || has("alert unknown ca")
            || has("alert certificate expired") || has("alert certificate unknown") || has("alert handshake failure")
        {
            self = .clientCertificate
        } else if has("connecting to a PLAINTEXT broker listener")
            || has("SSL_HANDSHAKE") && (has("unexpected eof") || has("wrong version number"))
        {
            self = .tlsToPlaintext
        } else if has("might require SASL authentication") || has("SSL connection closed by peer") && has("in state UP")
        {
            self = .saslMissing
        } else if has("connecting to a SSL listener")
            || has("APIVERSION_QUERY") && has("closed by peer") && !has("ssl://")
        {
            self = .plaintextToTLS
        } else {
            return nil
        }
    }

    /// Words that the shim's verification callback writes before OpenSSL's error number.
    private static let certificateWords = "x509 error "

    /// Returns the fault for OpenSSL's X509_V_ERR_… number in the text; these numbers do not change.
    private static func certificate(_ text: String) -> ConnectionFault? {
        // The last match: names from the certificate precede it.
        guard let range = text.ranges(of: certificateWords).last,
            let number = Int(text[range.upperBound...].prefix { $0.isNumber })
        else { return nil }
        switch number {
        case 2, 18, 19, 20, 21, 24, 27: return .untrusted
        case 9: return .notYetValid
        case 10: return .expired
        case 62, 64: return .hostName
        default: return .certificate
        }
    }
}
