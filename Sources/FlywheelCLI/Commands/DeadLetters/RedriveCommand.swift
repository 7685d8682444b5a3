import Arguments
import DeadLetters
import EngineCore
import Events
import Foundation
import JSON
import KafkaClient
import KafkaTransport
import StreamRuntime
import Telemetry
import Worker

/// `flywheel dead-letters redrive`.
enum RedriveCommand {
    /// Runs the command; returns whether no selected dead letter was refused, and positions given match at least one.
    static func run(_ arguments: ParsedArguments) throws -> Bool {
        let filter = try DeadLetterOptions.filter(arguments, WorkerFile.parsed(arguments).topics)
        guard filter.isEmpty || !arguments.flag("all") else {
            throw arguments.failure(
                "--all means every dead letter, and cannot be combined with --project, --code, --topic, --since, --until or --at"
            )
        }
        guard !filter.isEmpty || arguments.flag("all") else {
            throw arguments.failure(
                "which dead letters? give at least one of --project, --code, --topic, --since, --until, --at, or --all"
            )
        }
        var worker = try WorkerFile.connected(arguments)
        var policy = Redrive.Policy()
        policy.maximumAttempts = try arguments.int("max-attempts", in: 1...1_000) ?? policy.maximumAttempts
        policy.again = arguments.flag("again")
        policy.isDry = arguments.flag("dry-run")
        // The original records may be as large as a dead letter.
        if worker.kafka["message.max.bytes"] == nil { worker.kafka["message.max.bytes"] = "8388608" }
        let redrive = Redrive(
            transport: KafkaStreamTransport(properties: worker.kafka),
            topics: worker.topics,
            by: "\(NSUserName())@\(ProcessInfo.processInfo.hostName)"
        )
        let isJSON = arguments.flag("json")
        let report = try redrive.run(
            filter,
            policy,
            judged: { deadLetter, verdict in
                if !isJSON { show(deadLetter, verdict, policy) }
            },
            progress: { sent in
                Terminal.complain("\(sent) sent again")
            }
        )
        Terminal.show(isJSON ? json(report, policy) : text(report, policy))
        // A position identifies one dead letter: a position at which there is none was given by mistake.
        guard report.matched > 0 || filter.positions.isEmpty else {
            let positions = filter.positions.map(\.description).sorted().joined(separator: ", ")
            Terminal.complain("there is no dead letter at \(positions); see flywheel dead-letters list")
            return false
        }
        return report.refusedCount == 0
    }

    private static func show(_ deadLetter: DeadLetter, _ verdict: Redrive.Verdict, _ policy: Redrive.Policy) {
        switch verdict {
        case .send(let attempt):
            if policy.isDry {
                Terminal.show(
                    "\(deadLetter.position)  would be sent to \(ForeignText.line("\(deadLetter.origin)")), attempt \(attempt)"
                )
            }
        case .done(let mark):
            Terminal.show(
                "\(deadLetter.position)  left out: sent already, \(RFC3339.text(milliseconds: mark.at)) by \(ForeignText.line(mark.by)); --again sends it once more"
            )
        case .refuse(let reason): Terminal.show("\(deadLetter.position)  not sent: \(ForeignText.line(reason))")
        }
    }

    private static func text(_ report: Redrive.Report, _ policy: Redrive.Policy) -> String {
        let verb = policy.isDry ? "would be sent again" : "sent again"
        return
            "\(counted(report.matched, "dead letter", "dead letters")) selected: \(report.sent) \(verb), \(report.done) left out because they were sent already, "
            + "\(report.refusedCount) refused"
    }

    private static func json(_ report: Redrive.Report, _ policy: Redrive.Policy) -> String {
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("dry_run", policy.isDry)
            writer.member("matched", report.matched)
            writer.member("sent", report.sent)
            writer.member("already_sent", report.done)
            writer.member("refused", report.refusedCount)
            writer.array("refusals") { writer in
                for (position, reason) in report.refused {
                    writer.object { writer in
                        writer.member("place", position.description)
                        writer.member("reason", reason)
                    }
                }
            }
        }
        return writer.text
    }
}
