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
    /// As in `freeze the releases of pets`, for errors.
    let attempt: String
    /// Milliseconds to wait for the loop; 0 for not at all.
    let maximumWait: Int64
    /// Milliseconds since 1970.
    let now: () -> Int64
    /// Called between two polls of the state, with milliseconds.
    let pause: (Int64) -> Void

    /// Sends one command.
    ///
    /// The state is read before the command's producer is opened: any later sender for the same project fences that
    /// producer, and reading the state takes time.
    ///
    /// - Parameters:
    ///   - name: The project.
    ///   - by: The person who requests it.
    ///   - reason: Explanation for people; it is kept permanently.
    ///   - plan: The command's action and the beginning of its id, derived from the committed state; or an outcome if
    ///     no command needs to be sent. The state is nil if the loop has none yet.
    ///   - verdict: The outcome of a command that the loop has carried out or refused; receives first the state before the
    ///     command was sent, then the state that contains it.
    /// - Returns: The outcome; nil if no worker has carried the command out yet.
    /// - Throws: `EngineError` if there is no such project, the reason is empty, or Intake would refuse the command;
    ///   `StreamError` when the topics cannot be read or written; any error of `plan`.
    func send<Outcome>(
        project name: String,
        by: String,
        reason: String,
        plan: (ProjectState?, ProjectConfiguration) throws -> Plan<Outcome>,
        verdict: (ProjectState?, ProjectState, ProjectConfiguration) -> Outcome
    ) throws -> Outcome? {
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
        let before = try state()
        let (action, prefix): (Command.Action, String)
        switch try plan(before, configuration) {
        case .known(let outcome): return outcome
        case .send(let planned, let id): (action, prefix) = (planned, id)
        }
        let commands = try OperatorCommand(transport: transport, topics: topics, project: name)
        defer { commands.close() }
        let began = now()
        let id = "\(prefix)-\(name)-\(began)"
        let command = Command(id: id, action: action, by: by, reason: reason)
        try commands.send(command, at: began, checkedBy: configuration)
        while true {
            if let state = try state(), state.commands[id] != nil { return verdict(before, state, configuration) }
            guard now() - began < maximumWait else { return nil }
            pause(200)
        }
    }

    /// A command to send, or the outcome where none is needed.
    enum Plan<Outcome> {
        /// - Parameters:
        ///   - action: Wanted of the loop.
        ///   - id: The beginning of the command's id, as in `freeze`.
        case send(Command.Action, id: String)
        case known(Outcome)
    }
}
