public import Events
public import Hashing

/// The digest over all decisions of a project so far: two replays that agree on it agree on every decision.
///
/// Each entry extends it: SHA-256 of the previous digest, the entry number (8 bytes, little-endian), and for each
/// decision its topic, key and value, each followed by a zero byte.
public struct DecisionChain: Hashable, Sendable {
    /// 32 bytes.
    public private(set) var digest: SHA256Digest

    /// The chain before the first entry: 32 zero bytes.
    public init() { digest = SHA256Digest(bytes: [UInt8](repeating: 0, count: 32)) ?? SHA256Digest(of: []) }

    /// Creates a chain from its digest; nil unless `hex` is 64 hexadecimal digits.
    public init?(hex: String) {
        guard let digest = SHA256Digest(hex: hex) else { return nil }
        self.digest = digest
    }

    /// Adds an entry, also one without decisions. Order and bytes of decisions matter.
    public mutating func extend(entryNumber: UInt64, decisions: [EncodedDecision]) {
        var hasher = SHA256Hasher()
        digest.withBytes { hasher.update($0) }
        withUnsafeBytes(of: entryNumber.littleEndian) { hasher.update($0) }
        for decision in decisions {
            Self.add(decision.topic?.rawValue ?? "", to: &hasher)
            Self.add(decision.key, to: &hasher)
            decision.value.withUnsafeBytes { hasher.update($0) }
            Self.end(&hasher)
        }
        digest = hasher.finish()
    }

    private static func add(_ text: String, to hasher: inout SHA256Hasher) {
        var text = text
        text.withUTF8 { hasher.update(UnsafeRawBufferPointer($0)) }
        end(&hasher)
    }

    private static func end(_ hasher: inout SHA256Hasher) { withUnsafeBytes(of: UInt8(0)) { hasher.update($0) } }
}
