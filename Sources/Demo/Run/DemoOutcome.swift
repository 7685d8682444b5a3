internal import JSON

/// The figures of one run, as `report.json` and `--json` give them.
public struct DemoOutcome: Sendable {
    public let snapshot: DemoSnapshot
    public let workerKills: Int

    func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("seed", snapshot.seed)
            writer.member("duration_s", Self.rounded(snapshot.elapsed, 10))
            writer.member("worker_kills", workerKills)
            writer.key("active")
            Self.write(snapshot.active, snapshot, to: &writer)
            writer.key("random")
            Self.write(snapshot.random, snapshot, to: &writer)
            writer.array("annotators") { writer in
                for annotator in snapshot.annotators {
                    writer.object { writer in
                        writer.member("id", annotator.id)
                        writer.member("true_error", annotator.trueError)
                        writer.key("estimated_error")
                        Self.value(annotator.estimatedError.map { Self.rounded($0, 10_000) }, to: &writer)
                    }
                }
            }
        }
    }

    private static func write(_ view: DemoSnapshot.ProjectView, _ snapshot: DemoSnapshot, to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("cycles", view.cycles)
            writer.member("tasks", view.tasks)
            writer.member("votes", view.votes)
            writer.member("labels", view.labels)
            writer.member("audit_labels", view.auditLabels)
            writer.member("dataset_versions", view.datasetVersions)
            writer.member("trainings", view.trainings)
            writer.member("promotions", view.promotions)
            writer.member("rollbacks", view.rollbacks)
            writer.key("broken_release_rolled_back_after_feedbacks")
            value(view.brokenRolledBackAfterFeedbacks, to: &writer)
            writer.member("dead_letters", view.deadLetters)
            writer.key("labels_to_90")
            value(view.labelsTo90, to: &writer)
            writer.key("human_labels_to_90")
            value(view.humanLabelsTo90, to: &writer)
            writer.key("votes_to_90")
            value(view.votesTo90, to: &writer)
            writer.key("final_accuracy")
            value(view.finalAccuracy.map { rounded($0, 10_000) }, to: &writer)
            writer.array("curve") { writer in
                for point in view.curve {
                    writer.array { writer in
                        writer.value(point.labels)
                        writer.value(rounded(point.accuracy, 10_000))
                    }
                }
            }
            writer.object("prediction_to_release_s") { writer in
                writer.key("p50")
                value(percentile(view.predictionToRelease, 0.5), to: &writer)
                writer.key("p95")
                value(percentile(view.predictionToRelease, 0.95), to: &writer)
            }
            writer.member("replay_equal", ifPresent: snapshot.replayEqual)
        }
    }

    private static func value(_ number: Int?, to writer: inout JSONWriter) {
        if let number { writer.value(number) } else { writer.null() }
    }

    private static func value(_ number: Double?, to writer: inout JSONWriter) {
        if let number { writer.value(number) } else { writer.null() }
    }

    private static func rounded(_ value: Double, _ unit: Double) -> Double { (value * unit).rounded() / unit }

    /// The percentile of `values` by the nearest-rank method; nil without values.
    static func percentile(_ values: [Double], _ share: Double) -> Double? {
        guard !values.isEmpty else { return nil }
        let sorted = values.sorted()
        let rank = min(sorted.count - 1, max(0, Int((share * Double(sorted.count)).rounded(.up)) - 1))
        return rounded(sorted[rank], 10)
    }

    /// All runs as one JSON object.
    public static func json(broker: String, _ outcomes: [DemoOutcome]) -> String {
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("broker", broker)
            writer.array("runs") { writer in for outcome in outcomes { outcome.write(to: &writer) } }
        }
        return writer.text
    }

    /// Summary for people, printed at the end.
    public var summary: String {
        func line(_ view: DemoSnapshot.ProjectView) -> String {
            let to90 =
                view.humanLabelsTo90.map { "\($0) labels (\(view.labelsTo90 ?? 0) training + audit)" } ?? "not reached"
            let accuracy = view.finalAccuracy.map { "\(Self.rounded($0 * 100, 10)) %" } ?? "-"
            let p50 = Self.percentile(view.predictionToRelease, 0.5).map { "\($0) s" } ?? "-"
            let p95 = Self.percentile(view.predictionToRelease, 0.95).map { "\($0) s" } ?? "-"
            return """
                  \(view.name): \(view.cycles) cycles, \(view.votes) votes, \(view.labels) labels (\(view.auditLabels) audit), \(view.datasetVersions) versions
                    held-out accuracy \(accuracy); 90 % reached with \(to90)
                    \(view.promotions) promotions, \(view.rollbacks) rollbacks\(view.brokenRolledBackAfterFeedbacks.map { ", broken model gone after \($0) feedbacks" } ?? "")
                    prediction to release p50 \(p50), p95 \(p95); bottleneck: \(view.bottleneck ?? "-")
                """
        }
        let replay =
            snapshot.replayEqual.map { $0 ? "replay gives the same decisions" : "REPLAY DIFFERS" } ?? "replay not run"
        return "seed \(snapshot.seed), \(snapshot.broker), \(Self.rounded(snapshot.elapsed, 1)) s, \(replay)\n"
            + line(snapshot.active) + "\n" + line(snapshot.random)
    }
}
