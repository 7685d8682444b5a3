import Arguments
import EngineCore
import Foundation
import Testing

@testable import FlywheelBench

/// Intake's output for recorded traffic, stored as digests in the golden set of the build.
@Suite struct GoldenIntakeTests {
    private static let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "FlywheelTests/Golden/\(Build.version)/intake.txt")
    private static let traffic = [
        ["--events", "20000", "--bad", "0.05"], ["--events", "10000", "--embedding", "16", "--bad", "0.01"],
    ]
    private static let isRecording = ProcessInfo.processInfo.environment["FLYWHEEL_GOLDEN"] == "record"

    private static func line(_ arguments: [String]) throws -> String {
        let root = CommandSpecification("bench", summary: "", subcommands: [StageBenchmark.specification])
        guard case .run(let parsed) = try ArgumentParser(root).parse(["stage"] + arguments) else { return "" }
        let outcome = try StageBenchmark(parsed).measure()
        return "\(arguments.joined(separator: " ")) written \(outcome.written) digest \(outcome.digest)"
    }

    @Test("Intake writes byte for byte the output that was recorded of this build", .disabled(if: isRecording))
    func digests() throws {
        let recorded = try String(contentsOf: Self.file, encoding: .utf8).split(separator: "\n").map { String($0) }
        #expect(
            try Self.traffic.map { try Self.line($0) } == recorded,
            "what Intake writes has changed: raise Build.version, record again (make golden), and say in the changelog what changed"
        )
    }

    /// Runs with `make golden` only.
    @Test("Recording", .enabled(if: isRecording))
    func record() throws {
        let lines = try Self.traffic.map { try Self.line($0) + "\n" }
        try FileManager.default.createDirectory(
            at: Self.file.deletingLastPathComponent(),
            withIntermediateDirectories: true
        )
        try Data(lines.joined().utf8).write(to: Self.file)
    }
}
