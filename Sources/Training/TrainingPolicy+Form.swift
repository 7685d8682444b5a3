public import Forms
internal import Vocabulary

extension TrainingPolicy: Formed {
    public static let standard: TrainingPolicy? = TrainingPolicy()

    public init<F: Fields<Self>>(fields f: inout F) throws(F.Failure) {
        let recipes = ListOf(Nested<Hyperparameters>(), 1...1_000, of: "recipes")
        newLabels = try f(
            "new_labels",
            \.newLabels,
            Count(1...1_000_000),
            doc:
                "Number of new training labels for which a study is requested; the first dataset version always leads to one."
        )
        trials = try f("trials", \.trials, recipes, doc: "Settings of hyperparameters that a study tries.")
        repeats = try f(
            "repeats",
            \.repeats,
            Count(1...1_000),
            doc: "Number of repeats of each trial, with different seeds."
        )
        deadline = try f(
            "deadline",
            \.deadline,
            Span(),
            wire: "deadline_after_ms",
            doc: "Time that trainers have for a study."
        )
        let prefixes = ListOf(.artifactPrefix, 1...100, of: "places")
        let allowed: StaticString =
            "Allowed locations of artifacts: schemes, or URIs with which the artifacts' URIs must begin."
        artifacts = try f("artifacts", \.artifacts, prefixes, implied: ArtifactPrefix.usual, doc: allowed)
        let prefix: StaticString = "Prefix of the names of the project's trained models; a number follows it."
        let text = Name<String>(
            "1 to 64 bytes without spaces and control characters",
            bytes: 1...64,
            placeholder: "v",
            make: { Self.isPrefix($0) ? $0 : nil },
            text: { $0 }
        )
        versionPrefix = try f("version_prefix", \.versionPrefix, text, implied: "v", doc: prefix)
        // The results of a study are kept in one row of state, which must fit into one record.
        let (results, most) = (trials.count * repeats, Self.largestStudy)
        let complaint = "expected at most \(most) repeats of all trials together, found \(results)"
        try f.require("repeats", fileKey: "trials", results > most ? complaint : nil)
    }

    private static func isPrefix(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count) && text.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7F }
    }
}
