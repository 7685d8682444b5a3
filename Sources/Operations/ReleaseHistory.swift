internal import EngineCore
public import Events
internal import Flywheel
internal import JSON
public import StreamRuntime
public import Vocabulary

/// The transitions of a project's model versions, as `release-log` holds them.
public struct ReleaseHistory: Hashable, Sendable {
    public let project: String
    /// By ascending entry number, each transition once.
    public private(set) var records: [ReleaseLogRecord] = []
    /// Records of the project that this build cannot decode.
    public private(set) var unreadable = 0
    /// Partition and offset of the first unreadable record, as in `3/97`.
    public private(set) var firstUnreadable: String?
    /// Whether a transaction is open on the topic: records behind it are missing here.
    public private(set) var isHeldBack = false

    init(project: String) { self.project = project }

    /// Reads the committed transitions of a project.
    ///
    /// - Parameters:
    ///   - name: The project.
    ///   - transport: The transport to the cluster.
    ///   - topics: The topic names in use.
    /// - Returns: The history, by ascending entry number.
    /// - Throws: `EngineError` where there is no such project or no such topic; `StreamError` when a topic cannot be read.
    /// - Complexity: O(*n*) in the records of the project's partition.
    public static func read(_ name: String, transport: any StreamTransport, topics: TopicNames) throws -> Self {
        let attempt = "read the releases of \(name)"
        let directory = try ProjectDirectory(transport: transport, topics: topics)
        defer { directory.close() }
        try directory.readToEnd(for: name)
        guard let partition = directory[name]?.partition else {
            throw EngineError(attempt, "there is no project \(name)", remedy: "see flywheel project list")
        }
        let scan = try TopicScan(transport: transport, topic: topics[.releaseLog])
        defer { scan.close() }
        guard try exists(partition, scan) else {
            throw EngineError(
                attempt,
                "topic \(topics[.releaseLog]) is missing",
                remedy: "run flywheel topics create; transitions are recorded from then on"
            )
        }
        let end = try scan.settledEnds([partition])[partition]
        var history = Self(project: name)
        history.isHeldBack = end?.isHeldBack ?? false
        let parser = JSONParser()
        try scan.forEach(partition, until: end?.offset) { record, _, _ in
            guard record.key.elementsEqual(name.utf8) else { return }
            if record.value.baseAddress != nil,
                let transition = try? ReleaseLogRecord(json: parser.parse(record.value))
            {
                history.append(transition)
            } else {
                history.unreadable += 1
                history.firstUnreadable = history.firstUnreadable ?? "\(partition)/\(record.offset)"
            }
        }
        return history
    }

    private static func exists(_ partition: Int32, _ scan: TopicScan) throws -> Bool {
        do throws(StreamError) {
            return try scan.partitions().contains(partition)
        } catch {
            guard ["UNKNOWN_TOPIC_OR_PART", "_UNKNOWN_TOPIC", "_UNKNOWN_PARTITION"].contains(error.code) else {
                throw error
            }
            return false
        }
    }

    /// Adds the next record of the topic.
    ///
    /// A loop that lost its state decides the journal again and writes records from an earlier entry on. From that
    /// entry on, the new records replace those appended before.
    mutating func append(_ record: ReleaseLogRecord) {
        if let last = records.last, last.entryNumber >= record.entryNumber,
            let start = records.firstIndex(where: {
                $0.entryNumber > record.entryNumber || $0.isSameTransition(as: record)
            })
        {
            records.removeSubrange(start...)
        }
        records.append(record)
    }

    // MARK: - Questions

    /// Transitions of a version, the latest last.
    ///
    /// - Throws: `EngineError` where there is none.
    public func transitions(of version: String) throws -> [ReleaseLogRecord] {
        let found = records.filter { $0.transition.version.rawValue == version }
        guard found.isEmpty else { return found }
        let known = records.isEmpty ? "no transition of any version is recorded yet" : "no transition of it is recorded"
        throw EngineError(
            "explain version \(version) of \(project)",
            hasBeginning || records.isEmpty
                ? known : "\(known); \(project) had models before its releases were recorded",
            remedy: "flywheel releases log \(project) lists what is recorded"
        )
    }

    /// The transition by which a version entered the state that it held at a given time.
    ///
    /// - Parameters:
    ///   - state: A state that one version at a time holds, such as `live` and `shadow`.
    ///   - time: The time; a transition at exactly that millisecond has happened.
    /// - Returns: Nil if no version is known to have held it.
    /// - Complexity: O(*n*) in the records.
    public func holder(
        of state: ReleaseState,
        at time: StreamTime = StreamTime(milliseconds: .max)
    ) -> ReleaseLogRecord? {
        var holder: ReleaseLogRecord?
        for record in records where record.at <= time {
            if record.transition.to == state {
                holder = record
            } else if record.transition.version == holder?.transition.version {
                holder = nil
            }
        }
        return holder
    }

    /// Whether the first record is a transition of the project's first model. If models of the project are older than
    /// the topic, some of its transitions are not recorded.
    public var hasBeginning: Bool {
        switch records.first?.transition.cause {
        case .trained, .release(.first), .release(.registered): true
        default: false
        }
    }
}

extension ReleaseLogRecord {
    fileprivate func isSameTransition(as other: Self) -> Bool {
        entryNumber == other.entryNumber && transition.version == other.transition.version
            && transition.to == other.transition.to
    }
}
