internal import EngineCore
public import Events
internal import Flywheel
internal import JSON
public import Loop
internal import Processes
public import StreamRuntime
internal import Vocabulary

/// Whether a project is paused, read from the `state` topic.
struct PauseView {
    private let transport: any StreamTransport
    private let topics: TopicNames

    init(transport: any StreamTransport, topics: TopicNames) {
        self.transport = transport
        self.topics = topics
    }

    /// The pause of a project, and the offset of the journal that its partition's loop reads next; nil before the loop
    /// began. Covers committed records only: `isHeldBack` is true if more records follow an open transaction.
    ///
    /// - Complexity: O(records of the partition of `state`); only the two rows are decoded.
    func read(_ name: String, partition: Int32) throws -> (
        pause: ProjectPause?, next: Int64?, isHeldBack: Bool
    ) {
        let key = Array(ProjectPause.key(of: name).utf8)
        let positionKey = Array(PartitionPosition.key.utf8)
        let parser = JSONParser()
        let scan = try TopicScan(transport: transport, topic: topics[.state])
        defer { scan.close() }
        var pause: ProjectPause?
        var next: Int64?
        let end = try scan.settledEnds([partition])[partition]
        try scan.forEach(partition, until: end?.offset) { record, _, _ in
            let isTombstone = record.value.baseAddress == nil
            if record.key.elementsEqual(key) {
                pause = isTombstone ? nil : try ProjectPause(json: parser.parse(record.value))
            } else if record.key.elementsEqual(positionKey) {
                next = isTombstone ? nil : try PartitionPosition(json: parser.parse(record.value)).journalOffset
            }
        }
        return (pause, next, end?.isHeldBack ?? false)
    }
}

/// Requests that a paused project resumes: a command like any other, through Intake and the journal.
public struct ProjectResume {
    private let transport: any StreamTransport
    private let topics: TopicNames

    public init(transport: any StreamTransport, topics: TopicNames) {
        self.transport = transport
        self.topics = topics
    }

    /// Sends the command.
    ///
    /// - Returns: The pause that it ends.
    /// - Throws: `EngineError` when there is no such project, or it is not paused; `StreamError` when the topics cannot be read
    ///   or written.
    public func send(_ name: String, by: String, reason: String) throws -> ProjectPause {
        // The producer is opened first, so that a caller without permission gets the error at once.
        let commands = try OperatorCommandSender(transport: transport, topics: topics, project: name)
        defer { commands.close() }
        let directory = try ProjectDirectory(transport: transport, topics: topics)
        defer { directory.close() }
        try directory.readToEnd(for: name)
        guard let configuration = directory[name] else {
            throw EngineError("resume \(name)", "there is no such project", remedy: "see flywheel project list")
        }
        let view = PauseView(transport: transport, topics: topics)
        guard let pause = try view.read(name, partition: configuration.partition).pause else {
            throw EngineError("resume \(name)", "it is not paused", remedy: "see flywheel status")
        }
        guard !pause.isResuming else {
            throw EngineError("resume \(name)", "it is \(pause.text)", remedy: "see flywheel status")
        }
        let time = WallClock.now()
        let command = Command(id: "resume-\(name)-\(time)", action: .resume, by: by, reason: reason)
        try commands.send(command, at: time)
        return pause
    }
}
