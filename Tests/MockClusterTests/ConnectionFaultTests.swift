import KafkaClient
import KafkaTesting
import Testing

@Suite("Connection faults, recognized from librdkafka's messages")
struct ConnectionFaultTests {
    private static let certificate = "Certificate (subject=/CN=b, issuer=/CN=ca) verification callback failed: "

    /// Messages of librdkafka 2.0.2 and 2.16.1, without addresses and threads.
    private static let lines: [(line: String, fault: ConnectionFault?)] = [
        ("SASL authentication error: Authentication failed: Invalid username or password (after 302ms)", .credentials),
        (
            "SASL authentication error: Authentication failed during authentication due to invalid credentials with SASL "
                + "mechanism SCRAM-SHA-512 (after 332ms in state AUTH_REQ)", .credentials
        ),
        (
            "SASL SCRAM-SHA-256 mechanism handshake failed: Broker: Unsupported SASL mechanism: broker's supported "
                + "mechanisms: PLAIN,SCRAM-SHA-512 (after 302ms in state AUTH_HANDSHAKE)",
            .mechanism(offered: "PLAIN, SCRAM-SHA-512")
        ),
        (
            "SASL PLAIN mechanism handshake failed: Broker: Request not valid in current SASL state: broker's supported "
                + "mechanisms:  (after 4ms in state AUTH_HANDSHAKE)", .saslUnexpected
        ),
        (
            "Disconnected: verify that security.protocol is correctly configured, broker might require SASL "
                + "authentication (after 7ms in state UP)", .saslMissing
        ),
        ("ssl://h:1/bootstrap: Disconnected: SSL connection closed by peer (after 1ms in state UP)", .saslMissing),
        (certificate + "x509 error 20 at depth 0", .untrusted),
        (certificate + "x509 error 10 at depth 0", .expired),
        (certificate + "x509 error 9 at depth 0", .notYetValid),
        (certificate + "x509 error 62 at depth 0", .hostName),
        (
            "Certificate (subject=/CN=x509 error 10 , issuer=/CN=ca) verification callback failed: x509 error 64 at depth 0",
            .hostName
        ),
        ("Certificate (subject=/CN=b) verification callback failed: x509 error 26 at depth 0", .certificate),
        ("error:0A000086:SSL routines::certificate verify failed (after 1ms in state SSL_HANDSHAKE)", .certificate),
        (
            "Receive failed: error:0A000412:SSL routines::sslv3 alert bad certificate: SSL alert number 42",
            .clientCertificate
        ),
        ("Receive failed: error:0A000412:SSL routines::ssl/tls alert bad certificate: SSL alert", .clientCertificate),
        (
            "error:0A000126:SSL routines::unexpected eof while reading (after 2ms in state SSL_HANDSHAKE)",
            .tlsToPlaintext
        ),
        (
            "SSL handshake failed: Disconnected: SSL connection closed by peer: connecting to a PLAINTEXT broker listener? "
                + "(after 3ms in state SSL_HANDSHAKE)", .tlsToPlaintext
        ),
        (
            "Disconnected while requesting ApiVersion: might be caused by incorrect security.protocol configuration "
                + "(connecting to a SSL listener?) or broker version is < 0.10", .plaintextToTLS
        ),
        (
            "h:1/bootstrap: Disconnected: connection closed by peer: receive 0 after POLLIN (after 1ms in state "
                + "APIVERSION_QUERY)", .plaintextToTLS
        ),
        ("Connect to ipv4#127.0.0.1:1 failed: Connection refused (after 0ms in state CONNECT)", nil),
        ("Failed to resolve 'no.such.host:9092': Name or service not known (after 0ms in state CONNECT)", nil),
        ("Disconnected: connection closed by peer: receive 0 after POLLIN (after 7012ms in state UP)", nil),
        ("1/1 brokers are down", nil),
    ]

    @Test("Each message is classified as its fault", arguments: lines.indices)
    func classified(index: Int) {
        let (line, fault) = Self.lines[index]
        #expect(ConnectionFault(line) == fault, "\(line)")
    }

    @Test("A broker that answers is reachable, and one that is down is not a fault of the connection")
    func reachable() throws {
        let cluster = try MockCluster()
        #expect(try KafkaConnection.check(cluster.properties))
        #expect(try !KafkaConnection.check(["bootstrap.servers": "127.0.0.1:1"], timeoutMilliseconds: 500))
    }

    @Test("An unknown mechanism is refused before any broker is contacted")
    func unknownMechanism() {
        let error = failure {
            try KafkaConnection.check([
                "bootstrap.servers": "127.0.0.1:1", "security.protocol": "sasl_plaintext", "sasl.mechanism": "NOPE",
            ])
        }
        #expect(error?.disposition == .fatal && error?.reason.contains("NOPE") == true)
    }
}
