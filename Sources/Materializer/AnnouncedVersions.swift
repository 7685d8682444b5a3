internal import EngineCore
internal import Events
internal import Hashing
internal import JSON
internal import StreamRuntime
internal import Vocabulary

/// Versions that `dataset-versions` announces: a worker that reads the dataset log again, on a new disk or after a loss
/// of its progress, announces none of them a second time.
///
/// Memory: 22 to 45 bytes for each version of the owned partitions, depending on how full the tables are.
struct AnnouncedVersions {
    /// Digests of the announced ids by partition, project and version number: the id that was announced first.
    private var ids: [Int32: [String: [Int: UInt64]]] = [:]
    /// Further ids for the same version numbers, from builds that wrote other bytes or from other writers.
    private var others: [Int32: [String: [Int: Set<UInt64>]]] = [:]
    /// Maximum number of ids that are held beside the first of a version number.
    private static let maximumOtherIDs = 16
    private let transport: (any StreamTransport)?
    private let topic: String

    /// Status of a version among the announcements.
    enum Status: Hashable {
        case new
        /// The version is announced under this id.
        case known
        /// Another id is announced under the version number, and this id is not.
        case otherID
    }

    /// Creates an empty set of announcements; without a transport it contains only those that are added.
    init(_ transport: (any StreamTransport)?, topic: String) {
        self.transport = transport
        self.topic = topic
    }

    /// Reads the announcements of partitions, up to the ends that they have at the call, uncommitted records included:
    /// records that a previous owner committed with its offsets may become visible after them.
    ///
    /// - Throws: `StreamError` if the topic cannot be read, `EngineError` if a transaction stays open in it.
    /// - Complexity: O(*n*) in the versions of the partitions.
    mutating func read(_ partitions: [Int32]) throws {
        guard let transport, !partitions.isEmpty else { return }
        let scan = try TopicScan(transport: transport, topic: topic)
        defer { scan.close() }
        let parser = JSONParser()
        for partition in partitions {
            (ids[partition], others[partition]) = ([:], [:])
            try scan.forEach(partition) { record, _, _ in
                // Flywheel did not write an unreadable record; Intake reports it.
                guard let json = try? parser.parse(record.value), let project = try? json.object().string("project"),
                    let version = try? SealedVersion(json: json)
                else { return }
                add(project, version, in: partition)
            }
        }
    }

    /// Whether a version was announced.
    func status(_ project: ProjectID, _ version: SealedVersion, in partition: Int32) -> Status {
        guard let known = ids[partition]?[project.rawValue]?[version.versionNumber] else { return .new }
        let digest = Self.digest(version.id)
        let more = others[partition]?[project.rawValue]?[version.versionNumber]
        return known == digest || more?.contains(digest) ?? false ? .known : .otherID
    }

    /// Adds a version that was announced just now.
    mutating func add(_ project: ProjectID, _ version: SealedVersion, in partition: Int32) {
        add(project.rawValue, version, in: partition)
    }

    private mutating func add(_ project: String, _ version: SealedVersion, in partition: Int32) {
        let digest = Self.digest(version.id)
        guard let known = ids[partition]?[project]?[version.versionNumber] else {
            ids[partition, default: [:]][project, default: [:]][version.versionNumber] = digest
            return
        }
        guard known != digest, others[partition]?[project]?[version.versionNumber]?.count ?? 0 < Self.maximumOtherIDs
        else {
            return
        }
        others[partition, default: [:]][project, default: [:]][version.versionNumber, default: []].insert(digest)
    }

    /// Removes the announcements of a partition.
    mutating func forget(_ partition: Int32) {
        ids[partition] = nil
        others[partition] = nil
    }

    private static func digest(_ id: DatasetVersionID) -> UInt64 { xxh64(id.rawValue) }
}
