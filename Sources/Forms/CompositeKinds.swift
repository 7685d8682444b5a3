/// A kind whose values are converted from and to the values of another kind, which is the one read and written.
public struct Mapped<K: ValueKind, Value: Equatable & Sendable>: ValueKind {
    @usableFromInline let kind: K
    @usableFromInline let expected: String
    @usableFromInline let to: @Sendable (K.Value) -> Value?
    @usableFromInline let from: @Sendable (Value) -> K.Value
    public let placeholder: Value

    /// - Parameters:
    ///   - kind: The kind that is read and written.
    ///   - expected: Description of the expected value, for a value that `to` refuses.
    ///   - placeholder: Any value.
    ///   - to: Conversion of the value that was read; nil refuses it.
    ///   - from: Conversion to the value that is written.
    @inlinable
    public init(
        _ kind: K,
        expected: String = "",
        placeholder: Value,
        _ to: @escaping @Sendable (K.Value) -> Value?,
        _ from: @escaping @Sendable (Value) -> K.Value
    ) {
        self.kind = kind
        self.expected = expected
        self.placeholder = placeholder
        self.to = to
        self.from = from
    }
    public var shape: Shape { kind.shape }
    @inlinable public static var isSpan: Bool { K.isSpan }
    @inlinable public func read<S: ValueSource>(_ source: S) throws(S.Failure) -> Value {
        guard let value = to(try kind.read(source)) else { throw source.failure(expected, found: nil) }
        return value
    }
    @inlinable public func write<S: ValueSink>(_ value: Value, to sink: inout S) { kind.write(from(value), to: &sink) }
}

/// A list of values of one kind, in order, with a range for their number.
public struct ListOf<K: ValueKind>: ValueKind {
    public let kind: K
    public let counts: ClosedRange<Int>
    /// Noun for the values, in the plural, as in "distinct names".
    public let noun: String
    /// Tests whether all values are different; nil if they need not be.
    public let isDistinct: (@Sendable ([K.Value]) -> Bool)?

    @inlinable
    public init(
        _ kind: K,
        _ counts: ClosedRange<Int> = 0...Int.max,
        of noun: String = "values",
        distinct isDistinct: (@Sendable ([K.Value]) -> Bool)? = nil
    ) {
        self.kind = kind
        self.counts = counts
        self.noun = noun
        self.isDistinct = isDistinct
    }
    @inlinable public var placeholder: [K.Value] { [] }
    public var shape: Shape { .list(kind.shape, counts, noun) }
    @inlinable public func read<S: ValueSource>(_ source: S) throws(S.Failure) -> [K.Value] { try source.list(self) }
    @inlinable public func write<S: ValueSink>(_ values: [K.Value], to sink: inout S) { sink.list(values, kind) }

    /// How many are expected.
    public var expectation: String { Self.expectation(counts, noun) }

    static func expectation(_ counts: ClosedRange<Int>, _ noun: String) -> String {
        let number = counts.lowerBound == 0 ? "at most" : "\(counts.lowerBound) to"
        return "\(number) \(counts.upperBound) \(noun)"
    }
}

/// A form within a form.
public struct Nested<Value: Formed>: ValueKind {
    @inlinable public init(_: Value.Type = Value.self) {}
    public var placeholder: Value {
        var fields = Placeholders<Value>()
        return Value(fields: &fields)
    }
    public var standard: Value? { Value.standard }
    public var shape: Shape { .form(Value.self) }
    @inlinable public func read<S: ValueSource>(_ source: S) throws(S.Failure) -> Value { try source.form(Value.self) }
    @inlinable public func write<S: ValueSink>(_ value: Value, to sink: inout S) { sink.form(value) }
}

/// A union within a form.
public struct Union<Value: FormedUnion>: ValueKind {
    public init(_: Value.Type = Value.self) {}
    public var placeholder: Value { Value.example }
    public var shape: Shape { .union(Value.self) }
    public func read<S: ValueSource>(_ source: S) throws(S.Failure) -> Value { try source.union(Value.self) }
    public func write<S: ValueSink>(_ value: Value, to sink: inout S) { sink.union(value) }
}

/// A value for each class: in the order of the classes in a record, by name in a file, where classes that are not named
/// have the value `other`.
public struct ByClass<K: ValueKind>: ValueKind {
    /// Maximum number of classes of a project.
    public static var limit: Int { 10_000 }
    public let kind: K
    public let other: K.Value
    public init(_ kind: K, other: K.Value) {
        self.kind = kind
        self.other = other
    }
    public var placeholder: [K.Value] { [] }
    public var shape: Shape { .byClass(kind.shape) }
    public func read<S: ValueSource>(_ source: S) throws(S.Failure) -> [K.Value] { try source.byClass(self) }
    public func write<S: ValueSink>(_ values: [K.Value], to sink: inout S) { sink.list(values, kind) }
}

/// A name and its value.
public struct Entry<Value: Equatable & Sendable>: Equatable, Sendable {
    public let name: String
    public let value: Value
    public init(_ name: String, _ value: Value) {
        self.name = name
        self.value = value
    }
}

/// Values by name, no name twice: an object in a record, a list of maps of two keys in a file.
public struct Entries<K: ValueKind>: ValueKind {
    /// The key of the name in a file.
    public let name: StaticString
    /// The key of the value in a file.
    public let value: StaticString
    public let nameBytes: ClosedRange<Int>
    public let kind: K
    public let counts: ClosedRange<Int>
    public init(
        name: StaticString,
        nameBytes: ClosedRange<Int>,
        value: StaticString,
        kind: K,
        counts: ClosedRange<Int>
    ) {
        self.name = name
        self.nameBytes = nameBytes
        self.value = value
        self.kind = kind
        self.counts = counts
    }
    public var placeholder: [Entry<K.Value>] { [] }
    /// How many are expected.
    public var expectation: String { ListOf<K>.expectation(counts, "distinct \(name)s") }
    public var shape: Shape {
        .entries(name: "\(name)", value: "\(value)", kind.shape, counts, nameBytes: nameBytes)
    }
    public func read<S: ValueSource>(_ source: S) throws(S.Failure) -> [Entry<K.Value>] { try source.entries(self) }
    public func write<S: ValueSink>(_ values: [Entry<K.Value>], to sink: inout S) { sink.entries(values, kind) }
}

/// A run of a form that gives every part the placeholder of its kind, and every optional part nil.
public struct Placeholders<Root>: Fields {
    public init() {}
    public mutating func field<K: ValueKind>(
        _ field: Field,
        _ get: (Root) -> K.Value,
        _ kind: K,
        defaults: Defaults<K.Value>,
        inFile: K?
    ) -> K.Value { kind.placeholder }
    public mutating func optional<K: ValueKind>(_ field: Field, _ get: (Root) -> K.Value?, _ kind: K) -> K.Value? {
        nil
    }
    public mutating func tag<C: ChoiceValue>(_ field: Field, _ get: (Root) -> C) -> C { Choice<C>().placeholder }
    public mutating func flattened<T: Formed>(_ key: StaticString?, _ get: (Root) -> T) -> T { Nested<T>().placeholder }
    public mutating func require(_ rule: Rule, _ complaint: @autoclosure () -> String?) {}
}
