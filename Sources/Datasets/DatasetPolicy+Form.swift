public import Forms

extension DatasetPolicy: Formed {
    public static let standard: DatasetPolicy? = DatasetPolicy()

    public init<F: Fields<Self>>(fields f: inout F) throws(F.Failure) {
        cutEvery = try f(
            "cut_every",
            \.cutEvery,
            Count(1...1_000_000),
            doc:
                "Number of new training labels for which a version is cut; half as many are enough while no task for a training label is open."
        )
        cutAfter = try f(
            "cut_after",
            \.cutAfter,
            Span(),
            doc: "Maximum time that a new or changed label waits for a version."
        )
        let known = Count(1...2)
        let formats: StaticString =
            "Format of dataset versions: in format 2 labels can be revised, retracted and moved, and lines have more members. Without the key, a project's first revision has format 2, and a later one the format of the revision before; a project that has cut a version of format 2 keeps it."
        format = try f.optional("format", \.format, known, doc: formats)
        revise = try f(
            "revise",
            \.revise,
            Choice(),
            implied: .report,
            doc:
                "If votes are counted anew and give another class: `report` it in a notice, or `apply` it to the label."
        )
    }
}
