/// Request to a server, apart from its body.
public struct HTTPCall: Hashable, Sendable {
    /// The methods that are sent.
    public enum Method: String, Hashable, Sendable {
        /// Reads.
        case get = "GET"
        /// Reads the headers alone.
        case head = "HEAD"
        /// Changes something.
        case post = "POST"
        /// Stores the body at a location.
        case put = "PUT"
        /// Removes the content of a location.
        case delete = "DELETE"
    }

    /// Method of the request.
    public var method: Method
    /// An absolute URL of scheme `http` or `https`, encoded.
    public var url: String
    /// Names and values, sent in this order; none of them contains a line break.
    public var headers: [(name: String, value: String)]

    /// A call.
    public init(_ method: Method, _ url: String, headers: [(name: String, value: String)] = []) {
        self.method = method
        self.url = url
        self.headers = headers
    }

    /// Compares method, URL and headers.
    public static func == (left: Self, right: Self) -> Bool {
        left.method == right.method && left.url == right.url
            && left.headers.elementsEqual(right.headers) { $0.name == $1.name && $0.value == $1.value }
    }

    /// Hashes method and URL.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(method)
        hasher.combine(url)
    }
}

/// Response of a server.
public struct HTTPAnswer: Sendable {
    /// The status, in 100...999.
    public let status: Int
    /// Names, in lower case, and values, in order.
    public let headers: [(name: String, value: String)]
    /// The whole body.
    public let body: [UInt8]

    /// An answer.
    public init(status: Int, headers: [(name: String, value: String)], body: [UInt8]) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// The value of the first header of that name, which is given in lower case; nil if there is none.
    public func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }
}
