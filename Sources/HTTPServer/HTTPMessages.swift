/// Request of a client. HEAD arrives as GET; the body of its response is omitted.
public struct HTTPRequest: Sendable {
    /// The methods that are served.
    public enum Method: String, Hashable, Sendable {
        /// Reads.
        case get = "GET"
        /// Changes.
        case post = "POST"
    }

    /// Method of the request.
    public let method: Method
    /// The path, percent-decoded, from its first slash to the query.
    public let path: String
    /// The query's names and values, decoded, in order; a name without value has an empty one.
    public let query: [(name: String, value: String)]
    /// Header names, in lower case, and values, in order.
    public let headers: [(name: String, value: String)]
    /// The body, within the server's limit.
    public let body: [UInt8]

    /// The first header of that name, which is given in lower case.
    public func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }
}

/// Response to a client.
public struct HTTPResponse: Sendable {
    /// The status code, in 200...599.
    public let status: Int
    /// The body's media type.
    public let contentType: String
    /// Further headers; one of these replaces a standard one of the same name.
    public let headers: [(name: String, value: String)]
    /// The body.
    public let body: [UInt8]

    /// A response.
    public init(
        status: Int = 200,
        contentType: String,
        headers: [(name: String, value: String)] = [],
        body: [UInt8]
    ) {
        precondition((200...599).contains(status), "\(status) is not the status of a response")
        self.status = status
        self.contentType = contentType
        self.headers = headers
        self.body = body
    }

    /// A response of plain text.
    public static func text(_ text: String, status: Int = 200) -> HTTPResponse {
        HTTPResponse(status: status, contentType: "text/plain; charset=utf-8", body: Array(text.utf8))
    }

    /// A response of JSON that is encoded already.
    public static func json(_ body: [UInt8], status: Int = 200) -> HTTPResponse {
        HTTPResponse(status: status, contentType: "application/json", body: body)
    }

    /// Headers on every response unless it specifies otherwise: it is not sniffed, framed, cached or disclosed to other
    /// sites.
    static let standardHeaders: [(name: String, value: String)] = [
        ("X-Content-Type-Options", "nosniff"), ("X-Frame-Options", "DENY"), ("Referrer-Policy", "no-referrer"),
        ("Cache-Control", "no-store"), ("Content-Security-Policy", "default-src 'self'; frame-ancestors 'none'"),
    ]
}
