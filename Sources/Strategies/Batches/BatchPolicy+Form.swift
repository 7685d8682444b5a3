public import Forms

extension UtilityWeights: Formed {
    public static let standard: UtilityWeights? = UtilityWeights()

    public init<F: Fields<Self>>(fields f: inout F) throws(F.Failure) {
        // Above this only the highest values of a part would count.
        let weight = Number(0...16)
        uncertainty = try f("uncertainty", \.uncertainty, weight, absent: 1, doc: "Weight of the acquisition score.")
        value = try f(
            "value",
            \.value,
            weight,
            absent: 0,
            doc: "Weight of the value of the predicted classes (`class_values`)."
        )
        freshness = try f(
            "freshness",
            \.freshness,
            weight,
            absent: 0,
            doc: "Weight of the freshness of the prediction (`half_life`)."
        )
        novelty = try f(
            "novelty",
            \.novelty,
            weight,
            absent: 0,
            doc: "Weight of the distance from all queried samples."
        )
        density = try f(
            "density",
            \.density,
            weight,
            absent: 0,
            doc: "Weight of the density: how many other candidates are near."
        )
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
            doc: "Rule by which a batch is composed if `diverse` is `true` ([all rules](acquisition.md))."
        )
        let cold: StaticString =
            "Rule of batches while the model has seen too few labels for its uncertainty to be meaningful; `none`: the usual `rule`."
        coldStart = try f("cold_start", \.coldStart, Choice(), absent: .herding, doc: cold)
        let labels = Number(0...1e6)
        let end: StaticString =
            "The cold start ends at the latest after this many labels for each class that the model distinguishes."
        handover = try f("handover_per_class", \.handover, labels, absent: 8, doc: end)
        let even = UtilityWeights(uncertainty: 1, value: 0, freshness: 0, novelty: 0, density: 0)
        weights = try f(
            "weights",
            \.weights,
            Nested(),
            absent: even,
            doc:
                "Exponents of the parts of a candidate's utility, which is their product; a part with weight 0 does not count."
        )
        let values = ByClass(Number(0...1e9), other: 1)
        let worth: StaticString =
            "Value of a label of each class, as in `{ cat: 5 }`; classes that are not named have the value 1."
        classValues = try f("class_values", \.classValues, values, implied: [], doc: worth)
        halfLife = try f(
            "half_life",
            \.halfLife,
            Span(),
            absent: 3_600_000,
            doc: "Age at which the freshness of a prediction has fallen to one half."
        )
        sharpness = try f(
            "sharpness",
            \.sharpness,
            Number(1e-3...1e6),
            absent: 1,
            doc: "How strongly the rules `power` and `softmax` prefer high utilities."
        )
        let near: StaticString =
            "Distance, as a share of the spread of all candidates, below which a sample counts as a duplicate of a queried sample or of a better candidate; duplicates rank last."
        duplicateDistance = try f("duplicate_distance", \.duplicateDistance, Number(0...1), absent: 0.05, doc: near)
        // A sketch takes up to 400 bytes of state.
        memory = try f(
            "memory",
            \.memory,
            Count(0...10_000),
            absent: 1_000,
            doc: "Maximum number of queried samples of whose embeddings sketches are kept, for comparison."
        )
    }
}
