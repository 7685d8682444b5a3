import CMicroHTTPD
import Glibc
public import Telemetry

/// A small HTTP server without a thread of its own: it serves while `run` or `runOnce` is called, on the caller's thread.
///
/// It is made, used and let go of on one thread. GET, HEAD and POST are served, other methods get 405; a body over the
/// limit gets 413. It speaks plain HTTP and knows no users: bind it to the loopback address, or put a proxy before it.
public final class HTTPServer {
    /// What the server does with a request. Runs on the thread of `run`; what takes long holds up the other clients.
    public typealias Handler = (HTTPRequest) -> HTTPResponse

    /// The port it listens on.
    public let port: UInt16
    private let daemon: OpaquePointer
    private let context: Unmanaged<HandlerContext>

    /// Starts to listen.
    ///
    /// - Parameters:
    ///   - address: The IPv4 address to listen on, in digits.
    ///   - port: The port to listen on; 0 takes a free one.
    ///   - maximumBodySize: The largest body of a request, in bytes.
    ///   - connectionLimit: How many clients are connected at most.
    ///   - logger: Where refused requests are noted, at `debug`.
    ///   - handler: What to do with a request.
    /// - Throws: `HTTPServerError` if the address cannot be had.
    public init(
        address: String = "127.0.0.1",
        port: UInt16 = 0,
        maximumBodySize: Int = 1 << 20,
        connectionLimit: Int = 256,
        logger: Logger = .disabled,
        handler: @escaping Handler
    ) throws(HTTPServerError) {
        let operation = "listen on \(address):\(port)"
        var socketAddress = sockaddr_in()
        socketAddress.sin_family = sa_family_t(AF_INET)
        socketAddress.sin_port = port.bigEndian
        guard inet_pton(AF_INET, address, &socketAddress.sin_addr) == 1 else {
            throw HTTPServerError(operation: operation, reason: "expected an IPv4 address in digits")
        }
        // Retained here, released in deinit after the daemon has stopped, and nowhere else.
        context = Unmanaged.passRetained(
            HandlerContext(handler: handler, maximumBodySize: maximumBodySize, logger: logger)
        )
        errno = 0
        let daemon = flywheel_mhd_start(
            &socketAddress,
            UInt32(clamping: connectionLimit),
            30,
            answerRequest,
            context.toOpaque(),
            forgetRequest
        )
        guard let daemon else {
            context.release()
            throw HTTPServerError(operation: operation, reason: String(cString: strerror(errno)))
        }
        self.daemon = daemon
        self.port = flywheel_mhd_port(daemon)
    }

    deinit {
        MHD_stop_daemon(daemon)
        context.release()
    }

    /// Serves what there is to serve, waiting at most `wait` for it.
    public func runOnce(wait: Duration = .milliseconds(100)) throws(HTTPServerError) {
        let milliseconds = wait.components.seconds * 1_000 + wait.components.attoseconds / 1_000_000_000_000_000
        guard MHD_run_wait(daemon, Int32(clamping: milliseconds)) == .YES else {
            throw HTTPServerError(operation: "serve on port \(port)", reason: "libmicrohttpd gave up")
        }
    }

    /// Serves until `isStopped` says so, which is asked ten times a second and after every event.
    public func run(until isStopped: () -> Bool) throws(HTTPServerError) {
        while !isStopped() { try runOnce() }
    }
}

/// What the handler of libmicrohttpd needs.
private final class HandlerContext {
    let handler: HTTPServer.Handler
    let maximumBodySize: Int
    let logger: Logger

    init(handler: @escaping HTTPServer.Handler, maximumBodySize: Int, logger: Logger) {
        self.handler = handler
        self.maximumBodySize = maximumBodySize
        self.logger = logger
    }

    func refuse(_ responder: ConnectionResponder, _ status: Int, _ reason: String, allow: Bool = false) -> MHD_Result {
        logger.debug("request refused", ["status": .number(status), "reason": .string(reason)])
        let headers = allow ? [(name: "Allow", value: "GET, HEAD, POST")] : []
        let response = HTTPResponse(
            status: status,
            contentType: "text/plain; charset=utf-8",
            headers: headers,
            body: Array("\(reason)\n".utf8)
        )
        return responder.send(response)
    }
}

/// Called by libmicrohttpd: once when the headers are there, again for every piece of the body, and once at its end.
///
/// The request in progress is retained at the first call and released by `forgetRequest`.
private func answerRequest(
    _ opaqueContext: UnsafeMutableRawPointer?,
    _ connection: OpaquePointer?,
    _ url: UnsafePointer<CChar>?,
    _ method: UnsafePointer<CChar>?,
    _ version: UnsafePointer<CChar>?,
    _ upload: UnsafePointer<CChar>?,
    _ uploadSize: UnsafeMutablePointer<Int>?,
    _ slot: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
) -> MHD_Result {
    guard let opaqueContext, let connection, let url, let method, let uploadSize, let slot else { return .NO }
    let context = Unmanaged<HandlerContext>.fromOpaque(opaqueContext).takeUnretainedValue()
    let responder = ConnectionResponder(connection: connection)
    let limit = context.maximumBodySize
    guard let state = slot.pointee else {
        let declared = MHD_lookup_connection_value(connection, .HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH)
        if let declared, Int(String(cString: declared)).map({ $0 > limit }) ?? true {
            return context.refuse(responder, 413, "the body is larger than \(limit) bytes")
        }
        slot.pointee = Unmanaged.passRetained(RequestInProgress()).toOpaque()
        return .YES
    }
    let request = Unmanaged<RequestInProgress>.fromOpaque(state).takeUnretainedValue()
    if uploadSize.pointee > 0 {
        request.received += uploadSize.pointee
        if request.received <= limit, let upload {
            request.body.append(contentsOf: UnsafeRawBufferPointer(start: upload, count: uploadSize.pointee))
        }
        uploadSize.pointee = 0
        // A body without declared length can be answered only at its end; one that never ends is cut off.
        return request.received <= limit + (16 << 20) ? .YES : .NO
    }
    guard request.received <= limit else {
        return context.refuse(responder, 413, "the body is larger than \(limit) bytes")
    }
    let name = String(cString: method)
    guard let method = HTTPRequest.Method(rawValue: name == "HEAD" ? "GET" : name) else {
        return context.refuse(responder, 405, "the method \(name.prefix(20)) is not served", allow: true)
    }
    let response = context.handler(
        HTTPRequest(
            method: method,
            path: String(cString: url),
            query: responder.values(.GET_ARGUMENT_KIND, lowercased: false),
            headers: responder.values(.HEADER_KIND, lowercased: true),
            body: request.body
        )
    )
    return responder.send(response)
}

/// Called by libmicrohttpd when a request is over, well or not: releases what `answerRequest` retained.
private func forgetRequest(
    _ context: UnsafeMutableRawPointer?,
    _ connection: OpaquePointer?,
    _ slot: UnsafeMutablePointer<UnsafeMutableRawPointer?>?,
    _ reason: MHD_RequestTerminationCode
) {
    guard let slot, let state = slot.pointee else { return }
    Unmanaged<RequestInProgress>.fromOpaque(state).release()
    slot.pointee = nil
}
