public import Forms
public import Vocabulary

extension ClosedTask: Formed {
    @inlinable public init<F: Fields<Self>>(fields f: inout F) throws(F.Failure) {
        closing = try f("closing", \.closing, Choice())
        label = try f.optional("index", \.label, ClassPosition())
        annotators = try f("annotators", \.annotators, ListOf(ID()))
    }
}

extension AnnotatorReliability: Formed {
    @inlinable public init<F: Fields<Self>>(fields f: inout F) throws(F.Failure) {
        answers = try f("answers", \.answers, Count.counted)
        correct = try f("correct", \.correct, Number.any)
        skips = try f("skips", \.skips, Count.counted)
        flags = try f("flags", \.flags, Count.counted)
        agreements = try f("agreements", \.agreements, Count.counted, implied: 0)
    }
}
