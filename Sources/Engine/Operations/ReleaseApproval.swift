public import Events
internal import Flywheel
internal import Rollout
public import StreamRuntime
internal import Tables
public import Vocabulary

/// Lets a rollout pass the step that asks for a person, by a command.
public struct ReleaseApproval {
    /// The state of the command when its time is up.
    public enum Outcome: Hashable, Sendable {
        /// Carried out: the step from then on, nil where the rollout is over.
        case done(step: Int?)
        /// Refused: the version is not on its way, or its step asks for no approval.
        case refused
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
    ///   - version: The model on its way.
    ///   - name: The project.
    ///   - by: Who approves; stands in the release log.
    ///   - reason: Explanation for people.
    ///   - patience: Milliseconds to wait; 0 for not at all.
    ///   - now: Milliseconds since 1970.
    ///   - pause: Called between two looks, with milliseconds.
    /// - Returns: The state of the command by then.
    /// - Throws: `EngineError` where there is no such project, or Intake would refuse the command; `StreamError` when the topics
    ///   cannot be read or written.
    public func send(
        _ version: ModelVersion,
        project name: String,
        by: String,
        reason: String,
        patience: Int64 = 15_000,
        now: () -> Int64 = WallClock.now,
        pause: (Int64) -> Void = { WallClock.pause($0) }
    ) throws -> Outcome {
        let directory = try ProjectDirectory(transport: transport, topics: topics)
        defer { directory.close() }
        try directory.readToEnd(for: name)
        guard let configuration = directory[name] else {
            throw EngineError(
                "approve \(version) of \(name)",
                "there is no project \(name)",
                remedy: "see flywheel project list"
            )
        }
        let store = try StateStore(transport: transport, topics: topics)
        defer { store.close() }
        var restored = RestoredPartition()
        func state() throws -> ProjectState? {
            try store.follow(configuration.partition, &restored, stable: true)
            return restored.projects[name]?.state
        }
        let refusals = try state()?.refusals
        func refused(_ state: ProjectState) -> Bool {
            [Refusal.Code.nothingToApprove, .unknownModel].contains {
                (state.refusals[$0.rawValue] ?? 0) > (refusals?[$0.rawValue] ?? 0)
            }
        }
        // Last: whoever sends for the same project after this fences it, and to read the state takes a while.
        let commands = try OperatorCommand(transport: transport, topics: topics, project: name)
        defer { commands.close() }
        let began = now()
        let id = "approve-\(name)-\(began)"
        try commands.send(
            Command(id: id, action: .approve(version), by: by, reason: reason),
            at: began,
            checkedBy: configuration
        )
        while true {
            if let state = try state(), state.commands[id] != nil {
                let rollout = state.rollout.progress.value.rollout
                if rollout?.model.version == version, rollout?.approvedBy != nil { return .done(step: rollout?.step) }
                return refused(state) ? .refused : .done(step: rollout?.step)
            }
            guard now() - began < patience else { return .waiting }
            pause(200)
        }
    }
}
