import Foundation
import Glibc

/// Reads the lines of a file one after the other, in bounded memory whatever their length.
struct LineReader {
    /// A line without its end, LF or CR LF.
    struct Line {
        /// Bytes of the line; only its beginning if the line is longer than the limit.
        let bytes: [UInt8]
        /// Bytes of the whole line.
        let size: Int
    }

    private static let chunkSize = 1 << 20

    private let handle: FileHandle
    /// Maximum number of bytes of a line that are kept.
    private let limit: Int
    private var buffer: [UInt8] = []
    private var position = 0
    private var isAtEnd = false

    /// - Parameters:
    ///   - handle: The file, which is read to its end.
    ///   - limit: Maximum number of bytes of a line that are kept.
    init(_ handle: FileHandle, limit: Int) {
        self.handle = handle
        self.limit = limit
    }

    /// Returns the next line; nil after the last. The last line need not end with a line feed.
    ///
    /// - Complexity: O(*n*) in its bytes; memory for the limit and one chunk.
    mutating func next() throws -> Line? {
        var (bytes, size, isLine) = ([UInt8](), 0, false)
        while true {
            if position == buffer.count {
                guard try fill() else { break }
            }
            isLine = true
            let rest = buffer[position...]
            let end = rest.firstIndex(of: 0x0A)
            let part = rest[..<(end ?? rest.endIndex)]
            bytes.append(contentsOf: part.prefix(max(0, limit - bytes.count)))
            size += part.count
            position += part.count
            guard end == nil else {
                position += 1
                break
            }
        }
        guard isLine else { return nil }
        if size == bytes.count, bytes.last == 0x0D {
            bytes.removeLast()
            size -= 1
        }
        return Line(bytes: bytes, size: size)
    }

    /// Reads the available bytes: from a pipe as many as have been written, so that they are processed without delay.
    private mutating func fill() throws -> Bool {
        guard !isAtEnd else { return false }
        var failure: Int32 = 0
        buffer = [UInt8](unsafeUninitializedCapacity: Self.chunkSize) { bytes, count in
            var read = -1
            repeat {
                read = Glibc.read(handle.fileDescriptor, bytes.baseAddress, Self.chunkSize)
            } while read < 0 && errno == EINTR
            failure = read < 0 ? errno : 0
            count = max(0, read)
        }
        guard failure == 0 else { throw POSIXError(POSIXErrorCode(rawValue: failure) ?? .EIO) }
        position = 0
        isAtEnd = buffer.isEmpty
        return !isAtEnd
    }
}
