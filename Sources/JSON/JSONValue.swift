/// A value of a parsed document: three words that point into the parser's memory.
///
/// It is valid until the parser reads its next text. Reading checks types and throws errors that name the path.
public struct JSONValue {
    /// The types of RFC 8259.
    public enum Kind: String, Hashable, Sendable {
        /// `{…}`
        case object
        /// `[…]`
        case array
        /// `"…"`
        case string
        /// An integer or a decimal number.
        case number
        /// `true` or `false`
        case bool
        /// `null`
        case null
    }

    let tape: UnsafePointer<UInt64>
    let strings: UnsafePointer<UInt8>
    let index: Int

    /// The value's type.
    public var kind: Kind {
        switch tag {
        case TapeTag.object: .object
        case TapeTag.array: .array
        case TapeTag.string: .string
        case TapeTag.int64, TapeTag.uint64, TapeTag.double: .number
        case TapeTag.yes, TapeTag.no: .bool
        default: .null
        }
    }

    /// Whether the value is `null`.
    public var isNull: Bool { kind == .null }

    /// The member called `key`, the first if there are several; nil if there is none, or if this is not an object.
    public subscript(key: StaticString) -> JSONValue? { objectView?[key] }

    /// The object, or nil if the value is of another type.
    public var objectView: JSONObject? { tag == TapeTag.object ? JSONObject(value: self) : nil }

    /// The members of an object.
    public func object() throws(JSONError) -> JSONObject {
        guard tag == TapeTag.object else { throw mismatch("an object") }
        return JSONObject(value: self)
    }

    /// The elements of an array.
    public func array() throws(JSONError) -> JSONArray {
        guard tag == TapeTag.array else { throw mismatch("an array") }
        return JSONArray(value: self)
    }

    /// The text of a string, without escapes.
    ///
    /// - Complexity: O(*n*); copies the text.
    public func string() throws(JSONError) -> String {
        String(decoding: try utf8(), as: UTF8.self)
    }

    /// The text of a string as UTF-8 in the parser's memory; nothing is copied.
    public func utf8() throws(JSONError) -> UnsafeBufferPointer<UInt8> {
        guard tag == TapeTag.string else { throw mismatch("a string") }
        return text
    }

    /// An integer. `3.0` counts as one, as in JSON Schema; `3.5` and numbers that 64 bits cannot hold do not.
    public func int64() throws(JSONError) -> Int64 {
        switch tag {
        case TapeTag.int64: return Int64(bitPattern: tape[index + 1])
        case TapeTag.double:
            let number = Double(bitPattern: tape[index + 1])
            guard number.magnitude <= 0x1p53, number == Double(Int64(number)) else {
                throw failure("expected an integer, found \(number)")
            }
            return Int64(number)
        case TapeTag.uint64: throw failure("expected at most \(Int64.max), found \(tape[index + 1])")
        default: throw mismatch("an integer")
        }
    }

    /// An integer in `range`, both ends included.
    public func int(in range: ClosedRange<Int> = Int.min...Int.max) throws(JSONError) -> Int {
        let number = Int(try int64())
        guard range.contains(number) else {
            throw failure("expected an integer in \(range.lowerBound)...\(range.upperBound), found \(number)")
        }
        return number
    }

    /// An integer that is not negative, up to 2⁶⁴ − 1.
    public func uint64() throws(JSONError) -> UInt64 {
        if tag == TapeTag.uint64 { return tape[index + 1] }
        let number = try int64()
        guard number >= 0 else { throw failure("expected at least 0, found \(number)") }
        return UInt64(number)
    }

    /// A finite number; integers count.
    public func double() throws(JSONError) -> Double {
        switch tag {
        case TapeTag.double: return Double(bitPattern: tape[index + 1])
        case TapeTag.int64: return Double(Int64(bitPattern: tape[index + 1]))
        case TapeTag.uint64: return Double(tape[index + 1])
        default: throw mismatch("a number")
        }
    }

    /// `true` or `false`.
    public func bool() throws(JSONError) -> Bool {
        switch tag {
        case TapeTag.yes: return true
        case TapeTag.no: return false
        default: throw mismatch("true or false")
        }
    }

    /// An error about this value, for readers with rules of their own: `throw value.failure("expected …, found …")`.
    public func failure(_ reason: String) -> JSONError {
        JSONError(.invalidValue, path: path, reason: reason)
    }

    func mismatch(_ expected: String) -> JSONError {
        let found =
            switch kind {
            case .object: "an object"
            case .array: "an array"
            case .string: "a string"
            case .number: "a number"
            case .bool: tag == TapeTag.yes ? "true" : "false"
            case .null: "null"
            }
        return JSONError(.wrongType, path: path, reason: "expected \(expected), found \(found)")
    }
}
