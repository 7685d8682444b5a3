import Foundation
import Glibc
import Testing

@testable import HTTPServer

/// A client that sends arbitrary bytes; its socket is closed when it is released.
private final class RawClient {
    let descriptor: Int32

    init(_ server: HTTPServer) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
        try #require(descriptor >= 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = server.port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        _ = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }

    deinit { close(descriptor) }

    func send(_ text: String) {
        let bytes = Array(text.utf8)
        _ = Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
    }

    func endSending() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// Received text; empty at the end of the connection, nil if nothing has arrived yet.
    func receive() -> String? {
        var bytes = [UInt8](repeating: 0, count: 4_096)
        let count = recv(descriptor, &bytes, bytes.count, 0)
        if count > 0 { return String(decoding: bytes[..<count], as: UTF8.self) }
        return count == 0 || (errno != EAGAIN && errno != EWOULDBLOCK) ? "" : nil
    }

    /// Serves until the client has received an answer or the end of the connection, for at most two seconds.
    func answer(_ server: HTTPServer) throws -> String? {
        let end = monotonicMilliseconds() + 2_000
        while monotonicMilliseconds() < end {
            try server.runOnce(wait: .milliseconds(5))
            if let text = receive() { return text }
        }
        return nil
    }
}

private let healthRequest = "GET /health/live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
private let partialRequest = "GET /health/live HTTP/1.1\r\nHost: "

private func makeServer(_ limits: ConnectionLimits) throws -> HTTPServer {
    try HTTPServer(limits: limits) { _ in .text("live") }
}

@Suite("Hostile connections", .serialized) struct HostileConnectionTests {
    @Test(
        "After 400 misused connections, the next client is answered at once",
        arguments: ["silent", "part", "half open", "closed", "endless headers", "unread answers"]
    )
    func storm(kind: String) throws {
        let server = try makeServer(ConnectionLimits(total: 64, perPeer: 32, maximumWait: 60_000))
        var clients: [RawClient] = []
        for _ in 0..<400 {
            let client = try RawClient(server)
            switch kind {
            case "part": client.send(partialRequest)
            case "half open":
                client.send(partialRequest)
                client.endSending()
            case "closed":
                client.send(partialRequest)
                continue
            case "endless headers": client.send(partialRequest + String(repeating: "x", count: 40_000))
            case "unread answers": client.send(healthRequest)
            default: break
            }
            clients.append(client)
        }
        for _ in 0..<8 {
            let client = try RawClient(server)
            client.send(healthRequest)
            let began = monotonicMilliseconds()
            let answer = try client.answer(server)
            #expect(answer?.hasPrefix("HTTP/1.1 200") == true)
            #expect(monotonicMilliseconds() - began < 500)
        }
        #expect(clients.count == (kind == "closed" ? 0 : 400))
    }

    @Test("A client that trickles bytes times out like a silent one, and one that sends requests does not")
    func maximumWait() throws {
        let server = try makeServer(ConnectionLimits(maximumWait: 300))
        let (slow, silent, busy) = (try RawClient(server), try RawClient(server), try RawClient(server))
        slow.send("GET ")
        let end = monotonicMilliseconds() + 900
        var answers = 0
        while monotonicMilliseconds() < end {
            slow.send("/")
            busy.send(healthRequest)
            if try busy.answer(server)?.hasPrefix("HTTP/1.1 200") == true { answers += 1 }
            usleep(20_000)
        }
        #expect(server.dropped == 2)
        #expect(answers > 5)
        #expect(slow.receive() == "")
        #expect(silent.receive() == "")
    }

    @Test("Endless headers are refused")
    func headers() throws {
        let server = try makeServer(ConnectionLimits())
        let client = try RawClient(server)
        client.send("GET / HTTP/1.1\r\nHost: localhost\r\nX: " + String(repeating: "x", count: 60_000))
        #expect(try client.answer(server)?.hasPrefix("HTTP/1.1 431") != false)
    }

    @Test(
        "On the loopback address only requests for a loopback host are answered",
        arguments: [
            ("localhost", true), ("LocalHost:8080", true), ("127.0.0.1", true), ("127.8.9.10:65535", true),
            ("[::1]", true), ("[::1]:80", true), ("evil.example", false), ("127.0.0.1.evil.example", false),
            ("localhost.evil.example", false), ("128.0.0.1", false), ("127.0.0", false), ("", false),
            ("localhost:80:80", false), ("localhost:x", false), ("[::1].evil", false), ("127.0.0.256", false),
        ]
    )
    func host(host: String, isAnswered: Bool) throws {
        let server = try makeServer(ConnectionLimits())
        let client = try RawClient(server)
        client.send("GET / HTTP/1.1\r\nHost: \(host)\r\n\r\n")
        #expect(try client.answer(server)?.hasPrefix("HTTP/1.1 \(isAnswered ? 200 : 421)") == true)
    }

    @Test("At capacity the longest idle connection of the same peer, or of the peer with the most, is closed")
    func table() {
        var table = ConnectionTable(ConnectionLimits(total: 4, perPeer: 3, maximumWait: 100))
        #expect(table.admit(1, peer: 7, at: 0) == nil)
        #expect(table.admit(2, peer: 7, at: 1) == nil)
        #expect(table.admit(3, peer: 7, at: 2) == nil)
        table.advance(1, at: 3)
        #expect(table.admit(4, peer: 7, at: 4) == 2)
        #expect(table.admit(5, peer: 8, at: 5) == nil)
        #expect(table.admit(6, peer: 9, at: 6) == 3)
        table.remove(2)
        table.remove(3)
        // A connection closed by its client frees capacity.
        table.remove(1)
        #expect(table.admit(7, peer: 7, at: 7) == nil)
        #expect(table.overdue(at: 103).isEmpty)
        #expect(table.overdue(at: 105) == [4, 5])
        #expect(table.overdue(at: 105).isEmpty)
        #expect(table.evictOldest() == 6)
        #expect(table.count == 4)
        for descriptor: Int32 in 4...7 { table.remove(descriptor) }
        #expect(table.count == 0)
        #expect(table.evictOldest() == nil)
    }

    @Test("A descriptor that the system reuses is a new connection")
    func reuse() {
        var table = ConnectionTable(ConnectionLimits(total: 8, perPeer: 8, maximumWait: 100))
        for round in 0..<1_000 {
            #expect(table.admit(5, peer: 1, at: Int64(round)) == nil)
            table.advance(5, at: Int64(round))
            table.remove(5)
        }
        #expect(table.admit(5, peer: 1, at: 1_000) == nil)
        #expect(table.overdue(at: 1_099).isEmpty)
        #expect(table.overdue(at: 1_100) == [5])
    }
}
