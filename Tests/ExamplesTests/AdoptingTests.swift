import Foundation
import Processes
import Testing

/// The commands of `docs/guides/adopting.md`, one after the other.
@Suite("Adopting as described in the guide", .serialized)
struct AdoptingTests {
    @Test(
        "A scikit-learn model becomes incumbent, labels make version 1, and a model trained on them must win",
        .enabled(if: Prerequisites.areMet, "something outside this repository is missing; the log says what"),
        .timeLimit(.minutes(7))
    )
    func adopting() throws {
        let stage = try Stage()
        let examples = Prerequisites.root.appendingPathComponent("docs/examples")
        let project = examples.appendingPathComponent("project.yaml").path
        let folder = stage.path("adopt")
        let made = try ChildProcess.run(
            Prerequisites.python,
            [examples.appendingPathComponent("adopt.py").path, "--out", folder],
            timeout: .seconds(40)
        )
        expectSuccess(made)
        let metric = made.outputText.trimmingCharacters(in: .whitespacesAndNewlines)
        expectSuccess(try stage.flywheel("topics", "create"))
        expectSuccess(try stage.flywheel("project", "apply", project))
        try stage.start(
            "worker",
            Prerequisites.flywheel,
            [
                "run", "--roles", "intake,loop,materializer", "--instance", "adopting", "--store", stage.path("store"),
                "--state", stage.path("state"), "--project", project,
            ]
        )

        let projectOption = ["--project", "digits"]
        let registerCommand = ["releases", "register", "digits-2024"]
        let registered = try stage.flywheel(
            registerCommand,
            options: projectOption + ["--artifact", "\(folder)/model.json", "--metrics", metric]
        )
        expectSuccess(registered)
        #expect(registered.outputText.contains("digits-2024 is champion of digits"))
        let again = try stage.flywheel(
            registerCommand,
            options: projectOption + ["--artifact", "\(folder)/model.json"]
        )
        #expect(again.status == .exited(0) && again.outputText.contains("digits-2024 is champion of digits already"))

        let columnOptions = ["--source", "legacy", "--id", "image", "--label", "digit", "--annotator", "who"]
        let importCommand = ["labels", "import", "\(folder)/labels.csv"]
        let dry = try stage.flywheel(importCommand, options: projectOption + columnOptions + ["--dry-run"])
        expectSuccess(dry)
        #expect(dry.outputText.contains("120 labels for training of source legacy"))
        #expect(dry.outputText.contains("nothing was sent"))
        expectSuccess(try stage.flywheel(importCommand, options: projectOption + columnOptions))
        let holdoutCommand = ["labels", "import", "\(folder)/holdout.jsonl"]
        let holdoutOptions = projectOption + ["--source", "holdout", "--validation"]
        expectSuccess(try stage.flywheel(holdoutCommand, options: holdoutOptions))
        let pool = try stage.flywheel(["samples", "import", "\(folder)/pool.jsonl"], options: projectOption)
        expectSuccess(pool)
        #expect(pool.outputText.contains("500 of 500 sent"))

        try stage.startExample("sklearn_trainer", "--artifacts", stage.path("artifacts"))
        try stage.startExample("label_tool", "--seconds", "0.02", "--error", "0.02")
        try stage.startExample("product_service", "--rate", "150")
        let isShadowed = stage.wait(for: "shadow: champion digits-2024", from: "product_service", atMost: .seconds(60))
        #expect(isShadowed, "no challenger: \(summary(stage))")
        let isPromoted = stage.wait(for: "promoted: champion v", from: "product_service", atMost: .seconds(330))
        #expect(isPromoted, "nothing better: \(summary(stage))")

        // All imported labels are known and are not sent again.
        let known = try stage.flywheel(importCommand, options: projectOption + columnOptions)
        expectSuccess(known)
        #expect(known.outputText.contains("120 known already"), "\(known.outputText)")
        for name in ["product_service", "label_tool", "sklearn_trainer", "worker"] {
            let status = stage.stop(name)
            #expect(status == .exited(0), "\(name): \(stage.log(of: name).suffix(2_000))")
        }
        let replay = try stage.flywheel(["replay", "--verify"], options: projectOption + ["--json"])
        expectSuccess(replay)
        #expect(replay.outputText.contains("\"equal\":true"), "\(replay.outputText)")
        let refused = try stage.flywheel("dead-letters", "list")
        #expect(refused.outputText.contains("no dead letters"), "\(refused.outputText)")
    }

    private func expectSuccess(_ run: CapturedRun, sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(run.status == .exited(0), "\(run.outputText)\(run.errorText)", sourceLocation: sourceLocation)
    }

    private func summary(_ stage: Stage) -> String {
        ["worker", "product_service", "label_tool", "sklearn_trainer"]
            .map { "\($0): \(stage.log(of: $0).suffix(600))" }.joined(separator: "\n")
    }
}
