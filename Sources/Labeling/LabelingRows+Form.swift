public import Forms

extension AnnotatorReliability: Formed {
    @inlinable public init<F: Fields<Self>>(fields f: inout F) throws(F.Failure) {
        answers = try f("answers", \.answers, Count.counted)
        correct = try f("correct", \.correct, Number.any)
        skips = try f("skips", \.skips, Count.counted)
        flags = try f("flags", \.flags, Count.counted)
        agreements = try f("agreements", \.agreements, Count.counted, implied: 0)
    }
}
