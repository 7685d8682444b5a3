internal import Events
internal import Foundation
internal import JSON
public import Vocabulary

/// The form of a file with labels or samples.
public enum ImportFormat: String, CaseIterable, Sendable {
    /// A header, and a row a sample or a vote.
    case csv
    /// A JSON object a line.
    case jsonLines = "jsonl"
    /// The JSON export of Label Studio: a list of tasks with their annotations.
    case labelStudio = "label-studio"
    /// The augmented manifest of SageMaker Ground Truth: a JSON object a line.
    case groundTruth = "ground-truth"
}

/// Names of the columns, or of the members, in which a row says what.
public struct ImportFields: Hashable, Sendable {
    /// The sample's id.
    public var id = "id"
    public var label = "label"
    /// Who labelled it; where the file has such a column its labels are votes.
    public var annotator = "annotator"
    public var uri = "uri"
    public var text = "text"
    /// The group that the sample belongs to.
    public var group = "group"
    /// Numbers: a list in JSON, separated by spaces, commas or semicolons in CSV.
    public var embedding = "embedding"
    /// Columns that go to the sample's metadata.
    public var metadata: [String] = []
    /// Of a manifest: the label's attribute; found by itself where nil.
    public var attribute: String?

    public init() {}
}

/// A row of a file: a sample, and what is said of it.
public struct ImportRow: Sendable {
    /// Where it begins, counted from 1; of an export the task's place in the list.
    public let line: Int
    public let sample: Sample
    /// Classes by name, each with its annotator if the file says; none in a pool of samples.
    public let answers: [(annotator: String?, label: String)]
}

/// A row that cannot be used, or a contradiction.
public struct ImportFault: Error, Hashable, Sendable, CustomStringConvertible {
    public let line: Int
    public let text: String

    public init(line: Int, _ text: String) {
        self.line = line
        self.text = text
    }

    public var description: String { "line \(line): \(text)" }
}

/// What a file holds.
public struct ImportFile: Sendable {
    public internal(set) var rows: [ImportRow] = []
    public internal(set) var faults: [ImportFault] = []
    /// Rows without a label where labels are wanted: skipped tasks, empty cells.
    public internal(set) var unlabelled = 0

    /// The form that a file's first bytes and name speak for.
    public static func format(of bytes: [UInt8], name: String) -> ImportFormat {
        let first = bytes.first { ![0x20, 0x09, 0x0A, 0x0D, 0xEF, 0xBB, 0xBF].contains($0) }
        if first == UInt8(ascii: "[") { return .labelStudio }
        guard first == UInt8(ascii: "{") else { return .csv }
        if name.hasSuffix(".manifest") { return .groundTruth }
        let line = String(decoding: bytes.prefix(65_536).prefix { $0 != 0x0A }, as: UTF8.self)
        return line.contains("\"source-ref\"") || line.contains("-metadata\"") ? .groundTruth : .jsonLines
    }

    /// The images of a folder, and of those within it, as samples: each is known by its path below the folder, and its content is
    /// the file's URI. In the order of their paths; hidden files are passed over.
    ///
    /// - Throws: `EngineError` where the folder cannot be read.
    public init(folder path: String) throws {
        let root = URL(fileURLWithPath: path).standardizedFileURL
        var isFolder: ObjCBool = false
        let isThere = FileManager.default.fileExists(atPath: root.path, isDirectory: &isFolder)
        guard isThere, isFolder.boolValue, let names = FileManager.default.enumerator(atPath: root.path) else {
            throw EngineError("read \(path)", "it is no folder, or may not be read")
        }
        var found: [String] = []
        for case let name as String in names {
            let isHidden = name.split(separator: "/").contains { $0.hasPrefix(".") }
            let ending = name.split(separator: "/").last?.split(separator: ".").dropFirst().last ?? ""
            if !isHidden, Self.imageEndings.contains(ending.lowercased()) { found.append(name) }
        }
        for (index, name) in found.sorted().enumerated() {
            take(line: index + 1, false) {
                ImportRow(
                    line: index + 1,
                    sample: try Self.sample(
                        index + 1,
                        id: name,
                        uri: root.appendingPathComponent(name).absoluteString,
                        text: nil,
                        embedding: nil,
                        ImportFields()
                    ),
                    answers: []
                )
            }
        }
    }

    /// Endings of names of images.
    static let imageEndings: Set = ["png", "jpg", "jpeg", "gif", "bmp", "tif", "tiff", "webp"]

    /// Reads a file whole.
    ///
    /// - Parameters:
    ///   - bytes: Of the file.
    ///   - format: Its form.
    ///   - fields: Names of columns and members.
    ///   - isLabelled: Whether labels are wanted; else the rows are samples.
    /// - Complexity: O(*n*); all rows are held in memory.
    public init(_ bytes: [UInt8], _ format: ImportFormat, _ fields: ImportFields, isLabelled: Bool) {
        switch format {
        case .csv: readCSV(bytes, fields, isLabelled)
        case .jsonLines: readLines(bytes, isLabelled) { try Self.row($0, $1, fields, isLabelled) }
        case .labelStudio: readExport(bytes, fields, isLabelled)
        case .groundTruth: readLines(bytes, isLabelled) { try Self.manifestRow($0, $1, fields, isLabelled) }
        }
    }

    mutating func add(_ row: ImportRow, isLabelled: Bool) {
        guard !isLabelled || !row.answers.isEmpty else {
            unlabelled += 1
            return
        }
        rows.append(row)
    }

    // MARK: - CSV

    private mutating func readCSV(_ bytes: [UInt8], _ fields: ImportFields, _ isLabelled: Bool) {
        var reader = CSVReader(bytes)
        do throws(CSVReader.Fault) {
            guard let header = try reader.next() else {
                faults.append(.init(line: 1, "expected a header with the names of the columns, found nothing"))
                return
            }
            var columns: [String: Int] = [:]
            for (index, name) in header.fields.enumerated() where columns[name] == nil { columns[name] = index }
            let needed = [fields.id] + (isLabelled ? [fields.label] : []) + fields.metadata
            let missing = needed.filter { columns[$0] == nil }
            guard missing.isEmpty else {
                let names = header.fields.map { "\"\($0)\"" }.joined(separator: ", ")
                faults.append(
                    .init(
                        line: header.line,
                        "no column \(missing.map { "\"\($0)\"" }.joined(separator: ", ")) among \(names): name yours with --id, --label and so on"
                    )
                )
                return
            }
            while let row = try reader.next() {
                guard row.fields.count == header.fields.count else {
                    let (found, wanted) = (row.fields.count, header.fields.count)
                    faults.append(.init(line: row.line, "expected \(wanted) fields as in the header, found \(found)"))
                    continue
                }
                let value: (String) -> String? = { name in
                    columns[name].map { row.fields[$0] }.flatMap { $0.isEmpty ? nil : $0 }
                }
                take(line: row.line, isLabelled) { try Self.row(row.line, fields, isLabelled, value) }
            }
        } catch {
            faults.append(.init(line: error.line, error.text))
        }
    }

    private static func row(
        _ line: Int,
        _ fields: ImportFields,
        _ isLabelled: Bool,
        _ value: (String) -> String?
    ) throws -> ImportRow {
        var embedding: [Float]?
        if let text = value(fields.embedding) {
            let parts = text.split { " ,;[]\t".contains($0) }
            let numbers = parts.compactMap { Float($0) }
            guard numbers.count == parts.count, !numbers.isEmpty, numbers.allSatisfy(\.isFinite) else {
                throw ImportFault(line: line, "\(fields.embedding): expected finite numbers")
            }
            embedding = numbers
        }
        var metadata: [SampleMetadata.Entry] = []
        for name in fields.metadata {
            if let text = value(name) { metadata.append(.init(key: name, value: text)) }
        }
        let sample = try sample(
            line,
            id: value(fields.id),
            uri: value(fields.uri),
            text: value(fields.text),
            group: value(fields.group),
            embedding: embedding,
            metadata: metadata,
            fields
        )
        let label = isLabelled ? value(fields.label) : nil
        let annotator = value(fields.annotator)
        return ImportRow(line: line, sample: sample, answers: label.map { [(annotator, $0)] } ?? [])
    }

    /// - Throws: Where there is no id, or a part is out of bounds.
    static func sample(
        _ line: Int,
        id: String?,
        uri: String?,
        text: String?,
        group: String? = nil,
        embedding: [Float]?,
        metadata: [SampleMetadata.Entry] = [],
        _ fields: ImportFields
    ) throws -> Sample {
        guard let id else { throw ImportFault(line: line, "\(fields.id): expected the sample's id, found nothing") }
        guard let name = SampleID(checking: id) else {
            throw ImportFault(line: line, "\(fields.id): expected 1 to 256 bytes without control characters")
        }
        guard let metadata = SampleMetadata(metadata) else {
            throw ImportFault(line: line, "metadata: expected at most 16 texts of at most 256 bytes")
        }
        let groupID = try group.map { text in
            guard let id = GroupID(checking: text) else {
                throw ImportFault(line: line, "\(fields.group): expected 1 to 256 bytes without control characters")
            }
            return id
        }
        var content: Content?
        if let uri {
            guard uri.utf8.count <= Content.longestURI else {
                throw ImportFault(line: line, "\(fields.uri): expected at most \(Content.longestURI) bytes")
            }
            content = .uri(uri)
        } else if let text {
            guard text.utf8.count <= Content.inlineLimit else {
                throw ImportFault(
                    line: line,
                    "\(fields.text): expected at most \(Content.inlineLimit) bytes; send a larger one by URI"
                )
            }
            content = .inline(mediaType: "text/plain", text: text)
        }
        return Sample(id: name, content: content, embedding: embedding, metadata: metadata, group: groupID)
    }

    // MARK: - Lines

    private mutating func readLines(
        _ bytes: [UInt8],
        _ isLabelled: Bool,
        _ read: (Int, JSONObject) throws -> ImportRow
    ) {
        let parser = JSONParser(maximumDepth: 64, maximumSize: 16 << 20)
        let text = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes.dropFirst(3) : bytes[...]
        for (index, line) in text.split(separator: 0x0A, omittingEmptySubsequences: false).enumerated() {
            guard line.contains(where: { $0 != 0x20 && $0 != 0x09 && $0 != 0x0D }) else { continue }
            take(line: index + 1, isLabelled) {
                try parser.withDocument(of: Array(line)) { try read(index + 1, $0.object()) }
            }
        }
    }

    /// Adds a row, or the fault that keeps it from being one.
    mutating func take(line: Int, _ isLabelled: Bool, _ read: () throws -> ImportRow) {
        do {
            add(try read(), isLabelled: isLabelled)
        } catch let fault as ImportFault {
            faults.append(fault)
        } catch {
            faults.append(ImportFault(line: line, "\(error)"))
        }
    }

    /// A line of JSON Lines: a whole `sample` as predictions have it, or its parts by the names of fields.
    private static func row(
        _ line: Int,
        _ object: JSONObject,
        _ fields: ImportFields,
        _ isLabelled: Bool
    ) throws -> ImportRow {
        let sample: Sample
        if let whole = object.optional("sample"), whole.objectView != nil {
            sample = try Sample(json: whole)
        } else {
            sample = try Self.sample(line, object, fields)
        }
        guard isLabelled else { return ImportRow(line: line, sample: sample, answers: []) }
        let label = scalar(object, fields.label)
        return ImportRow(
            line: line,
            sample: sample,
            answers: label.map { [(scalar(object, fields.annotator), $0)] } ?? []
        )
    }

    static func sample(_ line: Int, _ object: JSONObject, _ fields: ImportFields) throws -> Sample {
        var embedding: [Float]?
        if let value = object.member(named: fields.embedding), !value.isNull {
            var numbers: [Float] = []
            try value.array().floats(into: &numbers)
            guard !numbers.isEmpty, numbers.allSatisfy(\.isFinite) else {
                throw ImportFault(line: line, "\(fields.embedding): expected finite numbers")
            }
            embedding = numbers
        }
        return try sample(
            line,
            id: scalar(object, fields.id),
            uri: scalar(object, fields.uri),
            text: scalar(object, fields.text),
            group: scalar(object, fields.group),
            embedding: embedding,
            metadata: fields.metadata.compactMap { name in
                scalar(object, name).map { SampleMetadata.Entry(key: name, value: $0) }
            },
            fields
        )
    }

    /// A text, or a number or truth value as JSON writes it; nil where it is absent, empty or another thing.
    static func scalar(_ object: JSONObject, _ name: String) -> String? {
        guard let value = object.member(named: name) else { return nil }
        switch value.kind {
        case .string:
            let text = try? value.string()
            return text?.isEmpty ?? true ? nil : text
        case .number, .bool:
            var writer = JSONWriter()
            writer.value(value)
            return writer.text
        default: return nil
        }
    }
}
