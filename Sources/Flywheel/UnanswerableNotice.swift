internal import Vocabulary

extension Notice {
    /// Maximum number of other samples that a notice lists.
    private static let exampleLimit = 5
    /// Maximum number of notes that a notice quotes.
    private static let noteLimit = 5

    /// Creates a notice that no annotator could answer a task: its sample, earlier ones near it, and the notes on their
    /// flags.
    ///
    /// - Parameters:
    ///   - task: The closed task.
    ///   - notes: The notes on its flags.
    ///   - similar: Samples near its own that no annotator could answer either, the nearest first, with their notes.
    init(unanswerable task: LabelingTask, notes: [String], similar: [(sample: SampleID, notes: [String])]) {
        var text = "nobody could answer task \(task.id), sample \(Self.short(task.sample.id))"
        let examples = similar.prefix(Self.exampleLimit)
        if !examples.isEmpty {
            let ids = examples.map { Self.short($0.sample) }.joined(separator: ", ")
            text += "; nor could anybody answer what lies nearest to it: \(ids)"
        }
        var quotes: [String] = []
        for note in notes + examples.flatMap(\.notes) where !quotes.contains(note) { quotes.append(note) }
        if !quotes.isEmpty {
            let said = quotes.prefix(Self.noteLimit).map { "\"\(Self.plain($0, limit: 200))\"" }
            text += "; people wrote: " + said.joined(separator: ", ")
        }
        self.init(kind: .taskUnanswerable, text: text)
    }

    /// Returns an id in at most 64 bytes, because it may be long.
    private static func short(_ id: SampleID) -> String { plain(id.rawValue, limit: 64) }

    /// At most `limit` bytes of a text from an unknown author, without quotes that would end the quotation and without
    /// invisible characters: controls, marks of direction, spaces of zero width.
    private static func plain(_ text: String, limit: Int) -> String {
        var kept = ""
        for scalar in text.unicodeScalars where !isHidden(scalar.value) {
            let shown: Unicode.Scalar = scalar == "\"" ? "'" : scalar
            guard kept.utf8.count + UTF8.width(shown) <= limit else { break }
            kept.unicodeScalars.append(shown)
        }
        return kept
    }

    private static func isHidden(_ value: UInt32) -> Bool {
        switch value {
        case 0..<0x20, 0x7F...0x9F, 0xAD, 0x61C, 0x180E, 0x200B...0x200F, 0x2028...0x202E, 0x2060...0x206F,
            0xFE00...0xFE0F, 0xFEFF, 0xFFF9...0xFFFB, 0xE0000...0xE0FFF:
            true
        default: false
        }
    }
}
