import Arguments
import DeadLetters
import EngineCore
import Events
import Foundation
import JSON
import KafkaTransport
import StreamRuntime
import Telemetry
import Worker

/// `flywheel dead-letters list` and `show`.
enum DeadLettersCommand {
    static func list(_ arguments: ParsedArguments) throws -> Bool {
        let limit = try arguments.int("limit", in: 1...1_000_000) ?? 100
        // Invalid options are reported without a broker.
        let filter = try DeadLetterOptions.filter(arguments, WorkerFile.parsed(arguments).topics)
        let worker = try WorkerFile.connected(arguments)
        let scan = try open(worker)
        defer { scan.close() }
        let (marks, _) = try scan.marks()
        var rows: [DeadLetterRow] = []
        try scan.forEachDeadLetter { deadLetter in
            guard filter.matches(deadLetter) else { return }
            rows.append(DeadLetterRow(deadLetter, marks[deadLetter.position] ?? []))
            // Memory is bounded: at most twice as many rows are kept as may be shown.
            if rows.count >= 2 * limit { rows = newest(rows, limit) }
        }
        for row in newest(rows, limit) { Terminal.show(arguments.flag("json") ? row.json : row.text) }
        if rows.isEmpty, !arguments.flag("json") {
            Terminal.show(filter.isEmpty ? "no dead letters" : "no dead letter matches these options")
        }
        return true
    }

    /// Opens the dead letters as far as they are committed; reports an open transaction.
    private static func open(_ worker: WorkerConfiguration) throws -> DeadLetterScan {
        let scan = try DeadLetterScan(
            transport: KafkaStreamTransport(properties: worker.kafka),
            topics: worker.topics,
            readsSettled: true
        )
        if scan.isHeldBack { Terminal.complain(openTransaction(on: worker.topics[.deadLetters])) }
        return scan
    }

    private static func newest(_ rows: [DeadLetterRow], _ limit: Int) -> [DeadLetterRow] {
        Array(rows.sorted { ($0.at, $0.position) < ($1.at, $1.position) }.suffix(limit))
    }

    static func show(_ arguments: ParsedArguments) throws -> Bool {
        let text = try arguments.requiredPositional("place")
        guard let position = DeadLetterPosition(text) else {
            throw arguments.failure("expected PARTITION/OFFSET as `list` prints it, found \"\(text)\"")
        }
        let worker = try WorkerFile.connected(arguments)
        let scan = try open(worker)
        defer { scan.close() }
        guard let deadLetter = try scan.deadLetter(at: position) else {
            throw EngineError(
                "show dead letter \(position)",
                "there is no dead letter at this position",
                remedy: "see `flywheel dead-letters list`; dead letters expire after the topic's retention.ms"
            )
        }
        let page = DeadLetterPage(deadLetter: deadLetter, marks: try scan.marks().marks[position] ?? [])
        Terminal.show(arguments.flag("json") ? page.json : page.text)
        return true
    }
}

/// A line of the list.
struct DeadLetterRow {
    let at: Int64
    let position: DeadLetterPosition
    private let code: String
    private let reason: String
    private let origin: String
    private let size: Int
    private let attempt: Int
    private let redriven: Int

    init(_ deadLetter: DeadLetter, _ marks: [RedriveMark]) {
        at = deadLetter.writtenAt
        position = deadLetter.position
        code = deadLetter.code
        reason = deadLetter.text
        origin = "\(deadLetter.origin) offset \(deadLetter.originOffset)"
        size = deadLetter.valueSize
        attempt = deadLetter.attempt
        redriven = marks.count
    }

    var text: String {
        let notes = (attempt > 0 ? "  sent again before: \(attempt)" : "") + (redriven > 0 ? "  (sent again)" : "")
        let (code, origin) = (ForeignText.line(code, limit: 64), ForeignText.line(origin, limit: 300))
        let reason = ForeignText.line(reason, limit: 300)
        return "\(RFC3339.text(milliseconds: at))  \(position)  \(code)  \(origin)  \(size) bytes  \(reason)\(notes)"
    }

    var json: String {
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("at", RFC3339.text(milliseconds: at))
            writer.member("place", position.description)
            writer.member("code", code)
            writer.member("text", reason)
            writer.member("from", origin)
            writer.member("bytes", size)
            writer.member("attempt", attempt)
            writer.member("redriven", redriven)
        }
        return writer.text
    }
}
