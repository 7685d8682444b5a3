internal import CSimdjson

/// Finds the structure of texts for one parser: operations called once for every record, without the parser's object.
public struct JSONScanner {
    private let parser: OpaquePointer
    private let maximumSize: Int

    /// Creates a scanner that is valid while `parser` exists.
    public init(_ parser: JSONParser) {
        self.parser = parser.parser
        maximumSize = parser.maximumSize
    }

    /// Prefetches `bytes`, which are scanned soon, into the CPU's cache: they were usually written by another CPU.
    public func prefetch(_ bytes: UnsafeRawBufferPointer) {
        guard let start = bytes.assumingMemoryBound(to: UInt8.self).baseAddress else { return }
        flywheel_json_prefetch(start, bytes.count)
    }

    /// Finds the structure of `bytes` without reading its values; nil if that fails: then `parse` reports the reason.
    ///
    /// The cursor is valid as long as `bytes` are, and until the parser reads its next text or is deallocated.
    ///
    /// - Complexity: O(*n*), several gigabytes a second.
    public func scan(_ bytes: UnsafeRawBufferPointer) -> JSONScan? {
        guard bytes.count <= maximumSize else { return nil }
        var index = flywheel_json_index()
        let start = bytes.assumingMemoryBound(to: UInt8.self).baseAddress
        guard flywheel_json_scan(parser, start, bytes.count, &index) else { return nil }
        return JSONScan(index)
    }
}

extension JSONParser {
    /// Finds the structure of `bytes`, as `JSONScanner.scan` does.
    public func scan(_ bytes: UnsafeRawBufferPointer) -> JSONScan? { JSONScanner(self).scan(bytes) }
}
