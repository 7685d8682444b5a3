internal import DatasetFiles
internal import Events
internal import JSON
internal import Vocabulary

/// Lines that a cut adds to its parent and withdraws from it: the fold of the facts between the two. A label
/// that was accepted and changed in between is one line, and nothing is withdrawn.
struct VersionDelta {
    /// New lines, by split, ascending by sequence.
    private(set) var lines: [Split: [WaitingLabels.Line]]
    /// Sequence numbers of the parent's lines that are withdrawn, ascending.
    private(set) var tombstones: [Int64] = []
    /// Samples of the withdrawn lines, in the order of the log.
    private(set) var withdrawnSamples: [SampleID] = []
    /// Whether a change has moved a label from the split of its acceptance, or of the parent, to another one.
    private(set) var hasMoves = false
    /// Number of withdrawn lines, by the split that they are withdrawn from.
    private(set) var withdrawn: [Split: Int] = [:]

    /// A line in force, of the parent or of the waiting labels.
    struct ValidLine {
        let split: Split
        let bytes: [UInt8]
    }

    /// Folds the waiting facts into lines.
    ///
    /// - Parameters:
    ///   - waiting: Facts since the parent.
    ///   - find: Returns the parent's lines with the given sequence numbers, which ascend.
    /// - Throws: `PermanentFailure` for a change of a line that does not exist, or belongs to another sample or split.
    init(_ waiting: WaitingLabels.Project, find: ([Int64]) throws -> [Int64: ValidLine]) throws {
        lines = waiting.lines
        guard !waiting.changes.isEmpty else { return }
        let changed = Set(waiting.changes.map(\.fact.replaces))
        let changes = Set(waiting.changes.map(\.fact.sequence))
        var validLines: [Int64: ValidLine] = [:]
        for split in Split.allCases {
            for line in waiting.lines[split] ?? [] where changed.contains(line.sequence) {
                validLines[line.sequence] = ValidLine(split: split, bytes: line.bytes)
            }
        }
        let waitingSequences = Set(validLines.keys)
        for (sequence, line) in try find(changed.subtracting(waitingSequences).subtracting(changes).sorted()) {
            validLines[sequence] = line
        }
        let parser = JSONParser(maximumDepth: 64, maximumSize: DatasetForm.lineSize)
        for change in waiting.changes {
            let fact = change.fact
            guard let old = validLines.removeValue(forKey: fact.replaces) else {
                throw Self.failure(fact, "which has no such line")
            }
            try Self.check(fact, old, parser)
            if !waitingSequences.contains(fact.replaces), !changes.contains(fact.replaces) {
                tombstones.append(fact.replaces)
                withdrawnSamples.append(fact.sample)
                withdrawn[old.split, default: 0] += 1
            }
            if case .retracted = fact.kind { continue }
            if case .moved = fact.kind { hasMoves = true }
            let bytes: [UInt8]
            do {
                bytes = try DatasetLine.changed(
                    old.bytes,
                    by: fact,
                    names: change.names,
                    formerNames: change.formerNames,
                    parser
                )
            } catch let error as JSONError {
                throw Self.failure(fact, "which cannot be read (\(DatasetForm.reason(error)))")
            }
            validLines[fact.sequence] = ValidLine(split: fact.split, bytes: bytes)
        }
        tombstones.sort()
        if !waitingSequences.isEmpty {
            for split in Split.allCases { lines[split]?.removeAll { changed.contains($0.sequence) } }
        }
        // Changes that no later change replaces.
        let added = validLines.filter { changes.contains($0.key) }.sorted { $0.key < $1.key }
        guard !added.isEmpty else { return }
        for (sequence, line) in added {
            lines[line.split, default: []].append(WaitingLabels.Line(sequence: sequence, bytes: line.bytes))
        }
        for split in Split.allCases { lines[split]?.sort { $0.sequence < $1.sequence } }
    }

    /// Refuses a change whose description of its line differs from the line itself.
    private static func check(_ fact: LabelChange, _ old: ValidLine, _ parser: JSONParser) throws {
        let sample: String? = try? parser.withDocument(of: old.bytes) { json in
            try json.object().object("sample").string("id")
        }
        guard sample == fact.sample.rawValue else {
            throw failure(fact, "which belongs to sample \((sample ?? "").prefix(64))")
        }
        let split = if case .moved(let from) = fact.kind { from } else { fact.split }
        guard old.split == split else { throw failure(fact, "which is a \(old.split) label, not a \(split) one") }
    }

    private static func failure(_ fact: LabelChange, _ reason: String) -> PermanentFailure {
        PermanentFailure(
            reason: "fact \(fact.sequence) changes line \(fact.replaces) of sample \(fact.sample.rawValue.prefix(64)), "
                + "\(reason); find out who wrote to the topic"
        )
    }
}

extension DatasetReader {
    /// Returns the lines with given sequence numbers, which ascend. Reads only the pages that may refer to one of them,
    /// and the segments that may contain one.
    ///
    /// - Returns: The lines that exist, withdrawn or not, by sequence number.
    func lines(_ sequences: [Int64]) throws -> [Int64: VersionDelta.ValidLine] {
        guard !sequences.isEmpty else { return [:] }
        let wanted = Set(sequences)
        var found: [Int64: VersionDelta.ValidLine] = [:]
        try forEachEntry(where: { $0.records > 0 && Self.mayHold($0.sequences, sequences) }) { entry in
            guard entry.kind == .labels, let split = entry.split, Self.mayHold(entry.sequences, sequences) else {
                return
            }
            // Segments of form 1 may be as large as a whole import, so they are read line by line.
            try files.scan(entry.path, size: entry.size, sha256: entry.sha256) { line in
                let object = try? parser.parse(line).object()
                guard let sequence = try? object?.int64("sequence"), wanted.contains(sequence) else { return }
                found[sequence] = VersionDelta.ValidLine(split: split, bytes: Array(line) + [0x0A])
            }
        }
        return found
    }

    /// Whether one of the numbers, which ascend, may be in a range; true if the range is unknown.
    private static func mayHold(_ range: ClosedRange<Int64>?, _ sequences: [Int64]) -> Bool {
        guard let range else { return true }
        var (low, high) = (0, sequences.count)
        while low < high {
            let middle = (low + high) / 2
            if sequences[middle] < range.lowerBound { low = middle + 1 } else { high = middle }
        }
        return low < sequences.count && sequences[low] <= range.upperBound
    }
}
