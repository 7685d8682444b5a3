public import Forms
internal import Vocabulary

extension LabelingPolicy: Formed {
    public static let standard: LabelingPolicy? = LabelingPolicy()

    public init<F: Fields<Self>>(fields f: inout F) throws(F.Failure) {
        minimumVotes = try f(
            "minimum_votes",
            \.minimumVotes,
            Count(1...100),
            doc: "Minimum number of answers before `confidence` may close a task."
        )
        let (most, usual) = (Count(minimumVotes...100), max(3, minimumVotes))
        maximumVotes = try f(
            "maximum_votes",
            \.maximumVotes,
            most,
            default: usual,
            doc: "Maximum number of answers to a task; at least `minimum_votes`."
        )
        confidence = try f(
            "confidence",
            \.confidence,
            Number(0.5...1),
            doc: "A task closes once its answers give a class at least this probability."
        )
        lifetime = try f("lifetime", \.lifetime, Span(), doc: "How long a task stays open.")
        maximumSkips = try f(
            "maximum_skips",
            \.maximumSkips,
            Count(1...100),
            doc: "Number of skips and flags after which a task closes without a label."
        )
        let rise: StaticString =
            "The priority of an open task rises each time that it has waited for another interval of this length; without the key, it does not rise."
        ageingEvery = try f.optional("ageing_every", \.ageingEvery, Span(), doc: rise)
        // The key has no effect without an interval, but a file with it must not differ from its own revision for ever.
        let (step, implied) = (Number(0.01...1), ageingEvery == nil ? 0.1 : nil)
        ageingBy = try f(
            "ageing_by",
            \.ageingBy,
            step,
            absent: 0.1,
            implied: implied,
            doc: "Amount by which the priority rises each time, up to a priority of 1."
        )
        let people = ListOf(ID(AnnotatorID.self), 0...Self.mostAnnotators, of: "distinct annotators") {
            Set($0).count == $0.count
        }
        let named: StaticString =
            "Annotators who have standing from the start: their answers count in full. Others may answer, too. Standing is earned on tasks with three or more answers: if tasks close at two answers, nobody earns it."
        annotators = try f("annotators", \.annotators, people, implied: [], doc: named)
    }
}
