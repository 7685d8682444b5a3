internal import EngineCore
public import Events
public import Loop
public import StreamRuntime

/// The state of all projects, read from the `state` topic: no request to a worker is needed.
public final class StatusView {
    private let store: StateStore
    private let partitions: [Int32]
    private var restored: [Int32: RestoredPartition] = [:]

    public init(transport: any StreamTransport, topics: TopicNames) throws {
        let scan = try TopicScan(transport: transport, topic: topics[.state])
        partitions = try scan.partitions()
        scan.close()
        store = try StateStore(transport: transport, topics: topics)
    }

    public func close() { store.close() }

    /// Partitions of `state` in which a transaction is open: records written there since it began are not read.
    public func heldBack() throws -> [Int32] { try store.heldBack(partitions) }

    /// The projects in the order of their names, from committed records. A second call reads only new records.
    ///
    /// - Complexity: O(new records of `state`).
    public func summaries() throws -> [ProjectSummary] {
        var summaries: [ProjectSummary] = []
        for partition in partitions {
            try store.follow(partition, &restored[partition, default: RestoredPartition()], stable: true)
            for project in (restored[partition]?.projects ?? [:]).values { summaries.append(ProjectSummary(project)) }
        }
        return summaries.sorted { $0.project < $1.project }
    }
}
