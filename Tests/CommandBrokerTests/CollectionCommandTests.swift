import Foundation
import KafkaTesting
import Processes
import Testing

@Suite("flywheel dataset gc", .serialized, .enabled(if: Bench.isAvailable, "no broker or no program, see above"))
struct CollectionCommandTests {
    private func json(_ run: CapturedRun) throws -> [String: Any] {
        let object = try JSONSerialization.jsonObject(with: Data(run.outputText.utf8))
        return try #require(object as? [String: Any], "\(run.outputText) \(run.errorText)")
    }

    private func versionNumbers(_ report: [String: Any], _ key: String) -> [Int] {
        (report[key] as? [[String: Any]] ?? []).compactMap { $0["ordinal"] as? Int }
    }

    @Test("Collection removes unneeded data that is older than a day, and verify reports the collected versions")
    func collection() throws {
        let bench = try Bench()
        #expect(try bench.flywheel("topics", "create").status.isSuccess)
        let project = bench.path("try.yaml")
        try """
        project: try
        question: Which of the two is it?
        classes: ["yes", "no"]
        datasets: {cut_every: 4, cut_after: 1s}
        training: {new_labels: 4, repeats: 1, deadline: 60s}
        """.write(toFile: project, atomically: true, encoding: .utf8)
        let applied = try bench.flywheel("project", "apply", project)
        #expect(applied.status.isSuccess, "\(applied.errorText)")
        let store = bench.path("datasets")
        _ = try bench.start(
            "worker",
            arguments: [
                "run", "--roles", "intake,loop,materializer", "--store", store, "--state", bench.path("state"),
                "--instance", "w",
            ]
        )
        func dataset(_ command: String, _ more: String...) throws -> CapturedRun {
            try ChildProcess.run(
                Bench.program,
                ["dataset", command, "--project", "try", "--store", store] + more + bench.connection,
                timeout: .seconds(60)
            )
        }
        func count() throws -> Int {
            (try? FileManager.default.contentsOfDirectory(atPath: "\(store)/try/ordinals").count { !$0.hasPrefix(".") })
                ?? 0
        }
        for round in 1...5 {
            let file = bench.path("labels-\(round).csv")
            let rows = (0..<6).map { "s\(round)-\($0),\($0 % 2 == 0 ? "yes" : "no")" }
            try (["id,label"] + rows).joined(separator: "\n").write(toFile: file, atomically: true, encoding: .utf8)
            let sent = try bench.flywheel("labels", "import", file, "--project", "try", "--source", "legacy-\(round)")
            #expect(sent.status.isSuccess, "\(sent.outputText) \(sent.errorText)")
            #expect(try bench.wait { try count() >= round }, "\(bench.text("worker.err").suffix(2_000))")
        }
        // A version that the loop has not yet received counts as needed: the loop receives versions by way of Intake.
        var report: [String: Any] = [:]
        #expect(
            try bench.wait {
                report = try json(dataset("gc", "--dry-run", "--json"))
                return !(report["kept"] as? [[String: Any]] ?? []).contains { version in
                    (version["reasons"] as? [String] ?? []).contains { $0.hasPrefix("newer than") }
                }
            },
            "\(report)"
        )
        #expect(versionNumbers(report, "collected") == [] && versionNumbers(report, "kept").count >= 5)
        // All files are dated back by two days.
        let old = Date(timeIntervalSinceNow: -172_800)
        let names = FileManager.default.enumerator(atPath: store)?.compactMap { $0 as? String } ?? []
        for name in names {
            try FileManager.default.setAttributes([.modificationDate: old], ofItemAtPath: "\(store)/\(name)")
        }
        let planned = try json(dataset("gc", "--dry-run", "--json"))
        let kept = versionNumbers(planned, "kept")
        let collected = versionNumbers(planned, "collected")
        let versions = try count()
        #expect(!collected.isEmpty && kept.contains(versions) && kept.count + collected.count == versions, "\(planned)")
        #expect((planned["bytes"] as? Int ?? 0) > 0)
        let before = try dataset("verify")
        #expect(
            before.status.isSuccess && before.outputText.contains("\(kept.count + collected.count) versions are intact")
        )
        let run = try dataset("gc")
        #expect(run.status.isSuccess, "\(run.errorText)")
        #expect(run.outputText.contains("collected, "), "\(run.outputText)")
        let after = try dataset("verify")
        #expect(after.status.isSuccess, "\(after.outputText)")
        #expect(after.outputText.split(separator: "\n").count { $0.contains(": collected, ") } == collected.count)
        let refused = try dataset("show", "\(try #require(collected.first))")
        #expect(!refused.status.isSuccess && refused.errorText.contains("was collected by flywheel dataset gc"))
        #expect(try dataset("show", "\(try #require(kept.last))").status.isSuccess)
        // With the prefix of another cluster, the store is refused.
        let other = try ChildProcess.run(
            Bench.program,
            [
                "dataset", "gc", "--project", "try", "--store", store, "--bootstrap", bench.broker.bootstrap,
                "--prefix", "x.",
            ],
            timeout: .seconds(60)
        )
        #expect(!other.status.isSuccess && other.errorText.contains("it holds the files of"), "\(other.errorText)")
    }
}
