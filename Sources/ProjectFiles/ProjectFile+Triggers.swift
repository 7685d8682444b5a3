internal import Acquisition
internal import Configuration
internal import Events
internal import Vocabulary

/// Triggers: conditions that let a prediction through whatever its score.
extension ProjectFile {
    static func readTriggers(_ reader: ConfigurationReader, _ schema: LabelSchema, into policy: inout AcquisitionPolicy)
    {
        policy.triggerShare = reader.double("trigger_share", default: policy.triggerShare, in: 0...1)
        policy.triggers = reader.sections("triggers").compactMap { trigger(reader: $0, schema) }
        if policy.triggers.count > Trigger.limit || Set(policy.triggers.map(\.name)).count < policy.triggers.count {
            reader.report("triggers", "expected at most \(Trigger.limit) triggers, no name twice")
        }
    }

    private static func trigger(reader: ConfigurationReader, _ schema: LabelSchema) -> Trigger? {
        let name = reader.requiredString("name")
        if reader.contains("name"), !Trigger.isName(name) {
            reader.report("name", "expected 1 to 64 of a-z, 0-9, '.', '_' and '-', found \"\(name)\"")
        }
        let perHour = reader.int("per_hour", default: 100, in: 1...Trigger.highestRate)
        let isGiven = reader.contains("when")
        let inner = reader.section("when")
        guard isGiven else {
            reader.report("when", "expected a condition, found nothing")
            return nil
        }
        guard let condition = condition(inner, schema, level: 1) else { return nil }
        if condition.count > TriggerCondition.nodeLimit {
            reader.report(
                "when",
                "expected at most \(TriggerCondition.nodeLimit) conditions, found \(condition.count)"
            )
        }
        return Trigger(name: name, condition: condition, perHour: perHour)
    }

    private static let conditions = [
        "all", "any", "not", "confidence", "probability", "margin", "score", "role", "version", "metadata", "sample",
        "disagreement", "overridden",
    ]

    /// Nil where something is wrong, which the reader was told.
    private static func condition(_ reader: ConfigurationReader, _ schema: LabelSchema, level: Int) -> TriggerCondition?
    {
        guard reader.keys.count == 1, let name = reader.keys.first, conditions.contains(name) else {
            let known = conditions.joined(separator: ", ")
            let found = reader.keys.isEmpty ? "none" : reader.keys.joined(separator: ", ")
            reader.report(reader.keys.first ?? "when", "expected one condition of \(known), found \(found)")
            return nil
        }
        guard level <= TriggerCondition.depthLimit else {
            reader.report(name, "expected at most \(TriggerCondition.depthLimit) levels of conditions")
            return nil
        }
        switch name {
        case "all": return parts(reader, "all", schema, level).map { .all($0) }
        case "any": return parts(reader, "any", schema, level).map { .any($0) }
        case "not": return condition(reader.section("not"), schema, level: level + 1).map { .not($0) }
        case "role": return reader.optionalChoice("role", of: ModelRole.self).map { .role($0) }
        case "version":
            let version = ModelVersion(checking: reader.requiredString("version"))
            if version == nil { reader.report("version", "expected 1 to 256 bytes without control characters") }
            return version.map { .version($0) }
        case "metadata": return metadata(reader.section("metadata"))
        case "sample": return .sample(reader.requiredDouble("sample", in: 0...1))
        case "disagreement": return isTrue(reader, "disagreement") ? .disagreement : nil
        case "overridden": return isTrue(reader, "overridden") ? .overridden : nil
        default: return bounded(name, reader.section(name), schema)
        }
    }

    private static func parts(
        _ reader: ConfigurationReader,
        _ key: String,
        _ schema: LabelSchema,
        _ level: Int
    ) -> [TriggerCondition]? {
        let sections = reader.sections(key)
        if sections.isEmpty { reader.report(key, "expected at least one condition") }
        let parts = sections.compactMap { condition($0, schema, level: level + 1) }
        return parts.count == sections.count && !parts.isEmpty ? parts : nil
    }

    private static func bounded(_ name: String, _ reader: ConfigurationReader, _ schema: LabelSchema)
        -> TriggerCondition?
    {
        let above = reader.optionalDouble("above", in: 0...1)
        let below = reader.optionalDouble("below", in: 0...1)
        var label: ClassIndex?
        if ["confidence", "probability"].contains(name), reader.contains("class") || name == "probability" {
            let text = reader.requiredString("class")
            label = schema.index(of: text)
            if label == nil, reader.contains("class") {
                reader.report("class", "there is no class \"\(text)\" in classes")
            }
            guard label != nil else { return nil }
        }
        guard let bounds = TriggerBounds(above: above, below: below) else {
            reader.report(
                above == nil ? "below" : "above",
                "expected above or below, or both, in 0.0...1.0, with room between them"
            )
            return nil
        }
        switch name {
        case "confidence": return .confidence(label, bounds)
        case "probability": return label.map { .probability($0, bounds) }
        case "margin": return .margin(bounds)
        default: return .score(bounds)
        }
    }

    private static func metadata(_ reader: ConfigurationReader) -> TriggerCondition? {
        let key = reader.requiredString("key")
        if reader.contains("key"), !(1...SampleMetadata.longestKey).contains(key.utf8.count) {
            reader.report("key", "expected 1 to \(SampleMetadata.longestKey) bytes, found \(key.utf8.count)")
        }
        let values = reader.strings("values")
        let isShort = values.allSatisfy { $0.utf8.count <= SampleMetadata.longestValue }
        guard (1...TriggerCondition.valueLimit).contains(values.count), isShort else {
            reader.report(
                "values",
                "expected 1 to \(TriggerCondition.valueLimit) texts of at most \(SampleMetadata.longestValue) bytes"
            )
            return nil
        }
        return .metadata(key: key, values: values)
    }

    private static func isTrue(_ reader: ConfigurationReader, _ key: String) -> Bool {
        let isTrue = reader.requiredBool(key)
        if !isTrue { reader.report(key, "expected true; put it under not for the contrary") }
        return isTrue
    }
}
