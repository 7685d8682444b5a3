internal import Vocabulary

extension Notice {
    /// Samples that a notice names beside its own.
    private static let exampleLimit = 5
    /// Notes that it quotes.
    private static let noteLimit = 5

    /// Nobody could answer a task: its sample, the earlier ones that lie near to it, and what people wrote with their flags.
    ///
    /// - Parameters:
    ///   - task: Closed.
    ///   - notes: Of its flags.
    ///   - alike: Samples near to its own that nobody could answer either, the nearest first, with their notes.
    init(unanswerable task: LabelingTask, notes: [String], alike: [(sample: SampleID, notes: [String])]) {
        var text = "nobody could answer task \(task.id), sample \(Self.short(task.sample.id))"
        let examples = alike.prefix(Self.exampleLimit)
        if !examples.isEmpty {
            let ids = examples.map { Self.short($0.sample) }.joined(separator: ", ")
            text += "; nor could anybody answer what lies nearest to it: \(ids)"
        }
        var quotes: [String] = []
        for note in notes + examples.flatMap(\.notes) where !quotes.contains(note) { quotes.append(note) }
        if !quotes.isEmpty {
            text += "; people wrote: " + quotes.prefix(Self.noteLimit).map { "\"\($0)\"" }.joined(separator: ", ")
        }
        self.init(kind: .taskUnanswerable, text: text)
    }

    /// An id may be long.
    private static func short(_ id: SampleID) -> String { String(id.rawValue.prefix(64)) }
}
