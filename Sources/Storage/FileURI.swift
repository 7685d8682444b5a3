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
    /// fragments, and bytes that are no UTF-8.
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
        var bytes: [UInt8] = []
        var iterator = rest.utf8.makeIterator()
        while let byte = iterator.next() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = Self.hexValue(iterator.next()), let low = Self.hexValue(iterator.next()) else {
                return nil
            }
            bytes.append(high << 4 | low)
        }
        guard let path = String(validating: bytes, as: UTF8.self) else { return nil }
        self.init(path: path)
    }

    private static func hexValue(_ byte: UInt8?) -> UInt8? {
        byte.flatMap { Character(UnicodeScalar($0)).hexDigitValue }.map { UInt8($0) }
    }

    /// The URI, with three slashes and everything encoded that must be.
    public var description: String {
        let digits = Array("0123456789ABCDEF".utf8)
        var bytes = Array("file://".utf8)
        for byte in path.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, UInt8(ascii: "/"), UInt8(ascii: "-"), UInt8(ascii: "."),
                UInt8(ascii: "_"), UInt8(ascii: "~"):
                bytes.append(byte)
            default: bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
