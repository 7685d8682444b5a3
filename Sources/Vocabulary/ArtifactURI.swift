/// A URI split into components, so that its target can be compared: two spellings of one location are equal, and a URI
/// that servers, file systems and people read differently is rejected.
///
/// - SeeAlso: RFC 3986, *Uniform Resource Identifier*; RFC 8089, *The "file" URI Scheme*.
public struct ArtifactURI: Hashable, Sendable {
    /// In lower case.
    public let scheme: String
    /// Host, in lower case if the scheme's hosts are DNS names, and the port unless it is the scheme's default; nil if
    /// there is no `//`, and always nil for `file`.
    public let authority: String?
    /// Whether the path begins with `/`.
    public let isRooted: Bool
    /// The path's segments, decoded; an empty last segment is left out.
    public let segments: [String]

    /// Fails unless `text` is a URI with only one interpretation.
    ///
    /// Rejected are URIs with an empty host, a host that contains `..`, or an impossible port, if the scheme requires a
    /// host; with a user before the host; with an escape in the host; with characters that RFC 3986 does not allow; and
    /// with a segment that is `.` or `..` in any spelling, or that hides `/`, `\` or a control character in an escape.
    /// A `file` URI is also rejected if it has another host than this one, a query or a fragment, or no absolute path.
    ///
    /// - Complexity: O(*n*) in its bytes.
    public init?(_ text: String) {
        guard text.utf8.allSatisfy({ (0x21...0x7E).contains($0) && !Self.forbidden.contains($0) }),
            let colon = text.firstIndex(of: ":"), let scheme = Self.scheme(text[..<colon])
        else { return nil }
        self.scheme = scheme
        let rest = text[text.index(after: colon)...]
        let end = rest.firstIndex { $0 == "?" || $0 == "#" } ?? rest.endIndex
        guard scheme != "file" || end == rest.endIndex else { return nil }
        var path = rest[..<end]
        var authority: String?
        if path.hasPrefix("//") {
            let host = path.dropFirst(2).prefix { $0 != "/" }
            guard let name = Self.authority(host, of: scheme), !Self.hostSchemes.contains(scheme) || Self.isHost(name)
            else {
                return nil
            }
            path = path[host.endIndex...]
            authority = name
        }
        if scheme == "file" {
            guard authority ?? "" == "" || authority == "localhost", path.hasPrefix("/") else { return nil }
            authority = nil
        }
        self.authority = authority
        isRooted = path.hasPrefix("/")
        var segments: [String] = []
        for part in (isRooted ? path.dropFirst() : path).split(separator: "/", omittingEmptySubsequences: false) {
            guard let segment = Self.segment(part) else { return nil }
            segments.append(segment)
        }
        if segments.last == "" { segments.removeLast() }
        self.segments = segments
    }

    /// Compares byte by byte: names whose spellings Unicode considers equal refer to different locations.
    public static func == (a: Self, b: Self) -> Bool {
        a.scheme == b.scheme && a.authority == b.authority && a.isRooted == b.isRooted
            && a.segments.elementsEqual(b.segments) { $0.utf8.elementsEqual($1.utf8) }
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(scheme)
        hasher.combine(authority)
        hasher.combine(isRooted)
        for segment in segments { for byte in segment.utf8 { hasher.combine(byte) } }
    }

    /// The absolute path that a `file` URI names; nil for any other URI.
    public var filePath: String? { scheme == "file" ? "/" + segments.joined(separator: "/") : nil }

    /// Schemes whose URIs require a host.
    static let hostSchemes: Set = ["http", "https", "s3"]
    /// Printable characters that are not allowed in a URI.
    private static let forbidden = Set("\"\\<>^`{|}".utf8)

    private static func scheme(_ text: Substring) -> String? {
        let name = text.lowercased()
        guard let first = name.utf8.first, (0x61...0x7A).contains(first) else { return nil }
        let isName = name.utf8.allSatisfy {
            (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || [0x2B, 0x2D, 0x2E].contains($0)
        }
        return isName ? name : nil
    }

    private static func authority(_ text: Substring, of scheme: String) -> String? {
        let isHost = text.utf8.allSatisfy {
            (0x61...0x7A).contains($0 | 0x20) || (0x30...0x39).contains($0) || [0x2D, 0x2E, 0x5F, 0x3A].contains($0)
                || $0 == 0x5B || $0 == 0x5D
        }
        guard isHost else { return nil }
        // Names of buckets are compared as they are.
        guard ["http", "https", "file"].contains(scheme) else { return String(text) }
        let host = text.lowercased()
        for port in [scheme == "http" ? ":80" : scheme == "https" ? ":443" : ":", ":"] where host.hasSuffix(port) {
            return String(host.dropLast(port.count))
        }
        return host
    }

    /// Whether a host, with or without a port, is valid: not empty, without `..`, and with a possible port.
    private static func isHost(_ text: String) -> Bool {
        var host = text[...]
        if text.hasPrefix("[") {
            guard let end = text.firstIndex(of: "]"), end > text.index(after: text.startIndex) else { return false }
            host = text[text.index(after: end)...]
            guard !host.contains(where: { $0 == "[" || $0 == "]" }) else { return false }
            return host.isEmpty || host.hasPrefix(":") && isPort(host.dropFirst())
        }
        guard !host.contains(where: { $0 == "[" || $0 == "]" }) else { return false }
        if let colon = host.firstIndex(of: ":") {
            guard isPort(host[host.index(after: colon)...]) else { return false }
            host = host[..<colon]
        }
        return !host.isEmpty && !host.hasPrefix(".") && !host.contains("..")
    }

    private static func isPort(_ text: Substring) -> Bool {
        // An empty port is the scheme's default.
        text.isEmpty
            || text.utf8.count <= 5 && text.allSatisfy(\.isASCII) && UInt16(text) != nil && !text.hasPrefix("+")
    }

    /// Decodes a segment; nil if different readers interpret it differently.
    private static func segment(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var iterator = text.utf8.makeIterator()
        while let byte = iterator.next() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = hexValue(iterator.next()), let low = hexValue(iterator.next()) else { return nil }
            bytes.append(high << 4 | low)
        }
        guard bytes.allSatisfy({ $0 >= 0x20 && $0 != 0x7F && $0 != 0x2F && $0 != 0x5C }),
            let segment = String(validating: bytes, as: UTF8.self)
        else { return nil }
        // Some servers drop the text after a semicolon, and some decode twice.
        let name = segment.prefix { $0 != ";" }
        let lowercased = segment.lowercased()
        let isDoublyEncoded = ["%2e", "%2f", "%5c"].contains { lowercased.contains($0) }
        return name == "." || name == ".." || isDoublyEncoded ? nil : segment
    }

    private static func hexValue(_ byte: UInt8?) -> UInt8? {
        byte.flatMap { Character(UnicodeScalar($0)).hexDigitValue }.map { UInt8($0) }
    }
}

/// An allowed location of artifacts: a scheme, or a prefix of their URIs up to the end of a path segment.
public struct ArtifactPrefix: Hashable, Sendable {
    /// The prefix as it was given.
    public let text: String
    /// In lower case.
    private let scheme: String
    /// The prefix as a URI; nil if it is a scheme alone.
    private let uri: ArtifactURI?

    /// Allowed locations for a project that specifies none.
    public static let usual = ["file", "s3", "https"].compactMap { ArtifactPrefix($0) }

    /// Fails unless `text` is a scheme (`s3`, `s3:` or `s3://`), or a URI without query and fragment that `ArtifactURI`
    /// accepts, with a host unless it is a `file` URI.
    public init?(_ text: String) {
        self.text = text
        let name = text.hasSuffix("://") ? text.dropLast(3) : text.hasSuffix(":") ? text.dropLast() : text[...]
        if !name.contains(":") {
            guard let whole = ArtifactURI("\(name):/"), name.utf8.count <= 64 else { return nil }
            (scheme, uri) = (whole.scheme, nil)
            return
        }
        guard let prefix = ArtifactURI(text), !text.utf8.contains(where: { $0 == 0x3F || $0 == 0x23 }),
            prefix.authority.map({ !$0.isEmpty }) ?? true
        else { return nil }
        (scheme, uri) = (prefix.scheme, prefix)
    }

    /// Whether a URI begins with this prefix, byte by byte once escapes are decoded. For a `file` URI, the result does
    /// not account for links: see `folder`.
    public func covers(_ other: ArtifactURI) -> Bool {
        guard let uri else {
            return other.scheme == scheme && (other.authority != nil || !ArtifactURI.hostSchemes.contains(scheme))
        }
        let hasSameAuthority = other.scheme == scheme && other.authority == uri.authority
        // A host alone covers all its paths, the empty one, too.
        guard hasSameAuthority, other.isRooted == uri.isRooted || uri.segments.isEmpty else { return false }
        // Byte by byte, as in file systems and object stores: spellings that Unicode considers equal are two folders.
        return other.segments.count >= uri.segments.count
            && zip(other.segments, uri.segments).allSatisfy { $0.utf8.elementsEqual($1.utf8) }
    }

    /// The folder (or file) that a `file` prefix names; nil for the scheme alone and for other schemes.
    public var folder: String? { uri?.filePath }
}
