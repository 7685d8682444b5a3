internal import EngineCore
internal import Events
internal import Flywheel
internal import Intake
internal import JSON
internal import StreamRuntime
internal import Vocabulary

/// Sends commands of operators: records like any other, through Intake and the journal.
///
/// Two operators who send commands for one project at the same time: the later one fences the earlier.
final class OperatorCommand {
    private let producer: any TransactionalProducer
    private let topics: TopicNames
    private let name: String

    /// - Throws: `StreamError` also where commands may not be sent: before anything is read.
    init(transport: any StreamTransport, topics: TopicNames, project name: String) throws {
        self.topics = topics
        self.name = name
        producer = try transport.makeProducer(transactionalID: "\(topics.prefix)command.\(name)")
        do {
            try producer.initializeTransactions()
        } catch {
            producer.close()
            throw error
        }
    }

    func close() { producer.close() }

    /// Sends one command, and returns once it is committed.
    ///
    /// - Parameters:
    ///   - command: The command.
    ///   - time: Milliseconds since 1970.
    ///   - project: The project against which Intake's own rules are checked first; nil for no check.
    /// - Throws: `EngineError`, with nothing sent, if Intake would refuse it.
    func send(_ command: Command, at time: Int64, checkedBy project: ProjectConfiguration? = nil) throws {
        var writer = JSONWriter()
        CommandEvent(project: ProjectID(name), command: command).write(to: &writer)
        if let project {
            let door = try DoorCheck([project], now: { time })
            if case .refused(let rejection) = writer.bytes.withUnsafeBytes({ door.check($0, on: .commands) }) {
                throw EngineError(
                    "send a command to \(name)",
                    "Intake refuses it: \(rejection.text)",
                    remedy: "nothing was sent; mend what it names"
                )
            }
        }
        try producer.begin()
        try producer.send([
            OutputRecord(
                topic: topics[.commands],
                key: Array(name.utf8),
                value: writer.bytes,
                headers: CloudEventHeaders(
                    id: command.id,
                    source: "flywheel/\(name)/operator",
                    type: "io.flywheel.command.given.v1",
                    time: time,
                    correlation: nil,
                    causation: nil
                ).recordHeaders
            )
        ])
        try producer.commit()
    }
}
