public import Forms
internal import Vocabulary

extension Trigger: Formed {
    public init<F: Fields<Self>>(fields f: inout F) throws(F.Failure) {
        let names = Name(
            "1 to 64 of a-z, 0-9, '.', '_' and '-'",
            bytes: 1...64,
            placeholder: "x",
            make: { Self.isName($0) ? $0 : nil }
        ) {
            $0
        }
        let (rate, most) = (Count(1...Self.highestRate), TriggerCondition.nodeLimit)
        name = try f("name", \.name, names, doc: "Name of the trigger, recorded on candidates and tasks.")
        perHour = try f(
            "per_hour",
            \.perHour,
            rate,
            default: 100,
            doc: "Maximum number of predictions that the trigger forwards per hour, over all workers."
        )
        condition = try f(
            "when",
            \.condition,
            Union(),
            doc:
                "Condition under which the trigger fires. It consists of at most 64 conditions, nested ones included, in at most 8 levels."
        )
        let count = condition.count
        try f.require("when", count > most ? "expected at most \(most) conditions, found \(count)" : nil)
    }
}

extension TriggerBounds: Formed {
    public init<F: Fields<Self>>(fields f: inout F) throws(F.Failure) {
        above = try f.optional("above", \.above, Number(0...1), doc: "The value must be above this.")
        below = try f.optional("below", \.below, Number(0...1), doc: "The value must be below this.")
        let isEmpty = Self(above: above, below: below) == nil
        let complaint = "expected above or below, or both, in 0.0...1.0, with room between them"
        let key: StaticString = above == nil ? "below" : "above"
        try f.require(key, unlessFaulty: ["above", "below"], isEmpty ? complaint : nil)
    }
}

private struct MetadataTexts: Formed {
    let key: String
    let values: [String]

    init(_ key: String, _ values: [String]) {
        self.key = key
        self.values = values
    }

    init<F: Fields<Self>>(fields f: inout F) throws(F.Failure) {
        let texts = ListOf(Text(0...SampleMetadata.longestValue), 1...TriggerCondition.valueLimit, of: "texts")
        key = try f("key", \.key, Text(1...SampleMetadata.longestKey), doc: "Key of the sample's metadata.")
        values = try f("values", \.values, texts, doc: "Texts, one of which must be at that key.")
    }
}

extension TriggerCondition: FormedUnion {
    public static let noun = "condition"
    public static let example = TriggerCondition.overridden

    public static func cases<V: Cases<Self>>(_ c: inout V) {
        let parts = ListOf(Union<Self>(), 1...nodeLimit, of: "conditions")
        let isTrue = AlwaysTrue("put it under not for the contrary")
        c(
            "all",
            parts,
            embed: { .all($0) },
            extract: { if case .all(let parts) = $0 { parts } else { nil } },
            doc: "All of these conditions hold."
        )
        c(
            "any",
            parts,
            embed: { .any($0) },
            extract: { if case .any(let parts) = $0 { parts } else { nil } },
            doc: "At least one of these conditions holds."
        )
        c(
            "not",
            Union(),
            embed: { .not($0) },
            extract: { if case .not(let part) = $0 { part } else { nil } },
            doc: "This condition does not hold."
        )
        let likeliest: (Self) -> ClassBounds? = {
            if case .confidence(let label, let bounds) = $0 { ClassBounds(label, bounds) } else { nil }
        }
        c(
            "confidence",
            Nested(),
            embed: { .confidence($0.label, $0.bounds) },
            extract: likeliest,
            doc: "The probability of the likeliest class is within these bounds."
        )
        let named: (Self) -> NamedClassBounds? = {
            if case .probability(let label, let bounds) = $0 { NamedClassBounds(label, bounds) } else { nil }
        }
        c(
            "probability",
            Nested(),
            embed: { .probability($0.label, $0.bounds) },
            extract: named,
            doc: "The probability of a given class is within these bounds."
        )
        let margin: (Self) -> TriggerBounds? = { if case .margin(let bounds) = $0 { bounds } else { nil } }
        c(
            "margin",
            Nested(),
            embed: { .margin($0) },
            extract: margin,
            doc: "The difference of the two highest probabilities is within these bounds."
        )
        let score: (Self) -> TriggerBounds? = { if case .score(let bounds) = $0 { bounds } else { nil } }
        c(
            "score",
            Nested(),
            embed: { .score($0) },
            extract: score,
            doc: "The acquisition score is within these bounds."
        )
        c(
            "role",
            Choice(),
            embed: { .role($0) },
            extract: { if case .role(let role) = $0 { role } else { nil } },
            doc: "The model has this role."
        )
        let version: (Self) -> ModelVersion? = { if case .version(let version) = $0 { version } else { nil } }
        c("version", ID(), embed: { .version($0) }, extract: version, doc: "The model has this version.")
        let texts: (Self) -> MetadataTexts? = {
            if case .metadata(let key, let values) = $0 { MetadataTexts(key, values) } else { nil }
        }
        c(
            "metadata",
            Nested(),
            embed: { .metadata(key: $0.key, values: $0.values) },
            extract: texts,
            doc: "The text at a key of the sample's metadata is one of the given texts."
        )
        let share: (Self) -> Double? = { if case .sample(let share) = $0 { share } else { nil } }
        c(
            "sample",
            Number(0...1),
            embed: { .sample($0) },
            extract: share,
            doc: "The sample's own draw for this trigger is below this share."
        )
        let disagrees: (Self) -> Bool? = { $0 == .disagreement ? true : nil }
        c(
            "disagreement",
            isTrue,
            embed: { _ in .disagreement },
            extract: disagrees,
            doc: "Champion and challenger predict different classes as likeliest."
        )
        let isOverridden: (Self) -> Bool? = { $0 == .overridden ? true : nil }
        c(
            "overridden",
            isTrue,
            embed: { _ in .overridden },
            extract: isOverridden,
            doc: "A user corrected or rejected the prediction."
        )
    }
}
