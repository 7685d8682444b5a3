internal import EngineCore
import Events
internal import Flywheel
import Foundation
import JSON
import Loop
import Operations
import Telemetry
import Vocabulary

/// Output of `flywheel status`.
struct StatusReport {
    let projects: [ProjectSummary]
    /// Names of projects that are configured and have no entry in the journal yet, ascending.
    var withoutEntry: [String] = []
    let lag: [RoleLag]
    let deadLetters: DeadLetters

    struct DeadLetters {
        let count: Int64
        /// Number of these dead letters whose records were sent again.
        let redriven: Int64
        /// Whether `count` is exact; otherwise it is a lower bound.
        let isExact: Bool

        var text: String {
            "\(isExact ? "" : "at least ")\(count)" + (redriven > 0 ? ", of which \(redriven) were sent again" : "")
        }
    }

    var text: String {
        var lines: [String] = []
        for project in projects {
            lines.append("\(project.project)")
            if let pause = project.pause { lines.append("  \(ForeignText.line(pause.text, limit: 1_000))") }
            let challenger = project.challenger.map { ", challenger \(ForeignText.line($0.version.rawValue))" } ?? ""
            lines.append(
                "  champion     \(ForeignText.line(project.champion?.version.rawValue ?? "none yet"))\(challenger)\(project.isHeld ? ", held" : "")\(project.isSuspected ? ", suspected" : "")\(project.isFrozen ? ", frozen" : "")"
            )
            if project.changedEvidence > 0 {
                lines.append(
                    "  evidence     of the champion's promotion contains \(counted(project.changedEvidence, "label that was", "labels that were")) changed since; it is not computed anew"
                )
            }
            if let rollout = project.rollout { lines.append("  canary       \(rollout.text)") }
            for suspicion in project.suspicions { lines.append("  suspected    \(suspicion.text)") }
            if let standing = project.standing { lines.append("  challenger   \(text(of: standing))") }
            if !project.quarantined.isEmpty {
                lines.append("  quarantined  \(ForeignText.line(project.quarantined.joined(separator: ", ")))")
            }
            if !project.unregistered.isEmpty {
                let models = project.unregistered.prefix(5).map {
                    "\(ForeignText.line($0.version, limit: 64)) (\(counted($0.predictions, "prediction", "predictions")), last \(RFC3339.text(milliseconds: $0.lastAt)))"
                }
                let more = project.unregistered.count > 5 ? ", …" : ""
                lines.append("  unregistered \(models.joined(separator: ", "))\(more): no release names them")
            }
            lines.append(
                "  budget       \(project.votesLeft) of \(project.votesBudget) votes left in the window, \(project.votesReserved) reserved, \(project.votesTotal) spent in total"
            )
            for account in project.accounts {
                let name = account.name.padding(toLength: 13, withPad: " ", startingAt: 0)
                lines.append(
                    "  \(name)\(account.left) of \(account.budget) left in the window, \(account.reserved) reserved, \(account.total) spent in total"
                )
            }
            lines.append("  tasks        \(project.openTasks) open, \(project.candidates) candidates")
            if let obstacle = project.obstacle { lines.append("  no new tasks \(obstacle)") }
            let validation = project.validationLabels > 0 ? "\(project.validationLabels) validation, " : ""
            let retracted = project.retractedLabels > 0 ? ", \(project.retractedLabels) retracted" : ""
            lines.append(
                "  labels       \(project.labels): \(project.trainingLabels) training, \(validation)\(project.testLabels) test\(retracted); \(counted(project.versions, "version", "versions")), \(counted(project.studies, "study", "studies"))"
            )
            if !project.annotators.isEmpty { lines.append("  annotators   \(text(of: project.annotators))") }
            lines.append(
                "  feedback     \(project.feedbackNegative) of \(project.feedbackTotal) negative since the champion's release"
            )
            let phases = project.phases.map { "\($0.name) \(rounded($0.meanSeconds)) s" }.joined(separator: ", ")
            if !phases.isEmpty {
                lines.append("  stages       \(phases); bottleneck \(project.bottleneck?.name ?? "-")")
            }
            for (name, isExpected) in [("left out     ", true), ("refused      ", false)] {
                let counts = project.refusals.filter { $0.isExpected == isExpected }.map { "\($0.text) \($0.count)" }
                if !counts.isEmpty { lines.append("  \(name)\(counts.joined(separator: ", "))") }
            }
        }
        if projects.isEmpty, withoutEntry.isEmpty { lines.append("no project has an entry yet") }
        for name in withoutEntry {
            lines.append(name)
            lines.append("  no entry yet: none of its records was accepted; see flywheel dead-letters list")
        }
        lines.append(
            "lag            "
                + lag.map { "\($0.role.rawValue) \($0.isExact ? "" : "at most ")\($0.records)" }
                .joined(separator: ", ")
        )
        lines.append("dead letters   \(deadLetters.text)")
        return lines.joined(separator: "\n")
    }

    /// Describes the number of annotators, and the names of those with standing who answered most.
    private func text(of annotators: [ProjectSummary.AnnotatorSummary]) -> String {
        let standing = annotators.filter(\.hasStanding).sorted { ($1.answers, $0.id) < ($0.answers, $1.id) }
        guard !standing.isEmpty else { return "\(annotators.count), none with standing yet: all count alike" }
        let names = standing.prefix(10).map { ForeignText.line($0.id, limit: 64) }.joined(separator: ", ")
        return "\(annotators.count), \(standing.count) with standing: \(names)\(standing.count > 10 ? ", …" : "")"
    }

    /// Describes the conditions that a promotion waits for.
    private func text(of standing: ChallengerStanding) -> String {
        "\(counted(standing.won, "pair", "pairs")) won, \(standing.lost) lost on \(counted(standing.labels, "audit label", "audit labels")); "
            + "log e \(rounded(standing.logE)) of \(rounded(standing.threshold)); "
            + "\(counted(standing.livePredictions, "live prediction", "live predictions")) of at least \(standing.minimumPredictions)"
    }

    /// Rounds to hundredths; zero has no sign.
    private func rounded(_ value: Double) -> Double { (value * 100).rounded() / 100 + 0 }

    var json: String {
        var writer = JSONWriter()
        writer.object { writer in
            writer.array("projects") { writer in
                for project in projects { write(project, to: &writer) }
            }
            writer.array("without_entry", of: withoutEntry)
            writer.object("lag") { writer in
                for lag in lag {
                    writer.key(named: lag.role.rawValue)
                    writer.value(lag.records)
                }
            }
            writer.array("lag_at_most", of: lag.filter { !$0.isExact }.map(\.role.rawValue))
            writer.member("dead_letters", deadLetters.count)
            writer.member("dead_letters_sent_again", deadLetters.redriven)
            writer.member("dead_letters_at_least", !deadLetters.isExact)
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
            if let standing = project.standing {
                writer.object("challenger_standing") { writer in
                    writer.member("labels", standing.labels)
                    writer.member("won", standing.won)
                    writer.member("lost", standing.lost)
                    writer.member("log_e", standing.logE)
                    writer.member("log_e_threshold", standing.threshold)
                    writer.member("live_predictions", standing.livePredictions)
                    writer.member("live_predictions_needed", standing.minimumPredictions)
                }
            }
            writer.member("evidence_labels_changed", project.changedEvidence)
            writer.member("held", project.isHeld)
            writer.member("suspected", project.isSuspected)
            writer.array("suspicions") { writer in for suspicion in project.suspicions { suspicion.write(to: &writer) }
            }
            writer.member("frozen", project.isFrozen)
            if let holdback = project.holdback {
                writer.object("holdback") { writer in
                    writer.member("version", holdback.version.rawValue)
                    writer.member("share", holdback.share)
                }
            }
            writer.array("suppressed", of: project.suppressed)
            if let rollout = project.rollout {
                writer.key("canary")
                rollout.write(to: &writer)
            }
            if let pause = project.pause {
                writer.object("paused") { writer in
                    writer.member("journal_offset", pause.next)
                    writer.member("since_ms", pause.since)
                    writer.member("reason", pause.reason)
                    writer.member("resuming", pause.isResuming)
                }
            }
            writer.array("quarantined", of: project.quarantined)
            writer.array("unregistered") { writer in
                for model in project.unregistered {
                    writer.object { writer in
                        writer.member("version", model.version)
                        writer.member("predictions", model.predictions)
                        writer.member("feedback", model.feedback)
                        writer.member("last_at_ms", model.lastAt)
                    }
                }
            }
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
            writer.member("asks_no_more", ifPresent: project.obstacle)
            writer.object("labels") { writer in
                writer.member("training", project.trainingLabels)
                writer.member("validation", project.validationLabels)
                writer.member("test", project.testLabels)
                writer.member("retracted", project.retractedLabels)
            }
            writer.member("versions", project.versions)
            writer.member("studies", project.studies)
            writer.member("bottleneck", ifPresent: project.bottleneck?.name)
            writer.array("stages") { writer in
                for phase in project.phases {
                    writer.object { writer in
                        writer.member("stage", phase.name)
                        writer.member("count", phase.count)
                        writer.member("mean_s", phase.meanSeconds)
                        writer.member("last_s", phase.lastSeconds)
                    }
                }
            }
            for (name, isExpected) in [("left_out", true), ("refused", false)] {
                writer.key(named: name)
                writer.object { writer in
                    for refusal in project.refusals where refusal.isExpected == isExpected {
                        writer.key(named: refusal.code)
                        writer.value(refusal.count)
                    }
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

extension ProjectSummary.RefusalSummary {
    /// The code, with an explanation if it does not indicate a fault.
    fileprivate var text: String {
        switch code {
        case EntryRejection.Code.taskClosed.rawValue: "\(code) (surplus answers)"
        default: code
        }
    }
}
