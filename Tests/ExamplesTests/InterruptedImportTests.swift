import Foundation
import Processes
import Testing

@Suite("Interrupted imports", .serialized)
struct InterruptedImportTests {
    /// Before: the signal ended the program without a message, and one of two imports reported `_FENCED`.
    @Test(
        "A signal ends an import between transactions, a rerun resumes it, and a concurrent import replaces it",
        .enabled(if: Prerequisites.areMet, "something outside this repository is missing; the log says what"),
        .timeLimit(.minutes(2))
    )
    func interrupted() throws {
        let stage = try Stage()
        let project = Prerequisites.root.appendingPathComponent("docs/examples/project.yaml").path
        let created = try stage.flywheel("topics", "create")
        #expect(created.status == .exited(0), "\(created.errorText)")
        let applied = try stage.flywheel("project", "apply", project)
        #expect(applied.outputText.hasSuffix("flywheel status shows the project once its first record has arrived\n"))

        let pool = stage.path("pool.csv")
        let rows = (0..<60).map { "s\($0),s3://pool/\($0).png" }
        try (["id,uri"] + rows).joined(separator: "\n").write(toFile: pool, atomically: true, encoding: .utf8)
        let command = ["samples", "import", pool, "--project", "digits", "--rate", "2"]
        try stage.start("first", Prerequisites.flywheel, command)
        let note = "\(pool).flywheel-progress"
        #expect(eventually { FileManager.default.fileExists(atPath: note) })
        #expect(stage.stop("first") == .exited(1))
        let output = stage.log(of: "first")
        #expect(output.contains("it was stopped after ") && output.contains("run the same command again"), "\(output)")
        let reached = try number("sent", in: note)
        #expect(reached > 0 && reached < 60)

        try stage.start("second", Prerequisites.flywheel, command)
        #expect(eventually { ((try? number("sent", in: note)) ?? 0) > reached })
        let third = try stage.flywheel(Array(command.dropLast()) + ["500"])
        #expect(third.status == .exited(0) && third.outputText.contains("60 of 60 sent"), "\(third.errorText)")
        #expect(
            eventually { stage.log(of: "second").contains("another import into digits") },
            "\(stage.log(of: "second"))"
        )
        #expect(stage.stop("second") == .exited(1))
    }

    private func number(_ name: String, in path: String) throws -> Int {
        let note = try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: path)))
        return (note as? [String: Any])?[name] as? Int ?? 0
    }

    private func eventually(_ condition: () -> Bool) -> Bool {
        let end = ContinuousClock.now + .seconds(30)
        while ContinuousClock.now < end {
            if condition() { return true }
            Thread.sleep(forTimeInterval: 0.1)
        }
        return false
    }
}
