import Arguments
import EngineCore
import Events
import KafkaTransport
import Loop
import Operations
import Processes
import Telemetry
import Vocabulary
import Worker

/// `flywheel releases log`, `show` and `why`.
enum ReleaseHistoryCommand {
    static func log(_ arguments: ParsedArguments) throws -> Bool {
        let moment = try arguments.string("at").map { try time($0, arguments) }
        let history = try read(arguments)
        if let moment {
            let found = ReleaseMoment(history, at: moment)
            Terminal.show(arguments.flag("json") ? found.json : found.text)
            return history.unreadable == 0 && !found.isUncertain
        }
        for record in history.records {
            Terminal.show(arguments.flag("json") ? record.json(of: ProjectID(history.project)) : record.line)
        }
        if history.records.isEmpty, !arguments.flag("json") {
            Terminal.show("no transition of \(ForeignText.line(history.project)) is recorded yet")
        }
        return history.unreadable == 0
    }

    static func show(_ arguments: ParsedArguments) throws -> Bool {
        let name = try arguments.requiredPositional("project")
        let worker = try WorkerFile.connected(arguments)
        let view = try StatusView(transport: KafkaStreamTransport(properties: worker.kafka), topics: worker.topics)
        defer { view.close() }
        if try !view.heldBack().isEmpty { Terminal.complain(openTransaction(on: worker.topics[.state])) }
        // The state is read before the history, so that the history contains everything that the state shows.
        let summary = try view.summaries().first { $0.project == name }
        let history = try read(arguments)
        guard let summary else {
            throw EngineError(
                "show the releases of \(name)",
                "no worker has applied an entry of it yet",
                remedy: "see flywheel status once intake and loop run"
            )
        }
        let overview = ReleaseOverview(summary, history)
        Terminal.show(arguments.flag("json") ? overview.json : overview.text)
        return history.unreadable == 0
    }

    static func why(_ arguments: ParsedArguments) throws -> Bool {
        let version = try arguments.requiredPositional("version")
        let history = try read(arguments)
        // An unknown version is refused before the labels are read.
        _ = try ReleaseReasons(history, version: version)
        let reasons = try ReleaseReasons(history, version: version, window: window(version, history, arguments))
        Terminal.show(arguments.flag("json") ? reasons.json : reasons.text)
        return history.unreadable == 0
    }

    /// Compares a version with another one on the labels that both had answered; nil where these cannot be read,
    /// which is reported on standard error.
    private static func window(
        _ version: String,
        _ history: ReleaseHistory,
        _ arguments: ParsedArguments
    ) throws -> ReleaseWindow? {
        let worker = try WorkerFile.connected(arguments)
        do {
            let window = try ReleaseWindow.read(
                version,
                history,
                transport: KafkaStreamTransport(properties: worker.kafka),
                topics: worker.topics
            )
            if window?.isHeldBack ?? false { Terminal.complain(openTransaction(on: worker.topics[.journal])) }
            return window
        } catch {
            // A user who may read the history may lack the right to read the journal.
            Terminal.complain("scores on labels are missing: \(error)")
            return nil
        }
    }

    static func compare(_ arguments: ParsedArguments) throws -> Bool {
        let name = try arguments.requiredPositional("project")
        let versions = try ["first", "second"].map { name in
            let text = try arguments.requiredPositional(name)
            guard let version = ModelVersion(checking: text) else {
                throw arguments.failure("\(name): expected 1 to 256 bytes without control characters, \(found(text))")
            }
            return version
        }
        let worker = try WorkerFile.connected(arguments)
        let comparison = try ReleaseComparison.read(
            name,
            versions[0],
            versions[1],
            transport: KafkaStreamTransport(properties: worker.kafka),
            topics: worker.topics
        )
        if comparison.isHeldBack { Terminal.complain(openTransaction(on: worker.topics[.journal])) }
        Terminal.show(arguments.flag("json") ? comparison.json : comparison.text)
        return true
    }

    /// The time that is given on the command line.
    private static func time(_ text: String, _ arguments: ParsedArguments) throws -> StreamTime {
        guard let milliseconds = RFC3339.milliseconds(of: text) else {
            throw arguments.failure(
                "--at: expected a time of RFC 3339 with its zone, as in 2026-03-01T12:00:00Z, \(found(text))"
            )
        }
        guard milliseconds <= WallClock.now() else {
            throw arguments.failure("--at: \(text.prefix(80)) is in the future; expected a time in the past")
        }
        return StreamTime(milliseconds: milliseconds)
    }

    /// Reads the project's history, and reports on standard error what is missing from it.
    private static func read(_ arguments: ParsedArguments) throws -> ReleaseHistory {
        let name = try arguments.requiredPositional("project")
        let worker = try WorkerFile.connected(arguments)
        let topic = worker.topics[.releaseLog]
        let history = try ReleaseHistory.read(
            name,
            transport: KafkaStreamTransport(properties: worker.kafka),
            topics: worker.topics
        )
        if history.isHeldBack { Terminal.complain(openTransaction(on: topic)) }
        if let first = history.firstUnreadable {
            Terminal.complain(
                "\(counted(history.unreadable, "record", "records")) on \(topic) cannot be read, the first at \(first): a newer build or another program wrote it; its transition is not listed here"
            )
        }
        return history
    }
}
