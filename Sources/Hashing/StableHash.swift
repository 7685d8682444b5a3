/// A reproducible draw for each key of one project and purpose: which sample is audited, which user gets the canary.
///
/// The draw is XXH64, seed 0, of `salt`, `project`, 0x00, `purpose`, 0x00, `key` (text in UTF-8, the salt as raw bytes
/// and omitted when there is none), divided by 2⁶⁴. Draws for different purposes are independent of one another. Where
/// it would be profitable to guess the draw, the project's secret salt precedes the other input.
///
/// Neither the project nor the purpose may contain a zero byte; the callers' identifier types ensure that.
///
/// | project | purpose | key | hash | unit |
/// |---|---|---|---|---|
/// | `digits` | `audit` | `s-1` | `0xeec3a941aff5292d` | 0.93267305… |
/// | `digits` | `split` | `s-1` | `0x035ae0ae5c3953b8` | 0.01310543… |
/// | `digits`, salt `ff 00 01` | `audit` | `s-1` | `0xed3fec23be8e4d39` | 0.92675663… |
/// | `προϊόντα` | `canary` | (empty) | `0x306127c2b11d6a3b` | 0.18898247… |
///
/// ```swift
/// let audit = StableHash(project: "digits", purpose: "audit")
/// let draw = audit.unit(key: "s-1")
/// let isAudited = draw < 0.1
/// ```
public struct StableHash: Hashable, Sendable {
    /// All bytes before the key.
    public let prefix: [UInt8]

    /// Prepares the draw of one project and purpose.
    ///
    /// - Parameters:
    ///   - project: The project's name.
    ///   - purpose: The purpose of the draw, as in `audit`, `split`, `canary`.
    ///   - salt: Secret bytes at the beginning; empty for a draw that any program may compute.
    public init(project: String, purpose: String, salt: [UInt8] = []) {
        var prefix = salt
        prefix.append(contentsOf: project.utf8)
        prefix.append(0)
        prefix.append(contentsOf: purpose.utf8)
        prefix.append(0)
        self.prefix = prefix
    }

    /// The 64-bit hash of `key`, given as UTF-8.
    ///
    /// - Complexity: O(*n*); no heap allocation while prefix and key stay under 1 KB.
    public func hash(key: UnsafeRawBufferPointer) -> UInt64 {
        prefix.withUnsafeBytes { Self.hash(prefix: $0, key: key) }
    }

    /// The 64-bit hash of `key` under `prefix`, both given as UTF-8, for a caller that keeps the prefix itself.
    public static func hash(prefix: UnsafeRawBufferPointer, key: UnsafeRawBufferPointer) -> UInt64 {
        withUnsafeTemporaryAllocation(byteCount: prefix.count &+ key.count, alignment: 16) { buffer in
            guard let start = buffer.baseAddress else { return xxh64(key) }
            if let bytes = prefix.baseAddress { start.copyMemory(from: bytes, byteCount: prefix.count) }
            if let bytes = key.baseAddress {
                start.advanced(by: prefix.count).copyMemory(from: bytes, byteCount: key.count)
            }
            return xxh64(UnsafeRawBufferPointer(buffer))
        }
    }

    /// The 64-bit hash of `key`.
    public func hash(key: String) -> UInt64 {
        var copy = key
        return copy.withUTF8 { hash(key: UnsafeRawBufferPointer($0)) }
    }

    /// The draw of `key`, given as UTF-8: in `0..<1`, no unit.
    public func unit(key: UnsafeRawBufferPointer) -> Double { Self.unit(hash: hash(key: key)) }

    /// The draw of `key`: in `0..<1`, no unit.
    public func unit(key: String) -> Double { Self.unit(hash: hash(key: key)) }

    /// A hash as a number in `0..<1`: its upper 53 bits divided by 2⁵³.
    ///
    /// It is the hash divided by 2⁶⁴ and rounded down to a `Double`; rounding to nearest could give 1.
    public static func unit(hash: UInt64) -> Double {
        Double(hash >> 11) * 0x1p-53
    }

    /// The draw of one key without a prepared value; for callers that draw once.
    public static func unit(project: String, purpose: String, key: String, salt: [UInt8] = []) -> Double {
        StableHash(project: project, purpose: purpose, salt: salt).unit(key: key)
    }
}
