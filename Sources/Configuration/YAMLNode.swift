/// A value of a YAML file with its position.
public struct YAMLNode: Hashable, Sendable {
    /// Text that YAML does not interpret further.
    public struct Scalar: Hashable, Sendable {
        /// The text, without quotes.
        public let text: String
        /// Whether the text has no quotes, so that it may be a number, a truth value or nothing.
        public let isPlain: Bool
    }

    /// One key of a map with its value.
    public struct Entry: Hashable, Sendable {
        /// The key.
        public let key: String
        /// The key's line, counted from 1.
        public let line: Int
        /// The key's column, counted from 1.
        public let column: Int
        /// The value.
        public let value: YAMLNode
    }

    /// Kinds of values: a scalar, a list or a map.
    public enum Content: Hashable, Sendable {
        /// A single value.
        case scalar(Scalar)
        /// Values in order.
        case list([YAMLNode])
        /// Keys, each at most once, with values, in order.
        case map([Entry])
    }

    /// The value itself.
    public let content: Content
    /// Its line, counted from 1.
    public let line: Int
    /// Its column, counted from 1.
    public let column: Int

    /// Whether the value is null: an empty value, `~` or `null`.
    public var isNull: Bool {
        guard case .scalar(let scalar) = content, scalar.isPlain else { return false }
        return scalar.text.isEmpty || scalar.text == "~" || scalar.text == "null"
    }

    /// Description of the value for messages: text in quotes, a number without; long text is cut.
    var found: String {
        switch content {
        case .scalar where isNull: "nothing"
        case .scalar(let scalar) where scalar.isPlain && Double(scalar.text) != nil: String(scalar.text.prefix(60))
        case .scalar(let scalar): "\"\(scalar.text.prefix(60))\""
        case .list: "a list"
        case .map: "a map"
        }
    }
}
