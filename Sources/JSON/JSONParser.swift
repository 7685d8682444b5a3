import CSimdjson

/// Reads JSON texts one at a time, each in a single pass over a private copy.
///
/// One parser belongs to one thread. Its memory grows to about twelve times the largest text parsed so far and is
/// reused: parsing does not allocate once that size is reached.
///
/// ```swift
/// let parser = JSONParser()
/// let text = #"{"id": "s-1", "scores": [0.5, 1]}"#
/// let scores = try parser.withDocument(of: Array(text.utf8)) { document in
///     try document.object().doubles("scores")
/// }
/// ```
public final class JSONParser {
    /// The deepest nesting accepted: a scalar has depth 0, and so has `[]`; `[1]` has depth 1.
    public let maximumDepth: Int
    /// The largest text accepted, in bytes.
    public let maximumSize: Int
    let parser: OpaquePointer

    /// Makes a parser with its limits.
    ///
    /// - Parameters:
    ///   - maximumDepth: The deepest nesting of arrays and objects accepted, in `1...1024`.
    ///   - maximumSize: The largest text accepted, in bytes, under 4 GB.
    public init(maximumDepth: Int = 64, maximumSize: Int = 16 << 20) {
        precondition((1...1024).contains(maximumDepth), "the depth limit must be in 1...1024")
        precondition((1..<0xffff_ffff).contains(maximumSize), "the size limit must be under 4 GB")
        guard let parser = flywheel_json_parser_new(maximumDepth + 1) else {
            preconditionFailure("out of memory for a JSON parser")
        }
        self.parser = parser
        self.maximumDepth = maximumDepth
        self.maximumSize = maximumSize
    }

    deinit { flywheel_json_parser_free(parser) }

    /// Parses `bytes` and passes the document to `body`.
    ///
    /// The value and everything obtained from it (arrays, objects, views of text) must not outlive `body`, nor may
    /// `body` parse another text with this parser.
    ///
    /// - Throws: `JSONError` when the text is refused; any error that `body` throws.
    public func withDocument<R>(of bytes: UnsafeRawBufferPointer, _ body: (JSONValue) throws -> R) throws -> R {
        try body(parse(bytes))
    }

    /// Parses `bytes` and passes the document to `body`, as the other method does.
    public func withDocument<R>(of bytes: [UInt8], _ body: (JSONValue) throws -> R) throws -> R {
        try bytes.withUnsafeBytes { try withDocument(of: $0, body) }
    }

    /// Parses `bytes`; the value and everything obtained from it are valid until this parser parses again or is
    /// deallocated.
    ///
    /// - Complexity: O(*n*), about a gigabyte a second.
    public func parse(_ bytes: UnsafeRawBufferPointer) throws(JSONError) -> JSONValue {
        guard bytes.count <= maximumSize else {
            throw JSONError(.tooLarge, reason: "expected at most \(maximumSize) bytes, found \(bytes.count)")
        }
        var document = flywheel_json_document()
        let text = bytes.assumingMemoryBound(to: UInt8.self)
        guard flywheel_json_parse(parser, text.baseAddress, text.count, &document),
            let tape = document.tape, let strings = document.strings
        else {
            throw JSONDiagnosis.fault(of: text, maximumDepth: maximumDepth)
        }
        return JSONValue(tape: tape, strings: strings, index: 1)
    }
}
