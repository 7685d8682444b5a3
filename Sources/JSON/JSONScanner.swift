internal import CSimdjson

/// Finds the structure of texts for one parser: what is asked once for every record, without the parser's object.
public struct JSONScanner {
    private let parser: OpaquePointer
    private let maximumSize: Int

    /// It holds while `parser` lives.
    public init(_ parser: JSONParser) {
        self.parser = parser.parser
        maximumSize = parser.maximumSize
    }

    /// Asks the processor to have `bytes` at hand, which are scanned soon: they were written by another processor as a rule.
    public func prepare(_ bytes: UnsafeRawBufferPointer) {
        guard let start = bytes.assumingMemoryBound(to: UInt8.self).baseAddress else { return }
        flywheel_json_prefetch(start, bytes.count)
    }

    /// Finds the structure of `bytes` without reading its values; nil where that fails: then `parse` says why.
    ///
    /// The cursor holds as long as `bytes` do, and until the parser reads its next text or is gone.
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
