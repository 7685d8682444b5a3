public import Forms

extension StreamPolicy: Formed {
    public static let standard: StreamPolicy? = StreamPolicy()

    public init<F: Fields<Self>>(fields f: inout F) throws(F.Failure) {
        let labels = 1_000_000
        strategy = try f("strategy", \.strategy, Choice(), doc: "Rule by which candidates are selected.")
        share = try f(
            "share",
            \.share,
            .share,
            doc: "Share of the candidates that may be queried, in whole millionths."
        )
        burst = try f(
            "burst",
            \.burst,
            Count(0...labels),
            absent: 0,
            doc: "Number of labels that may be queried ahead of the share."
        )
        savings = try f.optional(
            "savings",
            \.savings,
            Count(1...labels),
            doc: "Maximum number of labels that an unused share may accumulate; without the key, no limit."
        )
    }
}
