import Foundation
import Fuzzing
import Processes
import Testing

@Suite("The fuzzer's runner", .serialized)
struct RunnerTests {
    private func run(_ words: [String]) throws -> CapturedRun {
        try ChildProcess.run(
            TestFiles.program("flywheel-fuzz-codecs"),
            words + ["--schemas", TestFiles.root.appendingPathComponent("schemas").path],
            environment: ["SWIFT_BACKTRACE": "enable=no"]
        )
    }

    @Test("A trap, a violated law and an endless iteration are found, recorded and reproduced")
    func planted() throws {
        try TestFiles.withFolder { folder in
            let words = ["--target", "planted", "--out", folder, "--patience", "2000"]
            let found = try run(["run", "--seconds", "20", "--seed", "1"] + words)
            #expect(found.status == .exited(1), "\(found.errorText)")
            let line = try #require(found.outputText.split(separator: "\n").last)
            let report = try #require(JSONTree(reading: Array(line.utf8)))
            for kind in ["traps", "hangs", "faults"] { #expect(report[kind]?.int ?? 0 > 0, "\(kind): \(line)") }
            let files = (report["findings"]?.elements ?? []).compactMap(\.plain)
            #expect(!files.isEmpty)
            // A recorded input fails again; a trap terminates the process.
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

    @Test("A killed runner leaves no worker process behind")
    func orphan() throws {
        try TestFiles.withFolder { folder in
            let runner = try ChildProcess(
                TestFiles.program("flywheel-fuzz-codecs"),
                ["run", "--target", "planted", "--seconds", "60", "--seed", "1", "--out", folder, "--schemas"]
                    + [TestFiles.root.appendingPathComponent("schemas").path],
                environment: ["SWIFT_BACKTRACE": "enable=no"],
                output: .null,
                errors: .null
            )
            defer { runner.kill() }
            func children() -> [Int32] {
                let list = "/proc/\(runner.pid)/task/\(runner.pid)/children"
                return ((try? String(contentsOfFile: list, encoding: .utf8)) ?? "").split(separator: " ")
                    .compactMap { Int32($0) }
            }
            // A process that has ended and was not waited for yet is a zombie.
            func isGone(_ worker: Int32) -> Bool {
                let text = (try? String(contentsOfFile: "/proc/\(worker)/stat", encoding: .utf8)) ?? ""
                return text.isEmpty || text.contains(") Z ")
            }
            func eventually(_ seconds: Int, until condition: () -> Bool) -> Bool {
                for _ in 0..<(10 * seconds) where !condition() { Thread.sleep(forTimeInterval: 0.1) }
                return condition()
            }
            #expect(eventually(20) { !children().isEmpty })
            let workers = children()
            runner.kill()
            _ = runner.wait()
            #expect(!workers.isEmpty && eventually(10) { workers.allSatisfy(isGone) })
        }
    }

    @Test("A run without findings exits with success, and reports what it covered")
    func clean() throws {
        try TestFiles.withFolder { folder in
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
