internal import Acquisition
internal import Flywheel
internal import JSON
internal import Kinds
internal import Telemetry
internal import Vocabulary

/// Reads predictions without parsing them completely.
///
/// A record that is not in the plain form of a prediction, valid or invalid, is not read here: it is parsed, and judged
/// by the same rules as every other record. A record that is read here is a prediction by these rules, in all of its
/// members: whether a record is counted or refused does not depend on whether it is forwarded.
struct PredictionReader {
    /// Numbers of keys, in the order of `keyNames`; not an enumeration, because creating a case from a number is a
    /// call.
    enum Key {
        static var project: Int { 0 }
        static var sample: Int { 1 }
        static var model: Int { 2 }
        static var output: Int { 3 }
        static var predictedAt: Int { 4 }
        static var id: Int { 5 }
        static var version: Int { 6 }
        static var role: Int { 7 }
        static var kind: Int { 8 }
        static var probabilities: Int { 9 }
        static var remainder: Int { 10 }
        static var embedding: Int { 11 }
        /// From here on, keys whose members are not read: a structured CloudEvent (`specversion`, `data`), and inputs
        /// from which scores may be computed besides the output (`members`, `logits`, `score`).
        static var firstUnread: Int { 12 }
        static var lastUnread: Int { 16 }
        static var data: Int { 13 }
        static var content: Int { 17 }
        static var metadata: Int { 18 }
        static var space: Int { 19 }
        static var name: Int { 20 }
        static var variant: Int { 21 }
        static var uri: Int { 22 }
        static var mediaType: Int { 23 }
        static var group: Int { 24 }
        /// Any other key.
        static var unknown: Int { Int.bitWidth - 1 }
    }

    /// Stored behind a pointer: as members, the views would be copied for each prediction.
    let views: UnsafePointer<Views>

    var keys: NameView { views.pointee.keys }
    var roles: NameView { views.pointee.roles }
    var kinds: NameView { views.pointee.kinds }
    var contents: NameView { views.pointee.contents }
    var floats: NameView { views.pointee.floats }
    var base64: Base64Digits.View { views.pointee.base64 }

    /// Reads the parts of a prediction of a known project into a fresh `reading`.
    ///
    /// - Returns: False if the text is not in plain form; the contents of `reading` then have no meaning.
    /// - Complexity: O(*n*) in the number of values; no allocation.
    func read(_ text: JSONScan, _ projects: ProjectTable.View, into reading: inout PredictionReading) -> Bool {
        var scan = text
        var hasModel = false
        // An output that precedes the project: it is read at the end, because the project's classes must be known.
        var unread: JSONScan?
        var seen = 0
        guard scan.consume(UInt8(ascii: "{")) else { return false }
        while true {
            guard let name = scan.quotedKey(), let key = number(of: name) else { return false }
            // The first of several members of one name counts, as in the parser.
            let isFirst = seen & (1 &<< key) == 0
            seen |= 1 &<< key
            switch isFirst ? key : Key.unknown {
            case Key.project:
                guard let name = scan.raw(), let slot = projects[padded: name] else { return false }
                reading.project = slot
            case Key.sample:
                guard let sample = readSample(&scan, into: &reading.embedding, &reading.group) else { return false }
                reading.sample = sample
            case Key.model:
                if scan.null() { break }
                guard let model = readModel(&scan) else { return false }
                (reading.version, reading.role, hasModel) = (model.version, model.role, true)
            case Key.output:
                if scan.null() { break }
                if let project = reading.project {
                    guard readOutput(&scan, of: project, into: &reading.output) else { return false }
                    reading.hasOutput = true
                } else {
                    unread = scan
                    guard scan.skipUnchecked() else { return false }
                }
            case Key.predictedAt:
                if scan.null() { break }
                guard let time = scan.int64() else { return false }
                reading.predictedAt = time
            case Key.firstUnread...Key.lastUnread: return false
            default: guard scan.skip() else { return false }
            }
            guard let more = scan.more(until: UInt8(ascii: "}")) else { return false }
            if !more { break }
        }
        guard scan.isAtEnd, let project = reading.project, reading.sample.count > 0 else { return false }
        if var unread {
            guard readOutput(&unread, of: project, into: &reading.output) else { return false }
            reading.hasOutput = true
        }
        return hasModel == reading.hasOutput
    }

    @inline(__always)
    private func readModel(_ cursor: inout JSONScan) -> (version: UnsafeRawBufferPointer, role: ModelRole)? {
        var scan = cursor
        defer { cursor = scan }
        var version: UnsafeRawBufferPointer?
        var role: ModelRole?
        guard scan.consume(UInt8(ascii: "{")) else { return nil }
        while true {
            guard let name = scan.quotedKey(), let key = number(of: name) else { return nil }
            switch key {
            case Key.version where version == nil:
                guard let text = scan.raw(), Self.isIdentifier(text) else { return nil }
                version = text
            case Key.name, Key.variant:
                guard scan.null() || scan.checkedRaw() != nil else { return nil }
            case Key.role where role == nil:
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

    /// Reads the summary of an output from which scores are computed; false if the output is not a plain distribution
    /// over the project's classes.
    ///
    /// - Complexity: O(*k*) in the number of classes named; no allocation.
    private func readOutput(
        _ scan: inout JSONScan,
        of project: ProjectTable.Slot,
        into summary: inout OutputSummary
    ) -> Bool {
        summary = OutputSummary(for: project.pointee.function)
        var seen = 0
        guard scan.consume(UInt8(ascii: "{")) else { return false }
        while true {
            guard let name = scan.quotedKey(), let key = number(of: name) else { return false }
            let isFirst = seen & (1 &<< key) == 0
            seen |= 1 &<< key
            switch isFirst ? key : Key.unknown {
            case Key.kind:
                guard let kind = scan.raw(), kinds.find(padded: kind) != nil else { return false }
            case Key.probabilities:
                let start = scan
                guard readProbabilities(&scan, into: &summary, of: project) else { return false }
                // A second read, instead of a check for every class of every project.
                if project.pointee.watchesClasses { noteProbabilities(start, of: project) }
            case Key.remainder:
                if scan.null() { break }
                guard let found = scan.double(), let remainder = ClassDistribution.accepted(found) else { return false }
                summary.remainder = min(1, remainder)
            default: guard scan.skip() else { return false }
            }
            guard let more = scan.more(until: UInt8(ascii: "}")) else { return false }
            if !more { break }
        }
        let sum = summary.sum + summary.remainder
        let needed = 1 << Key.kind | 1 << Key.probabilities
        // At the limit of the tolerance, the summation order and a unit in the last place are decisive: the parser
        // decides there.
        return seen & needed == needed && abs(sum - 1) < ClassDistribution.tolerance - 1e-9
    }

    /// Number of classes that are summed together: a buffer for this many fits on the stack, whereas one of more than a
    /// kilobyte would be allocated on the heap.
    private static var chunkSize: Int { 32 }

    @inline(__always)
    private func readProbabilities(
        _ cursor: inout JSONScan,
        into result: inout OutputSummary,
        of project: ProjectTable.Slot
    ) -> Bool {
        var scan = cursor
        guard scan.consume(UInt8(ascii: "{")) else { return false }
        var named: UInt64 = 0
        if project.pointee.classCount > UInt64.bitWidth { project.pointee.beginEvent() }
        let classes = project.pointee.classView
        let isPlain = withUnsafeTemporaryAllocation(of: OutputSummary.Component.self, capacity: Self.chunkSize) {
            parts in
            var count = 0
            while true {
                guard let name = scan.quotedKey(), let label = classes.find(padded: name) ?? Self.spaced(name, classes),
                    let found = scan.double(), let probability = ClassDistribution.accepted(found)
                else { return false }
                if label < UInt64.bitWidth {
                    let bit: UInt64 = 1 &<< UInt64(truncatingIfNeeded: label)
                    guard named & bit == 0 else { return false }
                    named |= bit
                } else {
                    guard project.pointee.markNamed(label) else { return false }
                }
                if count == Self.chunkSize {
                    result.add(UnsafeBufferPointer(rebasing: parts[..<count]))
                    count = 0
                }
                parts[count] = OutputSummary.Component(label: label, probability: probability)
                count &+= 1
                guard let more = scan.more(until: UInt8(ascii: "}")) else { return false }
                if !more { break }
            }
            result.add(UnsafeBufferPointer(rebasing: parts[..<count]))
            return true
        }
        cursor = scan
        return isPlain
    }

    /// Reports to the triggers the probabilities that they use, from a distribution that was read and is plain.
    private func noteProbabilities(_ start: JSONScan, of project: ProjectTable.Slot) {
        var scan = start
        project.pointee.triggers?.beginNotes()
        guard scan.consume(UInt8(ascii: "{")) else { return }
        repeat {
            let classes = project.pointee.classView
            guard let name = scan.quotedKey(), let label = classes.find(padded: name) ?? Self.spaced(name, classes),
                let found = scan.double(), let probability = ClassDistribution.accepted(found)
            else { return }
            project.pointee.triggers?.note(label, probability)
        } while scan.more(until: UInt8(ascii: "}")) == true
    }

    /// Returns the number of a key; for an unknown key, a number greater than all others. Nil for a key with escapes,
    /// which may be any key, and for text that is not a key.
    @inline(__always)
    func number(of key: UnsafeRawBufferPointer) -> Int? {
        keys.find(padded: key) ?? (Self.isPlain(key) ? Key.unknown : spacedKey(key))
    }

    /// Whether the text before a colon is a name in quotes, without escapes.
    @inline(__always)
    private static func isPlain(_ key: UnsafeRawBufferPointer) -> Bool {
        guard key.count >= 2, let start = key.baseAddress, key[key.count &- 1] == UInt8(ascii: "\""),
            key[0] == UInt8(ascii: "\"")
        else { return false }
        return !JSONScan.hasEscape(start, key.count)
    }

    @inline(never)
    private func spacedKey(_ key: UnsafeRawBufferPointer) -> Int? {
        Self.spaced(key, keys) ?? (Self.trimmed(key).map(Self.isPlain) == true ? Key.unknown : nil)
    }

    /// Returns the value of a name that is followed by white space before its colon.
    @inline(never)
    private static func spaced(_ key: UnsafeRawBufferPointer, _ names: NameView) -> Int? {
        trimmed(key).flatMap { names.find($0) }
    }

    private static func trimmed(_ key: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
        guard let last = key.lastIndex(where: { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }) else { return nil }
        return UnsafeRawBufferPointer(rebasing: key[...last])
    }

    /// Whether a text has 1 to 256 bytes and contains no escapes, DEL or other characters that no name may contain;
    /// ASCII controls do not pass the scan. No decision is made here on text that may not be in composed form.
    @inline(__always)
    static func isIdentifier(_ text: UnsafeRawBufferPointer) -> Bool {
        guard let start = text.baseAddress, text.count >= 1, text.count <= 256 else { return false }
        return JSONScan.isPlainASCII(start, text.count) || isForeignIdentifier(text)
    }

    @inline(never)
    private static func isForeignIdentifier(_ text: UnsafeRawBufferPointer) -> Bool {
        !text.contains(UInt8(ascii: "\\")) && ForeignText.isPlain(text) && ComposedText.isCertainlyComposed(text)
    }
}
