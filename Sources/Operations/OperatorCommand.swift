internal import EngineCore
internal import Events
internal import Flywheel
internal import Intake
internal import JSON
internal import StreamRuntime
internal import Vocabulary

/// Sends commands of operators. A command is a record like any other and passes through Intake and the journal.
///
/// If two operators send commands for one project at the same time, the later producer fences the earlier one.
final class OperatorCommandSender {
    private let producer: any TransactionalProducer
    private let topics: TopicNames
    private let name: String

    /// Opens the producer.
    ///
    /// - Throws: `StreamError` when the producer cannot be initialized, also if the principal may not send commands:
    ///   before anything is read.
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
    /// - Throws: `EngineError` if Intake would refuse the command, which is then not sent; `StreamError` when it cannot
    ///   be sent.
    func send(_ command: Command, at time: Int64, checkedBy project: ProjectConfiguration? = nil) throws {
        var writer = JSONWriter()
        CommandEvent(project: ProjectID(name), command: command).write(to: &writer)
        if let project {
            let door = try DoorCheck([project], now: { time })
            if case .refused(let rejection) = writer.bytes.withUnsafeBytes({ door.check($0, on: .commands) }) {
                throw EngineError(
                    "send a command to \(name)",
                    "Intake refuses it: \(rejection.text)",
                    remedy: "nothing was sent; correct what it names"
                )
            }
        }
        do throws(StreamError) {
            try write(writer.bytes, of: command, at: time)
        } catch {
            guard error.isFenced else { throw error }
            throw EngineError(
                "send a command to \(name)",
                "another command to it was sent meanwhile",
                remedy: "see flywheel releases show \(name), and send this one again"
            )
        }
    }

    private func write(_ value: [UInt8], of command: Command, at time: Int64) throws(StreamError) {
        try producer.begin()
        try producer.send([
            OutputRecord(
                topic: topics[.commands],
                key: Array(name.utf8),
                value: value,
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
