import Console
import Dispatch
import EngineCore
import Foundation
import Fuzzing
import Glibc
import Processes
import Statistics
import Telemetry
import Worker

/// The worker's health and metrics: requests as untrusted clients write them, on one connection each, and a health
/// request after each.
final class HTTPTarget: FuzzTarget {
    let name = "http"
    let weight = 1.0
    private let stop = StopFlag()
    private let port: UInt16
    private static let lines = [
        "GET / HTTP/1.1", "GET /health/live HTTP/1.1", "GET /metrics HTTP/1.1", "HEAD /health/ready HTTP/1.1",
        "POST / HTTP/1.1", "GET / HTTP/1.0", "GET /", "BREW /pot HTTP/1.1", "GET http://evil.example/ HTTP/1.1",
        "GET /%00 HTTP/1.1", "GET /%zz?%=%&&=&a=%C3%28 HTTP/1.1", "GET /a%2F..%2Fb/../c HTTP/1.1", "GET  HTTP/1.1",
        "\0\0",
        "PRI * HTTP/2.0", "GET / HTTP/9.9", "GET\t/\tHTTP/1.1",
    ]
    private static let headers = [
        "Host: localhost", "Host: 127.0.0.1", "Host: evil.example", "Host:", "host: [::1]:80", "Content-Length: 3",
        "Content-Length: -1", "Content-Length: 18446744073709551616", "Content-Length: 99999999",
        "Transfer-Encoding: chunked",
        "Transfer-Encoding: gzip, chunked", "Expect: 100-continue", "Connection: close", "Connection: keep-alive",
        "Cookie: a=b; c", " folded", "NoColon", ": empty", "X: \u{202E}", "Upgrade: h2c", "Range: bytes=0-",
    ]
    private static let bodies = [
        "abc", "3\r\nabc\r\n0\r\n\r\n", "ffffffffffffffff\r\n", "-1\r\n", "0\r\n\r\n", "zz\r\n",
    ]

    init() throws {
        let health = WorkerHealth()
        health.set(.intake, .running, partitions: 1, at: WallClock.now())
        let registry = MetricsRegistry()
        registry.counter("flywheel_fuzz_total", help: "x", labels: ["name": "\"\\\n\u{202E}"]).increment(by: 1)
        let stop = stop
        // The console is created, used and released on one thread.
        let handoff = PortHandoff()
        Thread.detachNewThread {
            do {
                let console = try Console(
                    host: "127.0.0.1",
                    port: 0,
                    health: health,
                    registry: registry,
                    logger: .disabled
                )
                handoff.send(console.port)
                try console.run(until: stop)
            } catch {
                handoff.send(0)
            }
        }
        port = handoff.wait()
        guard port != 0 else { throw FuzzFault("the console could not listen") }
    }

    deinit { stop.raise() }

    /// Passes the port from the console's thread to the fuzzer's.
    private final class PortHandoff: Sendable {
        private let semaphore = DispatchSemaphore(value: 0)
        private nonisolated(unsafe) var port: UInt16 = 0

        func send(_ port: UInt16) {
            self.port = port
            semaphore.signal()
        }

        func wait() -> UInt16 {
            semaphore.wait()
            return port
        }
    }

    func run(_ generator: inout SplitMix64, _ recorder: InputRecorder, _ outcomes: inout FuzzOutcomes) throws {
        var text = ""
        for _ in 0..<(generator.chance(0.2) ? 2 : 1) {
            text += generator.pick(Self.lines) + "\r\n"
            for _ in 0..<generator.size(below: 10) { text += generator.pick(Self.headers) + "\r\n" }
            if generator.chance(0.05) {
                text += "X-Long: " + String(repeating: "x", count: generator.size(below: 100_000)) + "\r\n"
            }
            text += "\r\n"
            if generator.chance(0.3) { text += generator.pick(Self.bodies) }
        }
        var bytes = Array(text.utf8)
        if generator.chance(0.5) { ByteMutator.mutate(&bytes, &generator) }
        recorder.step(["text": .blob(bytes)])
        try check(bytes, &outcomes)
    }

    func replay(_ steps: [JSONTree], _ outcomes: inout FuzzOutcomes) throws {
        for step in steps { try check(step["text"]?.blob ?? [], &outcomes) }
    }

    private func check(_ bytes: [UInt8], _ outcomes: inout FuzzOutcomes) throws {
        let answer = try exchange(bytes)
        outcomes.add("http", Self.status(answer))
        let health = try exchange(
            Array("GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".utf8)
        )
        guard ["200", "503"].contains(Self.status(health)) else {
            throw FuzzFault("health answers \(Self.status(health)) behind it")
        }
        // The content of a request never becomes a header or a line of the response.
        let head = String(decoding: answer, as: UTF8.self).components(separatedBy: "\r\n\r\n").first ?? ""
        if head.contains("\u{202E}") || head.lowercased().contains("evil.example") {
            throw FuzzFault("the answer's headers quote the request: \(head.prefix(300))")
        }
    }

    private static func status(_ answer: [UInt8]) -> String {
        let words = String(decoding: answer.prefix(64), as: UTF8.self).split(separator: " ")
        return words.count > 1 && words[0].hasPrefix("HTTP/") ? String(words[1]) : "no answer"
    }

    /// Sends bytes, shuts down the sending side, and reads until the server closes, for two seconds at most.
    private func exchange(_ bytes: [UInt8]) throws -> [UInt8] {
        let connection = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard connection >= 0 else { throw FuzzFault("no socket: \(String(cString: strerror(errno)))") }
        defer { close(connection) }
        var maximumWait = timeval(tv_sec: 2, tv_usec: 0)
        let size = socklen_t(MemoryLayout<timeval>.size)
        setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &maximumWait, size)
        setsockopt(connection, SOL_SOCKET, SO_SNDTIMEO, &maximumWait, size)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let isConnected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(connection, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        guard isConnected else {
            throw FuzzFault("the console takes no connection: \(String(cString: strerror(errno)))")
        }
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                Glibc.send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { break }
            sent += count
        }
        shutdown(connection, Int32(SHUT_WR))
        var answer: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16_384)
        while answer.count < 1 << 20 {
            let count = recv(connection, &buffer, buffer.count, 0)
            guard count > 0 else { break }
            answer += buffer[..<count]
        }
        return answer
    }
}
