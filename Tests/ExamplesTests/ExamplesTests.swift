import Foundation
import Processes
import Testing

@Suite("The examples of the documentation", .serialized)
struct ExamplesTests {
    @Test(
        "Three small programs and a worker complete one whole cycle",
        .enabled(if: Prerequisites.areMet, "something outside this repository is missing; the log says what"),
        .timeLimit(.minutes(3))
    )
    func cycle() throws {
        let stage = try Stage()
        let project = Prerequisites.root.appendingPathComponent("docs/examples/project.yaml").path
        try expectSuccess(stage.flywheel("topics", "create"))
        try expectSuccess(stage.flywheel("project", "apply", project))
        try stage.start(
            "worker",
            Prerequisites.flywheel,
            [
                "run", "--roles", "intake,loop,materializer", "--instance", "examples", "--store", stage.path("store"),
                "--state", stage.path("state"), "--project", project,
            ]
        )
        try stage.startExample("sklearn_trainer", "--artifacts", stage.path("artifacts"))
        try stage.startExample("label_tool", "--seconds", "0.02", "--error", "0.02")
        try stage.startExample("product_service", "--rate", "150")

        // The service has fetched the model that the trainer wrote, verified that it is the released one, and predicts
        // with it.
        let isReleased = stage.wait(for: "first: champion v1", from: "product_service", atMost: .seconds(70))
        #expect(isReleased, "no model was released: \(summary(stage))")
        #expect(stage.log(of: "sklearn_trainer").contains("v1 trial 0 repeat"))
        #expect(try !FileManager.default.contentsOfDirectory(atPath: stage.path("artifacts/digits")).isEmpty)

        // All programs stop on request, the worker last.
        for name in ["product_service", "label_tool", "sklearn_trainer", "worker"] {
            let status = stage.stop(name)
            #expect(status == .exited(0), "\(name): \(stage.log(of: name).suffix(2_000))")
        }

        let versions = try stage.flywheel("dataset", "log", options: ["--project", "digits", "--json"])
        expectSuccess(versions)
        #expect(versions.outputText.contains("\"ordinal\":1"))
        let verified = try stage.flywheel(
            "dataset",
            "verify",
            options: ["--project", "digits", "--store", stage.path("store")]
        )
        expectSuccess(verified)
        let replay = try stage.flywheel("replay", "--verify", options: ["--project", "digits", "--json"])
        expectSuccess(replay)
        #expect(replay.outputText.contains("\"equal\":true"), "\(replay.outputText)")

        // Every record of the programs was accepted.
        let refused = try stage.flywheel("dead-letters", "list")
        expectSuccess(refused)
        #expect(refused.outputText.contains("no dead letters"), "\(refused.outputText)")
    }

    private func expectSuccess(_ run: CapturedRun, sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(run.status == .exited(0), "\(run.outputText)\(run.errorText)", sourceLocation: sourceLocation)
    }

    /// The last 600 characters of the output of each program.
    private func summary(_ stage: Stage) -> String {
        ["worker", "product_service", "label_tool", "sklearn_trainer"]
            .map { "\($0): \(stage.log(of: $0).suffix(600))" }.joined(separator: "\n")
    }
}
