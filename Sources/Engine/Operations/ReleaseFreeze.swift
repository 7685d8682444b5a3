public import Events
internal import Flywheel
internal import Rollout
public import StreamRuntime
internal import Tables
public import Vocabulary

/// Freezes the releases of a project, or ends that, by a command.
public struct ReleaseFreeze {
    /// The state of the command when its time is up.
    public enum Outcome: Hashable, Sendable {
        /// Carried out.
        ///
        /// - Parameters:
        ///   - live: The version that serves from then on; nil where none does.
        ///   - replaced: The one that was taken back for it; nil where the live version stayed.
        case done(live: ModelVersion?, replaced: ModelVersion?)
        /// Nobody has carried it out yet: no worker runs, or it is far behind.
        case waiting
    }

    private let transport: any StreamTransport
    private let topics: TopicNames

    public init(transport: any StreamTransport, topics: TopicNames) {
        self.transport = transport
        self.topics = topics
    }

    /// Sends the command, and waits until the loop has carried it out.
    ///
    /// - Parameters:
    ///   - isFrozen: Whether releases are to be frozen; false ends it.
    ///   - name: The project.
    ///   - by: Who wants it.
    ///   - reason: Explanation for people; it is kept for ever.
    ///   - patience: Milliseconds to wait; 0 for not at all.
    ///   - now: Milliseconds since 1970.
    ///   - pause: Called between two looks, with milliseconds.
    /// - Returns: The state of the command by then.
    /// - Throws: `EngineError` where there is no such project, or Intake would refuse the command; `StreamError` when the topics
    ///   cannot be read or written.
    public func send(
        _ isFrozen: Bool,
        project name: String,
        by: String,
        reason: String,
        patience: Int64 = 15_000,
        now: () -> Int64 = WallClock.now,
        pause: (Int64) -> Void = { WallClock.pause($0) }
    ) throws -> Outcome {
        let attempt = "\(isFrozen ? "freeze" : "unfreeze") the releases of \(name)"
        let directory = try ProjectDirectory(transport: transport, topics: topics)
        defer { directory.close() }
        try directory.readToEnd(for: name)
        guard let configuration = directory[name] else {
            throw EngineError(attempt, "there is no project \(name)", remedy: "see flywheel project list")
        }
        guard reason.contains(where: { !$0.isWhitespace }) else {
            throw EngineError(attempt, "--reason is empty", remedy: "say why: it is kept for ever")
        }
        let store = try StateStore(transport: transport, topics: topics)
        defer { store.close() }
        var restored = RestoredPartition()
        func state() throws -> ProjectState? {
            try store.follow(configuration.partition, &restored, stable: true)
            return restored.projects[name]?.state
        }
        let before = try state()?.rollout.phase.value.champion?.version
        // Last: whoever sends for the same project after this fences it, and to read the state takes a while.
        let commands = try OperatorCommand(transport: transport, topics: topics, project: name)
        defer { commands.close() }
        let began = now()
        let id = "\(isFrozen ? "freeze" : "unfreeze")-\(name)-\(began)"
        try commands.send(
            Command(id: id, action: isFrozen ? .freeze : .unfreeze, by: by, reason: reason),
            at: began,
            checkedBy: configuration
        )
        while true {
            if let state = try state(), state.commands[id] != nil {
                let live = state.rollout.phase.value.champion?.version
                return .done(live: live, replaced: live == before ? nil : before)
            }
            guard now() - began < patience else { return .waiting }
            pause(200)
        }
    }
}
