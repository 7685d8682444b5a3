import Arguments
import EngineCore
import Events
internal import Flywheel
import Foundation
import JSON
import KafkaTransport
internal import Loop
import Operations
import Processes
import Storage
import StreamRuntime
import Telemetry
import Vocabulary
internal import Worker

/// `flywheel replay`.
enum ReplayCommand {
    static func run(_ arguments: ParsedArguments) throws -> Bool {
        let worker = try WorkerFile.connected(arguments)
        let projects =
            if let name = arguments.string("project") {
                [try ProjectCommand.require(name, to: "replay", worker)]
            } else {
                try ProjectCommand.read(worker)
            }
        guard !projects.isEmpty else {
            throw EngineError("replay", "there is no project", remedy: "see flywheel project apply")
        }
        let replay = Replay(transport: KafkaStreamTransport(properties: worker.kafka), topics: worker.topics)
        var isEqual = true
        var reported: Set<String> = []
        for project in projects {
            let report = try replay.verify(project: project.project.rawValue, partition: project.partition)
            isEqual = isEqual && report.isEqual
            for topic in report.heldBack where reported.insert(topic).inserted {
                Terminal.complain(openTransaction(on: topic))
            }
            Terminal.show(arguments.flag("json") ? json(report) : text(report, verifies: arguments.flag("verify")))
        }
        return isEqual || !arguments.flag("verify")
    }

    static func text(_ report: Replay.Report, verifies: Bool) -> String {
        var text = "\(report.project): \(report.entries) entries, \(report.decisions) decisions, chain \(report.chain)"
        if let pause = report.pause {
            text += "\n  replayed only as far as it was decided: \(ForeignText.line(pause.text, limit: 1_000))"
        }
        if report.waiting > 0 { text += "\n  \(report.waiting) entries that the loop has not applied yet are left out" }
        // Each build is listed once, by its first entry: builds alternate while workers are replaced one by one.
        var builds: [Replay.BuildSpan] = []
        for span in report.builds where !builds.contains(where: { $0.build == span.build }) { builds.append(span) }
        if builds.contains(where: { $0.build != Build.version }) {
            let names = builds.map { "\($0.build) from entry \($0.entryNumber)" }.joined(separator: ", ")
            text += "\n  decided by build \(names); replayed by \(Build.version)"
        }
        guard verifies else { return text }
        text +=
            "\n  \(report.compared) equal byte for byte, \(report.compacted) compacted away, \(report.ticksChecked) ticks checked"
        if let difference = report.firstDifference {
            text += "\n  DIFFERS: \(ForeignText.line("\(difference)", limit: 4_096))"
        } else if report.heldBack.isEmpty {
            text += "\n  equal"
        } else {
            let topics = report.heldBack.joined(separator: ", ")
            text += "\n  equal as far as is committed: a transaction is open on \(topics), and what is behind it"
            text += " was not verified"
            if report.unseen > 0 {
                text += "; \(report.unseen) decisions were not found and may be behind it"
            }
        }
        return text
    }

    private static func json(_ report: Replay.Report) -> String {
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("project", report.project)
            writer.member("entries", report.entries)
            writer.member("waiting", report.waiting)
            writer.member("decisions", report.decisions)
            writer.member("compared", report.compared)
            writer.member("compacted", report.compacted)
            writer.member("ticks_checked", report.ticksChecked)
            writer.member("chain", report.chain)
            writer.member("build", Build.version)
            writer.array("builds") { writer in
                for span in report.builds {
                    writer.object { writer in
                        writer.member("from_entry", span.entryNumber)
                        writer.member("build", span.build)
                    }
                }
            }
            writer.member("equal", report.isEqual)
            writer.array("held_back", of: report.heldBack)
            writer.member("unseen", report.unseen)
            writer.member("paused_at", ifPresent: report.pause?.next)
            writer.member("first_difference", ifPresent: report.firstDifference)
        }
        return writer.text
    }
}
