import Arguments
import EngineCore
import Events
internal import Flywheel
import JSON
import KafkaTransport
internal import Kinds
import Operations
import StreamRuntime
import Telemetry
import Vocabulary
internal import Worker

/// `flywheel explain`.
enum ExplainCommand {
    static func run(_ arguments: ParsedArguments) throws -> Bool {
        let text = try arguments.requiredPositional("sample")
        guard let sample = SampleID(checking: text) else {
            throw arguments.failure("SAMPLE: expected 1 to 256 bytes without control characters, \(found(text))")
        }
        let since = try DeadLetterOptions.time("since", arguments)
        let name = try arguments.requiredString("project")
        let worker = try WorkerFile.connected(arguments)
        let project = try ProjectCommand.require(name, to: "explain \(sample)", worker)
        let explain = Explain(
            transport: KafkaStreamTransport(properties: worker.kafka),
            topics: worker.topics,
            salt: worker.salt
        )
        let report = ExplanationReport(
            explanation: try explain.explain(sample, of: project, since: since ?? 0),
            question: project.question
        )
        for topic in report.explanation.heldBack { Terminal.complain(openTransaction(on: worker.topics[topic])) }
        Terminal.show(arguments.flag("json") ? report.json : report.text)
        return report.explanation.isFound
    }
}

/// Output of `flywheel explain`.
struct ExplanationReport {
    let explanation: Explanation
    let question: Question

    // MARK: - For people

    var text: String {
        var lines: [String] = []
        for entry in explanation.appearances { lines += self.lines(of: entry) }
        for prediction in explanation.predictions {
            let model = prediction.model.map { "\(Self.line($0.version.rawValue)) (\($0.role.rawValue))" } ?? "no model"
            lines.append(
                "prediction  \(RFC3339.text(milliseconds: prediction.time.milliseconds))  \(model)  at \(prediction.partition)/\(prediction.offset)"
            )
            lines.append("  not a candidate: \(Self.line(prediction.text))")
        }
        if let outcome { lines.append(outcome) }
        if let label = explanation.label {
            let confidence = label.confidence.map { ", confidence \(Self.rounded($0))" } ?? ""
            let state = label.isRetracted ? "retracted (its split was \(label.split.rawValue))" : label.split.rawValue
            lines.append(
                "label       \(Self.line(label.className))\(confidence), \(state), fact \(label.sequence) of the dataset log"
            )
            if let audit = label.audit {
                let way = audit.isDuel ? "a duel" : "plainly selected"
                lines.append("  \(way), stratum \(audit.stratum.rawValue), candidate of \(audit.dayText)")
            }
            for change in label.changes {
                lines.append(
                    "  \(RFC3339.text(milliseconds: change.at.milliseconds))  \(Self.line(change.text)) by \(Self.line(change.by)): \(Self.line(change.reason)), fact \(change.sequence)"
                )
            }
        }
        let searched = explanation.searched
        if !explanation.isFound {
            lines.append("nothing is known about sample \(Self.line(explanation.sample)) of \(explanation.project)")
        }
        var read = "searched    \(searched.entries) entries of the journal"
        if let since = searched.since {
            read += ", \(searched.predictions) predictions since \(RFC3339.text(milliseconds: since))"
        }
        return (lines + [read]).joined(separator: "\n")
    }

    private func lines(of entry: Explanation.Appearance) -> [String] {
        let candidate = entry.candidate
        let model = candidate.model.map { "\(Self.line($0.version.rawValue)) (\($0.role.rawValue))" } ?? "no model"
        var score = "  score \(Self.rounded(candidate.score))"
        if let threshold = entry.threshold { score += ", threshold \(Self.rounded(threshold))" }
        if let output = candidate.output, let top = output.top {
            score += ", predicted \(Self.line(question.text(of: top))) (\(Self.rounded(output.confidence)))"
        }
        return [
            "entry \(entry.entryNumber)  \(RFC3339.text(milliseconds: entry.time.milliseconds))  \(model)  at \(entry.partition)/\(entry.offset)",
            score, "  forwarded: " + Self.line(entry.ways.joined(separator: "; ")),
        ]
    }

    private var outcome: String? {
        switch explanation.outcome {
        case nil: return nil
        case .queried(let task):
            let state: String
            switch task.state {
            case .open: state = "open, \(task.votes) of \(task.votesWanted) votes"
            case .closed(let closing): state = "closed: \(closing.rawValue)"
            }
            var text =
                "task \(Self.line(task.id.rawValue))  \(RFC3339.text(milliseconds: task.openedAt.milliseconds))  \(state)\n  queried by \(Self.line(task.reason.strategy)) (\(task.purpose.rawValue)), score \(Self.rounded(task.reason.score))"
            if !task.reason.triggers.isEmpty {
                text += ", triggers \(Self.line(task.reason.triggers.joined(separator: ", ")))"
            }
            if explanation.isDisputed {
                text +=
                    "\n  users disputed the answer of a suspected version: shown as an audit task, and its label neither trains nor tests"
            }
            if let propensity = task.reason.propensity { text += ", propensity \(Self.rounded(propensity))" }
            return text
        case .queriedBefore(let purpose) where purpose.isImported:
            return "not queried: its label was imported (\(purpose.split?.rawValue ?? purpose.rawValue))"
        case .queriedBefore(let purpose) where explanation.heldBack.contains(.labelingTasks):
            return
                "queried before (\(purpose.rawValue)); its task is behind an open transaction, or is no longer on the topic"
        case .queriedBefore(let purpose):
            return "queried before (\(purpose.rawValue)); its task is no longer on the topic"
        case .waiting(let table, let triggers):
            let names = triggers.isEmpty ? "" : ", triggers \(Self.line(triggers.joined(separator: ", ")))"
            return "not queried yet: it waits in the table \(table)\(names)"
        case .setAside(isKnown: true):
            return
                "not queried yet: it waits in the table pool behind all others, because it is near a queried sample"
        case .setAside(isKnown: false):
            return
                "not queried yet: it waits in the table pool behind all others, because it is among samples that no annotator could answer"
        case .copy(let purpose):
            return "not queried: the same content was queried or imported under another id (\(purpose.rawValue))"
        case .otherSide(let purpose):
            return "not queried: its group is on the other side of the split (\(purpose.rawValue))"
        case .notApplied(nil) where explanation.heldBack.contains(.state):
            return
                "not decided as far as is committed: the loop's decision on its last entry may be behind an open transaction"
        case .notApplied(let pause):
            return "not decided yet: the loop has not applied its last entry"
                + (pause.map { "; the project is \(Self.line($0))" } ?? "")
        case .outOfSpace(let fault):
            return "not queried: its embedding is not in the project's space (\(Self.line(fault)))"
        case .passedOver:
            return "not queried: better candidates replaced it, or the rule of a stream skipped it"
        }
    }

    private static func line(_ text: String) -> String { ForeignText.line(text, limit: 1_000) }

    private static func rounded(_ value: Double) -> Double { (value * 10_000).rounded() / 10_000 }

    // MARK: - For machines

    var json: String {
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("project", explanation.project)
            writer.member("sample", explanation.sample)
            writer.member("found", explanation.isFound)
            writer.array("entries") { writer in for entry in explanation.appearances { write(entry, to: &writer) } }
            writer.array("predictions") { writer in
                for prediction in explanation.predictions { write(prediction, to: &writer) }
            }
            writeOutcome(to: &writer)
            if let label = explanation.label {
                writer.object("label") { writer in
                    writer.member("class", label.className)
                    writer.member("confidence", ifPresent: label.confidence)
                    writer.member("split", label.split.rawValue)
                    writer.member("sequence", label.sequence)
                    writer.member("retracted", label.isRetracted)
                    label.audit?.writeMembers(to: &writer)
                    writer.array("changes") { writer in
                        for change in label.changes {
                            writer.object { writer in
                                writer.member("sequence", change.sequence)
                                writer.member("change", change.text)
                                writer.member("by", change.by)
                                writer.member("reason", change.reason)
                                writer.member("at_ms", change.at.milliseconds)
                            }
                        }
                    }
                }
            }
            writer.object("searched") { writer in
                writer.member("entries", explanation.searched.entries)
                writer.member("predictions", explanation.searched.predictions)
                writer.member("since_ms", ifPresent: explanation.searched.since)
            }
            writer.array("held_back", of: explanation.heldBack.map(\.rawValue))
        }
        return writer.text
    }

    private func write(_ entry: Explanation.Appearance, to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("entry_number", entry.entryNumber)
            writer.member("partition", Int(entry.partition))
            writer.member("offset", entry.offset)
            writer.member("time_ms", entry.time.milliseconds)
            writer.member("model_version", ifPresent: entry.candidate.model?.version.rawValue)
            writer.member("role", ifPresent: entry.candidate.model?.role.rawValue)
            writer.member("score", entry.candidate.score)
            writer.member("threshold", ifPresent: entry.threshold)
            writer.member("audit_probability", ifPresent: entry.candidate.auditProbability)
            writer.member("exploration", entry.candidate.isExploration)
            writer.member("below_threshold", entry.candidate.isBelowThreshold)
            writer.array("triggers", of: entry.candidate.triggers)
            writer.array("awaiting", of: entry.candidate.pendingTriggers)
        }
    }

    private func write(_ prediction: Explanation.Prediction, to writer: inout JSONWriter) {
        let verdict: String
        switch prediction.verdict {
        case .refused: verdict = "refused"
        case .uncounted: verdict = "uncounted"
        case .amongOthers: verdict = "among_others"
        case .below: verdict = "below_threshold"
        case .heldBack: verdict = "held_back"
        }
        writer.object { writer in
            writer.member("partition", Int(prediction.partition))
            writer.member("offset", prediction.offset)
            writer.member("time_ms", prediction.time.milliseconds)
            writer.member("model_version", ifPresent: prediction.model?.version.rawValue)
            writer.member("role", ifPresent: prediction.model?.role.rawValue)
            writer.member("verdict", verdict)
            writer.member("score", ifPresent: prediction.score)
            writer.member("threshold", ifPresent: prediction.threshold)
            writer.array("limited_triggers", of: prediction.limitedTriggers)
            writer.member("text", prediction.text)
        }
    }

    private func writeOutcome(to writer: inout JSONWriter) {
        switch explanation.outcome {
        case nil: break
        case .queried(let task):
            writer.member("outcome", "asked")
            writer.member("disputed", explanation.isDisputed)
            writer.member("task", encoded: task.jsonBytes)
        case .queriedBefore(let purpose):
            writer.member("outcome", purpose.isImported ? "imported" : "asked_before")
            writer.member("purpose", purpose.rawValue)
        case .waiting(let table, let triggers):
            writer.member("outcome", "waiting")
            writer.member("table", table)
            writer.array("triggers", of: triggers)
        case .setAside(let isKnown):
            writer.member("outcome", "waiting")
            writer.member("table", "pool")
            writer.member("set_aside", isKnown ? "known" : "unanswerable")
        case .copy(let purpose):
            writer.member("outcome", "copy")
            writer.member("purpose", purpose.rawValue)
        case .otherSide(let purpose):
            writer.member("outcome", "other_side")
            writer.member("purpose", purpose.rawValue)
        case .outOfSpace(let fault):
            writer.member("outcome", "wrong_space")
            writer.member("text", fault)
        case .notApplied(let pause):
            writer.member("outcome", "not_applied")
            writer.member("pause", ifPresent: pause)
        case .passedOver: writer.member("outcome", "passed_over")
        }
    }
}
