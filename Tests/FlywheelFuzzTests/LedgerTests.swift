import Events
import Foundation
import Fuzzing
import StreamRuntime
import StreamTesting
import Testing

@testable import FlywheelFuzz

/// The ledger is tested on pipelines whose records are inconsistent on purpose.
@Suite("The fuzzer's ledger")
struct LedgerTests {
    /// A pipeline with a project, one accepted and one refused record of each topic, and stopped workers.
    private func pipeline(_ folder: String, _ spoil: (Pipeline) throws -> Void) throws -> Pipeline {
        let pipeline = try Pipeline(folder: folder, settings: Pipeline.Settings())
        let player = StepPlayer(pipeline: pipeline, recorder: nil)
        var outcomes = FuzzOutcomes()
        let input = try RecordedInput(
            path: TestFiles.root.appendingPathComponent(
                "Tests/FlywheelFuzzTests/Regressions/topics-most-outcomes.jsonl"
            ).path
        )
        for step in input.steps { try player.play(step, &outcomes) }
        try pipeline.settle()
        pipeline.stop()
        try spoil(pipeline)
        return pipeline
    }

    private func fault(_ spoil: (Pipeline) throws -> Void) throws -> String? {
        try TestFiles.withFolder { folder in
            var outcomes = FuzzOutcomes()
            do {
                try Ledger(pipeline(folder + "/pipeline", spoil)).check(&outcomes)
                return nil
            } catch {
                #expect(outcomes["ledger", "wrong"] == 1)
                return "\(error)"
            }
        }
    }

    private func copy(_ topic: Topic, _ pipeline: Pipeline, where matches: (StoredRecord) -> Bool = { _ in true })
        throws
    {
        for partition in 0..<Pipeline.partitions {
            let records = pipeline.cluster.committed(pipeline.topics[topic], partition)
            guard let record = records.first(where: matches) else { continue }
            try pipeline.cluster.append(
                OutputRecord(
                    topic: pipeline.topics[topic],
                    partition: partition,
                    key: record.key,
                    value: record.value,
                    headers: record.headers
                )
            )
            return
        }
        Issue.record("there is no such record on \(topic)")
    }

    @Test("The records of an unmodified pipeline have no fault")
    func unmodified() throws { #expect(try fault { _ in } == nil) }

    @Test(
        "Unread, duplicate, unreadable and forged records are found"
    )
    func inconsistent() throws {
        let unread = try fault { try $0.cluster.append(OutputRecord(topic: "t.commands", partition: 0, value: [1])) }
        #expect(unread?.contains("records are lost") == true, "\(unread ?? "")")
        let entry = try fault { try copy(.journal, $0) { $0.text.contains(#""kind":"candidate""#) } }
        #expect(entry?.contains("has 2 entries and 0 dead letters") == true, "\(entry ?? "")")
        let deadLetter = try fault { try copy(.deadLetters, $0) { $0.header("__connect.errors.stage") == "intake" } }
        #expect(deadLetter?.contains("0 entries and 2 dead letters") == true, "\(deadLetter ?? "")")
        let tally = try fault { try copy(.tallies, $0) { !$0.text.contains(#""predictions":0"#) } }
        #expect(tally?.hasPrefix("tallies count") == true, "\(tally ?? "")")
        let decision = try fault { try copy(.labelingTasks, $0) }
        #expect(decision?.contains("stands twice") == true, "\(decision ?? "")")
        let broken = try fault { try $0.cluster.append(OutputRecord(topic: "t.journal", partition: 0, value: [1])) }
        #expect(broken?.contains("cannot be read") == true, "\(broken ?? "")")
        let forged = try fault { pipeline in
            let headers = [RecordHeader("ce_id", "shapes-1-77")]
            let notice = Array(#"{"kind":"study_finished","text":"x"}"#.utf8)
            try pipeline.cluster.append(OutputRecord(topic: "t.notices", partition: 0, value: notice, headers: headers))
        }
        #expect(forged?.hasPrefix("replay of shapes") == true, "\(forged ?? "")")
    }
}
