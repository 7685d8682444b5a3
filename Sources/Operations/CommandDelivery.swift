internal import EngineCore
internal import Events
internal import Flywheel
internal import Loop
internal import StreamRuntime
internal import Tables
internal import Vocabulary

/// Sends an operator's command, and follows the project's state until the loop has carried it out.
struct CommandDelivery {
    let transport: any StreamTransport
    let topics: TopicNames

    /// The wait for the loop: its limit, a clock and a pause.
    struct Wait {
        /// Maximum wait in milliseconds; 0 for no wait.
        let maximum: Int64
        /// Milliseconds since 1970.
        let now: () -> Int64
        /// Called between two polls of the state, with milliseconds.
        let pause: (Int64) -> Void
    }

    /// Sends one command.
    ///
    /// The state is read before the command's producer is opened: any later sender for the same project fences that
    /// producer, and reading the state takes time.
    ///
    /// - Parameters:
    ///   - attempt: The attempted operation, for error messages, as in `freeze the releases of pets`.
    ///   - name: The project.
    ///   - by: The person who requests it.
    ///   - reason: Explanation for people; it is kept permanently.
    ///   - wait: Wait for the loop.
    ///   - plan: The command's action and the beginning of its id, as in `freeze`, derived from the committed state. The
    ///     state is nil if the loop has none yet.
    ///   - outcome: The outcome of a command that the loop has carried out or refused; receives first the state before the
    ///     command was sent, then the state that contains it.
    /// - Returns: The outcome; nil if no worker has carried the command out yet.
    /// - Throws: `EngineError` if there is no such project, the reason is empty, or Intake would refuse the command;
    ///   `StreamError` when the topics cannot be read or written; any error of `plan`.
    func send<Outcome>(
        attempt: String,
        project name: String,
        by: String,
        reason: String,
        wait: Wait,
        plan: (ProjectState?, ProjectConfiguration) throws -> (action: Command.Action, id: String),
        outcome: (ProjectState?, ProjectState, ProjectConfiguration) -> Outcome
    ) throws -> Outcome? {
        let directory = try ProjectDirectory(transport: transport, topics: topics)
        defer { directory.close() }
        try directory.readToEnd(for: name)
        guard let configuration = directory[name] else {
            throw EngineError(attempt, "there is no project \(name)", remedy: "see flywheel project list")
        }
        guard reason.contains(where: { !$0.isWhitespace }) else {
            throw EngineError(attempt, "--reason is empty", remedy: "state the reason: it is stored permanently")
        }
        let store = try StateStore(transport: transport, topics: topics)
        defer { store.close() }
        var restored = RestoredPartition()
        func state() throws -> ProjectState? {
            try store.follow(configuration.partition, &restored, stable: true)
            return restored.projects[name]?.state
        }
        let before = try state()
        let (action, prefix) = try plan(before, configuration)
        let commands = try OperatorCommandSender(transport: transport, topics: topics, project: name)
        defer { commands.close() }
        let began = wait.now()
        let id = "\(prefix)-\(name)-\(began)"
        let command = Command(id: id, action: action, by: by, reason: reason)
        try commands.send(command, at: began, checkedBy: configuration)
        while true {
            if let state = try state(), state.commands[id] != nil { return outcome(before, state, configuration) }
            guard wait.now() - began < wait.maximum else { return nil }
            wait.pause(200)
        }
    }
}
