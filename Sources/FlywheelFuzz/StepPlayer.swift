import DeadLetters
import Events
import Fuzzing
import Intake
import StreamRuntime
import StreamTesting

/// Executes the steps of a scenario, both when they are made and when they are replayed.
struct StepPlayer {
    let pipeline: Pipeline
    /// Recorder of the steps; nil when recorded steps are replayed.
    let recorder: InputRecorder?

    /// Records a step and executes it.
    func play(_ step: JSONTree, _ outcomes: inout FuzzOutcomes) throws {
        recorder?.step(step)
        if let record = RecordStep(step) {
            try send(record, outcomes: &outcomes)
        } else if let time = step["advance"]?.int {
            pipeline.clock.advance(by: Int64(time))
        } else if step["settle"] != nil {
            try pipeline.settle()
        } else if step["restart"] != nil {
            try pipeline.restart()
            outcomes.add("worlds", "restarts")
        } else if let redrive = step["redrive"] {
            try self.redrive(redrive, &outcomes)
        }
    }

    /// Records the step of a record and sends the record; the broker may refuse it.
    func send(_ step: RecordStep, _ outcomes: inout FuzzOutcomes) throws {
        recorder?.step(step.tree)
        try send(step, outcomes: &outcomes)
    }

    private func send(_ step: RecordStep, outcomes: inout FuzzOutcomes) throws {
        do throws(StreamError) {
            try pipeline.cluster.append(step.record(pipeline.topics))
            outcomes.add("records", "sent")
            outcomes.add("topics", step.topic.rawValue)
        } catch {
            outcomes.add("records", "refused by the broker: \(error.code)")
        }
    }

    /// Redrives dead letters, as the command does, and checks that the report of the run matches its effects.
    private func redrive(_ step: JSONTree, _ outcomes: inout FuzzOutcomes) throws {
        var policy = Redrive.Policy()
        policy.again = step["again"]?.plain == "true"
        policy.maximumAttempts = step["attempts"]?.int ?? 3
        let before = inputs()
        let redrive = Redrive(
            transport: pipeline.cluster,
            topics: pipeline.topics,
            by: "olga",
            now: { pipeline.clock.now },
            pause: { pipeline.clock.advance(by: $0) }
        )
        let report = try redrive.run(DeadLetterFilter(), policy)
        guard inputs() - before == report.sent, report.matched == report.sent + report.done + report.refusedCount else {
            throw FuzzFault("a redrive sent \(inputs() - before) records and says: \(report)")
        }
        outcomes.add("redrive", "sent", report.sent)
        outcomes.add("redrive", "done", report.done)
        outcomes.add("redrive", "refused", report.refusedCount)
    }

    private func inputs() -> Int {
        IntakeProcessor.inputs.reduce(0) { $0 + pipeline.cluster.committed(pipeline.topics[$1]).count }
    }
}
