public import Forms
public import Vocabulary

extension AuditVerdict: Formed {
    @inlinable public init<F: Fields<Self>>(fields f: inout F) throws(F.Failure) {
        predicted = try f.optional("predicted", \.predicted, ClassPosition())
        confidence = try f("confidence", \.confidence, Number(0...1))
        versionNumber = try f("model_ordinal", \.versionNumber, Count.counted)
        label = try f.optional("index", \.label, ClassPosition())
        number = try f("number", \.number, Count.counted)
        renewed = try f("renewed", \.renewed, Count.counted)
    }
}

extension ExplorationLevel: Formed {
    @inlinable public init<F: Fields<Self>>(fields f: inout F) throws(F.Failure) {
        labels = try f("labels", \.labels, Count.counted)
        extra = try f("extra", \.extra, Number(0...1))
        classes = try f("classes", \.classes, ListOf(ClassPosition()), implied: [])
    }
}
