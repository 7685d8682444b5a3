/// A value that is described once: its initialiser names every part with key, kind and range.
///
/// Reading a record or a file, writing and describing all run the same initialiser. It processes the parts in the order
/// in which they are written, and assigns them: an omitted part does not compile.
///
/// ```swift
/// extension DatasetPolicy: Formed {
///     public static let standard: DatasetPolicy? = DatasetPolicy()
///
///     public init<F: Fields<Self>>(fields f: inout F) throws(F.Failure) {
///         cutEvery = try f("cut_every", \.cutEvery, Count(1...1_000_000), doc: "New labels that make a version.")
///         cutAfter = try f("cut_after", \.cutAfter, Span(), doc: "The longest that a label waits for one.")
///     }
/// }
/// ```
public protocol Formed: Equatable, Sendable {
    init<F: Fields<Self>>(fields f: inout F) throws(F.Failure)
    /// Default values for parts that a file does not name; nil if some parts have no default.
    static var standard: Self? { get }
}

extension Formed {
    public static var standard: Self? { nil }
}

/// A run of a form over one object.
///
/// A *record* is JSON on a topic or in the state, a *file* is YAML written by people.
public protocol Fields<Root> {
    associatedtype Root
    associatedtype Failure: Error

    mutating func field<K: ValueKind>(
        _ field: Field,
        _ get: (Root) -> K.Value,
        _ kind: K,
        defaults: Defaults<K.Value>,
        inFile: K?
    ) throws(Failure) -> K.Value

    mutating func optional<K: ValueKind>(_ field: Field, _ get: (Root) -> K.Value?, _ kind: K) throws(Failure)
        -> K.Value?

    mutating func tag<C: ChoiceValue>(_ field: Field, _ get: (Root) -> C) throws(Failure) -> C

    mutating func flattened<T: Formed>(_ key: StaticString?, _ get: (Root) -> T) throws(Failure) -> T

    mutating func require(_ rule: Rule, _ complaint: @autoclosure () -> String?) throws(Failure)
}

/// The names of a part and what it means.
public struct Field: Sendable {
    /// The key in a file. It is also the key in a record, with `_ms` appended for a `Span`, unless `wire` is set.
    public let key: StaticString
    /// The key in a record, if it differs from `key`.
    public let wire: StaticString?
    /// Whether files have no such key.
    public let isHiddenInFiles: Bool
    /// One line for people.
    public let doc: StaticString

    @inlinable
    init(_ key: StaticString, wire: StaticString?, isHiddenInFiles: Bool = false, _ doc: StaticString) {
        self.key = key
        self.wire = wire
        self.isHiddenInFiles = isHiddenInFiles
        self.doc = doc
    }
}

/// The three meanings of an absent key.
public struct Defaults<Value> {
    /// The value in a record without the key. It is a literal that never changes, even if a default does. Nil if the
    /// key is required.
    public let absent: Value?
    /// The value for which a record is written without the key.
    public let implied: Value?
    /// The value in a file without the key; it takes precedence over `Formed.standard`.
    public let fallback: Value?

    @inlinable
    public init(absent: Value? = nil, implied: Value? = nil, fallback: Value? = nil) {
        self.absent = absent ?? implied
        self.implied = implied
        self.fallback = fallback
    }
}

/// Keys and scope of a rule over several parts.
public struct Rule: Sendable {
    /// The key at which a fault is reported.
    public let key: StaticString
    /// The key in a file at which a fault is reported.
    public let fileKey: StaticString
    /// Keys in a file whose faults disable the rule.
    public let dependencies: [StaticString]
    /// Whether records need not satisfy the rule, so that a rule added later refuses no old journal.
    public let isForFilesOnly: Bool
}

extension Fields {
    /// Declares a part.
    ///
    /// - Parameters:
    ///   - key: The key in a file, and in a record unless `wire` names another.
    ///   - get: Returns the part of an existing value.
    ///   - kind: Type and range.
    ///   - wire: The key in a record, if it differs from `key`.
    ///   - absent: The value of a record without the key, a literal. Without it, and without `implied`, the key is required.
    ///   - implied: The value of a record without the key, as `absent`; a part with this value is also left out when a
    ///     record is written.
    ///   - fallback: The value of a file without the key, if it differs from the one in `Formed.standard`.
    ///   - inFile: A narrower range for files.
    ///   - doc: One line for people.
    /// - Returns: The part.
    /// - Throws: The failure of the run of the form.
    @inlinable
    @inline(__always)
    public mutating func callAsFunction<K: ValueKind>(
        _ key: StaticString,
        _ get: (Root) -> K.Value,
        _ kind: K,
        wire: StaticString? = nil,
        absent: K.Value? = nil,
        implied: K.Value? = nil,
        default fallback: K.Value? = nil,
        inFile: K? = nil,
        doc: StaticString = ""
    ) throws(Failure) -> K.Value {
        let defaults = Defaults(absent: absent, implied: implied, fallback: fallback)
        return try field(Field(key, wire: wire, doc), get, kind, defaults: defaults, inFile: inFile)
    }

    /// Declares a part that may be absent, in records and in files.
    @inlinable
    @inline(__always)
    public mutating func optional<K: ValueKind>(
        _ key: StaticString,
        _ get: (Root) -> K.Value?,
        _ kind: K,
        wire: StaticString? = nil,
        doc: StaticString = ""
    ) throws(Failure) -> K.Value? {
        try optional(Field(key, wire: wire, doc), get, kind)
    }

    /// Declares a part that only records have; when a file is read, it is `value`. A record without the key has the
    /// value `implied`, with which it is also written without the key; the key is required if `implied` is nil.
    public mutating func hidden<K: ValueKind>(
        _ key: StaticString,
        _ get: (Root) -> K.Value,
        _ kind: K,
        implied: K.Value? = nil,
        inFile value: K.Value,
        doc: StaticString = ""
    ) throws(Failure) -> K.Value {
        let defaults = Defaults(absent: nil, implied: implied, fallback: value)
        return try field(Field(key, wire: nil, isHiddenInFiles: true, doc), get, kind, defaults: defaults, inFile: nil)
    }

    /// Declares a part whose value decides which other parts there are.
    @inlinable
    public mutating func tag<C: ChoiceValue>(
        _ key: StaticString,
        _ get: (Root) -> C,
        doc: StaticString = ""
    ) throws(Failure) -> C {
        try tag(Field(key, wire: nil, doc), get)
    }

    /// Declares a form whose parts are members of the same object as those of this one: in a file, and also in a record
    /// unless the form has a key there.
    @inlinable
    public mutating func flattened<T: Formed>(
        _ get: (Root) -> T,
        wire: StaticString? = nil
    ) throws(Failure) -> T {
        try flattened(wire, get)
    }

    /// Declares a rule over several parts. The complaint is nil if the rule is satisfied.
    ///
    /// In a file it is checked even if a part is faulty, with a default instead, unless `dependencies` name that part.
    public mutating func require(
        _ key: StaticString,
        unlessFaulty dependencies: [StaticString] = [],
        fileKey: StaticString? = nil,
        onlyInFiles: Bool = false,
        _ complaint: @autoclosure () -> String?
    ) throws(Failure) {
        let rule = Rule(key: key, fileKey: fileKey ?? key, dependencies: dependencies, isForFilesOnly: onlyInFiles)
        try require(rule, complaint())
    }
}
