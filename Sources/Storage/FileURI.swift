/// A `file:` URI: an absolute path on this machine.
///
/// - SeeAlso: RFC 8089, *The "file" URI Scheme*; RFC 3986 for the encoding.
public struct FileURI: Hashable, Sendable, CustomStringConvertible {
    /// The absolute path, decoded.
    public let path: String

    /// The URI of a path, which must be absolute and without zero bytes.
    public init?(path: String) {
        guard path.hasPrefix("/"), !path.utf8.contains(0) else { return nil }
        self.path = path
    }

    /// Reads `file:///path`, `file://localhost/path` or `file:/path`; fails for other schemes and hosts, queries and
    /// fragments, escapes that hide a `.` or a `/`, and bytes that are not UTF-8.
    public init?(_ text: String) {
        guard text.lowercased().hasPrefix("file:") else { return nil }
        var rest = text.dropFirst(5)
        if rest.hasPrefix("//") {
            rest = rest.dropFirst(2)
            let host = rest.prefix { $0 != "/" }
            guard host.isEmpty || host.lowercased() == "localhost" else { return nil }
            rest = rest.dropFirst(host.count)
        }
        guard !rest.utf8.contains(where: { $0 == UInt8(ascii: "?") || $0 == UInt8(ascii: "#") }) else { return nil }
        guard !PercentEncoding.hidesPath(rest), let path = PercentEncoding.decoded(rest) else { return nil }
        self.init(path: path)
    }

    /// The URI, with three slashes and everything encoded that must be.
    public var description: String { "file://\(PercentEncoding.encoded(path))" }
}
