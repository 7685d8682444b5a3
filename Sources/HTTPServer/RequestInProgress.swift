import CMicroHTTPD

/// A request whose body is still arriving.
final class RequestInProgress {
    var body: [UInt8] = []
    /// Number of bytes that arrived, kept or not.
    var received = 0
}

/// Answers requests on one connection of libmicrohttpd; every pointer is valid only during the call.
struct ConnectionResponder {
    let connection: OpaquePointer

    /// The headers, or the query, in order.
    func values(_ kind: MHD_ValueKind, lowercased: Bool) -> [(name: String, value: String)] {
        var values: [(name: String, value: String)] = []
        withUnsafeMutablePointer(to: &values) { pointer in
            _ = MHD_get_connection_values(
                connection,
                kind,
                { context, _, name, value in
                    guard let context, let name else { return .YES }
                    let values = context.assumingMemoryBound(to: [(name: String, value: String)].self)
                    values.pointee.append((String(cString: name), value.map { String(cString: $0) } ?? ""))
                    return .YES
                },
                pointer
            )
        }
        return lowercased ? values.map { (name: $0.name.lowercased(), value: $0.value) } : values
    }

    /// Sends a response.
    ///
    /// - Returns: `NO` if there is no memory for it, which closes the connection.
    func send(_ response: HTTPResponse) -> MHD_Result {
        let mhdResponse = response.body.withUnsafeBytes { bytes in
            MHD_create_response_from_buffer(
                bytes.count,
                UnsafeMutableRawPointer(mutating: bytes.baseAddress),
                .RESPMEM_MUST_COPY
            )
        }
        guard let mhdResponse else { return .NO }
        defer { MHD_destroy_response(mhdResponse) }
        MHD_add_response_header(mhdResponse, MHD_HTTP_HEADER_CONTENT_TYPE, response.contentType)
        let customNames = Set(response.headers.map { $0.name.lowercased() })
        for (name, value) in HTTPResponse.standardHeaders where !customNames.contains(name.lowercased()) {
            MHD_add_response_header(mhdResponse, name, value)
        }
        // libmicrohttpd refuses names and values with line ends, so that none can smuggle a header in.
        for (name, value) in response.headers { MHD_add_response_header(mhdResponse, name, value) }
        return MHD_queue_response(connection, UInt32(response.status), mhdResponse)
    }
}
