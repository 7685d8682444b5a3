/// A kind of value: reads it from any source, writes it to any sink, and describes it.
public protocol ValueKind<Value>: Sendable {
    associatedtype Value: Equatable & Sendable
    /// Whether the key ends in `_ms` in a record.
    static var isSpan: Bool { get }
    /// An arbitrary value of the kind, which replaces a faulty one.
    var placeholder: Value { get }
    /// The value in a file that does not name it and has no other default.
    var standard: Value? { get }
    var shape: Shape { get }
    func read<S: ValueSource>(_ source: S) throws(S.Failure) -> Value
    func write<S: ValueSink>(_ value: Value, to sink: inout S)
}

extension ValueKind {
    @inlinable public static var isSpan: Bool { false }
    public var standard: Value? { nil }
}

/// A type whose cases are named by texts.
public typealias ChoiceValue = CaseIterable & Equatable & RawRepresentable<String> & Sendable

/// A value in a record or in a file, with its location. Ranges include both ends.
public protocol ValueSource {
    associatedtype Failure: Error
    func number(_ range: ClosedRange<Double>) throws(Failure) -> Double
    func integer(_ range: ClosedRange<Int64>) throws(Failure) -> Int64
    /// Milliseconds.
    func span(_ range: ClosedRange<Int64>) throws(Failure) -> Int64
    func flag() throws(Failure) -> Bool
    /// Reads a text whose number of UTF-8 bytes is in the range.
    func text(_ bytes: ClosedRange<Int>) throws(Failure) -> String
    func choice<C: ChoiceValue>(_ kind: Choice<C>) throws(Failure) -> C
    /// The position of a class: a number in a record, a name in a file.
    func position() throws(Failure) -> Int
    func list<K: ValueKind>(_ list: ListOf<K>) throws(Failure) -> [K.Value]
    func entries<K: ValueKind>(_ entries: Entries<K>) throws(Failure) -> [Entry<K.Value>]
    func byClass<K: ValueKind>(_ values: ByClass<K>) throws(Failure) -> [K.Value]
    func form<T: Formed>(_ type: T.Type) throws(Failure) -> T
    func union<T: FormedUnion>(_ type: T.Type) throws(Failure) -> T
    /// Returns the requirement that a name violates, if its source restricts more than the form of names; nil for an
    /// acceptable name.
    func fault(ofName name: String) -> String?
    /// An error about this value; without `found` it contains the actual value, if it can.
    func failure(_ expected: String, found: String?) -> Failure
}

extension ValueSource {
    /// Nil by default: a record contains values that were accepted under the rules in force when it was written.
    @inlinable public func fault(ofName name: String) -> String? { nil }
}

/// A sink that values are written to.
public protocol ValueSink {
    mutating func number(_ value: Double)
    mutating func integer(_ value: Int64)
    /// Milliseconds.
    mutating func span(_ value: Int64)
    mutating func flag(_ value: Bool)
    mutating func text(_ value: String)
    mutating func list<K: ValueKind>(_ values: [K.Value], _ kind: K)
    mutating func entries<K: ValueKind>(_ values: [Entry<K.Value>], _ kind: K)
    mutating func form<T: Formed>(_ value: T)
    mutating func union<T: FormedUnion>(_ value: T)
}

/// Description of a kind for schemas, tables and messages.
public indirect enum Shape: Sendable {
    case number(ClosedRange<Double>)
    case integer(ClosedRange<Int64>)
    /// Milliseconds.
    case span(ClosedRange<Int64>)
    case flag
    case alwaysTrue
    /// Bytes, and what else must hold of the text.
    case text(ClosedRange<Int>, note: String?)
    case choice([String])
    /// A class.
    case position
    /// The shape of the elements, the range of their number, and their noun in the plural.
    case list(Shape, ClosedRange<Int>, String)
    case byClass(Shape)
    case entries(name: String, value: String, Shape, ClosedRange<Int>, nameBytes: ClosedRange<Int>)
    case form(any Formed.Type)
    case union(any FormedUnion.Type)
}

/// A value that is an object of one member, which names the case.
public protocol FormedUnion: Equatable, Sendable {
    /// Noun for a value, in the singular, as in "condition".
    static var noun: String { get }
    /// Maximum number of levels of nesting, the outermost included.
    static var depthLimit: Int { get }
    /// Any value.
    static var example: Self { get }
    /// Names every case once.
    static func cases<V: Cases<Self>>(_ cases: inout V)
}

/// A run over the cases of a union.
public protocol Cases<Root> {
    associatedtype Root
    /// A case.
    ///
    /// - Parameters:
    ///   - name: The only key of the object.
    ///   - kind: Kind of the value under the key.
    ///   - embed: Makes the whole value.
    ///   - extract: The part of a value of this case, nil for any other.
    ///   - doc: One line for people.
    mutating func callAsFunction<K: ValueKind>(
        _ name: StaticString,
        _ kind: K,
        embed: (K.Value) -> Root,
        extract: (Root) -> K.Value?,
        doc: StaticString
    )
}

extension Shape {
    /// Expectation in a file or in a record, as in "an integer in 1...100".
    public func expectation(inFile: Bool) -> String {
        switch self {
        case .number(let range):
            range == Number.any.range ? "a number" : "a number in \(range.lowerBound)...\(range.upperBound)"
        case .integer(let range):
            range == .min ... .max ? "an integer" : "an integer in \(range.lowerBound)...\(range.upperBound)"
        case .span(let range) where inFile:
            "a duration as in 500ms, 10s, 5m, 2h, in \(Span.text(range.lowerBound))...\(Span.text(range.upperBound))"
        case .span(let range): "milliseconds in \(range.lowerBound)...\(range.upperBound)"
        case .flag: "true or false"
        case .alwaysTrue: "true"
        case .text: "a text"
        case .position: inFile ? "a text" : "the position of a class"
        case .choice(let names): "one of \(names.joined(separator: ", "))"
        case .list(.text, _, _): "a list of texts"
        case .list(.form, _, _) where inFile: "a list of maps"
        case .list(.union, _, _) where inFile: "a list of maps"
        case .list: "a list"
        case .entries: inFile ? "a list of maps" : "an object"
        case .byClass: inFile ? "a map" : "a list"
        case .union(let type): "a \(type.noun)"
        case .form: inFile ? "a map" : "an object"
        }
    }
}
