public import Acquisition
public import JSON
internal import Vocabulary

extension Trigger: JSONCodable {
    public init(json: JSONValue) throws(JSONError) {
        let object = try json.object()
        let name = try object.string("name")
        guard Trigger.isName(name) else {
            throw object.failure("name", "expected 1 to 64 of a-z, 0-9, '.', '_' and '-'")
        }
        let condition = try TriggerCondition(json: object.required("when"), level: 1)
        guard condition.count <= TriggerCondition.nodeLimit else {
            throw object.failure(
                "when",
                "expected at most \(TriggerCondition.nodeLimit) conditions, found \(condition.count)"
            )
        }
        self.init(name: name, condition: condition, perHour: try object.int("per_hour", in: 1...Trigger.highestRate))
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("name", name)
            writer.member("per_hour", perHour)
            writer.member("when", condition)
        }
    }

    /// The triggers of a policy; none if absent.
    static func list(in policy: JSONObject) throws(JSONError) -> [Trigger] {
        guard policy.optional("triggers") != nil else { return [] }
        let triggers: [Trigger] = try policy.values("triggers")
        guard triggers.count <= limit, Set(triggers.map(\.name)).count == triggers.count else {
            throw policy.failure("triggers", "expected at most \(limit) triggers with distinct names")
        }
        return triggers
    }

    /// What is wrong with a trigger of a project with so many classes; nil where nothing is.
    public func complaint(classes: Int) -> String? {
        for part in condition.flattened {
            let label: ClassIndex?
            switch part {
            case .confidence(let one, _): label = one
            case .probability(let one, _): label = one
            default: continue
            }
            if let label, !(0..<classes).contains(label.rawValue) {
                return "trigger \(name): there is no class \(label.rawValue)"
            }
        }
        return nil
    }
}

/// A condition is an object of one member, which names it. Classes are positions.
extension TriggerCondition: JSONCodable {
    public init(json: JSONValue) throws(JSONError) { try self.init(json: json, level: 1) }

    fileprivate init(json: JSONValue, level: Int) throws(JSONError) {
        guard level <= Self.depthLimit else {
            throw json.failure("expected at most \(Self.depthLimit) levels of conditions")
        }
        let object = try json.object()
        let names = object.map(\.name)
        guard names.count == 1, let name = names.first else {
            throw json.failure("expected one condition, found \(names.count)")
        }
        switch name {
        case "all": self = .all(try Self.parts(object, "all", level))
        case "any": self = .any(try Self.parts(object, "any", level))
        case "not": self = .not(try TriggerCondition(json: object.required("not"), level: level + 1))
        case "confidence":
            let inner = try object.object("confidence")
            let label = try inner.optionalInt("index", in: 0...9_999).map { ClassIndex($0) }
            self = .confidence(label, try Self.bounds(inner))
        case "probability":
            let inner = try object.object("probability")
            self = .probability(ClassIndex(try inner.int("index", in: 0...9_999)), try Self.bounds(inner))
        case "margin": self = .margin(try Self.bounds(object.object("margin")))
        case "score": self = .score(try Self.bounds(object.object("score")))
        case "role": self = .role(try object.choice("role"))
        case "version": self = .version(try object.id("version"))
        case "metadata": self = try Self.metadata(object.object("metadata"))
        case "sample":
            let share = try object.double("sample")
            guard (0...1).contains(share) else {
                throw object.failure("sample", "expected a number in 0.0...1.0, found \(share)")
            }
            self = .sample(share)
        case "disagreement":
            try Self.requireTrue(object, "disagreement")
            self = .disagreement
        case "overridden":
            try Self.requireTrue(object, "overridden")
            self = .overridden
        default: throw json.failure("unknown condition \"\(name.prefix(64))\"")
        }
    }

    private static func parts(_ object: JSONObject, _ key: StaticString, _ level: Int) throws(JSONError)
        -> [TriggerCondition]
    {
        let parts = try object.decode(key) { (element) throws(JSONError) in
            try TriggerCondition(json: element, level: level + 1)
        }
        guard (1...nodeLimit).contains(parts.count) else {
            throw object.failure(key, "expected 1 to \(nodeLimit) conditions, found \(parts.count)")
        }
        return parts
    }

    private static func bounds(_ object: JSONObject) throws(JSONError) -> TriggerBounds {
        let (above, below) = (try object.optionalDouble("above"), try object.optionalDouble("below"))
        guard let bounds = TriggerBounds(above: above, below: below) else {
            throw object.failure("below", "expected above or below, or both, in 0.0...1.0, with room between them")
        }
        return bounds
    }

    private static func metadata(_ object: JSONObject) throws(JSONError) -> TriggerCondition {
        let key = try object.string("key")
        guard (1...SampleMetadata.longestKey).contains(key.utf8.count) else {
            throw object.failure("key", "expected 1 to \(SampleMetadata.longestKey) bytes")
        }
        let values = try object.strings("values")
        guard (1...valueLimit).contains(values.count),
            values.allSatisfy({ $0.utf8.count <= SampleMetadata.longestValue })
        else {
            throw object.failure(
                "values",
                "expected 1 to \(valueLimit) texts of at most \(SampleMetadata.longestValue) bytes"
            )
        }
        return .metadata(key: key, values: values)
    }

    private static func requireTrue(_ object: JSONObject, _ key: StaticString) throws(JSONError) {
        guard try object.bool(key) else {
            throw object.failure(key, "expected true; put it under not for the contrary")
        }
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            switch self {
            case .all(let parts): writer.array("all", ofValues: parts)
            case .any(let parts): writer.array("any", ofValues: parts)
            case .not(let part): writer.member("not", part)
            case .confidence(let label, let bounds): write("confidence", label, bounds, to: &writer)
            case .probability(let label, let bounds): write("probability", label, bounds, to: &writer)
            case .margin(let bounds): write("margin", nil, bounds, to: &writer)
            case .score(let bounds): write("score", nil, bounds, to: &writer)
            case .role(let role): writer.member("role", role.rawValue)
            case .version(let version): writer.member("version", version)
            case .metadata(let key, let values):
                writer.object("metadata") { writer in
                    writer.member("key", key)
                    writer.array("values", of: values)
                }
            case .sample(let share): writer.member("sample", share)
            case .disagreement: writer.member("disagreement", true)
            case .overridden: writer.member("overridden", true)
            }
        }
    }

    private func write(
        _ key: StaticString,
        _ label: ClassIndex?,
        _ bounds: TriggerBounds,
        to writer: inout JSONWriter
    ) {
        writer.object(key) { writer in
            writer.member("index", ifPresent: label?.rawValue)
            writer.member("above", ifPresent: bounds.above)
            writer.member("below", ifPresent: bounds.below)
        }
    }
}
