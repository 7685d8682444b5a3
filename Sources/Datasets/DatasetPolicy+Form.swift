public import Forms

extension DatasetPolicy: Formed {
    public static let standard: DatasetPolicy? = DatasetPolicy()

    public init<F: Fields<Self>>(fields f: inout F) throws(F.Failure) {
        cutEvery = try f("cut_every", \.cutEvery, Count(1...1_000_000), doc: "New training labels that make a version.")
        cutAfter = try f("cut_after", \.cutAfter, Span(), doc: "The longest that a new label waits for a version.")
        let known = Count(1...2)
        let formats: StaticString =
            "Of dataset versions: in 2 labels can be revised, retracted and moved, and lines say more. Without the key: 2 of a project's first revision, later as the revision before; a project that has cut a version of 2 stays there."
        format = try f.optional("format", \.format, known, doc: formats)
        revise = try f(
            "revise",
            \.revise,
            Choice(),
            implied: .report,
            doc:
                "Where votes that are counted anew name another class: report it in a notice, or apply it to the label."
        )
    }
}
