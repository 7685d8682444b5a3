internal import Acquisition
internal import Flywheel
internal import JSON
internal import Vocabulary

/// What is looked at of a prediction that is only counted; the bytes stand in the text.
struct PredictionReading {
    let project: ProjectTable.Place
    let sample: UnsafeRawBufferPointer
    /// Empty of a sample that no model has seen.
    var version = UnsafeRawBufferPointer(start: nil, count: 0)
    var role: ModelRole?
    /// Milliseconds since 1970, unchecked.
    let predictedAt: Int64?
    /// Nil of a sample that no model has seen.
    var output: OutputSummary?
}

/// Reads predictions without parsing them whole.
///
/// Whatever is not the plain form of a prediction, good or bad, is not read: it is parsed, and judged by the same rules as
/// every other record.
struct PredictionReader {
    private enum Key: Int {
        case project, sample, model, output, predictedAt, id, version, role, kind, probabilities, remainder, embedding
        /// In a structured CloudEvent the value is the envelope.
        case specversion, data
        /// What scores may be computed from besides the output.
        case members, logits, score
    }

    private let keys = NameTable([
        "project", "sample", "model", "output", "predicted_at_ms", "id", "version", "role", "kind", "probabilities",
        "remainder", "embedding", "specversion", "data", "members", "logits", "score",
    ])
    private let roles = NameTable(ModelRole.allCases.map(\.rawValue))
    private let kinds = NameTable(["choice"])

    /// The parts of a prediction of a known project, or nil.
    ///
    /// - Complexity: O(*n*) in the number of values; no allocation.
    func read(_ text: JSONScan, _ projects: ProjectTable) -> PredictionReading? {
        var scan = text
        var project: ProjectTable.Place?
        var sample: UnsafeRawBufferPointer?
        var model: (version: UnsafeRawBufferPointer, role: ModelRole)?
        var output: OutputSummary?
        // An output is read when it is known whose classes it names.
        var unread: JSONScan?
        var predictedAt: Int64?
        var seen = 0
        guard scan.take(UInt8(ascii: "{")) else { return nil }
        while true {
            guard let name = scan.key(), let key = number(of: name) else { return nil }
            let isFirst = seen & (1 &<< key) == 0
            seen |= 1 &<< key
            switch isFirst ? Key(rawValue: key) : nil {
            case .project:
                guard let name = scan.raw(), let place = projects[padded: name] else { return nil }
                project = place
            case .sample:
                sample = readSample(&scan)
                if sample == nil { return nil }
            case .model where !scan.null():
                model = readModel(&scan)
                if model == nil { return nil }
            case .output where !scan.null():
                if let project {
                    output = readOutput(&scan, of: project)
                    if output == nil { return nil }
                } else {
                    unread = scan
                    guard scan.skip() else { return nil }
                }
            case .predictedAt where !scan.null():
                predictedAt = scan.int64()
                if predictedAt == nil { return nil }
            case .model, .output, .predictedAt: break
            case .specversion, .data, .members, .logits, .score: return nil
            default: guard scan.skip() else { return nil }
            }
            guard let more = scan.more(until: UInt8(ascii: "}")) else { return nil }
            if !more { break }
        }
        guard scan.isAtEnd, let project, let sample else { return nil }
        if var unread {
            output = readOutput(&unread, of: project)
            if output == nil { return nil }
        }
        var reading = PredictionReading(project: project, sample: sample, predictedAt: predictedAt)
        switch (model, output) {
        case (let model?, let output?):
            (reading.version, reading.role, reading.output) = (model.version, model.role, output)
            return reading
        case (nil, nil): return reading
        default: return nil
        }
    }

    /// The sample's id; nil also where its coordinates are no list of numbers.
    @inline(__always)
    private func readSample(_ scan: inout JSONScan) -> UnsafeRawBufferPointer? {
        var id: UnsafeRawBufferPointer?
        guard scan.take(UInt8(ascii: "{")) else { return nil }
        while true {
            guard let name = scan.key(), let key = number(of: name) else { return nil }
            switch key {
            case Key.id.rawValue where id == nil:
                guard let text = scan.raw(), Self.isIdentifier(text) else { return nil }
                id = text
            case Key.embedding.rawValue where scan.byte == UInt8(ascii: "["):
                guard scan.skipNumbers() else { return nil }
            default: guard scan.skip() else { return nil }
            }
            guard let more = scan.more(until: UInt8(ascii: "}")) else { return nil }
            if !more { return id }
        }
    }

    @inline(__always)
    private func readModel(_ scan: inout JSONScan) -> (version: UnsafeRawBufferPointer, role: ModelRole)? {
        var version: UnsafeRawBufferPointer?
        var role: ModelRole?
        guard scan.take(UInt8(ascii: "{")) else { return nil }
        while true {
            guard let name = scan.key(), let key = number(of: name) else { return nil }
            switch key {
            case Key.version.rawValue where version == nil:
                guard let text = scan.raw(), Self.isIdentifier(text) else { return nil }
                version = text
            case Key.role.rawValue where role == nil:
                if scan.null() {
                    role = .champion
                } else {
                    guard let text = scan.raw(), let found = roles.find(padded: text) else { return nil }
                    role = found == 0 ? .champion : .challenger
                }
            default: guard scan.skip() else { return nil }
            }
            guard let more = scan.more(until: UInt8(ascii: "}")) else { return nil }
            if !more { return version.map { ($0, role ?? .champion) } }
        }
    }

    /// What scores need to know of an output, or nil where it is not a plain distribution over the project's classes.
    ///
    /// - Complexity: O(*k*) in the number of classes named; no allocation.
    private func readOutput(_ scan: inout JSONScan, of project: ProjectTable.Place) -> OutputSummary? {
        var summary = OutputSummary(for: project.pointee.configuration.acquisition.function)
        var seen = 0
        guard scan.take(UInt8(ascii: "{")) else { return nil }
        while true {
            guard let name = scan.key(), let key = number(of: name) else { return nil }
            let isFirst = seen & (1 &<< key) == 0
            seen |= 1 &<< key
            switch isFirst ? Key(rawValue: key) : nil {
            case .kind:
                guard let kind = scan.raw(), kinds.find(padded: kind) != nil else { return nil }
            case .probabilities:
                guard readProbabilities(&scan, into: &summary, of: project) else { return nil }
            case .remainder where !scan.null():
                guard let remainder = scan.double(), remainder >= 0, remainder <= 1 else { return nil }
                summary.remainder = remainder
            case .remainder: break
            default: guard scan.skip() else { return nil }
            }
            guard let more = scan.more(until: UInt8(ascii: "}")) else { return nil }
            if !more { break }
        }
        let sum = summary.sum + summary.remainder
        let needed = 1 << Key.kind.rawValue | 1 << Key.probabilities.rawValue
        guard seen & needed == needed, sum > 1 - ClassDistribution.tolerance, sum < 1 + ClassDistribution.tolerance
        else {
            return nil
        }
        return summary
    }

    @inline(__always)
    private func readProbabilities(
        _ scan: inout JSONScan,
        into summary: inout OutputSummary,
        of project: ProjectTable.Place
    ) -> Bool {
        guard scan.take(UInt8(ascii: "{")) else { return false }
        var named: UInt64 = 0
        let stamp = project.pointee.beginEvent()
        while true {
            guard let name = scan.key(), let label = project.pointee.classes.find(padded: name),
                let probability = scan.double(), probability >= 0, probability <= 1 + ClassDistribution.tolerance
            else { return false }
            if label < UInt64.bitWidth {
                let bit: UInt64 = 1 &<< UInt64(label)
                guard named & bit == 0 else { return false }
                named |= bit
            } else {
                guard project.pointee.stamps[label] != stamp else { return false }
                project.pointee.stamps[label] = stamp
            }
            summary.add(label, probability)
            guard let more = scan.more(until: UInt8(ascii: "}")) else { return false }
            if !more { return true }
        }
    }

    /// The number of a key; of any that is not known one beyond all. Nil of a key with escapes, which may be any.
    @inline(__always)
    private func number(of key: UnsafeRawBufferPointer) -> Int? {
        if let known = keys.find(padded: key) { return known }
        return JSONScan.hasEscape(key) ? nil : Int.bitWidth - 1
    }

    /// 1 to 256 bytes without escapes and DEL; other control characters do not pass the scan.
    @inline(__always)
    private static func isIdentifier(_ text: UnsafeRawBufferPointer) -> Bool {
        guard text.count >= 1, text.count <= 256 else { return false }
        for byte in text where byte == 0x7F || byte == UInt8(ascii: "\\") { return false }
        return true
    }
}
