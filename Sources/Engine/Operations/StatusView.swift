public import Events
public import StreamRuntime

/// The state of all projects, read from the `state` topic: no worker need be asked.
public struct StatusView {
    private let transport: any StreamTransport
    private let topics: TopicNames

    public init(transport: any StreamTransport, topics: TopicNames) {
        self.transport = transport
        self.topics = topics
    }

    /// The projects in the order of their names.
    ///
    /// - Complexity: O(records of `state`).
    public func summaries() throws -> [ProjectSummary] {
        let store = try StateStore(transport: transport, topics: topics)
        defer { store.close() }
        let scan = try TopicScan(transport: transport, topic: topics[.state])
        let partitions = try scan.partitions()
        scan.close()
        var summaries: [ProjectSummary] = []
        for partition in partitions {
            for project in try store.restore(partition).projects.values { summaries.append(ProjectSummary(project)) }
        }
        return summaries.sorted { $0.project < $1.project }
    }
}
