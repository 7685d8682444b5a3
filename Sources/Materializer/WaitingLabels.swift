package import DatasetFiles
internal import Events
internal import Hashing
internal import JSON
internal import Storage
package import Vocabulary

/// Labels of a partition of the dataset log before an offset that no version contains yet. A materializer needs nothing
/// else besides the records from that offset on.
package struct WaitingLabels {
    package typealias Line = SegmentLine

    /// A change of a label, with the names of its classes, and of the former classes if the label differs from before.
    struct Change {
        let fact: LabelChange
        let names: [String]?
        let formerNames: [String]?

        /// The change as a record of the log with a line feed: its line in a file.
        var bytes: [UInt8] {
            DatasetLogRecord.changed(fact, names: names, formerNames: formerNames).jsonBytes + [0x0A]
        }

        init(fact: LabelChange, names: [String]?, formerNames: [String]?) {
            self.fact = fact
            self.names = names
            self.formerNames = formerNames
        }

        /// Returns nil if the line is no record of a change.
        init?(_ line: [UInt8], _ parser: JSONParser) {
            let record = try? parser.withDocument(of: line) { json in try DatasetLogRecord(json: json) }
            guard case .changed(let fact, let names, let former) = record else { return nil }
            self.init(fact: fact, names: names, formerNames: former)
        }
    }

    /// Waiting labels of a project, since its last cut.
    package struct Project {
        /// Offset of the first waiting fact.
        package var firstOffset: Int64
        /// Sequence number of the last fact.
        package var sequence: Int64 = 0
        /// In the order of the log.
        package var lines: [Split: [Line]] = [:]
        /// In the order of the log.
        var changes: [Change] = []

        package init(firstOffset: Int64, sequence: Int64 = 0) {
            self.firstOffset = firstOffset
            self.sequence = sequence
        }

        var count: Int { lines.values.reduce(changes.count) { $0 + $1.count } }
    }

    /// The next offset: everything before it is in versions or in `projects`.
    var offset: Int64
    /// Waiting labels by project name.
    var projects: [String: Project] = [:]

    /// Maximum number of bytes of the lines in a file; if there are more, nothing is kept and the log is read again.
    static let limit = 256 << 20
    /// Forms of files: 1 without changes, which older builds read too, and 2 with changes.
    private static let forms = 1...2

    private var form: Int { projects.values.allSatisfy(\.changes.isEmpty) ? 1 : 2 }

    /// Calls `body` with each line in the order of the file.
    private func forEachLine(_ body: ([UInt8]) -> Void) {
        for name in projects.keys.sorted() {
            for split in Split.allCases {
                guard let lines = projects[name]?.lines[split] else { continue }
                for line in lines { body(line.bytes) }
            }
            for change in projects[name]?.changes ?? [] { body(change.bytes) }
        }
    }

    /// SHA-256 of all contents of a file, in hexadecimal.
    private var digest: String {
        var hasher = SHA256Hasher()
        hasher.update(Array("\(offset)\n".utf8))
        for name in projects.keys.sorted() {
            guard let project = projects[name] else { continue }
            var counts = Split.allCases.map { "\(project.lines[$0]?.count ?? 0)" }.joined(separator: " ")
            if form > 1 { counts += " \(project.changes.count)" }
            hasher.update(Array("\(name) \(project.firstOffset) \(project.sequence) \(counts)\n".utf8))
        }
        forEachLine { hasher.update($0) }
        return hasher.finish().hex
    }

    /// Stores all waiting labels under a name; nothing is stored if there are too many.
    ///
    /// - Returns: False if there are too many.
    /// - Complexity: O(*n*) in the bytes.
    func write(to store: any ObjectStore, as name: String) throws(StorageError) -> Bool {
        var size = 0
        forEachLine { size += $0.count }
        guard size <= Self.limit else { return false }
        let digest = digest
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("form", form)
            writer.member("offset", offset)
            writer.member("sha256", digest)
            writer.array("projects") { writer in
                for name in projects.keys.sorted() {
                    guard let project = projects[name] else { continue }
                    writer.object { writer in
                        writer.member("project", name)
                        writer.member("from", project.firstOffset)
                        writer.member("sequence", project.sequence)
                        writer.member("training", project.lines[.training]?.count ?? 0)
                        writer.member("validation", project.lines[.validation]?.count ?? 0)
                        writer.member("test", project.lines[.test]?.count ?? 0)
                        if form > 1 { writer.member("changes", project.changes.count) }
                    }
                }
            }
        }
        var bytes = writer.bytes + [0x0A]
        bytes.reserveCapacity(bytes.count + size)
        forEachLine { line in bytes += line }
        try store.write(bytes, to: name)
        return true
    }

    /// Decodes a file.
    ///
    /// - Returns: The labels; nil if the file is damaged or of another form. Its data are also in the log.
    init?(_ bytes: [UInt8], offset: Int64) {
        guard let end = bytes.firstIndex(of: 0x0A),
            let header = try? JSONParser(maximumDepth: 8, maximumSize: 64 << 20).withDocument(
                of: Array(bytes[..<end]),
                { json in try Header(json: json) }
            ), header.offset == offset
        else { return nil }
        self.offset = offset
        let parser = JSONParser()
        var start = end + 1
        func nextLine() -> [UInt8]? {
            guard let lineEnd = bytes[start...].firstIndex(of: 0x0A) else { return nil }
            defer { start = lineEnd + 1 }
            return Array(bytes[start...lineEnd])
        }
        for entry in header.projects {
            var project = Project(firstOffset: entry.from, sequence: entry.sequence)
            for (split, count) in entry.counts where count > 0 {
                var lines: [Line] = []
                for _ in 0..<count {
                    guard let line = nextLine(), let sequence = DatasetLine.sequence(of: line, parser) else {
                        return nil
                    }
                    lines.append(Line(sequence: sequence, bytes: line))
                }
                project.lines[split] = lines
            }
            for _ in 0..<entry.changes {
                guard let line = nextLine(), let change = Change(line, parser) else { return nil }
                project.changes.append(change)
            }
            projects[entry.name] = project
        }
        guard start == bytes.count, digest == header.sha256 else { return nil }
    }

    init(offset: Int64, projects: [String: Project] = [:]) {
        self.offset = offset
        self.projects = projects
    }

    private struct Header {
        let offset: Int64
        let sha256: String
        let projects: [(name: String, from: Int64, sequence: Int64, counts: [(split: Split, count: Int)], changes: Int)]

        init(json: JSONValue) throws(JSONError) {
            let object = try json.object()
            let form = try object.int("form", in: WaitingLabels.forms)
            offset = try object.int64("offset")
            sha256 = try object.string("sha256")
            projects = try object.decode("projects") { (element) throws(JSONError) in
                let project = try element.object()
                let range = 0...WaitingLabels.limit
                let counts = [
                    Split.training: try project.int("training", in: range),
                    .validation: try project.int("validation", in: range), .test: try project.int("test", in: range),
                ]
                return (
                    try project.string("project"), try project.int64("from"), try project.int64("sequence"),
                    Split.allCases.map { ($0, counts[$0] ?? 0) },
                    form > 1 ? try project.int("changes", in: range) : 0
                )
            }
        }
    }
}

extension DatasetStore {
    private func folder(_ partition: Int32) -> String { "progress/waiting/\(partition)" }

    /// Stores the waiting labels of a partition, under its offset, beside those stored before: the group's offset after
    /// the transaction determines which of them counts.
    ///
    /// - Returns: False if there are too many.
    func keep(_ waiting: WaitingLabels, of partition: Int32) throws(StorageError) -> Bool {
        try waiting.write(to: objects, as: "\(folder(partition))/\(waiting.offset)")
    }

    /// Reads the labels of a partition that were kept at the greatest offset after `start` and up to `committed`: every
    /// version that was cut before this offset has been announced.
    ///
    /// - Returns: The labels; nil if no complete copy is kept in this range: the labels are in the log.
    /// - Throws: `StorageError` if the store cannot return the kept labels now.
    func keptLabels(_ partition: Int32, after start: Int64, upTo committed: Int64) throws(StorageError)
        -> WaitingLabels?
    {
        for offset in try offsetsKept(partition).reversed() where offset > start && offset <= committed {
            do throws(StorageError) {
                let name = "\(folder(partition))/\(offset)"
                let bytes = try objects.read(name, maximumSize: WaitingLabels.limit + 64 << 20)
                if let waiting = WaitingLabels(bytes, offset: offset) { return waiting }
            } catch {
                guard error.kind == .notFound || error.kind == .tooLarge else { throw error }
            }
        }
        return nil
    }

    /// Removes the kept labels of a partition except those of one offset. A file that cannot be removed does no harm.
    func removeKept(_ partition: Int32, except offset: Int64?) {
        for other in (try? offsetsKept(partition)) ?? [] where other != offset {
            try? objects.remove("\(folder(partition))/\(other)")
        }
    }

    /// Offsets at which labels of a partition are kept, ascending.
    private func offsetsKept(_ partition: Int32) throws(StorageError) -> [Int64] {
        try objects.list(folder(partition)).compactMap { $0.split(separator: "/").last.flatMap { Int64($0) } }.sorted()
    }
}
