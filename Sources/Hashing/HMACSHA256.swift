import CCrypto

/// A keyed digest: who lacks the key can neither compute nor check it. Used to replace user ids.
///
/// Its description never shows the key.
///
/// - SeeAlso: RFC 2104, *HMAC: Keyed-Hashing for Message Authentication*; test vectors in RFC 4231.
public struct HMACSHA256: Sendable, CustomStringConvertible {
    private let key: [UInt8]

    /// A digest under `key`, of any length; 32 random bytes are a good one.
    public init(key: [UInt8]) {
        self.key = key
    }

    /// The authentication code of `message`.
    ///
    /// - Complexity: O(*n*).
    public func digest(of message: UnsafeRawBufferPointer) -> SHA256Digest {
        // libcrypto takes a null key for "the key of last time", so an empty one needs an address of its own.
        let contiguousKey = key.isEmpty ? [0] : key
        return SHA256Digest { output in
            var length: UInt32 = 0
            let bytes = message.assumingMemoryBound(to: UInt8.self)
            let result = contiguousKey.withUnsafeBytes { keyBytes in
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

    /// Says that there is a key, not which.
    public var description: String { "HMAC-SHA-256 (key of \(key.count) bytes)" }
}
