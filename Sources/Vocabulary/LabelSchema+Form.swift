public import Forms

extension LabelSchema: Formed {
    private enum Kind: String, CaseIterable, Sendable { case choice }

    public init<F: Fields<Self>>(fields f: inout F) throws(F.Failure) {
        let kind = Choice<Kind>(note: "; other kinds are not built yet")
        _ = try f.hidden("kind", { _ in .choice }, kind, inFile: .choice, "Tag: exactly one class.")
        let names = ListOf(Text(1...Self.longestName), 2...10_000, of: "distinct classes") { Set($0).count == $0.count }
        self.init(
            question: try f("question", \.question, Text(0...2_000), "The question, for people."),
            classes: try f("classes", \.classes, names, "Their names, all different. Later revisions may only append.")
        )
    }
}
