import CCrypto

/// A keyed digest: without the key it can be neither computed nor checked. Used to replace user ids, and to recognize
/// answers to Flywheel's requests.
///
/// Its description never shows the key.
///
/// - SeeAlso: RFC 2104, *HMAC: Keyed-Hashing for Message Authentication*; test vectors in RFC 4231.
public struct HMACSHA256: Sendable, CustomStringConvertible, CustomReflectable {
    private let key: [UInt8]

    /// A digest under `key`, of any length; 32 random bytes are a good key.
    public init(key: [UInt8]) {
        self.key = key
    }

    /// The authentication code of `message`.
    ///
    /// - Complexity: O(*n*).
    public func digest(of message: UnsafeRawBufferPointer) -> SHA256Digest {
        // libcrypto interprets a null key as the key of the previous call, so an empty one needs an address of its own.
        let nonEmptyKey = key.isEmpty ? [0] : key
        return SHA256Digest { output in
            var length: UInt32 = 0
            let bytes = message.assumingMemoryBound(to: UInt8.self)
            let result = nonEmptyKey.withUnsafeBytes { keyBytes in
                HMAC(
                    EVP_sha256(),
                    keyBytes.baseAddress,
                    Int32(key.count),
                    bytes.baseAddress,
                    bytes.count,
                    output,
                    &length
                )
            }
            return result != nil
        }
    }

    /// The authentication code of `message` in UTF-8.
    public func digest(of message: String) -> SHA256Digest {
        var copy = message
        return copy.withUTF8 { digest(of: UnsafeRawBufferPointer($0)) }
    }

    /// The first 16 bytes of the authentication code of `message`, as 32 lower-case hexadecimal digits.
    ///
    /// - SeeAlso: RFC 2104, section 5, *Truncated output*: half of the digest is enough.
    public func tag(of message: [UInt8]) -> String {
        let code = message.withUnsafeBytes { digest(of: $0) }
        return hexText(Array(code.bytes.prefix(16)))
    }

    /// Whether two texts are equal in UTF-8. For texts of equal length the duration does not reveal where they differ,
    /// so a code cannot be guessed byte by byte.
    public static func isEqual(_ left: String, _ right: String) -> Bool {
        var (left, right) = (left, right)
        return left.withUTF8 { (left: UnsafeBufferPointer<UInt8>) -> Bool in
            right.withUTF8 { (right: UnsafeBufferPointer<UInt8>) -> Bool in
                left.count == right.count && CRYPTO_memcmp(left.baseAddress, right.baseAddress, left.count) == 0
            }
        }
    }

    /// The algorithm and the length of the key, without the key.
    public var description: String { "HMAC-SHA-256 (key of \(key.count) bytes)" }
    /// Shows nothing inside.
    public var customMirror: Mirror { Mirror(self, children: []) }
}
