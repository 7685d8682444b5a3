internal import Hashing

/// A stable hash that is computed for every record: the bytes before the key are stored in memory without reference
/// counting.
final class UniformHashPrefix {
    private let bytes: UnsafeMutableRawBufferPointer

    init(_ hash: StableHash) {
        bytes = .allocate(byteCount: hash.prefix.count, alignment: 1)
        bytes.copyBytes(from: hash.prefix)
    }

    deinit { bytes.deallocate() }

    /// Valid while the prefix exists.
    var hash: UniformHash { UniformHash(prefix: UnsafeRawBufferPointer(bytes)) }
}

/// Computes draws by key as the stable hash does.
struct UniformHash {
    fileprivate let prefix: UnsafeRawBufferPointer

    /// Returns the hash of `key`, given as UTF-8; `StableHash.unit(hash:)` converts it to the draw.
    @inline(__always)
    func hash(key: UnsafeRawBufferPointer) -> UInt64 { StableHash.hash(prefix: prefix, key: key) }

    /// The draw of `key`, given as UTF-8: in `0..<1`.
    @inline(__always)
    func unit(key: UnsafeRawBufferPointer) -> Double {
        StableHash.unit(hash: StableHash.hash(prefix: prefix, key: key))
    }
}
