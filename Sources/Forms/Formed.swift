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
    /// Defaults of a file that does not name the parts; nil where some have none.
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
        lack: Lack<K.Value>,
        inFile: K?
    ) throws(Failure) -> K.Value

    mutating func optional<K: ValueKind>(_ field: Field, _ get: (Root) -> K.Value?, _ kind: K) throws(Failure)
        -> K.Value?

    mutating func tag<C: ChoiceValue>(_ field: Field, _ get: (Root) -> C) throws(Failure) -> C

    mutating func beside<T: Formed>(_ key: StaticString?, _ get: (Root) -> T) throws(Failure) -> T

    mutating func require(_ rule: Rule, _ complaint: @autoclosure () -> String?) throws(Failure)
}

/// The names of a part and what it means.
public struct Field: Sendable {
    /// The key in a file; in a record too, with `_ms` behind it for a `Span`.
    public let key: StaticString
    /// The key in a record where it is another.
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

/// The three meanings of a key that is not there.
public struct Lack<Value> {
    /// In a record, for ever: a literal that follows no default. Nil: the key is required.
    public let absent: Value?
    /// The value for which a record is written without the key.
    public let implied: Value?
    /// In a file, before `Formed.standard`.
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
    /// The key that a fault is reported at.
    public let key: StaticString
    /// Key in a file that a fault is reported at.
    public let fileKey: StaticString
    /// Keys whose faults disable the rule, in a file.
    public let others: [StaticString]
    /// Whether records need not satisfy the rule: a rule added later refuses no old journal.
    public let isForFilesOnly: Bool
}

extension Fields {
    /// A part.
    ///
    /// - Parameters:
    ///   - key: The key in a file, and in a record unless `wire` names another.
    ///   - get: The part of a value that exists.
    ///   - kind: Type and range.
    ///   - wire: The key in a record where it is another.
    ///   - absent: The value of a record without the key, a literal. Without it, and without `implied`, the key is required.
    ///   - implied: As `absent`; and a part of this value is left out when a record is written.
    ///   - fallback: The value of a file without the key, where it is not that of `Formed.standard`.
    ///   - inFile: A narrower range for files.
    ///   - doc: One line for people.
    /// - Returns: The part.
    /// - Throws: The failure of whoever runs the form.
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
        let lack = Lack(absent: absent, implied: implied, fallback: fallback)
        return try field(Field(key, wire: wire, doc), get, kind, lack: lack, inFile: inFile)
    }

    /// A part that may be missing, in records and in files.
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

    /// A part that only records have; from a file it is `value`. A record without the key has `implied`, and is written
    /// without it; the key is required where that is nil.
    public mutating func hidden<K: ValueKind>(
        _ key: StaticString,
        _ get: (Root) -> K.Value,
        _ kind: K,
        implied: K.Value? = nil,
        inFile value: K.Value,
        doc: StaticString = ""
    ) throws(Failure) -> K.Value {
        let lack = Lack(absent: nil, implied: implied, fallback: value)
        return try field(Field(key, wire: nil, isHiddenInFiles: true, doc), get, kind, lack: lack, inFile: nil)
    }

    /// A part by whose value it is decided which others there are.
    @inlinable
    public mutating func tag<C: ChoiceValue>(
        _ key: StaticString,
        _ get: (Root) -> C,
        doc: StaticString = ""
    ) throws(Failure) -> C {
        try tag(Field(key, wire: nil, doc), get)
    }

    /// A form whose parts are among those of this one: in a file, and in a record too unless it has a key there.
    @inlinable
    public mutating func beside<T: Formed>(
        _ get: (Root) -> T,
        wire: StaticString? = nil
    ) throws(Failure) -> T {
        try beside(wire, get)
    }

    /// A rule over several parts: the complaint, or nil if it is satisfied.
    ///
    /// In a file it is checked even if a part is faulty, with a default in its place, unless `others` name that part.
    public mutating func require(
        _ key: StaticString,
        unlessFaulty others: [StaticString] = [],
        fileKey: StaticString? = nil,
        onlyInFiles: Bool = false,
        _ complaint: @autoclosure () -> String?
    ) throws(Failure) {
        let rule = Rule(key: key, fileKey: fileKey ?? key, others: others, isForFilesOnly: onlyInFiles)
        try require(rule, complaint())
    }
}
