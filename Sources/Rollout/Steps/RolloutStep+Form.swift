public import Forms
internal import Vocabulary

extension RolloutStep: Formed {
    public static let standard: RolloutStep? = RolloutStep()

    public init<F: Fields<Self>>(fields f: inout F) throws(F.Failure) {
        share = try f.optional("share", \.share, Number(0.0001...1), doc: "Share of the users that the canary serves.")
        ring = try f.optional("ring", \.ring, Nested(), doc: "Samples that the canary serves, in place of a share.")
        let time = Span(0...Span.longest)
        bake = try f("bake", \.bake, time, implied: 0, doc: "How long the step lasts at least.")
        let count = Count(0...1_000_000)
        voices = try f("voices", \.voices, count, implied: 0, doc: "Voices about the canary that the step needs.")
        let person: StaticString = "Whether a person has to approve before the step is passed."
        approve = try f("approve", \.approve, Flag(), implied: false, doc: person)
    }
}
