public import Forms
public import Vocabulary

extension Suppression: Formed {
    @inlinable public init<F: Fields<Self>>(fields f: inout F) throws(F.Failure) {
        classes = try f("classes", \.classes, ListOf(Text(1...256), 0...10_000))
        since = try f("since_ms", \.since, Time())
        ignored = try f("ignored", \.ignored, Count(0...Suppression.ignoredLimit), implied: 0)
    }
}
