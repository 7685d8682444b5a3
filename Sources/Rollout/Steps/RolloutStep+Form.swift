public import Forms
internal import Vocabulary

extension RolloutStep: Formed {
    public static let standard: RolloutStep? = RolloutStep()

    public init<F: Fields<Self>>(fields f: inout F) throws(F.Failure) {
        share = try f.optional(
            "share",
            \.share,
            Number(0.0001...1),
            doc: "Share of the users that the canary serves; a step names either `share` or `ring`."
        )
        ring = try f.optional(
            "ring",
            \.ring,
            Nested(),
            doc: "Samples that the canary serves, instead of a share of the users."
        )
        let time = Span(0...Span.longest)
        bake = try f("bake", \.bake, time, implied: 0, doc: "Minimum duration of the step.")
        let count = Count(0...1_000_000)
        voices = try f(
            "voices",
            \.voices,
            count,
            implied: 0,
            doc: "Number of voices about the canary that the step needs."
        )
        let person: StaticString = "Whether a person has to approve the step before the rollout continues."
        approve = try f("approve", \.approve, Flag(), implied: false, doc: person)
    }
}
