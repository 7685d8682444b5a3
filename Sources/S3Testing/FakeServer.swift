internal import Foundation
internal import Glibc
internal import Synchronization

/// An HTTP server that can simulate faults of real servers: to break off, to stay silent, to lose an answer. Each
/// request has its own connection, on its own thread.
public final class FakeServer: Sendable {
    /// Received request.
    public struct Request: Sendable {
        /// Method, as in `PUT`.
        public let method: String
        /// Path, encoded as it was sent.
        public let path: String
        /// Query, encoded as it was sent, without `?`.
        public let query: String
        /// Headers by their names in lower case.
        public let headers: [String: String]
        /// The whole body.
        public let body: [UInt8]
    }

    /// Reply to a request.
    public enum Reply: Sendable {
        /// A complete answer. For HEAD only the body's length is sent, unless a header specifies another.
        case answer(Int, [String: String] = [:], [UInt8] = [])
        /// The headers of an answer, and only this number of bytes of its body.
        case truncated(Int, [String: String] = [:], [UInt8], after: Int)
        /// No answer: the connection ends.
        case nothing
        /// No answer for this number of milliseconds, then the connection ends.
        case silence(Int)
    }

    /// URL of the server, for use as an endpoint.
    public let url: String
    private let descriptor: Int32
    private let handler: @Sendable (Request) -> Reply

    /// Starts to serve, on a free port of the loopback.
    ///
    /// - Parameter handler: Function that returns the reply; called on many threads.
    public init(_ handler: @escaping @Sendable (Request) -> Reply) {
        self.handler = handler
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = descriptor
        let isListening = withUnsafeMutableBytes(of: &address) { bytes -> Bool in
            guard let pointer = bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self) else { return false }
            return bind(descriptor, pointer, length) == 0 && listen(descriptor, 256) == 0
                && getsockname(descriptor, pointer, &length) == 0
        }
        precondition(isListening, "no port of the loopback is free")
        url = "http://127.0.0.1:\(UInt16(bigEndian: address.sin_port))"
        Thread.detachNewThread {
            while true {
                let connection = accept(descriptor, nil, nil)
                guard connection >= 0 else {
                    if errno == EINTR || errno == ECONNABORTED { continue }
                    // Closed here and not where it is shut down, because its number may have been reused by then.
                    close(descriptor)
                    return
                }
                Thread.detachNewThread {
                    Self.serve(connection, handler)
                    close(connection)
                }
            }
        }
    }

    deinit { shutdown(descriptor, Int32(SHUT_RDWR)) }

    private static func serve(_ connection: Int32, _ handler: (Request) -> Reply) {
        guard let request = read(connection) else { return }
        switch handler(request) {
        case .nothing: break
        case .silence(let milliseconds): usleep(UInt32(milliseconds * 1_000))
        case .answer(let status, let headers, let body):
            write(connection, head(status, headers, body) + (request.method == "HEAD" ? [] : body))
        case .truncated(let status, let headers, let body, let count):
            write(connection, head(status, headers, body) + body.prefix(count))
        }
    }

    private static func head(_ status: Int, _ headers: [String: String], _ body: [UInt8]) -> [UInt8] {
        var text = "HTTP/1.1 \(status) X\r\nConnection: close\r\n"
        let all = ["Content-Length": "\(body.count)"].merging(headers) { $1 }
        for (name, value) in all.sorted(by: { $0.key < $1.key }) { text += "\(name): \(value)\r\n" }
        return Array("\(text)\r\n".utf8)
    }

    private static func write(_ connection: Int32, _ bytes: [UInt8]) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }

    private static func read(_ connection: Int32) -> Request? {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        func more() -> Bool {
            let count = recv(connection, &chunk, chunk.count, 0)
            guard count > 0 else { return false }
            bytes += chunk[..<count]
            return true
        }
        let separator = Array("\r\n\r\n".utf8)
        var end: Int?
        while end == nil {
            guard more() else { return nil }
            end = bytes.firstRange(of: separator)?.upperBound
        }
        guard let end else { return nil }
        let lines = String(decoding: bytes[..<(end - 4)], as: UTF8.self).components(separatedBy: "\r\n")
        let first = lines[0].split(separator: " ")
        guard first.count == 3 else { return nil }
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { continue }
            headers[line[..<colon].lowercased()] = line[line.index(after: colon)...].trimmingCharacters(
                in: .whitespaces
            )
        }
        let length = headers["content-length"].flatMap { Int($0) } ?? 0
        while bytes.count < end + length { guard more() else { return nil } }
        let target = first[1].split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        return Request(
            method: String(first[0]),
            path: String(target[0]),
            query: target.count > 1 ? String(target[1]) : "",
            headers: headers,
            body: Array(bytes[end..<(end + length)])
        )
    }
}
