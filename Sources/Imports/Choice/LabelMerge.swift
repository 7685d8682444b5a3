internal import Acquisition
internal import Datasets
public import Events
public import Flywheel
internal import Intake
internal import JSON
internal import Kinds
internal import Labeling
public import Processes
internal import Tables
internal import Vocabulary

/// Labels of a file, merged into one for each sample and checked: against each other, the project's classes and its
/// state, and by the checks of Intake.
public struct LabelMerge {
    /// A label, the line on which its sample occurs first, and its record's value.
    public struct Label: Sendable {
        public let line: Int
        public let event: ImportEvent
        public let value: [UInt8]
    }

    /// The accepted labels, in the order of the file.
    public private(set) var labels: [Label] = []
    /// All faults, sorted by line.
    public private(set) var faults: [ImportFault] = []
    /// Number of samples that have the same label in the project already.
    public private(set) var known = 0
    /// Number of labels by class, in the order of the schema; votes count for the class of their majority.
    public private(set) var counts: [Int]

    /// Rows of one sample.
    private struct Group {
        let line: Int
        let sample: Sample
        var answers: [(line: Int, annotator: String?, label: ClassIndex)] = []
        var isFaulty = false
    }

    /// A sample with its merged label.
    private struct Merged {
        let group: Group
        let answer: ImportedLabel.Answer
        let label: ClassIndex

        /// Inline content of the sample; nil if the file does not contain it.
        var text: String? {
            guard case .inline(_, let text)? = group.sample.content else { return nil }
            return text
        }
    }

    private let unit: ImportFault.Unit

    /// - Parameters:
    ///   - file: The file with labels.
    ///   - configuration: The project's configuration.
    ///   - state: The project's state, as far as it is known: a sample with another label there, or an embedding
    ///     outside the project's space, is a fault.
    ///   - source: Name of the source of the labels.
    ///   - isValidation: Whether the labels are used for validation scores; otherwise, they are used for training.
    ///   - renames: Classes of the project by names of the file.
    ///   - now: Milliseconds since 1970.
    /// - Throws: `EngineError` if the configuration is not valid for a project.
    public init(
        _ file: ImportFile,
        _ configuration: ProjectConfiguration,
        state: ProjectState? = nil,
        source: String,
        isValidation: Bool,
        renames: [String: String] = [:],
        now: @escaping () -> Int64 = WallClock.now
    ) throws {
        unit = file.unit
        counts = [Int](repeating: 0, count: configuration.schema.classes.count)
        faults = file.faults
        let groups = groupRows(file.rows, configuration.schema, renames)
        let door = try DoorCheck([configuration], now: now)
        let open = Set(state?.labeling.open.sortedRows.map(\.value.selection.sample.id) ?? [])
        let space = ImportSpace(of: file, configuration, state)
        var merged: [Merged] = []
        for group in groups where !group.isFaulty {
            guard let (answer, label) = merge(group, configuration.schema, source) else { continue }
            merged.append(Merged(group: group, answer: answer, label: label))
        }
        for entry in withoutContradictions(merged, configuration.schema) {
            let (group, answer, label) = (entry.group, entry.answer, entry.label)
            if let existing = state?.datasets.labels[group.sample.id] {
                guard existing.isLiving else {
                    add(group.line, "the label of sample \(group.sample.id) was retracted in the project, and stays so")
                    continue
                }
                guard existing.label == .choice(label) else {
                    let (old, new) = (
                        configuration.question.text(of: existing.label), configuration.schema.name(of: label)
                    )
                    add(
                        group.line,
                        "sample \(group.sample.id) has label \"\(old)\" in the project, here it is \"\(new)\""
                    )
                    continue
                }
                known += 1
                continue
            }
            guard !open.contains(group.sample.id) else {
                add(group.line, "sample \(group.sample.id) has an open task: its answers decide the label")
                continue
            }
            if let fault = space.fault(of: group.sample) {
                add(group.line, "\(fault): the built-in trainer would leave the label out")
                continue
            }
            let event = ImportEvent(
                project: configuration.project,
                origin: ImportOrigin(source: source, id: group.sample.id.rawValue),
                sample: group.sample,
                answer: answer,
                isValidation: isValidation
            )
            var writer = JSONWriter()
            event.write(to: &writer, question: configuration.question)
            let bytes = writer.bytes
            switch bytes.withUnsafeBytes({ door.check($0, on: .imports) }) {
            case .taken:
                labels.append(Label(line: group.line, event: event, value: bytes))
                counts[label.rawValue] += 1
            case .refused(let rejection): add(group.line, "\(rejection)")
            }
        }
        faults.sort { ($0.line, $0.text) < ($1.line, $1.text) }
    }

    private mutating func add(_ line: Int, _ text: String) {
        faults.append(ImportFault(line: line, text, unit: unit))
    }

    /// Removes all samples whose inline text also occurs with another label, and adds a fault for each
    /// contradiction: neither label is known to be right.
    private mutating func withoutContradictions(_ merged: [Merged], _ schema: LabelSchema) -> [Merged] {
        var first: [String: Merged] = [:]
        var contradicted: Set<String> = []
        for entry in merged {
            guard let text = entry.text else { continue }
            guard let other = first[text] else {
                first[text] = entry
                continue
            }
            guard other.label != entry.label else { continue }
            contradicted.insert(text)
            let (otherName, entryName) = (schema.name(of: other.label), schema.name(of: entry.label))
            let there = "sample \(other.group.sample.id) on \(unit.rawValue) \(other.group.line)"
            add(
                entry.group.line,
                "sample \(entry.group.sample.id) has the text of \(there), and is \"\(entryName)\" here and \"\(otherName)\" there"
            )
        }
        return merged.filter { entry in entry.text.map { !contradicted.contains($0) } ?? true }
    }

    private mutating func groupRows(
        _ rows: [ImportRow],
        _ schema: LabelSchema,
        _ renames: [String: String]
    ) -> [Group] {
        var groups: [Group] = []
        var groupOf: [SampleID: Int] = [:]
        for row in rows {
            let group = groupOf[row.sample.id] ?? groups.count
            if group == groups.count {
                groupOf[row.sample.id] = group
                groups.append(Group(line: row.line, sample: row.sample))
            }
            for answer in row.answers {
                let name = renames[answer.label] ?? answer.label
                guard let label = schema.index(of: name) else {
                    add(
                        row.line,
                        "class \"\(name)\" is not one of the project's: append it to classes, or give --rename '\(name)=CLASS'"
                    )
                    groups[group].isFaulty = true
                    continue
                }
                groups[group].answers.append((row.line, answer.annotator, label))
            }
        }
        return groups
    }

    /// Merges all rows of a sample into one answer; returns nil, and adds a fault, if they contradict each other.
    private mutating func merge(
        _ group: Group,
        _ schema: LabelSchema,
        _ source: String
    ) -> (ImportedLabel.Answer, ClassIndex)? {
        guard let first = group.answers.first else { return nil }
        let hasAnnotators = group.answers.contains { $0.annotator != nil }
        guard hasAnnotators else {
            for other in group.answers where other.label != first.label {
                let (earlierName, laterName) = (schema.name(of: first.label), schema.name(of: other.label))
                add(
                    other.line,
                    "sample \(group.sample.id) is \"\(laterName)\" here and \"\(earlierName)\" on \(unit.rawValue) \(first.line)"
                )
                return nil
            }
            return (.label(.choice(first.label)), first.label)
        }
        var votes: [(line: Int, annotator: AnnotatorID, label: ClassIndex)] = []
        for answer in group.answers {
            let annotator = AnnotatorID("\(source)/\(answer.annotator ?? "unnamed")")
            if let before = votes.first(where: { $0.annotator == annotator }) {
                guard before.label == answer.label else {
                    let (earlierName, laterName) = (schema.name(of: before.label), schema.name(of: answer.label))
                    let who = answer.annotator ?? "somebody"
                    add(
                        answer.line,
                        "\(who) says of sample \(group.sample.id) \"\(laterName)\" here and \"\(earlierName)\" on \(unit.rawValue) \(before.line)"
                    )
                    return nil
                }
                continue
            }
            votes.append((answer.line, annotator, answer.label))
        }
        var counts: [ClassIndex: Int] = [:]
        for vote in votes { counts[vote.label, default: 0] += 1 }
        let ranked = counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
        if ranked.count > 1, ranked[0].value == ranked[1].value {
            let names = ranked.prefix { $0.value == ranked[0].value }.map { "\"\(schema.name(of: $0.key))\"" }
            add(group.line, "as many votes of sample \(group.sample.id) for \(names.joined(separator: " as for "))")
            return nil
        }
        return (.votes(votes.map { Vote(annotator: $0.annotator, answer: .choice($0.label)) }), ranked[0].key)
    }
}
