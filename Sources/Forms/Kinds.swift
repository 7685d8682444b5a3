/// A finite number.
public struct Number: ValueKind {
    public let range: ClosedRange<Double>
    /// Any finite number.
    @inlinable public static var any: Number {
        Number(-Double.greatestFiniteMagnitude...Double.greatestFiniteMagnitude)
    }

    @inlinable public init(_ range: ClosedRange<Double>) { self.range = range }
    @inlinable public var placeholder: Double { range.lowerBound }
    public var shape: Shape { .number(range) }
    @inlinable public func read<S: ValueSource>(_ source: S) throws(S.Failure) -> Double { try source.number(range) }
    @inlinable public func write<S: ValueSink>(_ value: Double, to sink: inout S) { sink.number(value) }
}

/// A whole number that fits 64 bits with a sign.
public struct Integer<Value: FixedWidthInteger & Sendable>: ValueKind {
    @usableFromInline let range: ClosedRange<Int64>
    /// Any value of the type.
    @inlinable public static var any: Integer { Integer(Value.min...Value.max) }

    /// The largest count: no project reaches it, and adding to it never overflows.
    public static var largestCount: Int64 { 1 << 53 }
    /// Counts that rows hold, at most `largestCount` in either direction (-1 is before the first).
    @inlinable public static var counted: Integer {
        Integer(Value(clamping: -(Int64(1) << 53))...Value(clamping: Int64(1) << 53))
    }

    @inlinable public init(_ range: ClosedRange<Value>) {
        self.range = Int64(clamping: range.lowerBound)...Int64(clamping: range.upperBound)
    }
    @inlinable public var placeholder: Value { Value(range.lowerBound) }
    public var shape: Shape { .integer(range) }
    @inlinable public func read<S: ValueSource>(_ source: S) throws(S.Failure) -> Value {
        Value(truncatingIfNeeded: try source.integer(range))
    }
    @inlinable public func write<S: ValueSink>(_ value: Value, to sink: inout S) { sink.integer(Int64(value)) }
}

/// A whole number.
public typealias Count = Integer<Int>

/// A span of time in milliseconds: `1h` in a file; a whole number in a record, where the key ends in `_ms`.
public struct Span: ValueKind {
    /// The longest span that a policy may name: ten years.
    public static let longest: Int64 = 10 * 365 * 86_400_000
    /// Units of a file, the longest first.
    public static let units: [(name: String, milliseconds: Int64)] = [
        ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1),
    ]

    @usableFromInline let range: ClosedRange<Int64>

    @inlinable public init(_ range: ClosedRange<Int64> = 1...Span.longest) { self.range = range }
    @inlinable public static var isSpan: Bool { true }
    @inlinable public var placeholder: Int64 { range.lowerBound }
    public var shape: Shape { .span(range) }
    @inlinable public func read<S: ValueSource>(_ source: S) throws(S.Failure) -> Int64 { try source.span(range) }
    @inlinable public func write<S: ValueSink>(_ value: Int64, to sink: inout S) { sink.span(value) }

    /// The text of a span in a file, in the largest unit of which it is a whole multiple.
    public static func text(_ milliseconds: Int64) -> String {
        let unit = units.first { milliseconds != 0 && milliseconds % $0.milliseconds == 0 } ?? ("ms", 1)
        return "\(milliseconds / unit.milliseconds)\(unit.name)"
    }
}

/// True or false.
public struct Flag: ValueKind {
    @inlinable public init() {}
    @inlinable public var placeholder: Bool { false }
    public var shape: Shape { .flag }
    @inlinable public func read<S: ValueSource>(_ source: S) throws(S.Failure) -> Bool { try source.flag() }
    @inlinable public func write<S: ValueSink>(_ value: Bool, to sink: inout S) { sink.flag(value) }
}

/// A truth value that can only be true.
public struct AlwaysTrue: ValueKind {
    let advice: String
    /// - Parameter advice: Advice in the message for the value false.
    public init(_ advice: String) { self.advice = advice }
    public var placeholder: Bool { true }
    public var shape: Shape { .alwaysTrue }
    public func read<S: ValueSource>(_ source: S) throws(S.Failure) -> Bool {
        guard try source.flag() else { throw source.failure("true (\(advice))", found: "false") }
        return true
    }
    public func write<S: ValueSink>(_ value: Bool, to sink: inout S) { sink.flag(value) }
}

/// A text with a range for its number of UTF-8 bytes.
public struct Text: ValueKind {
    @usableFromInline let bytes: ClosedRange<Int>
    /// Any text.
    @inlinable public static var any: Text { Text(0...Int.max) }
    @inlinable public init(_ bytes: ClosedRange<Int>) { self.bytes = bytes }
    @inlinable public var placeholder: String { "" }
    public var shape: Shape { .text(bytes, note: nil) }
    @inlinable public func read<S: ValueSource>(_ source: S) throws(S.Failure) -> String { try source.text(bytes) }
    @inlinable public func write<S: ValueSink>(_ value: String, to sink: inout S) { sink.text(value) }

    /// Expectation, as in "1 to 64 bytes".
    public var expectation: String {
        bytes.lowerBound == 0 ? "at most \(bytes.upperBound) bytes" : "\(bytes.lowerBound) to \(bytes.upperBound) bytes"
    }
}

/// A text that is converted by a function that may refuse it: an id, a name.
///
/// A text of 1 to 12 lower-case letters must be accepted.
public struct Name<Value: Equatable & Sendable>: ValueKind {
    let expected: String
    let bytes: ClosedRange<Int>
    let make: @Sendable (String) -> Value?
    let text: @Sendable (Value) -> String
    public let placeholder: Value

    public init(
        _ expected: String,
        bytes: ClosedRange<Int>,
        placeholder: Value,
        make: @escaping @Sendable (String) -> Value?,
        text: @escaping @Sendable (Value) -> String
    ) {
        self.expected = expected
        self.bytes = bytes
        self.placeholder = placeholder
        self.make = make
        self.text = text
    }
    public var shape: Shape { .text(bytes, note: expected) }
    public func read<S: ValueSource>(_ source: S) throws(S.Failure) -> Value {
        let text = try source.text(0...Int.max)
        guard let value = make(text) else { throw source.failure(expected, found: text.quoted) }
        return value
    }
    public func write<S: ValueSink>(_ value: Value, to sink: inout S) { sink.text(text(value)) }
}

extension String {
    /// The text for a message: in quotes, cut when it is long.
    public var quoted: String { count > 80 ? "\"\(prefix(80))…\"" : "\"\(self)\"" }
}

/// One of the cases of a type, by its text.
public struct Choice<Value: ChoiceValue>: ValueKind {
    /// Advice about other texts, after the list of known ones.
    public let note: String?
    @inlinable public init(_: Value.Type = Value.self, note: String? = nil) { self.note = note }
    // A type without a case has no value whose form could be requested.
    public var placeholder: Value { Array(Value.allCases)[0] }
    public var shape: Shape { .choice(Value.allCases.map(\.rawValue)) }
    /// Expectation, as in "one of a, b".
    public var expectation: String {
        let names = Value.allCases.map(\.rawValue)
        return (names.count == 1 ? names[0] : "one of \(names.joined(separator: ", "))") + (note ?? "")
    }
    @inlinable public func read<S: ValueSource>(_ source: S) throws(S.Failure) -> Value { try source.choice(self) }
    @inlinable public func write<S: ValueSink>(_ value: Value, to sink: inout S) { sink.text(value.rawValue) }
}
