internal import Acquisition
internal import Configuration
internal import Events
internal import Flywheel
internal import Vocabulary

extension ProjectFile {
    /// How a batch is put together.
    ///
    /// - Parameters:
    ///   - reader: The map `acquisition.batch`.
    ///   - schema: Names the classes of `class_values`.
    /// - Returns: The policy; what is wrong is reported to the reader.
    static func batch(_ reader: ConfigurationReader, _ schema: LabelSchema) -> BatchPolicy {
        var policy = BatchPolicy()
        policy.rule = reader.choice("rule", default: policy.rule)
        policy.coldStart = reader.choice("cold_start", default: policy.coldStart)
        policy.handover = reader.double("handover_per_class", default: policy.handover, in: 0...1e6)
        let weights = reader.section("weights")
        policy.weights.uncertainty = weight(weights, "uncertainty", policy.weights.uncertainty)
        policy.weights.value = weight(weights, "value", policy.weights.value)
        policy.weights.freshness = weight(weights, "freshness", policy.weights.freshness)
        policy.weights.novelty = weight(weights, "novelty", policy.weights.novelty)
        policy.weights.density = weight(weights, "density", policy.weights.density)
        policy.classValues = classValues(reader, schema)
        policy.halfLife = span(reader, "half_life", policy.halfLife)
        policy.sharpness = reader.double("sharpness", default: policy.sharpness, in: 1e-3...1e6)
        policy.duplicateDistance = reader.double("duplicate_distance", default: policy.duplicateDistance, in: 0...1)
        policy.memory = reader.int("memory", default: policy.memory, in: 0...BatchPolicy.largestMemory)
        return policy
    }

    private static func weight(_ reader: ConfigurationReader, _ key: String, _ fallback: Double) -> Double {
        reader.double(key, default: fallback, in: 0...BatchPolicy.largestWeight)
    }

    /// Values by name; classes that are not named are worth 1. Empty where none is named.
    private static func classValues(_ reader: ConfigurationReader, _ schema: LabelSchema) -> [Double] {
        let named = reader.stringMap("class_values")
        guard !named.isEmpty else { return [] }
        var values = [Double](repeating: 1, count: schema.classes.count)
        for (name, text) in named {
            guard let label = schema.index(of: name) else {
                reader.report("class_values", "there is no class \"\(name.prefix(64))\"")
                continue
            }
            guard let value = Double(text), (0...1e9).contains(value) else {
                reader.report("class_values", "expected a number in 0...1000000000 for \"\(name)\", found \"\(text)\"")
                continue
            }
            values[label.rawValue] = value
        }
        return values
    }
}
