import Synchronization

/// Speaks HTTP/1.1 to servers, over libcurl: one exchange a call, on the caller's thread, which waits for it.
///
/// Nothing is followed: a redirection is an answer like any other. Certificates are checked against the system's; a proxy is
/// used where the environment names one, as libcurl does (`https_proxy`, `no_proxy`). Safe from any thread; connections are
/// kept and used again, one for each thread that sends at once.
public final class HTTPClient: Sendable {
    /// How long a server may keep us waiting, in milliseconds.
    public struct Limits: Hashable, Sendable {
        /// For a connection, at least 1.
        public var connecting: Int64
        /// Without a byte in either direction, at least 1,000; whole seconds count.
        public var silence: Int64

        /// The limits.
        public init(connecting: Int64 = 5_000, silence: Int64 = 15_000) {
            self.connecting = connecting
            self.silence = silence
        }
    }

    private let limits: Limits
    private let idle = Mutex<[CurlHandle]>([])
    /// Unused connections that are kept; more than this many threads at once create new ones each time.
    private static let kept = 16

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
        let kept = idle.withLock { $0.popLast() }
        let handle: CurlHandle
        if let kept { handle = kept } else { handle = try CurlHandle() }
        defer {
            idle.withLock { idle in
                if idle.count < Self.kept { idle.append(handle) }
            }
        }
        return try handle.send(call, body: body, limits: limits, maximumSize: maximumSize)
    }
}
