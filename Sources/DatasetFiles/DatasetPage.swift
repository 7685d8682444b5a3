public import Events
internal import Hashing
public import JSON
internal import Vocabulary

/// Reference to a page, in a manifest of form 2 or in a page of the level above.
public struct DatasetPageReference: Hashable, Sendable, JSONCodable {
    /// Level of the page: 0 if it names segments; pages of level *n* name pages of level *n* − 1.
    public let level: Int
    public let size: Int
    public let sha256: String
    /// Number of files of labels and tombstones that the page leads to.
    public let segments: Int
    /// Number of lines of labels in these files, including lines that are no longer valid.
    public let records: Int
    /// Number of lines that are no longer valid, according to the page's files of tombstones.
    public let tombstones: Int
    /// Sequence numbers of the first and the last line of labels; nil if the page leads to segments taken over from a
    /// version of form 1, or to no labels.
    public let sequences: ClosedRange<Int64>?

    /// Relative to the manifest's folder.
    public var path: String { "../../pages/\(sha256).json" }

    /// Creates a reference to a page that has these bytes.
    package init(_ page: DatasetPage, _ bytes: [UInt8]) {
        level = page.level
        size = bytes.count
        sha256 = SHA256Digest(of: bytes).hex
        var (segments, records, tombstones) = (0, 0, 0)
        var sequences = SequenceSpan()
        switch page.content {
        case .files(let entries):
            segments = entries.count
            for entry in entries {
                switch entry.kind {
                case .labels:
                    records = records.adding(entry.records)
                    sequences.extend(entry.sequences)
                case .tombstones: tombstones = tombstones.adding(entry.records)
                }
            }
        case .pages(let references):
            for reference in references {
                segments = segments.adding(reference.segments)
                records = records.adding(reference.records)
                tombstones = tombstones.adding(reference.tombstones)
                if reference.records > 0 { sequences.extend(reference.sequences) }
            }
        }
        self.segments = segments
        self.records = records
        self.tombstones = tombstones
        self.sequences = sequences.span
    }

    public init(json: JSONValue) throws(JSONError) {
        let object = try json.object()
        level = try object.int("level", in: 0...DatasetForm.highestLevel)
        size = try object.int("size", in: 1...DatasetForm.pageSize)
        sha256 = try object.digest("sha256")
        segments = try object.int("segments", in: 1...Int.max)
        records = try object.int("records", in: 0...Int.max)
        tombstones = try object.optionalInt("tombstones", in: 0...Int.max) ?? 0
        sequences = try object.sequences()
        try object.requirePath(path)
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("path", path)
            writer.member("size", size)
            writer.member("sha256", sha256)
            writer.member("level", level)
            writer.member("segments", segments)
            writer.member("records", records)
            if tombstones > 0 { writer.member("tombstones", tombstones) }
            writer.member("first_sequence", ifPresent: sequences?.lowerBound)
            writer.member("last_sequence", ifPresent: sequences?.upperBound)
        }
    }
}

/// Range from the least to the greatest sequence number of several files; nil if any of the files has none.
private struct SequenceSpan {
    private var isUnknown = false
    private(set) var span: ClosedRange<Int64>?

    mutating func extend(_ sequences: ClosedRange<Int64>?) {
        guard let sequences, !isUnknown else {
            isUnknown = true
            return span = nil
        }
        span =
            span.map { min($0.lowerBound, sequences.lowerBound)...max($0.upperBound, sequences.upperBound) }
            ?? sequences
    }
}

/// A part of the list of a version's files, or a list of pages with such parts; at most `DatasetForm.pageLimit`
/// entries.
package struct DatasetPage: Hashable, JSONCodable {
    enum Content: Hashable {
        case files([DatasetEntry])
        case pages([DatasetPageReference])
    }

    let level: Int
    let content: Content

    package init(files: [DatasetEntry]) {
        level = 0
        content = .files(files)
    }

    /// Creates the page above other pages, which all have the same level.
    package init(pages: [DatasetPageReference]) {
        level = (pages.first?.level ?? 0) + 1
        content = .pages(pages)
    }

    package init(json: JSONValue) throws(JSONError) {
        let object = try json.object()
        try DatasetForm.check(page: object)
        level = try object.int("level", in: 0...DatasetForm.highestLevel)
        let count: Int
        if level == 0 {
            let files = try object.decode("entries") { (element) throws(JSONError) in try DatasetEntry(json: element) }
            count = files.count
            content = .files(files)
        } else {
            let below = level - 1
            let pages = try object.decode("entries") { (element) throws(JSONError) in
                let page = try DatasetPageReference(json: element)
                guard page.level == below else {
                    throw try element.object().failure("level", "expected \(below), found \(page.level)")
                }
                return page
            }
            count = pages.count
            content = .pages(pages)
        }
        guard (1...DatasetForm.pageLimit).contains(count) else {
            throw object.failure("entries", "expected 1 to \(DatasetForm.pageLimit), found \(count)")
        }
    }

    package func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("format", "flywheel-dataset-page")
            writer.member("format_version", 2)
            writer.member("level", level)
            writer.array("entries") { writer in
                switch content {
                case .files(let files): for file in files { file.write(to: &writer) }
                case .pages(let pages): for page in pages { page.write(to: &writer) }
                }
            }
        }
    }
}
