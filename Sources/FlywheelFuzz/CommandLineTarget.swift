import Foundation
import Fuzzing
import Processes
import Statistics

/// The program `flywheel` itself, with command lines and files that need no broker: it exits with status 0, 1 or 2.
///
/// It is in the same folder as this program; if it is missing, nothing is tested.
final class CommandLineTarget: FuzzTarget {
    let name = "commands"
    let weight = 1.0
    private let folder: String
    private let program: String
    private static let words =
        [
            "config", "check", "reference", "topics", "acls", "--role", "intake", "--principal", "User:x", "--json",
            "--table",
            "--help", "--", "project", "apply", "explain", "--prefix", "run", "--roles", "--port", "--kafka", "a=b",
            "--since",
            "dead-letters", "show", "redrive", "--max-attempts", "status", "dataset", "verify",
        ] + Extremes.words.filter { !$0.utf8.contains(0) && $0.utf8.count < 500 }
    /// Beginnings of commands that need no broker.
    private static let beginnings = [
        ["config", "check"], ["topics", "acls"], ["config", "reference"], ["topics", "acls", "--role", "intake"],
        ["check", "prediction", "--project", "FILE"], ["check", "annotation", "--quiet", "--project", "FILE"],
    ]

    init(folder: String) {
        self.folder = folder
        let executable = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        program = URL(fileURLWithPath: executable).deletingLastPathComponent().appendingPathComponent("flywheel").path
    }

    func run(_ generator: inout SplitMix64, _ recorder: InputRecorder, _ outcomes: inout FuzzOutcomes) throws {
        var words = generator.pick(Self.beginnings)
        for _ in 0..<generator.size(below: 8) {
            words.insert(generator.pick(Self.words), at: generator.next(below: words.count - 1) + 2)
        }
        var file: [UInt8] = []
        if words[0] == "check" || words[1] == "check" {
            file = Array(
                generator.pick([
                    "roles: [intake]\nkafka:\n  bootstrap.servers: x:1\n", "project: p\nquestion: q\nclasses: [a, b]\n",
                ])
                .utf8
            )
            if generator.chance(0.8) { ByteMutator.mutate(&file, &generator) }
            words.append("FILE")
        }
        recorder.step(["words": .array(words.map { .text($0) }), "file": .blob(file)])
        try check(words, file, &outcomes)
    }

    func replay(_ steps: [JSONTree], _ outcomes: inout FuzzOutcomes) throws {
        for step in steps {
            let words = (step["words"]?.elements ?? []).map { String(decoding: $0.blob ?? [], as: UTF8.self) }
            try check(words, step["file"]?.blob ?? [], &outcomes)
        }
    }

    private func check(_ words: [String], _ file: [UInt8], _ outcomes: inout FuzzOutcomes) throws {
        guard FileManager.default.isExecutableFile(atPath: program) else {
            return outcomes.add("commands", "skipped: there is no flywheel beside this program")
        }
        let path = folder + "/file.yaml"
        try Data(file).write(to: URL(fileURLWithPath: path))
        let child = try ChildProcess(
            program,
            words.map { $0 == "FILE" ? path : $0 },
            environment: ["SWIFT_BACKTRACE": "enable=no"],
            output: .null,
            errors: .null
        )
        guard let exit = child.wait(timeout: .seconds(20)) else {
            child.kill()
            _ = child.wait()
            throw FuzzFault("flywheel \(words) does not end")
        }
        guard [ProcessExit.exited(0), .exited(1), .exited(2)].contains(exit) else {
            throw FuzzFault("flywheel \(words) ended with \(exit)")
        }
        outcomes.add("commands", "\(exit)")
    }
}
