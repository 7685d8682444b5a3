internal import EngineCore
public import Events
internal import Hashing
public import JSON
internal import Storage
public import Vocabulary

/// A version as few plain files, for programs that read many bytes at once: the valid lines, split by split, in the
/// order of the log. It is stored beside the version, which is not changed:
///
///     PROJECT/packs/ID/SPLIT-NNNNN.jsonl    64 MiB at most, but for one line that is longer
///     PROJECT/packs/ID/pack.json            their sizes and digests; written last
public struct DatasetPack: Hashable, Sendable, JSONCodable {
    /// File of a pack.
    public struct File: Hashable, Sendable {
        public let split: Split
        /// Relative to the pack's folder.
        public let path: String
        public let size: Int
        public let sha256: String
        public let records: Int
    }

    public let project: ProjectID
    public let version: DatasetVersionID
    public let files: [File]

    package init(project: ProjectID, version: DatasetVersionID, files: [File]) {
        self.project = project
        self.version = version
        self.files = files
    }

    public init(json: JSONValue) throws(JSONError) {
        let object = try json.object()
        guard try object.string("format") == "flywheel-dataset-pack" else {
            throw object.failure("format", "expected flywheel-dataset-pack")
        }
        _ = try object.int("format_version", in: 1...1)
        project = ProjectID(try object.string("project"))
        version = DatasetVersionID(try object.string("version"))
        files = try object.decode("files") { (element) throws(JSONError) in
            let file = try element.object()
            guard let split = Split(rawValue: try file.string("split")) else {
                throw file.failure("split", "expected training, validation or test")
            }
            return File(
                split: split,
                path: try file.string("path"),
                size: try file.int("size", in: 0...Int.max),
                sha256: try file.digest("sha256"),
                records: try file.int("records", in: 0...Int.max)
            )
        }
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("format", "flywheel-dataset-pack")
            writer.member("format_version", 1)
            writer.member("project", project.rawValue)
            writer.member("version", version.rawValue)
            writer.array("files") { writer in
                for file in files {
                    writer.object { writer in
                        writer.member("split", file.split.rawValue)
                        writer.member("path", file.path)
                        writer.member("size", file.size)
                        writer.member("sha256", file.sha256)
                        writer.member("records", file.records)
                    }
                }
            }
        }
    }
}

extension DatasetStore {
    /// The most bytes of a file of a pack, but for one line that is longer.
    public static let packFileSize = 64 << 20

    /// Packs a version. Doing it again changes nothing.
    ///
    /// - Parameters:
    ///   - project: The project.
    ///   - id: Id of the version.
    ///   - size: The most bytes of a file.
    /// - Returns: The pack, and the name of the object that lists its files.
    /// - Throws: `EngineError` or `StorageError` if the version is not whole; no list then names the files written so
    ///   far.
    /// - Complexity: O(*n*) in the version's bytes; one segment and one file of the pack in memory.
    public func pack(_ project: ProjectID, id: DatasetVersionID, size: Int = Self.packFileSize) throws -> (
        pack: DatasetPack, name: String
    ) {
        guard let manifest = try manifest(project, id: id) else {
            throw EngineError(
                "pack version \(id)",
                "it is not in the store",
                remedy: "flywheel dataset verify lists what is there"
            )
        }
        let folder = "\(project)/packs/\(id)"
        let reader = reader(of: manifest)
        var files: [DatasetPack.File] = []
        for split in Split.allCases {
            var (bytes, records, number): ([UInt8], Int, Int) = ([], 0, 0)
            func finish() throws {
                guard records > 0 else { return }
                number += 1
                let digits = String(number)
                let path = "\(split)-\(String(repeating: "0", count: max(0, 5 - digits.count)))\(digits).jsonl"
                try put(bytes, as: path, inPack: folder)
                files.append(
                    DatasetPack.File(
                        split: split,
                        path: path,
                        size: bytes.count,
                        sha256: SHA256Digest(of: bytes).hex,
                        records: records
                    )
                )
                bytes.removeAll(keepingCapacity: true)
                records = 0
            }
            try reader.forEachLine(of: [split]) { line in
                if records > 0, bytes.count + line.bytes.count >= size { try finish() }
                bytes += line.bytes
                bytes.append(0x0A)
                records += 1
            }
            try finish()
        }
        let pack = DatasetPack(project: project, version: id, files: files)
        try put(pack.jsonBytes, as: "pack.json", inPack: folder)
        return (pack, "\(folder)/pack.json")
    }

    private func put(_ bytes: [UInt8], as file: String, inPack folder: String) throws {
        do throws(StorageError) {
            try objects.put(bytes, as: "\(folder)/\(file)")
        } catch {
            guard error.kind == .conflict else { throw error }
            // A pack is a copy: the version itself was read whole.
            throw EngineError(
                "pack into \(folder)",
                "\(file) exists with other bytes: the pack is damaged, or was made with files of another size",
                remedy: "remove the folder \(folder) of the store, and pack again"
            )
        }
    }
}
