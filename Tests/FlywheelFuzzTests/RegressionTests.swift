import Foundation
import Fuzzing
import Testing

@testable import FlywheelFuzz

/// Locations of the test files.
enum TestFiles {
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    static func corpus() throws -> Corpus { try Corpus(folder: root.appendingPathComponent("schemas").path) }

    /// Runs `body` with the path of a folder that is removed afterwards.
    static func withFolder<R>(_ body: (String) throws -> R) throws -> R {
        let folder = NSTemporaryDirectory() + "fuzz-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        return try body(folder)
    }

    /// Path of a program that was built beside the tests.
    static func program(_ name: String) -> String {
        let beside = Bundle.main.bundleURL.appendingPathComponent(name).path
        let built = root.appendingPathComponent(".build/debug/\(name)").path
        return FileManager.default.isExecutableFile(atPath: beside) ? beside : built
    }
}

@Suite("Recorded inputs that once failed")
struct RegressionTests {
    private static let folder = TestFiles.root.appendingPathComponent("Tests/FlywheelFuzzTests/Regressions").path
    static let files = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [])
        .filter { $0.hasSuffix(".jsonl") }.sorted()

    @Test("A recorded input no longer fails", arguments: files)
    func replays(file: String) throws {
        try TestFiles.withFolder { folder in
            let targets = try FlywheelFuzz.targets(TestFiles.corpus(), folder)
            var outcomes = FuzzOutcomes()
            try FuzzCommand.replay("\(Self.folder)/\(file)", targets, &outcomes)
            #expect(!outcomes.counts.isEmpty, "\(file) reached nothing")
        }
    }

    @Test("There are recorded inputs of the targets `topics`, `letters` and `json`")
    func exist() throws {
        let targets = try Self.files.map { try RecordedInput(path: "\(Self.folder)/\($0)").target }
        #expect(Set(targets).isSuperset(of: ["topics", "letters", "json"]), "\(targets)")
    }
}
