/// Properties for librdkafka, in the order in which they were set; they are passed on unchanged.
///
/// - SeeAlso: librdkafka's table of configuration properties for names, ranges and defaults.
public struct KafkaProperties: Hashable, Sendable, ExpressibleByDictionaryLiteral, CustomStringConvertible {
    private var names: [String] = []
    private var values: [String: String] = [:]

    /// No properties at all.
    public init() {}

    /// Properties of a cluster at `bootstrap`, a list such as `host:9092,other:9092`.
    public init(bootstrap: String) { self["bootstrap.servers"] = bootstrap }

    /// Properties of a dictionary literal; of two values for one name, the later one counts.
    public init(dictionaryLiteral elements: (String, String)...) {
        for (name, value) in elements { self[name] = value }
    }

    /// The value of a property; setting nil removes it.
    public subscript(name: String) -> String? {
        get { values[name] }
        set {
            if values.updateValue(newValue ?? "", forKey: name) == nil, newValue != nil { names.append(name) }
            if newValue == nil {
                values[name] = nil
                names.removeAll { $0 == name }
            }
        }
    }

    /// Names and values in the order they were first set.
    public var entries: [(name: String, value: String)] {
        names.compactMap { name in values[name].map { (name, $0) } }
    }

    /// Returns these properties, overridden by those of `other`.
    public func merging(_ other: KafkaProperties) -> KafkaProperties {
        var merged = self
        for entry in other.entries { merged[entry.name] = entry.value }
        return merged
    }

    /// `name=value` pairs; secrets are not shown.
    public var description: String {
        entries.map { "\($0.name)=\(Self.isSecret($0.name) ? "…" : $0.value)" }.joined(separator: " ")
    }

    /// Whether the value of a property must never be printed.
    public static func isSecret(_ name: String) -> Bool {
        name.hasSuffix("password") || name.hasSuffix("key.pem") || name.contains("secret")
            || name == "sasl.oauthbearer.config" || name == "sasl.jaas.config"
    }
}
