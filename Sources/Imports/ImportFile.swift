internal import EngineCore
internal import Events
internal import Foundation
internal import JSON
internal import Telemetry
internal import Vocabulary

/// The form of a file with labels or samples.
public enum ImportFormat: String, CaseIterable, Sendable {
    /// A header, and one row per sample or vote.
    case csv
    /// One JSON object per line.
    case jsonLines = "jsonl"
    /// The JSON export of Label Studio: a list of tasks with their annotations.
    case labelStudio = "label-studio"
    /// The augmented manifest of SageMaker Ground Truth: one JSON object per line.
    case groundTruth = "ground-truth"
}

/// Content of a file to import.
public struct ImportFile: Sendable {
    public internal(set) var rows: [ImportRow] = []
    public internal(set) var faults: [ImportFault] = []
    /// Rows without a label where labels are wanted: skipped tasks, empty cells.
    public internal(set) var unlabelled = 0
    /// Unit that the numbers of the rows count.
    public internal(set) var unit = ImportFault.Unit.line

    /// Returns the format that a file's first bytes and name indicate.
    public static func format(of bytes: [UInt8], name: String) -> ImportFormat {
        let first = bytes.first { ![0x20, 0x09, 0x0A, 0x0D, 0xEF, 0xBB, 0xBF].contains($0) }
        if first == UInt8(ascii: "[") { return .labelStudio }
        guard first == UInt8(ascii: "{") else { return .csv }
        if name.hasSuffix(".manifest") { return .groundTruth }
        let line = String(decoding: bytes.prefix(65_536).prefix { $0 != 0x0A }, as: UTF8.self)
        return line.contains("\"source-ref\"") || line.contains("-metadata\"") ? .groundTruth : .jsonLines
    }

    /// Creates samples from the images of a folder and its subfolders: the id of each is its path below the folder, and
    /// its content is the file's URI. They are in the order of their paths; hidden files are ignored.
    ///
    /// - Throws: `EngineError` if the folder cannot be read.
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
            addRow(line: index + 1, false) {
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

    /// Endings of the file names of images, in lower case.
    static let imageEndings: Set = ["png", "jpg", "jpeg", "gif", "bmp", "tif", "tiff", "webp"]

    /// Reads a complete file.
    ///
    /// - Parameters:
    ///   - bytes: Bytes of the file.
    ///   - format: Format of the file.
    ///   - fields: Names of columns and members.
    ///   - isLabelled: Whether labels are wanted; otherwise, the rows are samples.
    /// - Complexity: O(*n*); all rows are held in memory.
    public init(_ bytes: [UInt8], _ format: ImportFormat, _ fields: ImportFields, isLabelled: Bool) {
        switch format {
        case .csv: readCSV(bytes, fields, isLabelled)
        case .jsonLines:
            faults = Self.unused(fields, [.attribute: "only manifests of Ground Truth have attributes"])
            var names = ImportNames(fields, without: [.attribute])
            readLines(of: bytes, names: &names, isLabelled: isLabelled) {
                try Self.row(line: $0, of: $1, fields: fields, isLabelled: isLabelled)
            }
        case .labelStudio: readExport(bytes, fields, isLabelled)
        case .groundTruth: readManifest(bytes, fields, isLabelled)
        }
    }

    mutating func add(_ row: ImportRow, isLabelled: Bool) {
        guard !isLabelled || !row.answers.isEmpty else {
            unlabelled += 1
            return
        }
        rows.append(row)
    }

    /// Creates a sample from its parts; throws `ImportFault` if there is no id, or a part is out of bounds.
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
        // Checked before rows of one sample are matched: tables treat two spellings of a name as one, and Intake
        // accepts only the composed one.
        guard ComposedText.isComposed(id) else {
            throw ImportFault(
                line: line,
                "\(fields.id): \"\(ForeignText.line(id, limit: 64))\" is not in the composed form of Unicode (NFC: an accent and its letter as one character)"
            )
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

    /// Adds a row, or the fault because of which it cannot be used.
    mutating func addRow(line: Int, _ isLabelled: Bool, _ read: () throws -> ImportRow) {
        do {
            add(try read(), isLabelled: isLabelled)
        } catch let fault as ImportFault {
            faults.append(fault.with(unit: unit))
        } catch let error as JSONError where Self.isNotJSON(error) {
            faults.append(ImportFault(line: line, "it is not JSON: \(error)", unit: unit))
        } catch {
            faults.append(ImportFault(line: line, "\(error)", unit: unit))
        }
    }

    /// Whether an error means that a text is not JSON at all, not only that it is other JSON than expected.
    static func isNotJSON(_ error: JSONError) -> Bool { [.syntax, .truncated, .invalidUTF8].contains(error.kind) }

    /// The beginning of a text, for a fault.
    static func beginning(of text: some Collection<UInt8>) -> String {
        let line = String(decoding: text.prefix(200).prefix { $0 != 0x0A && $0 != 0x0D }, as: UTF8.self)
        return line.count > 40 ? "\"\(line.prefix(40))…\"" : "\"\(line)\""
    }
}
