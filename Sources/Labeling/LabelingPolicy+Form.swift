public import Forms
internal import Vocabulary

extension LabelingPolicy: Formed {
    public static let standard: LabelingPolicy? = LabelingPolicy()

    public init<F: Fields<Self>>(fields f: inout F) throws(F.Failure) {
        minimumVotes = try f("minimum_votes", \.minimumVotes, Count(1...100), doc: "Answers before a task may close.")
        let (most, usual) = (Count(minimumVotes...100), max(3, minimumVotes))
        maximumVotes = try f("maximum_votes", \.maximumVotes, most, default: usual, doc: "Answers at most.")
        confidence = try f(
            "confidence",
            \.confidence,
            Number(0.5...1),
            doc: "A task closes once a class is this probable."
        )
        lifetime = try f("lifetime", \.lifetime, Span(), doc: "How long a task stays open.")
        maximumSkips = try f("maximum_skips", \.maximumSkips, Count(1...100), doc: "Skips and flags that close a task.")
        let rise: StaticString = "The priority of a task rises whenever it has waited so long again."
        ageingEvery = try f.optional("ageing_every", \.ageingEvery, Span(), doc: rise)
        // The key has no effect without an interval, but a file with it must not differ from its own revision for ever.
        let (step, implied) = (Number(0.01...1), ageingEvery == nil ? 0.1 : nil)
        ageingBy = try f(
            "ageing_by",
            \.ageingBy,
            step,
            absent: 0.1,
            implied: implied,
            doc: "By how much; to 1 at most."
        )
        let people = ListOf(ID(AnnotatorID.self), 0...Self.mostAnnotators, of: "distinct annotators") {
            Set($0).count == $0.count
        }
        let named: StaticString =
            "Who has standing from the start: their answers count in full. Others may answer, too. Standing is earned on tasks of three answers or more: where tasks close at two, nobody earns it."
        annotators = try f("annotators", \.annotators, people, implied: [], doc: named)
    }
}
