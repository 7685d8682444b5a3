public import Events
public import JSON
public import Storage
public import Vocabulary

/// Record of a version whose files were collected; it holds the version's identity. It is kept in
/// `PROJECT/collected/ID.json` for good, beside the version number, which still names the id.
///
/// The bytes depend only on facts of the version, so writing the record twice changes nothing.
public struct CollectedVersion: Hashable, Sendable, JSONCodable {
    public let project: ProjectID
    public let id: DatasetVersionID
    public let versionNumber: Int
    /// Sequence number of the cut in the dataset log.
    public let sequence: Int64

    /// Creates the record of a version.
    package init(_ manifest: DatasetManifest) {
        project = manifest.project
        id = manifest.id
        versionNumber = manifest.versionNumber
        sequence = manifest.sequence
    }

    public init(json: JSONValue) throws(JSONError) {
        let object = try json.object()
        guard try object.string("format") == "flywheel-dataset-collected" else {
            throw object.failure("format", "expected flywheel-dataset-collected")
        }
        _ = try object.int("format_version", in: 1...1)
        project = ProjectID(try object.string("project"))
        id = DatasetVersionID(try object.digest("version"))
        versionNumber = try object.int("ordinal", in: 1...Int.max)
        sequence = Int64(try object.int("sequence", in: 1...Counting.limit))
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("format", "flywheel-dataset-collected")
            writer.member("format_version", 1)
            writer.member("project", project.rawValue)
            writer.member("version", id.rawValue)
            writer.member("ordinal", versionNumber)
            writer.member("sequence", sequence)
        }
    }
}

extension DatasetStore {
    /// Name of the object that holds the record of a collected version.
    static func collectedName(_ project: ProjectID, _ id: DatasetVersionID) -> String {
        "\(project)/collected/\(id).json"
    }

    /// The versions of a project that were collected.
    ///
    /// - Throws: `StorageError` where the store cannot be listed.
    public func collected(_ project: ProjectID) throws(StorageError) -> Set<DatasetVersionID> {
        Set(
            try objects.list("\(project)/collected").compactMap { name in
                guard let file = name.split(separator: "/").last, file.hasSuffix(".json") else { return nil }
                return DatasetVersionID(String(file.dropLast(".json".count)))
            }
        )
    }

    /// Whether a version was collected, or is about to be: the record is written before anything is removed.
    public func isCollected(_ project: ProjectID, _ id: DatasetVersionID) throws(StorageError) -> Bool {
        try objects.exists(Self.collectedName(project, id))
    }

    /// The record of a version, if it was collected.
    ///
    /// - Throws: `EngineError` if the record cannot be decoded, `StorageError` if the store refuses.
    package func collected(_ project: ProjectID, _ id: DatasetVersionID) throws -> CollectedVersion? {
        let name = Self.collectedName(project, id)
        guard let bytes = try objects.readIfPresent(name, maximumSize: 1 << 16) else { return nil }
        do {
            return try JSONParser().withDocument(of: bytes) { json in try CollectedVersion(json: json) }
        } catch let error as JSONError {
            throw DatasetForm.refusal(error, in: name)
        }
    }
}
