public import EngineCore
public import Events
internal import Intake
internal import JSON
internal import Loop
internal import Materializer
public import StreamRuntime
internal import Vocabulary

/// Work that remains for a role.
public struct RoleLag: Hashable, Sendable {
    public let role: Role
    /// Records that it has not processed yet; for the materializer, facts of versions that are cut and not announced.
    public internal(set) var records: Int64
    /// Whether `records` is exact. If not, it is an upper bound: there are very many records, a transaction is open, or
    /// this principal may not read them.
    public internal(set) var isExact: Bool

    public init(_ role: Role, records: Int64 = 0, isExact: Bool = true) {
        self.role = role
        self.records = records
        self.isExact = isExact
    }
}

/// Counts the remaining work of the roles.
///
/// The materializer's offset waits at the first label that no version contains yet, or at the position where it keeps
/// such labels: its offset therefore does not indicate its progress; the facts that it has not announced do.
public final class LagView {
    /// Maximum number of records read from one partition: beyond it, the count is reported as an upper bound.
    public static let limit = 2_000
    public static let roles: [Role] = [.intake, .loop, .materializer]

    private let transport: any StreamTransport
    private let topics: TopicNames
    private let reader: any LogReader
    private let limit: Int
    private let group: (Role) -> String
    /// Maximum time for reading facts in one call.
    private let maximumWait: Duration
    /// Newest announced version, by project; `announcementOffsets` holds the offsets at which the next call continues.
    private var announced: [String: Int] = [:]
    private var announcementOffsets: [TopicPartition: Int64] = [:]
    private let parser = JSONParser(maximumDepth: 64, maximumSize: 16 << 20)
    /// Offsets at which the next call continues in the dataset log; no record is read twice.
    private var factOffsets: [TopicPartition: Int64] = [:]
    /// Facts that no version holds yet, by project.
    private var pending: [String: Int64] = [:]
    /// Versions that were cut and not announced, each with its number of facts.
    private var unannounced: [(project: String, versionNumber: Int, facts: Int64)] = []

    /// A view that has read nothing yet.
    ///
    /// - Parameters:
    ///   - transport: The transport to the cluster.
    ///   - topics: The topic names in use.
    ///   - limit: Maximum number of records read from one partition of an input; facts have no such limit.
    ///   - maximumWait: Maximum time for reading facts in one call: the remainder then counts as an upper bound, and the
    ///     next call continues there.
    ///   - group: Returns the name of a role's consumer group; nil for the workers' usual names.
    /// - Throws: `StreamError` when no client can be opened.
    public init(
        transport: any StreamTransport,
        topics: TopicNames,
        limit: Int = LagView.limit,
        maximumWait: Duration = .seconds(3),
        group: ((Role) -> String)? = nil
    ) throws(StreamError) {
        self.group = group ?? { "\(topics.prefix)\($0.rawValue)" }
        self.transport = transport
        self.topics = topics
        self.limit = limit
        self.maximumWait = maximumWait
        let inputs = Self.roles.flatMap(Self.inputs) + [.datasetVersions]
        reader = try transport.makeReader(topics: Set(inputs).map { topics[$0] }.sorted())
    }

    public func close() { reader.close() }

    /// Returns the work that remains now, in the order of `roles`. A second call reads again only what still
    /// remains.
    ///
    /// - Throws: `StreamError` when no broker answers, or this principal may not see offsets.
    public func lags() throws -> [RoleLag] {
        try Self.roles.map { role in
            var lag = RoleLag(role)
            for topic in Self.inputs(role) { try add(topic, to: &lag) }
            return lag
        }
    }

    private static func inputs(_ role: Role) -> [Topic] {
        switch role {
        case .intake: IntakeProcessor.inputs
        case .loop: LoopProcessor.inputs
        case .materializer: MaterializerProcessor.inputs
        case .trainer, .console: []
        }
    }

    private func add(_ topic: Topic, to lag: inout RoleLag) throws {
        let name = topics[topic]
        let topicPartitions = try reader.partitions(of: name).map { TopicPartition(name, $0) }
        let committed = try transport.groupOffsets(group(lag.role), topicPartitions).mapValues(\.next)
        let from = topicPartitions.reduce(into: [:]) { $0[$1] = committed[$1] ?? 0 }
        do {
            if topic == .datasetLog { try addFacts(from, &lag) } else { try addRecords(from, &lag) }
        } catch let error as StreamError where error.isForbidden {
            for (topicPartition, offset) in from {
                let (low, high) = try reader.watermarks(topicPartition)
                lag.records += max(0, high - max(low, offset))
            }
            if lag.records > 0 { lag.isExact = false }
        }
    }

    private func addRecords(_ from: [TopicPartition: Int64], _ lag: inout RoleLag) throws {
        var count: Int64 = 0
        let ends = try CommittedScan(reader, limit: limit).read(from) { _, _, _, _ in count += 1 }
        let left = ends.values.reduce(0) { $0 + $1.left }
        lag.records += count + left
        if left > 0 { lag.isExact = false }
    }

    /// Adds the facts of versions that are cut and not announced. The group's offset waits for the slowest project of a
    /// partition, so any number of facts after it may already be processed: the facts are read, because only their cuts
    /// show this.
    private func addFacts(_ from: [TopicPartition: Int64], _ lag: inout RoleLag) throws {
        let start = from.reduce(into: [:]) { $0[$1.key] = factOffsets[$1.key] ?? $1.value }
        let ends = try CommittedScan(reader, limit: .max).read(start, until: .now + maximumWait) { _, record, _, _ in
            // A fact that cannot be read stops the materializer, which reports it.
            guard let object = try? parser.parse(record.value).object(), let project = try? object.string("project"),
                object.optional("sequence") != nil, let kind = try? object.string("kind")
            else { return }
            pending[project, default: 0] += 1
            guard kind == "version_cut", let versionNumber = try? object.int("ordinal", in: 1...Counting.limit) else {
                return
            }
            unannounced.append((project, versionNumber, pending.removeValue(forKey: project) ?? 0))
        }
        factOffsets.merge(ends.mapValues(\.next)) { $1 }
        if !unannounced.isEmpty { try readAnnounced() }
        unannounced.removeAll { $0.versionNumber <= announced[$0.project] ?? 0 }
        let left = ends.values.reduce(0) { $0 + $1.left }
        lag.records += unannounced.reduce(0) { $0 + $1.facts }
        guard left > 0 else { return }
        // Facts that were not read yet may include the cut of the pending ones.
        lag.records += left + pending.values.reduce(0, +)
        lag.isExact = false
    }

    private func readAnnounced() throws {
        let name = topics[.datasetVersions]
        let topicPartitions = try reader.partitions(of: name).map { TopicPartition(name, $0) }
        let from = topicPartitions.reduce(into: [:]) { $0[$1] = announcementOffsets[$1] ?? 0 }
        let ends = try CommittedScan(reader, limit: .max).read(from) { _, record, _, _ in
            guard let object = try? parser.parse(record.value).object(), let project = try? object.string("project"),
                let versionNumber = try? object.int("ordinal", in: 1...Counting.limit)
            else { return }
            announced[project] = max(announced[project] ?? 0, versionNumber)
        }
        announcementOffsets.merge(ends.mapValues(\.next)) { $1 }
    }
}
