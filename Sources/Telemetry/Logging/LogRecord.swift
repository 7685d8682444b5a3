/// Record of an event: a message, and the data that belong to it.
public struct LogRecord: Sendable {
    /// Time of the event, in nanoseconds since 1970 (UTC).
    public let time: Int64
    /// Severity of the event.
    public let level: LogLevel
    /// Module that logs the record.
    public let module: String
    /// Description of the event, in lower case, without the data.
    public let message: String
    /// The data, in the order given.
    public let fields: [LogField]
}

/// A datum of a log record.
public struct LogField: Sendable, Hashable {
    /// Its name, as in `topic` or `task.id`.
    public let name: String
    /// Its value.
    public let value: LogValue
}

/// The value of a field.
public enum LogValue: Sendable, Hashable {
    /// Text.
    case string(String)
    /// A whole number.
    case integer(Int64)
    /// A number.
    case double(Double)
    /// A truth value.
    case bool(Bool)

    /// The description of anything, for ids and errors.
    public static func describing(_ value: some Any) -> LogValue { .string("\(value)") }

    /// A whole number of any type; text if 64 bits cannot hold it.
    public static func number(_ value: some BinaryInteger) -> LogValue {
        Int64(exactly: value).map { .integer($0) } ?? .string("\(value)")
    }
}

extension LogValue: ExpressibleByStringLiteral, ExpressibleByStringInterpolation, ExpressibleByIntegerLiteral,
    ExpressibleByFloatLiteral, ExpressibleByBooleanLiteral
{
    /// Creates a value from a string literal.
    public init(stringLiteral value: String) { self = .string(value) }
    /// Creates a value from an integer literal.
    public init(integerLiteral value: Int64) { self = .integer(value) }
    /// Creates a value from a floating-point literal.
    public init(floatLiteral value: Double) { self = .double(value) }
    /// Creates a value from a Boolean literal.
    public init(booleanLiteral value: Bool) { self = .bool(value) }
}

/// Fields of a dictionary literal, in their order: `["topic": "journal", "partition": 3]`.
public struct LogFields: Sendable, ExpressibleByDictionaryLiteral {
    let list: [LogField]

    /// Creates fields from a dictionary literal.
    public init(dictionaryLiteral elements: (String, LogValue)...) {
        list = elements.map { LogField(name: $0.0, value: $0.1) }
    }

    /// Creates fields from a list.
    public init(_ list: [LogField]) {
        self.list = list
    }
}
