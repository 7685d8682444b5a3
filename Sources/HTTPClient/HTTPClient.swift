import Synchronization

/// Client for HTTP/1.1 on libcurl: one exchange per call, on the caller's thread, which waits for it.
///
/// Redirections are not followed: they are answers like any other. Certificates are checked against those of the
/// system. A proxy is used if the environment names one, as with libcurl (`https_proxy`, `no_proxy`). Safe from any
/// thread; connections are kept and used again, one for each thread that sends at the same time.
public final class HTTPClient: Sendable {
    /// Maximum times to wait for a server, in milliseconds.
    public struct Limits: Hashable, Sendable {
        /// Maximum wait for a connection; at least 1.
        public var connectTimeout: Int64
        /// Maximum time without a byte in either direction, at least 1,000; whole seconds count.
        public var idleTimeout: Int64

        /// The limits.
        public init(connectTimeout: Int64 = 5_000, idleTimeout: Int64 = 15_000) {
            self.connectTimeout = connectTimeout
            self.idleTimeout = idleTimeout
        }
    }

    private let limits: Limits
    private let idle = Mutex<[CurlHandle]>([])
    /// Maximum number of unused connections that are kept; if more threads send at the same time, the others create a
    /// new connection each time.
    private static let maximumIdle = 16

    /// A client without a connection.
    public init(limits: Limits = Limits()) { self.limits = limits }

    /// Sends a call, and waits for the whole answer, whatever its status.
    ///
    /// - Parameters:
    ///   - call: Call to send.
    ///   - body: The request's body, for `post`, `put` and `delete`.
    ///   - maximumSize: Maximum size of an answer's body, in bytes.
    /// - Returns: The answer.
    /// - Throws: `HTTPClientError` if there is no answer, or not all of it.
    public func send(
        _ call: HTTPCall,
        body: UnsafeRawBufferPointer = UnsafeRawBufferPointer(start: nil, count: 0),
        maximumSize: Int = 1 << 20
    ) throws(HTTPClientError) -> HTTPAnswer {
        let reused = idle.withLock { $0.popLast() }
        let handle: CurlHandle
        if let reused { handle = reused } else { handle = try CurlHandle() }
        defer {
            idle.withLock { idle in
                if idle.count < Self.maximumIdle { idle.append(handle) }
            }
        }
        return try handle.send(call, body: body, limits: limits, maximumSize: maximumSize)
    }
}
