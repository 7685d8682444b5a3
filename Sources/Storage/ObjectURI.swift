/// Location of an object, for every client that can reach it.
public enum ObjectURI: Hashable, Sendable, CustomStringConvertible {
    /// A file of this machine.
    case file(FileURI)
    /// An object in a bucket.
    case s3(S3URI)

    /// Reads a `file:` or an `s3:` URI; fails for anything else.
    public init?(_ text: String) {
        if let file = FileURI(text) {
            self = .file(file)
        } else if let object = S3URI(text) {
            self = .s3(object)
        } else {
            return nil
        }
    }

    /// The URI.
    public var description: String {
        switch self {
        case .file(let uri): uri.description
        case .s3(let uri): uri.description
        }
    }
}

/// An `s3:` URI: a bucket, and the key of an object in it or a prefix of keys. It does not state which service has the
/// bucket; that is up to the reader.
///
/// ```swift
/// let folder = S3URI("s3://models/digits/")
/// let object = folder?.appending("version 1.json")
/// let uri = object?.description
/// ```
public struct S3URI: Hashable, Sendable, CustomStringConvertible {
    /// Name of the bucket: 3 to 63 of `a-z 0-9 . -`, beginning and ending with a letter or a digit.
    public let bucket: String
    /// Key, decoded, without a slash at its beginning and its end; at most 1,024 bytes. May be empty.
    public let key: String

    /// Fails for an invalid name of a bucket, and for a key that is too long, contains control characters, or has a
    /// part that is empty, `.` or `..`: such keys may be changed on their way to the service.
    public init?(bucket: String, key: String) {
        let name = bucket.utf8
        guard (3...63).contains(name.count), name.allSatisfy({ Self.isAlphanumeric($0) || $0 == 0x2D || $0 == 0x2E }),
            name.first.map(Self.isAlphanumeric) == true, name.last.map(Self.isAlphanumeric) == true,
            !bucket.contains("..")
        else { return nil }
        let parts = key.split(separator: "/", omittingEmptySubsequences: false)
        guard key.utf8.count <= 1_024, key.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }),
            key.isEmpty || parts.allSatisfy({ !$0.isEmpty && $0 != "." && $0 != ".." })
        else { return nil }
        self.bucket = bucket
        self.key = key
    }

    /// Reads `s3://bucket/key`, `s3://bucket/` or `s3://bucket`; a slash at its end is ignored. Fails for anything
    /// else, queries and fragments, escapes that hide a `.` or a `/`, and bytes that are not UTF-8.
    public init?(_ text: String) {
        guard text.lowercased().hasPrefix("s3://"), !text.contains(where: { $0 == "?" || $0 == "#" }) else {
            return nil
        }
        let rest = text.dropFirst(5)
        let bucket = rest.prefix { $0 != "/" }
        var key = rest.dropFirst(bucket.count).dropFirst()
        guard key != "/" else { return nil }
        if key.hasSuffix("/") { key.removeLast() }
        guard !PercentEncoding.hidesPath(key) else { return nil }
        self.init(bucket: String(bucket), encodedKey: String(key))
    }

    /// Fails as the other initializer does, and for a key with invalid escapes. A slash may be escaped here, as in the
    /// listings of stores.
    public init?(bucket: String, encodedKey: String) {
        guard let key = PercentEncoding.decoded(encodedKey) else { return nil }
        self.init(bucket: bucket, key: key)
    }

    /// Returns the URI of the object with that name below this one; nil if the resulting key is not valid, for example
    /// too long.
    public func appending(_ name: String) -> S3URI? {
        S3URI(bucket: bucket, key: key.isEmpty ? name : "\(key)/\(name)")
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte)
    }

    /// The URI, with everything encoded that must be.
    public var description: String { key.isEmpty ? "s3://\(bucket)" : "s3://\(bucket)/\(PercentEncoding.encoded(key))" }
}

/// The encoding of paths in URIs: letters, digits, `-`, `.`, `_`, `~` and slashes are not escaped.
enum PercentEncoding {
    static func encoded(_ path: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var bytes: [UInt8] = []
        for byte in path.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "/"), UInt8(ascii: "-"), UInt8(ascii: "."),
                UInt8(ascii: "_"), UInt8(ascii: "~"):
                bytes.append(byte)
            default: bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Whether an escape encodes a character that has a meaning in paths: some readers interpret it before they decode,
    /// and some after. No author of URIs needs such an escape.
    static func hidesPath(_ text: some StringProtocol) -> Bool {
        let lower = text.lowercased()
        return lower.contains("%2e") || lower.contains("%2f")
    }

    /// Decodes a text; nil for an invalid escape, and for bytes that are not UTF-8.
    static func decoded(_ text: some StringProtocol) -> String? {
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
        return String(validating: bytes, as: UTF8.self)
    }

    private static func hexValue(_ byte: UInt8?) -> UInt8? {
        byte.flatMap { Character(UnicodeScalar($0)).hexDigitValue }.map { UInt8($0) }
    }
}
