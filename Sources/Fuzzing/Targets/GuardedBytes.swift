internal import Glibc

/// Memory that ends at the start of an inaccessible page: a read beyond it traps.
public final class GuardedBytes {
    private let memory: UnsafeMutableRawPointer
    private let size: Int
    private let guardSize = 4_096

    /// Allocates capacity for texts of at most the given number of bytes.
    public init(capacity: Int) throws {
        size = (capacity + 2 * guardSize) / guardSize * guardSize
        let flags = MAP_PRIVATE | MAP_ANONYMOUS
        guard let memory = mmap(nil, size + 2 * guardSize, PROT_READ | PROT_WRITE, flags, -1, 0), memory != MAP_FAILED
        else { throw FuzzFault("no memory for \(size) bytes") }
        self.memory = memory
        // One page before, one behind.
        guard mprotect(memory, guardSize, PROT_NONE) == 0,
            mprotect(memory + guardSize + size, guardSize, PROT_NONE) == 0
        else { throw FuzzFault("cannot protect a page") }
    }

    deinit { munmap(memory, size + 2 * guardSize) }

    /// Passes to `body` a copy of a text with `gap` bytes between its end and the page; the gap holds `filling`.
    public func lend<R>(
        _ text: [UInt8],
        gap: Int,
        filling: UInt8,
        _ body: (UnsafeRawBufferPointer) throws -> R
    ) rethrows -> R {
        let end = memory + guardSize + size
        let start = end - gap - text.count
        memset(end - gap, Int32(filling), gap)
        start.copyMemory(from: text, byteCount: text.count)
        return try body(UnsafeRawBufferPointer(start: start, count: text.count))
    }
}
