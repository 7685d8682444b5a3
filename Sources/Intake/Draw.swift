internal import Hashing

/// A stable hash that is asked for every record: the bytes before the key stand where nobody counts references to them.
final class DrawPrefix {
    private let bytes: UnsafeMutableRawBufferPointer

    init(_ hash: StableHash) {
        bytes = .allocate(byteCount: hash.prefix.count, alignment: 1)
        bytes.copyBytes(from: hash.prefix)
    }

    deinit { bytes.deallocate() }

    /// It holds while the prefix lives.
    var draw: Draw { Draw(prefix: UnsafeRawBufferPointer(bytes)) }
}

/// Draws by key as the stable hash does.
struct Draw {
    fileprivate let prefix: UnsafeRawBufferPointer

    /// The hash of `key`, given as UTF-8; `StableHash.unit(hash:)` makes the draw of it.
    @inline(__always)
    func hash(key: UnsafeRawBufferPointer) -> UInt64 { StableHash.hash(prefix: prefix, key: key) }

    /// The draw of `key`, given as UTF-8: in `0..<1`.
    @inline(__always)
    func unit(key: UnsafeRawBufferPointer) -> Double {
        StableHash.unit(hash: StableHash.hash(prefix: prefix, key: key))
    }
}
