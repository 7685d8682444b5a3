public import Forms
public import Vocabulary

extension PredictedShares: Formed {
    @inlinable public init<F: Fields<Self>>(fields f: inout F) throws(F.Failure) {
        versionNumber = try f("model_ordinal", \.versionNumber, Count.counted)
        labels = try f("labels", \.labels, Count.counted)
        candidates = try f("candidates", \.candidates, Count.counted)
        classes = try f("classes", \.classes, ListOf(ClassPosition()))
        shares = try f("shares", \.shares, ListOf(Number(0...1)))
        isSettled = try f("settled", \.isSettled, Flag())
    }
}
