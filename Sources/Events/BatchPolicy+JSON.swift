public import Acquisition
internal import Flywheel
public import JSON
public import Vocabulary

extension BatchPolicy: JSONCodable {
    /// The largest weight of a part; above that only its highest values would count.
    public static let largestWeight = 16.0
    /// Sketches that may be kept; each takes up to 400 bytes of state.
    public static let largestMemory = 10_000

    /// What a policy means that was written before there were any: `project apply` writes all of it.
    static let beforeBatches = BatchPolicy(coldStart: .none, duplicateDistance: 0)

    /// What is left out has its default.
    public init(json: JSONValue) throws(JSONError) {
        let object = try json.object()
        let standard = BatchPolicy()
        var weights = UtilityWeights()
        if let given = try object.optionalObject("weights") {
            weights.uncertainty = try given.weight("uncertainty") ?? weights.uncertainty
            weights.value = try given.weight("value") ?? weights.value
            weights.freshness = try given.weight("freshness") ?? weights.freshness
            weights.novelty = try given.weight("novelty") ?? weights.novelty
            weights.density = try given.weight("density") ?? weights.density
        }
        let values = try object.optional("class_values") == nil ? [] : object.doubles("class_values")
        guard values.count <= 10_000, values.allSatisfy({ (0...1e9).contains($0) }) else {
            throw object.failure("class_values", "expected at most 10,000 numbers in 0...1000000000")
        }
        self.init(
            rule: object.optional("rule") == nil ? standard.rule : try object.choice("rule"),
            coldStart: object.optional("cold_start") == nil ? standard.coldStart : try object.choice("cold_start"),
            handover: try object.number("handover_per_class", in: 0...1e6) ?? standard.handover,
            weights: weights,
            classValues: values,
            halfLife: try object.optionalInt("half_life_ms", in: 1...Int(ProjectConfiguration.longestSpan))
                .map { Int64($0) } ?? standard.halfLife,
            sharpness: try object.number("sharpness", in: 1e-3...1e6) ?? standard.sharpness,
            duplicateDistance: try object.number("duplicate_distance", in: 0...1) ?? standard.duplicateDistance,
            memory: try object.optionalInt("memory", in: 0...Self.largestMemory) ?? standard.memory
        )
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("rule", rule.rawValue)
            writer.member("cold_start", coldStart.rawValue)
            writer.member("handover_per_class", handover)
            writer.object("weights") { writer in
                writer.member("uncertainty", weights.uncertainty)
                writer.member("value", weights.value)
                writer.member("freshness", weights.freshness)
                writer.member("novelty", weights.novelty)
                writer.member("density", weights.density)
            }
            if !classValues.isEmpty { writer.array("class_values", of: classValues) }
            writer.member("half_life_ms", halfLife)
            writer.member("sharpness", sharpness)
            writer.member("duplicate_distance", duplicateDistance)
            writer.member("memory", memory)
        }
    }
}

extension EmbeddingSketch: JSONCodable {
    public init(json: JSONValue) throws(JSONError) {
        let object = try json.object()
        guard let bytes = Base64.decode(try object.string("coordinates")) else {
            throw object.failure("coordinates", "expected base64 of one byte for each")
        }
        let sketch = EmbeddingSketch(
            dimension: try object.int("dimension", in: 1...Embedding.dimensionLimit),
            unit: Float(try object.double("unit")),
            coordinates: bytes.map { Int8(bitPattern: $0) }
        )
        guard let sketch else { throw json.failure("expected a sketch of an embedding") }
        self = sketch
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("dimension", dimension)
            // A Float's own digits are fewer, but a Double holds it exactly.
            writer.member("unit", Double(unit))
            writer.member("coordinates", Base64.encode(coordinates.map { UInt8(bitPattern: $0) }))
        }
    }
}

extension ScorePart: JSONCodable {
    public init(json: JSONValue) throws(JSONError) {
        let object = try json.object()
        self.init(
            name: try object.choice("part"),
            value: try object.double("value"),
            weight: try object.double("weight")
        )
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("part", name.rawValue)
            writer.member("value", value)
            writer.member("weight", weight)
        }
    }
}

extension JSONObject {
    fileprivate func weight(_ key: StaticString) throws(JSONError) -> Double? {
        try number(key, in: 0...BatchPolicy.largestWeight)
    }

    /// The number called `key`, in a range; nil if absent or `null`.
    func number(_ key: StaticString, in range: ClosedRange<Double>) throws(JSONError) -> Double? {
        guard let value = try optionalDouble(key) else { return nil }
        guard range.contains(value) else {
            throw failure(key, "expected a number in \(range.lowerBound)...\(range.upperBound), found \(value)")
        }
        return value
    }
}
