import CMicroHTTPD
import Telemetry

/// State that the handlers of libmicrohttpd need; retained by the server for as long as its daemon runs.
final class HandlerContext {
    let handler: HTTPServer.Handler
    let maximumBodySize: Int
    /// Only requests to a loopback host are answered.
    let isLoopback: Bool
    var connections: ConnectionTable
    let logger: Logger

    init(
        handler: @escaping HTTPServer.Handler,
        maximumBodySize: Int,
        isLoopback: Bool,
        connections: ConnectionTable,
        logger: Logger
    ) {
        self.handler = handler
        self.maximumBodySize = maximumBodySize
        self.isLoopback = isLoopback
        self.connections = connections
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

/// Whether a host is `localhost`, an address of 127.0.0.0/8 in digits, or `[::1]`, with or without a port.
func isLoopbackHost(_ host: String) -> Bool {
    var name = host[...]
    if name.hasPrefix("[") {
        guard let end = name.firstIndex(of: "]") else { return false }
        let rest = name[name.index(after: end)...]
        return name[...end] == "[::1]" && (rest.isEmpty || isPort(rest))
    }
    if let colon = name.firstIndex(of: ":") {
        guard isPort(name[colon...]) else { return false }
        name = name[..<colon]
    }
    if name.lowercased() == "localhost" { return true }
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    let numbers = parts.map { part in part.utf8.allSatisfy { (0x30...0x39).contains($0) } ? UInt8(part) : nil }
    return numbers.count == 4 && numbers[0] == 127 && numbers.allSatisfy { $0 != nil }
}

private func isPort(_ text: Substring) -> Bool {
    text.hasPrefix(":") && text.count <= 6 && text.dropFirst().utf8.allSatisfy { (0x30...0x39).contains($0) }
}

/// Called by libmicrohttpd: once when the headers have arrived, again for every piece of the body, and once at its end.
///
/// The request in progress is retained at the first call and released by `forgetRequest`.
func answerRequest(
    context opaqueContext: UnsafeMutableRawPointer?,
    on connection: OpaquePointer?,
    url: UnsafePointer<CChar>?,
    method: UnsafePointer<CChar>?,
    version: UnsafePointer<CChar>?,
    upload: UnsafePointer<CChar>?,
    uploadSize: UnsafeMutablePointer<Int>?,
    slot: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
) -> MHD_Result {
    guard let opaqueContext, let connection, let url, let method, let uploadSize, let slot else { return .NO }
    let context = Unmanaged<HandlerContext>.fromOpaque(opaqueContext).takeUnretainedValue()
    let responder = ConnectionResponder(connection: connection)
    let limit = context.maximumBodySize
    guard let state = slot.pointee else {
        context.connections.advance(flywheel_mhd_socket(connection), at: monotonicMilliseconds())
        if context.isLoopback {
            let host = MHD_lookup_connection_value(connection, .HEADER_KIND, MHD_HTTP_HEADER_HOST)
            let isOld = version.map { String(cString: $0) } == "HTTP/1.0"
            guard host.map({ isLoopbackHost(String(cString: $0)) }) ?? isOld else {
                return context.refuse(responder, 421, "the host of the request is not localhost")
            }
        }
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

/// Called by libmicrohttpd when a request has ended, completed or not: releases the object that `answerRequest`
/// retained.
func forgetRequest(
    context: UnsafeMutableRawPointer?,
    on connection: OpaquePointer?,
    slot: UnsafeMutablePointer<UnsafeMutableRawPointer?>?,
    reason: MHD_RequestTerminationCode
) {
    if let context, let connection {
        let context = Unmanaged<HandlerContext>.fromOpaque(context).takeUnretainedValue()
        context.connections.advance(flywheel_mhd_socket(connection), at: monotonicMilliseconds())
    }
    guard let slot, let state = slot.pointee else { return }
    Unmanaged<RequestInProgress>.fromOpaque(state).release()
    slot.pointee = nil
}

/// Called by libmicrohttpd when a connection begins and when it is about to be closed.
func noteConnection(
    context: UnsafeMutableRawPointer?,
    on connection: OpaquePointer?,
    slot: UnsafeMutablePointer<UnsafeMutableRawPointer?>?,
    code: MHD_ConnectionNotificationCode
) {
    guard flywheel_mhd_is_end(code) != 0, let context, let connection else { return }
    let handlerContext = Unmanaged<HandlerContext>.fromOpaque(context).takeUnretainedValue()
    handlerContext.connections.remove(flywheel_mhd_socket(connection))
}
