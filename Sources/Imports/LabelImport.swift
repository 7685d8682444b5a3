internal import EngineCore
public import Events
public import Flywheel
internal import JSON
internal import Loop
public import StreamRuntime
internal import Vocabulary

/// Project as an importer needs it: its configuration and its state.
public struct ImportTarget {
    public let configuration: ProjectConfiguration
    /// Nil before the project's first entry.
    public let state: ProjectState?

    /// Reads both from the cluster; no worker needs to run.
    ///
    /// - Parameters:
    ///   - transport: Connection to the cluster.
    ///   - topics: Names in use.
    ///   - name: Name of the project.
    /// - Throws: `EngineError` if there is no such project.
    public init(
        transport: any StreamTransport,
        topics: TopicNames,
        project name: String
    ) throws {
        let directory = try ProjectDirectory(transport: transport, topics: topics)
        defer { directory.close() }
        try directory.readToEnd(for: name)
        guard let configuration = directory[name] else {
            throw EngineError(
                "import into \(name)",
                directory.fault(of: name).map { "it has no valid revision: \($0.reason)" }
                    ?? "there is no such project",
                remedy: "see flywheel project list"
            )
        }
        self.configuration = configuration
        let store = try StateStore(transport: transport, topics: topics)
        defer { store.close() }
        var restored = RestoredPartition()
        try store.follow(configuration.partition, &restored, stable: true)
        state = restored.projects[name]?.state
    }
}

extension RecordImport {
    /// Sends labels to the topic `imports`.
    public static func labels(
        transport: any StreamTransport,
        topics: TopicNames,
        project: String,
        progress: String?
    ) -> RecordImport {
        RecordImport(
            transport: transport,
            topics: topics,
            topic: .imports,
            project: project,
            type: "io.flywheel.label.imported.v1",
            progress: progress,
            leavesOutKnown: true
        )
    }
}

extension LabelMerge.Label {
    /// The record that is sent for the label.
    public var record: RecordImport.Record { RecordImport.Record(id: event.origin.id, value: value) }
}
