import Arguments
import Engine
import Events
internal import Flywheel
import Foundation
import JSON
import KafkaTransport
import Processes
import Storage
import StreamRuntime
import Telemetry
import Vocabulary

/// `flywheel status`.
enum StatusCommand {
    static func run(_ arguments: ParsedArguments) throws -> Bool {
        let worker = try WorkerFile.connected(arguments)
        let view = try StatusView(transport: KafkaStreamTransport(properties: worker.kafka), topics: worker.topics)
        defer { view.close() }
        let administration = try TopicAdministration(properties: worker.kafka, topics: worker.topics)
        defer { administration.close() }
        let stop = StopFlag()
        let trap = SignalTrap([SIGINT, SIGTERM]) { _ in stop.raise() }
        defer { trap.cancel() }
        repeat {
            let report = StatusReport(
                projects: try view.summaries(),
                lag: try lag(administration, worker),
                deadLetters: try administration.count(of: .deadLetters)
            )
            if arguments.flag("watch"), !arguments.flag("json") { Terminal.clear() }
            Terminal.show(arguments.flag("json") ? report.json : report.text)
            guard arguments.flag("watch") else { break }
            var left = 20
            while left > 0, !stop.isRaised {
                WallClock.pause(100)
                left -= 1
            }
        } while !stop.isRaised
        return true
    }

    /// Records that a role has not read yet, over all its topics.
    private static func lag(_ administration: TopicAdministration, _ worker: WorkerConfiguration) throws -> [(
        String, Int64
    )] {
        try [(Role.intake, IntakeStage.inputs), (.loop, LoopStage.inputs), (.materializer, MaterializerStage.inputs)]
            .map {
                role,
                topics in
                let lags = try administration.lag(
                    group: "\(worker.topics.prefix)\(role.rawValue)",
                    topics: topics.map { worker.topics[$0] }
                )
                return (role.rawValue, lags.values.reduce(0, +))
            }
    }
}

/// What `flywheel status` says.
struct StatusReport {
    let projects: [ProjectSummary]
    let lag: [(String, Int64)]
    let deadLetters: Int64

    var text: String {
        var lines: [String] = []
        for project in projects {
            lines.append("\(project.project)")
            if let pause = project.pause { lines.append("  \(ForeignText.line(pause.text, limit: 1_000))") }
            let challenger = project.challenger.map { ", challenger \(ForeignText.line($0.version.rawValue))" } ?? ""
            lines.append(
                "  champion     \(ForeignText.line(project.champion?.version.rawValue ?? "none yet"))\(challenger)\(project.isHeld ? ", held" : "")"
            )
            if !project.quarantined.isEmpty {
                lines.append("  quarantined  \(ForeignText.line(project.quarantined.joined(separator: ", ")))")
            }
            lines.append(
                "  budget       \(project.votesLeft) of \(project.votesBudget) votes left in the window, \(project.votesReserved) reserved, \(project.votesTotal) spent in all"
            )
            for account in project.accounts {
                let name = account.name.padding(toLength: 13, withPad: " ", startingAt: 0)
                lines.append(
                    "  \(name)\(account.left) of \(account.budget) left in the window, \(account.reserved) reserved, \(account.total) spent in all"
                )
            }
            lines.append("  tasks        \(project.openTasks) open, \(project.candidates) candidates")
            lines.append(
                "  labels       \(project.labels): \(project.trainingLabels) training, \(project.testLabels) test; \(project.versions) versions, \(project.studies) studies"
            )
            if !project.annotators.isEmpty { lines.append("  annotators   \(text(of: project.annotators))") }
            lines.append(
                "  feedback     \(project.feedbackNegative) of \(project.feedbackTotal) negative since the champion's release"
            )
            let stages = project.stages.map { "\($0.name) \(rounded($0.meanSeconds)) s" }.joined(separator: ", ")
            if !stages.isEmpty {
                lines.append("  stages       \(stages); bottleneck \(project.bottleneck?.name ?? "-")")
            }
            let refusals = project.refusals.map { "\($0.code) \($0.count)" }.joined(separator: ", ")
            if !refusals.isEmpty { lines.append("  refused      \(refusals)") }
        }
        if projects.isEmpty { lines.append("no project has an entry yet") }
        lines.append("lag            " + lag.map { "\($0.0) \($0.1)" }.joined(separator: ", "))
        lines.append("dead letters   \(deadLetters)")
        return lines.joined(separator: "\n")
    }

    /// How many there are, and by name those with standing who answered most.
    private func text(of annotators: [ProjectSummary.AnnotatorSummary]) -> String {
        let standing = annotators.filter(\.hasStanding).sorted { ($1.answers, $0.id) < ($0.answers, $1.id) }
        guard !standing.isEmpty else { return "\(annotators.count), none with standing yet: all count alike" }
        let names = standing.prefix(10).map { ForeignText.line($0.id, limit: 64) }.joined(separator: ", ")
        return "\(annotators.count), \(standing.count) with standing: \(names)\(standing.count > 10 ? ", …" : "")"
    }

    private func rounded(_ value: Double) -> Double { (value * 100).rounded() / 100 }

    var json: String {
        var writer = JSONWriter()
        writer.object { writer in
            writer.array("projects") { writer in
                for project in projects { write(project, to: &writer) }
            }
            writer.object("lag") { writer in
                for (role, count) in lag {
                    writer.key(named: role)
                    writer.value(count)
                }
            }
            writer.member("dead_letters", deadLetters)
        }
        return writer.text
    }

    private func write(_ project: ProjectSummary, to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("project", project.project)
            writer.member("entry_number", project.entryNumber)
            writer.member("chain", project.chain)
            writer.member("champion", ifPresent: project.champion?.version.rawValue)
            writer.member("challenger", ifPresent: project.challenger?.version.rawValue)
            writer.member("held", project.isHeld)
            if let pause = project.pause {
                writer.object("paused") { writer in
                    writer.member("journal_offset", pause.next)
                    writer.member("since_ms", pause.since)
                    writer.member("reason", pause.reason)
                    writer.member("resuming", pause.isResuming)
                }
            }
            writer.array("quarantined", of: project.quarantined)
            writer.object("votes") { writer in
                writer.member("budget", project.votesBudget)
                writer.member("spent", project.votesSpent)
                writer.member("reserved", project.votesReserved)
                writer.member("left", project.votesLeft)
                writer.member("carried", project.votesCarried)
                writer.member("total", project.votesTotal)
            }
            for account in project.accounts {
                writer.key(named: account.name)
                writer.object { writer in
                    writer.member("budget", account.budget)
                    writer.member("spent", account.spent)
                    writer.member("reserved", account.reserved)
                    writer.member("left", account.left)
                    writer.member("carried", account.carried)
                    writer.member("total", account.total)
                }
            }
            writer.member("open_tasks", project.openTasks)
            writer.member("candidates", project.candidates)
            writer.object("labels") { writer in
                writer.member("training", project.trainingLabels)
                writer.member("test", project.testLabels)
            }
            writer.member("versions", project.versions)
            writer.member("studies", project.studies)
            writer.member("bottleneck", ifPresent: project.bottleneck?.name)
            writer.array("stages") { writer in
                for stage in project.stages {
                    writer.object { writer in
                        writer.member("stage", stage.name)
                        writer.member("count", stage.count)
                        writer.member("mean_s", stage.meanSeconds)
                        writer.member("last_s", stage.lastSeconds)
                    }
                }
            }
            writer.object("refused") { writer in
                for (code, count) in project.refusals {
                    writer.key(named: code)
                    writer.value(count)
                }
            }
            writer.array("annotators") { writer in
                for annotator in project.annotators {
                    writer.object { writer in
                        writer.member("id", annotator.id)
                        writer.member("answers", annotator.answers)
                        writer.member("estimated_error", ifPresent: annotator.estimatedError)
                        writer.member("standing", annotator.hasStanding)
                    }
                }
            }
        }
    }
}
