/// Writes one JSON text, with identical bytes for identical calls.
///
/// Members are in the order of the calls, without white space. Strings keep their UTF-8 and escape the characters that
/// RFC 8259 requires, by the short escapes if there are any. A `Double` is written by the fewest digits that restore it
/// when read, with `.0` if it is whole (`1.0`, `1e+20`), so that it stays a decimal number; integers have no point.
///
/// ```swift
/// var writer = JSONWriter()
/// writer.object {
///     $0.member("id", "s-1")
///     $0.array("scores") { $0.value(0.5) }
/// }
/// ```
public struct JSONWriter: Sendable {
    /// Bytes written so far.
    public private(set) var bytes: [UInt8] = []
    private var needsComma = false

    /// Creates a writer with a capacity of `capacity` bytes.
    public init(capacity: Int = 256) {
        bytes.reserveCapacity(capacity)
    }

    /// Bytes written so far, as text; for tests and messages.
    public var text: String { String(decoding: bytes, as: UTF8.self) }

    /// Removes the text but keeps the memory, for the next text.
    public mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        needsComma = false
    }

    /// Starts an object; `endObject` ends it.
    public mutating func beginObject() { open(UInt8(ascii: "{")) }

    /// Ends the object begun last.
    public mutating func endObject() { close(UInt8(ascii: "}")) }

    /// Starts an array; `endArray` ends it.
    public mutating func beginArray() { open(UInt8(ascii: "[")) }

    /// Ends the array begun last.
    public mutating func endArray() { close(UInt8(ascii: "]")) }

    /// An object whose members `body` writes.
    @inlinable
    public mutating func object<E: Error>(_ body: (inout JSONWriter) throws(E) -> Void) throws(E) {
        beginObject()
        try body(&self)
        endObject()
    }

    /// An array whose elements `body` writes.
    @inlinable
    public mutating func array<E: Error>(_ body: (inout JSONWriter) throws(E) -> Void) throws(E) {
        beginArray()
        try body(&self)
        endArray()
    }

    /// The key of the member whose value is written next.
    public mutating func key(_ key: StaticString) {
        self.key(utf8: UnsafeBufferPointer(start: key.utf8Start, count: key.utf8CodeUnitCount))
    }

    /// The key of the member whose value is written next, for keys that are not known when compiling.
    public mutating func key(named key: String) {
        var copy = key
        copy.withUTF8 { self.key(utf8: $0) }
    }

    /// The key of the member whose value is written next, given as UTF-8, which the caller knows to be valid.
    public mutating func key(utf8 key: UnsafeBufferPointer<UInt8>) {
        separate()
        needsComma = false
        appendString(key)
        bytes.append(UInt8(ascii: ":"))
    }

    /// A string.
    public mutating func value(_ text: String) {
        separate()
        var copy = text
        copy.withUTF8 { appendString($0) }
    }

    /// A string given as UTF-8, which the caller knows to be valid.
    public mutating func value(utf8: UnsafeBufferPointer<UInt8>) {
        separate()
        appendString(utf8)
    }

    /// An integer.
    public mutating func value(_ number: Int64) {
        separate()
        if number < 0 { bytes.append(UInt8(ascii: "-")) }
        appendDigits(number.magnitude)
    }

    /// An integer.
    public mutating func value(_ number: Int) { value(Int64(number)) }

    /// An integer.
    public mutating func value(_ number: UInt64) {
        separate()
        appendDigits(number)
    }

    /// A number, which must be finite: JSON has no other numbers, so a release build writes `null` for them.
    public mutating func value(_ number: Double) {
        assert(number.isFinite, "JSON has no number for \(number)")
        guard number.isFinite else { return null() }
        separate()
        if number.magnitude < 0x1p53, number == Double(Int64(number)), number != 0 {
            if number < 0 { bytes.append(UInt8(ascii: "-")) }
            appendDigits(UInt64(number.magnitude))
            bytes.append(UInt8(ascii: "."))
            bytes.append(UInt8(ascii: "0"))
        } else {
            var digits = number.description
            digits.withUTF8 { bytes.append(contentsOf: $0) }
        }
    }

    /// `true` or `false`.
    public mutating func value(_ flag: Bool) {
        separate()
        bytes.append(contentsOf: (flag ? "true" : "false").utf8)
    }

    /// `null`.
    public mutating func null() {
        separate()
        bytes.append(contentsOf: "null".utf8)
    }

    /// One value that is JSON already; it is not checked.
    public mutating func value(encoded: some Collection<UInt8>) {
        separate()
        bytes.append(contentsOf: encoded)
    }

    private mutating func open(_ bracket: UInt8) {
        separate()
        bytes.append(bracket)
        needsComma = false
    }

    private mutating func close(_ bracket: UInt8) {
        bytes.append(bracket)
        needsComma = true
    }

    /// Writes the comma before a value or key that is not the first, and expects one before the next.
    private mutating func separate() {
        if needsComma { bytes.append(UInt8(ascii: ",")) }
        needsComma = true
    }

    private mutating func appendDigits(_ number: UInt64) {
        guard number > 9 else { return bytes.append(0x30 + UInt8(number)) }
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { digits in
            var left = number
            var start = 20
            while left > 0 {
                let (quotient, digit) = left.quotientAndRemainder(dividingBy: 10)
                start -= 1
                digits[start] = 0x30 + UInt8(truncatingIfNeeded: digit)
                left = quotient
            }
            bytes.append(contentsOf: digits[start...])
        }
    }

    /// Appends a string with its quotes, unescaped runs in one piece.
    private mutating func appendString(_ text: UnsafeBufferPointer<UInt8>) {
        bytes.append(UInt8(ascii: "\""))
        var runStart = 0
        var position = 0
        while position < text.count {
            if position + 8 <= text.count, Self.isPlain(text, at: position) {
                position += 8
                continue
            }
            let byte = text[position]
            defer { position += 1 }
            if byte >= 0x20, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") { continue }
            bytes.append(contentsOf: text[runStart..<position])
            runStart = position + 1
            appendEscape(byte)
        }
        bytes.append(contentsOf: text[runStart...])
        bytes.append(UInt8(ascii: "\""))
    }

    /// Whether eight bytes need no escape.
    private static func isPlain(_ text: UnsafeBufferPointer<UInt8>, at position: Int) -> Bool {
        guard let start = text.baseAddress else { return false }
        let word = UnsafeRawPointer(start).loadUnaligned(fromByteOffset: position, as: UInt64.self)
        let ones: UInt64 = 0x0101_0101_0101_0101
        let (quote, backslash) = (word ^ (ones &* 0x22), word ^ (ones &* 0x5C))
        let found = ((word &- ones &* 0x20) & ~word) | ((quote &- ones) & ~quote) | ((backslash &- ones) & ~backslash)
        return found & (ones &* 0x80) == 0
    }

    private mutating func appendEscape(_ byte: UInt8) {
        bytes.append(UInt8(ascii: "\\"))
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes.append(byte)
        case 0x08: bytes.append(UInt8(ascii: "b"))
        case 0x09: bytes.append(UInt8(ascii: "t"))
        case 0x0a: bytes.append(UInt8(ascii: "n"))
        case 0x0c: bytes.append(UInt8(ascii: "f"))
        case 0x0d: bytes.append(UInt8(ascii: "r"))
        default:
            bytes.append(contentsOf: byte < 0x10 ? "u000".utf8 : "u001".utf8)
            let low = byte & 15
            bytes.append(low < 10 ? 0x30 + low : 0x57 + low)
        }
    }
}
