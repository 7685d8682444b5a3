public import Forms
public import Vocabulary

extension Question: Formed {
    public init<F: Fields<Self>>(fields f: inout F) throws(F.Failure) {
        let known = Choice<KindName>(note: "; other kinds are not built yet")
        let doc: StaticString = "Kind of the answers. It never changes."
        // A key with a single possible value carries no information: files omit it as long as there is only one kind.
        let kind =
            KindName.allCases.count > 1
            ? try f("kind", \.kind, known, default: .choice, doc: doc)
            : try f.hidden("kind", \.kind, known, inFile: .choice, doc: doc)
        var run = FormRun(fields: f)
        defer { f = run.fields }
        self = try kind.dispatch(&run)
    }
}

/// Runs the form of a kind's questions beside the name of the kind.
private struct FormRun<F: Fields<Question>>: KindVisitor {
    var fields: F

    mutating func visit<K: Kind>(_ kind: K.Type) throws(F.Failure) -> Question {
        let question = try fields.flattened { (question: Question) -> K.Question in
            guard let question = K.question(question) else { preconditionFailure("the form of another kind") }
            return question
        }
        return K.wrapped(question: question)
    }
}
