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
    let patience: Int64
    /// Milliseconds since 1970.
    let now: () -> Int64
    /// Called between two looks, with milliseconds.
    let pause: (Int64) -> Void

    /// Sends one command.
    ///
    /// The state is read before the command's producer is opened: whoever sends for the same project after that fences it, and to
    /// read the state takes a while.
    ///
    /// - Parameters:
    ///   - name: The project.
    ///   - by: Who wants it.
    ///   - reason: Explanation for people; it is kept for ever.
    ///   - plan: The command's action, and what begins its id, by the state as far as is committed; an outcome where nothing is to
    ///     be sent. Nil as a state: the loop has none yet.
    ///   - look: The outcome of a command that the loop has carried out or refused; first the state before it was sent, then the
    ///     one that knows it.
    /// - Returns: The outcome; nil where nobody has carried the command out yet.
    /// - Throws: `EngineError` where there is no such project, the reason is empty, or Intake would refuse the command;
    ///   `StreamError` when the topics cannot be read or written; what `plan` throws.
    func send<Outcome>(
        project name: String,
        by: String,
        reason: String,
        plan: (ProjectState?, ProjectConfiguration) throws -> Plan<Outcome>,
        look: (ProjectState?, ProjectState, ProjectConfiguration) -> Outcome
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
            if let state = try state(), state.commands[id] != nil { return look(before, state, configuration) }
            guard now() - began < patience else { return nil }
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
