public import Forms
public import Vocabulary

extension LabelSchema: Formed {
    public init<F: Fields<Self>>(fields f: inout F) throws(F.Failure) {
        let names = ListOf(Text(1...Self.longestName), 2...10_000, of: "distinct classes") { Set($0).count == $0.count }
        self.init(
            question: try f("question", \.question, Text(0...2_000), doc: "The question that annotators answer."),
            classes: try f(
                "classes",
                \.classes,
                names,
                doc: "Names of the classes, all different. Later revisions may only append classes."
            )
        )
    }
}
