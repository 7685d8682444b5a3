import Foundation
import KafkaClient
import Processes
import Testing

@Suite("flywheel dead-letters", .serialized, .enabled(if: Bench.isAvailable, "no broker or no program, see above"))
struct DeadLetterTests {
    private func json(_ run: CapturedRun) throws -> [String: Any] {
        let object = try JSONSerialization.jsonObject(with: Data(run.output))
        return try #require(object as? [String: Any], "\(run.outputText) \(run.errorText)")
    }

    private func deadLetters(_ bench: Bench) throws -> [[KafkaHeader]] {
        try bench.headers("dead-letters").filter { text("__connect.errors.topic", of: $0) != nil }
    }

    /// Runs a worker's Intake until the given number of dead letters is written, then stops it.
    private func runIntake(_ bench: Bench, until count: Int) throws {
        let worker = try bench.start("worker", "run", "--roles", "intake", "--instance", "w", "--port", "0")
        #expect(try bench.wait { try deadLetters(bench).count >= count }, "\(bench.text("worker.err").suffix(2_000))")
        #expect(worker.stop(grace: .seconds(20)) == .exited(0))
    }

    @Test("Killed midway and run again, redrive sends each dead letter once, and attempts are bounded")
    func redrive() throws {
        let bench = try Bench()
        let count = 2_000
        #expect(try bench.flywheel("topics", "create").status.isSuccess)
        try bench.write(count, to: "predictions") { number in
            KafkaOutputRecord(
                topic: "\(bench.prefix)predictions",
                partition: Int32(number % 4),
                key: Array("k\(number)".utf8),
                value: number == 0 ? [0xFF, 0] : Array("no JSON \(number)".utf8),
                headers: [KafkaHeader("number", Array("\(number)".utf8))]
            )
        }
        try runIntake(bench, until: count)

        let list = try bench.flywheel("dead-letters", "list", "--limit", "3", "--json")
        let rows = try list.outputText.split(separator: "\n").map { line in
            try #require(JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        }
        #expect(rows.count == 3 && rows.allSatisfy { $0["code"] as? String == "not_json" })
        let position = try #require(rows[0]["place"] as? String)
        let shown = try json(bench.flywheel("dead-letters", "show", position, "--json"))
        #expect(shown["topic"] as? String == "\(bench.prefix)predictions")
        #expect(shown["code"] as? String == "not_json" && shown["stage"] as? String == "intake")
        let page = try bench.flywheel("dead-letters", "show", position)
        #expect(page.outputText.contains("number: ") && page.outputText.contains("__connect.errors.class.name"))
        #expect(try bench.flywheel("dead-letters", "show", "0/99999999").status == .exited(1))
        #expect(try bench.flywheel("dead-letters", "redrive").status == .exited(2))

        let dry = try json(bench.flywheel("dead-letters", "redrive", "--code", "not_json", "--dry-run", "--json"))
        #expect(dry["sent"] as? Int == count && dry["already_sent"] as? Int == 0)
        let run = try bench.start("redrive", "dead-letters", "redrive", "--all")
        #expect(bench.wait { bench.text("redrive.err").contains("sent again") }, "\(bench.text("redrive.err"))")
        run.kill()
        _ = run.wait(timeout: .seconds(10))
        let second = try json(bench.flywheel("dead-letters", "redrive", "--all", "--json"))
        let done = try #require(second["already_sent"] as? Int)
        #expect(done >= 200 && done < count, "the kill came too late to mean anything")
        #expect(second["sent"] as? Int == count - done)

        let again = try bench.headers("predictions").filter { text("flywheel.redrive.attempt", of: $0) == "1" }
        #expect(again.count == count)
        #expect(Set(again.compactMap { text("number", of: $0) }).count == count)
        let third = try json(bench.flywheel("dead-letters", "redrive", "--topic", "predictions", "--json"))
        #expect(third["sent"] as? Int == 0 && third["already_sent"] as? Int == count)

        try runIntake(bench, until: 2 * count)
        let last = try bench.flywheel("dead-letters", "redrive", "--all", "--max-attempts", "1")
        #expect(last.status == .exited(1))
        #expect(last.outputText.contains("sent again once and refused each time (not_json)"))
        let summary = "0 sent again, \(count) left out because they were sent already, \(count) refused"
        #expect(last.outputText.contains(summary), "\(last.outputText.suffix(500))")
    }

    /// Before: `dataset log` of any name exited with 0.
    @Test(
        "Every command that reads a project fails if it does not exist",
        arguments: [
            "dataset log --project none", "dataset log --changes --project none", "replay --project none",
            "explain s --project none", "project show none", "releases log none", "releases show none",
        ]
    )
    func unknownProject(words: String) throws {
        let bench = try Bench()
        #expect(try bench.flywheel("topics", "create").status.isSuccess)
        let run = try ChildProcess.run(
            Bench.program,
            words.split(separator: " ").map(String.init) + bench.connection,
            timeout: .seconds(60)
        )
        #expect(run.status == .exited(1) && run.output.isEmpty, "\(run.outputText)")
        #expect(run.errorText.contains("none"), "\(run.errorText)")
    }

    @Test("A value that is no text is shown as hexadecimal digits")
    func hexadecimal() throws {
        let bench = try Bench()
        #expect(try bench.flywheel("topics", "create").status.isSuccess)
        try bench.write(1, to: "commands") { _ in
            KafkaOutputRecord(topic: "\(bench.prefix)commands", partition: 0, key: nil, value: [0xFE, 0x00, 0x1B])
        }
        try runIntake(bench, until: 1)
        let row = try json(bench.flywheel("dead-letters", "list", "--json"))
        let position = try #require(row["place"] as? String)
        let shown = try json(bench.flywheel("dead-letters", "show", position, "--json"))
        #expect((shown["value"] as? [String: String]) == ["hex": "fe001b"])
        #expect(shown["key"] is NSNull)
        #expect(try bench.flywheel("dead-letters", "show", position).outputText.contains("hex fe001b"))
    }
}
