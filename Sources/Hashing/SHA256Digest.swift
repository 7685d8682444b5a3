import CCrypto

/// A SHA-256 digest: 32 bytes, compared and hashed by value, in the order of the hexadecimal texts.
///
/// ```swift
/// let digest = SHA256Digest(of: "abc".utf8)
/// let text = digest.hex
/// let same = SHA256Digest(hex: text)
/// ```
///
/// - SeeAlso: NIST FIPS 180-4, *Secure Hash Standard*.
public struct SHA256Digest: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The number of bytes of a digest.
    public static let byteCount = 32

    /// Fetched once: otherwise libcrypto fetches it again for every digest, which takes longer than a short digest.
    nonisolated(unsafe) static let algorithm = EVP_MD_fetch(nil, "SHA256", nil)

    /// The digest as four big-endian words.
    private let words: (UInt64, UInt64, UInt64, UInt64)

    /// The digest of `bytes`.
    ///
    /// - Complexity: O(*n*).
    public init(of bytes: UnsafeRawBufferPointer) {
        self.init { output in
            var length: UInt32 = 0
            return EVP_Digest(bytes.baseAddress, bytes.count, output, &length, Self.algorithm, nil) == 1
        }
    }

    /// The digest of `bytes`.
    ///
    /// - Complexity: O(*n*).
    public init(of bytes: some Sequence<UInt8>) {
        let contiguous = bytes.withContiguousStorageIfAvailable { SHA256Digest(of: UnsafeRawBufferPointer($0)) }
        self = contiguous ?? Array(bytes).withUnsafeBytes { SHA256Digest(of: $0) }
    }

    /// Fails unless `hex` is exactly 64 hexadecimal digits, in either case.
    public init?(hex: String) {
        var words: [UInt64] = [0, 0, 0, 0]
        var index = 0
        for byte in hex.utf8 {
            guard index < 64, let digit = hexValue(byte) else { return nil }
            words[index / 16] = words[index / 16] << 4 | UInt64(digit)
            index += 1
        }
        guard index == 64 else { return nil }
        self.words = (words[0], words[1], words[2], words[3])
    }

    /// Fails unless there are exactly 32 bytes.
    public init?(bytes: some Collection<UInt8>) {
        guard bytes.count == Self.byteCount else { return nil }
        self.init { output in
            var index = 0
            for byte in bytes {
                output[index] = byte
                index += 1
            }
            return true
        }
    }

    /// Creates a digest from the 32 bytes that `fill` writes; `fill` returns whether libcrypto succeeded.
    init(fill: (UnsafeMutablePointer<UInt8>) -> Bool) {
        words = withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Self.byteCount) { buffer in
            buffer.initialize(repeating: 0)
            guard let output = buffer.baseAddress else { preconditionFailure("an empty stack buffer") }
            precondition(fill(output), "libcrypto has no SHA-256")
            let raw = UnsafeRawBufferPointer(buffer)
            func word(_ index: Int) -> UInt64 {
                UInt64(bigEndian: raw.loadUnaligned(fromByteOffset: index * 8, as: UInt64.self))
            }
            return (word(0), word(1), word(2), word(3))
        }
    }

    /// The 32 bytes.
    public var bytes: [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(Self.byteCount)
        for word in [words.0, words.1, words.2, words.3] {
            for shift in stride(from: 56, through: 0, by: -8) {
                result.append(UInt8(truncatingIfNeeded: word >> shift))
            }
        }
        return result
    }

    /// Lends the 32 bytes.
    public func withBytes<R>(_ body: (UnsafeRawBufferPointer) -> R) -> R {
        let bigEndianWords = (words.0.bigEndian, words.1.bigEndian, words.2.bigEndian, words.3.bigEndian)
        return withUnsafeBytes(of: bigEndianWords, body)
    }

    /// The 64 lower-case hexadecimal digits.
    public var hex: String { hexText(bytes) }

    /// The digest as `hex`.
    public var description: String { hex }

    /// Whether both digests are the same 32 bytes.
    public static func == (left: Self, right: Self) -> Bool {
        left.words == right.words
    }

    /// Whether `left` comes before `right` byte for byte.
    public static func < (left: Self, right: Self) -> Bool {
        left.words < right.words
    }

    /// Feeds the digest to a hasher; a digest's first word is as good as all of it.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(words.0)
    }
}

/// The value of a hexadecimal digit in ASCII; nil for any other byte.
func hexValue(_ byte: UInt8) -> UInt8? {
    switch byte {
    case 0x30...0x39: byte - 0x30
    case 0x41...0x46: byte - 0x41 + 10
    case 0x61...0x66: byte - 0x61 + 10
    default: nil
    }
}

/// Bytes as lower-case hexadecimal digits.
func hexText(_ bytes: [UInt8]) -> String {
    let digits = Array("0123456789abcdef".utf8)
    var text: [UInt8] = []
    text.reserveCapacity(bytes.count * 2)
    for byte in bytes {
        text.append(digits[Int(byte >> 4)])
        text.append(digits[Int(byte & 15)])
    }
    return String(decoding: text, as: UTF8.self)
}
