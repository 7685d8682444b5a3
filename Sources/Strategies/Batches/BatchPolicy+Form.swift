public import Forms

extension UtilityWeights: Formed {
    public static let standard: UtilityWeights? = UtilityWeights()

    public init<F: Fields<Self>>(fields f: inout F) throws(F.Failure) {
        // Above this only the highest values of a part would count.
        let weight = Number(0...16)
        uncertainty = try f("uncertainty", \.uncertainty, weight, absent: 1, doc: "Of the acquisition score.")
        value = try f("value", \.value, weight, absent: 0, doc: "Of what the predicted classes are worth.")
        freshness = try f("freshness", \.freshness, weight, absent: 0, doc: "Of how lately the model predicted.")
        novelty = try f("novelty", \.novelty, weight, absent: 0, doc: "Of the distance from all that was asked for.")
        density = try f("density", \.density, weight, absent: 0, doc: "Of how many other candidates are near.")
    }
}

extension BatchPolicy: Formed {
    public static let standard: BatchPolicy? = BatchPolicy()

    public init<F: Fields<Self>>(fields f: inout F) throws(F.Failure) {
        rule = try f(
            "rule",
            \.rule,
            Choice(),
            absent: .kmeans,
            doc: "The rule, where `diverse` ([all](acquisition.md))."
        )
        let cold: StaticString =
            "What is asked for while the model knows too little for its uncertainty to mean anything."
        coldStart = try f("cold_start", \.coldStart, Choice(), absent: .herding, doc: cold)
        let labels = Number(0...1e6)
        let end: StaticString =
            "The cold start ends at the latest after this many labels for each class that the model tells apart."
        handover = try f("handover_per_class", \.handover, labels, absent: 8, doc: end)
        let even = UtilityWeights(uncertainty: 1, value: 0, freshness: 0, novelty: 0, density: 0)
        weights = try f(
            "weights",
            \.weights,
            Nested(),
            absent: even,
            doc: "Powers of the parts of a candidate's worth."
        )
        let values = ByClass(Number(0...1e9), other: 1)
        let worth: StaticString = "What a label of each class is worth, as in `{ cat: 5 }`; 1 where none is named."
        classValues = try f("class_values", \.classValues, values, implied: [], doc: worth)
        halfLife = try f(
            "half_life",
            \.halfLife,
            Span(),
            absent: 3_600_000,
            doc: "Age that makes a prediction half fresh."
        )
        sharpness = try f("sharpness", \.sharpness, Number(1e-3...1e6), absent: 1, doc: "Of `power` and `softmax`.")
        let near: StaticString = "Samples nearer than this, as a share of the spread of all candidates, come last."
        duplicateDistance = try f("duplicate_distance", \.duplicateDistance, Number(0...1), absent: 0.05, doc: near)
        // A sketch takes up to 400 bytes of state.
        memory = try f(
            "memory",
            \.memory,
            Count(0...10_000),
            absent: 1_000,
            doc: "Sketches kept of what was asked for."
        )
    }
}
