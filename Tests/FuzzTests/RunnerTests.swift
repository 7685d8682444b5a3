import Foundation
import Fuzzing
import Processes
import Testing

@Suite("The fuzzer's runner", .serialized)
struct RunnerTests {
    private func run(_ words: [String]) throws -> CapturedRun {
        try ChildProcess.run(
            Place.program("flywheel-fuzz-codecs"),
            words + ["--schemas", Place.root.appendingPathComponent("schemas").path],
            environment: ["SWIFT_BACKTRACE": "enable=no"]
        )
    }

    @Test("A trap, a law that does not hold and an iteration that does not end are found, kept and played again")
    func planted() throws {
        try Place.withFolder { folder in
            let words = ["--target", "planted", "--out", folder, "--patience", "2000"]
            let found = try run(["run", "--seconds", "20", "--seed", "1"] + words)
            #expect(found.status == .exited(1), "\(found.errorText)")
            let line = try #require(found.outputText.split(separator: "\n").last)
            let report = try #require(JSONTree(reading: Array(line.utf8)))
            for kind in ["traps", "hangs", "faults"] { #expect(report[kind]?.int ?? 0 > 0, "\(kind): \(line)") }
            let files = (report["findings"]?.elements ?? []).compactMap(\.plain)
            #expect(!files.isEmpty)
            // What is kept fails again; a trap takes its process with it.
            var exits: Set<String> = []
            for file in files.prefix(6) {
                let input = try RecordedInput(path: "\(folder)/findings/\(file)")
                #expect(file == "planted-1-\(input.iteration).jsonl")
                guard input.steps.last?["number"]?.int != 15 else { continue }
                let again = try run(["replay", "\(folder)/findings/\(file)", "--target", "planted", "--out", folder])
                #expect(!again.status.isSuccess)
                exits.insert("\(again.status)")
                if exits.count == 1 {
                    let small = try run(["shrink", "\(folder)/findings/\(file)"] + words)
                    #expect(small.outputText.contains(#""steps":1,"of":2"#), "\(small.outputText)\(small.errorText)")
                }
            }
            #expect(!exits.isEmpty)
        }
    }

    @Test("A run that finds nothing ends well, and says what it reached")
    func clean() throws {
        try Place.withFolder { folder in
            let found = try run(["run", "--seconds", "2", "--seed", "1", "--out", folder])
            #expect(found.status == .exited(0), "\(found.errorText)")
            let line = try #require(found.outputText.split(separator: "\n").last)
            let report = try #require(JSONTree(reading: Array(line.utf8)))
            #expect(report["traps"]?.int == 0 && report["faults"]?.int == 0)
            #expect(report["inputs"]?.int ?? 0 > 20, "\(line)")
            #expect(report["reached"]?["codecs"] != nil)
        }
    }
}
