internal import Czstd

/// Error of bytes that cannot be unpacked, or of a text that cannot be packed.
public struct ZstdError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The kinds of failure that callers distinguish.
    public enum Kind: Hashable, Sendable {
        /// The bytes are not a frame, or a damaged one; also if the library fails or no memory is left.
        case damaged
        /// The unpacked text is larger than the caller accepts.
        case tooLarge
    }

    /// Kind of failure, for control flow.
    public let kind: Kind
    /// The reason in words.
    public let reason: String

    init(_ kind: Kind, _ reason: String) {
        self.kind = kind
        self.reason = reason
    }

    /// The reason.
    public var description: String { reason }
}

/// Frames of Zstandard: one for each text; the frame states the length of the text.
///
/// ```swift
/// let text = [UInt8](repeating: 7, count: 10_000)
/// let frame = try text.withUnsafeBytes { try Zstd.pack($0) }
/// let size = try Zstd.size(of: frame)
/// let unpacked = try Zstd.unpack(frame, maximumSize: 1 << 20)
/// ```
///
/// - SeeAlso: RFC 8878, *Zstandard Compression and the 'application/zstd' Media Type*.
public enum Zstd {
    /// Levels that `pack` accepts; higher levels take longer and produce smaller frames.
    public static let levels = 1...19
    /// The usual level: about the speed of a disk.
    public static let defaultLevel = 3

    /// Packs a text into one frame, with its length and a checksum.
    ///
    /// - Parameters:
    ///   - text: Any bytes; may be empty.
    ///   - level: In `levels`; others count as the nearest.
    /// - Returns: The frame. Other releases of the library may produce other bytes for the same text.
    /// - Throws: `ZstdError` if no memory is left.
    /// - Complexity: O(*n*) in the bytes of the text.
    public static func pack(_ text: UnsafeRawBufferPointer, level: Int = defaultLevel) throws(ZstdError) -> [UInt8] {
        let packer = try Packer(level: min(max(level, levels.lowerBound), levels.upperBound))
        return try packer.pack(text)
    }

    /// The maximum number of bytes of the head of a frame, which states the length of the text.
    public static let headSize = 18

    /// Upper bound on the bytes of the frame of a text of `size` bytes; `Int.max` if the bound is larger.
    public static func bound(_ size: Int) -> Int {
        let (sum, isTooLarge) = max(0, size).addingReportingOverflow(max(0, size) / 128 + 1_024)
        return isTooLarge ? .max : sum
    }

    /// The length of a text, as stated by its frame.
    ///
    /// - Parameter head: The first `headSize` bytes of the frame, or all if it has fewer.
    /// - Returns: Bytes of the text.
    /// - Throws: `ZstdError` for bytes that are not the beginning of a frame, or of a frame that does not state the
    ///   length.
    public static func size(of head: [UInt8]) throws(ZstdError) -> Int {
        let contentSize = head.withUnsafeBytes { ZSTD_getFrameContentSize($0.baseAddress, $0.count) }
        guard contentSize != flywheel_zstd_error(), contentSize != flywheel_zstd_unknown(),
            let size = Int(exactly: contentSize)
        else {
            throw ZstdError(.damaged, "it is not a zstd frame, or does not state its decompressed size")
        }
        return size
    }

    /// Unpacks one frame; see the other method.
    public static func unpack(_ frame: [UInt8], maximumSize: Int) throws(ZstdError) -> [UInt8] {
        let result = frame.withUnsafeBytes { buffer in
            Result { () throws(ZstdError) in try unpack(buffer, maximumSize: maximumSize) }
        }
        return try result.get()
    }

    /// Unpacks one frame.
    ///
    /// The length that the frame states is allocated, and it is compared with `maximumSize` first: no content of a
    /// frame makes memory grow beyond the caller's limit.
    ///
    /// - Parameters:
    ///   - frame: One frame, and nothing after it.
    ///   - maximumSize: The maximum number of bytes accepted.
    /// - Returns: The text.
    /// - Throws: `ZstdError` for bytes that are no such frame, are cut off or damaged, do not state the length of the
    ///   text, or whose text is longer.
    /// - Complexity: O(*n*) in the bytes of the text.
    public static func unpack(_ frame: UnsafeRawBufferPointer, maximumSize: Int) throws(ZstdError) -> [UInt8] {
        guard let start = frame.baseAddress, !frame.isEmpty else {
            throw ZstdError(.damaged, "there are no bytes, expected a frame of zstd")
        }
        let contentSize = ZSTD_getFrameContentSize(start, frame.count)
        guard contentSize != flywheel_zstd_error() else { throw ZstdError(.damaged, "it is not a zstd frame") }
        guard contentSize != flywheel_zstd_unknown() else {
            throw ZstdError(.damaged, "its frame does not state the decompressed size; compress it with zstd FILE")
        }
        guard contentSize <= UInt64(max(0, maximumSize)), let size = Int(exactly: contentSize) else {
            throw ZstdError(.tooLarge, "expected at most \(maximumSize) bytes, its frame says \(contentSize)")
        }
        let end = ZSTD_findFrameCompressedSize(start, frame.count)
        guard ZSTD_isError(end) == 0 else { throw ZstdError(.damaged, "its frame is cut off or damaged") }
        guard end == frame.count else { throw ZstdError(.damaged, "there are more bytes after its frame") }
        return try Unpacker().unpack(frame, size: size)
    }
}

/// The library's state of packing; owns its pointer.
private struct Packer: ~Copyable {
    private let context: OpaquePointer

    init(level: Int) throws(ZstdError) {
        guard let made = ZSTD_createCCtx() else { throw ZstdError(.damaged, "no memory is left to compress") }
        context = made
        _ = ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, Int32(level))
        _ = ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1)
        _ = ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 1)
    }

    deinit { ZSTD_freeCCtx(context) }

    borrowing func pack(_ text: UnsafeRawBufferPointer) throws(ZstdError) -> [UInt8] {
        var failure: String?
        let capacity = ZSTD_compressBound(text.count)
        let frame = [UInt8](unsafeUninitializedCapacity: capacity) { buffer, count in
            let result = ZSTD_compress2(context, buffer.baseAddress, capacity, text.baseAddress, text.count)
            guard ZSTD_isError(result) == 0 else {
                failure = String(cString: ZSTD_getErrorName(result))
                return
            }
            count = result
        }
        if let failure { throw ZstdError(.damaged, "zstd could not compress it: \(failure)") }
        return frame
    }
}

/// The library's state of unpacking; owns its pointer.
private struct Unpacker: ~Copyable {
    private let context: OpaquePointer

    init() throws(ZstdError) {
        guard let made = ZSTD_createDCtx() else { throw ZstdError(.damaged, "no memory is left to decompress") }
        context = made
    }

    deinit { ZSTD_freeDCtx(context) }

    borrowing func unpack(_ frame: UnsafeRawBufferPointer, size: Int) throws(ZstdError) -> [UInt8] {
        var failure: String?
        let text = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            let result = ZSTD_decompressDCtx(context, buffer.baseAddress, size, frame.baseAddress, frame.count)
            guard ZSTD_isError(result) == 0, result == size else {
                failure =
                    ZSTD_isError(result) == 0 ? "its size differs" : String(cString: ZSTD_getErrorName(result))
                return
            }
            count = result
        }
        if let failure { throw ZstdError(.damaged, "its frame is damaged: \(failure)") }
        return text
    }
}
