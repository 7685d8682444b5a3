import CMicroHTTPD
import Glibc
public import Telemetry

/// A small HTTP server without a thread of its own: it serves while `run` or `runOnce` is called, on the caller's
/// thread.
///
/// It is created, used and released on one thread. GET, HEAD and POST are served, other methods get 405; a body over
/// the limit gets 413, headers over 16 KiB get 431. It serves plain HTTP and has no users: bind it to the loopback
/// address, or put a proxy in front of it. On a loopback address it answers only requests whose `Host` is a loopback
/// address or `localhost`, so that no page of another site can send it requests under a name of its own.
///
/// Clients that keep connections open without using them do not exclude others: see `ConnectionLimits` and
/// `ConnectionTable`.
public final class HTTPServer {
    /// Function that answers a request. It runs on the thread of `run`; a slow one delays the other clients.
    public typealias Handler = (HTTPRequest) -> HTTPResponse

    /// The port it listens on.
    public let port: UInt16
    /// Connections that were closed because their time expired or to free capacity for others, since the start.
    public private(set) var dropped = 0
    private let socket: ListeningSocket
    private let daemon: OpaquePointer
    private let context: HandlerContext
    /// Maximum number of connections accepted in one cycle, so that existing connections are served in between.
    private static let acceptedAtOnce = 64

    /// Reason why no server can listen on an address, even if it is free; nil for an IPv4 address in digits.
    public static func fault(ofAddress address: String) -> String? { ListeningSocket.fault(ofAddress: address) }

    /// Starts to listen.
    ///
    /// - Parameters:
    ///   - address: The IPv4 address to listen on, in digits.
    ///   - port: The port to listen on; 0 selects a free port. A port in use is an error.
    ///   - maximumBodySize: The largest body of a request, in bytes.
    ///   - limits: Maximum number of connected clients, and maximum time for which a client may do nothing.
    ///   - logger: Logger for refused requests, at `debug`.
    ///   - handler: Function that answers a request.
    /// - Throws: `HTTPServerError` if the address is not available.
    public init(
        address: String = "127.0.0.1",
        port: UInt16 = 0,
        maximumBodySize: Int = 1 << 20,
        limits: ConnectionLimits = ConnectionLimits(),
        logger: Logger = .disabled,
        handler: @escaping Handler
    ) throws(HTTPServerError) {
        socket = try ListeningSocket(address: address, port: port)
        self.port = socket.port
        context = HandlerContext(
            handler: handler,
            maximumBodySize: maximumBodySize,
            isLoopback: socket.isLoopback,
            connections: ConnectionTable(limits),
            logger: logger
        )
        errno = 0
        // The context outlives the daemon, which `deinit` stops first. The daemon closes connections marked for closing
        // in its next cycle, and so has at times a few connections more than the limit.
        let daemon = flywheel_mhd_start(
            UInt32(clamping: limits.total + 4 * Self.acceptedAtOnce),
            16 << 10,
            answerRequest,
            Unmanaged.passUnretained(context).toOpaque(),
            forgetRequest,
            noteConnection
        )
        guard let daemon else {
            throw HTTPServerError(
                operation: "listen on \(address):\(port)",
                reason: String(cString: strerror(errno))
            )
        }
        self.daemon = daemon
    }

    deinit { withExtendedLifetime(context) { MHD_stop_daemon(daemon) } }

    /// Serves pending connections and requests; waits at most `wait` for the first of them.
    public func runOnce(wait: Duration = .milliseconds(100)) throws(HTTPServerError) {
        var milliseconds = wait.components.seconds * 1_000 + wait.components.attoseconds / 1_000_000_000_000_000
        var pending: UInt64 = 0
        if MHD_get_timeout(daemon, &pending) == .YES { milliseconds = min(milliseconds, Int64(clamping: pending)) }
        var sources = [
            pollfd(fd: socket.descriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: flywheel_mhd_descriptor(daemon), events: Int16(POLLIN), revents: 0),
        ]
        _ = poll(&sources, 2, Int32(clamping: milliseconds))
        let now = monotonicMilliseconds()
        for descriptor in context.connections.overdue(at: now) { drop(descriptor) }
        if sources[0].revents != 0 { acceptWaiting(at: now) }
        guard MHD_run(daemon) == .YES else {
            throw HTTPServerError(operation: "serve on port \(port)", reason: "libmicrohttpd gave up")
        }
    }

    /// Serves until `isStopped` returns true; it is called ten times a second and after every event.
    public func run(until isStopped: () -> Bool) throws(HTTPServerError) {
        while !isStopped() { try runOnce() }
    }

    private func acceptWaiting(at now: Int64) {
        for _ in 0..<Self.acceptedAtOnce {
            switch socket.accept() {
            case .nothing: return
            case .exhausted:
                // One of the open connections is closed; if there is none, the only option is to wait briefly.
                if let oldest = context.connections.evictOldest() { drop(oldest) } else { usleep(10_000) }
                return
            case .connection(let accepted):
                if let evicted = context.connections.admit(accepted.descriptor, peer: accepted.peer, at: now) {
                    drop(evicted)
                }
                var address = accepted.address
                let isAdded = withUnsafePointer(to: &address) { pointer in
                    pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
                        return MHD_add_connection(daemon, accepted.descriptor, pointer, size) == .YES
                    }
                }
                if !isAdded { context.connections.remove(accepted.descriptor) }
            }
        }
    }

    /// Shuts a connection down; the daemon detects its end in this cycle, and closes it.
    private func drop(_ descriptor: Int32) {
        dropped += 1
        shutdown(descriptor, Int32(SHUT_RDWR))
    }
}
