internal import Foundation
internal import Processes

/// Runs the worker as a child process, so that a trap ends one iteration and not the run: the current input is kept,
/// and another child continues after it.
struct FuzzRunner {
    let executable: String
    /// Arguments of the child, in addition to those that the runner adds.
    let arguments: [String]
    let folder: FuzzFolder
    let seed: UInt64
    /// Milliseconds after which an iteration that has not ended is a fault.
    let maximumWait: Int64
    private static let maximumTraps = 20

    struct Report {
        var traps = 0
        var hangs = 0
        var outcomes = FuzzOutcomes()
        var findings: [String] = []

        var faults: Int { (outcomes.counts["faults"] ?? [:]).values.reduce(0, +) }
        var isClean: Bool { traps + hangs + faults + findings.count == 0 }
    }

    func run(seconds: Double) throws -> Report {
        folder.clear()
        var report = Report()
        var next: [String: UInt64] = [:]
        let clock = ContinuousClock()
        let end = clock.now + .seconds(seconds)
        repeat {
            let left = max(0, clock.now.duration(to: end) / .seconds(1))
            let (exit, isHanging) = try runChild(seconds: left, next)
            let progress = folder.tree(folder.progress)
            report.outcomes.merge(FuzzOutcomes(progress?["outcomes"]))
            if case .object(let numbers)? = progress?["next"] {
                for member in numbers {
                    next[String(decoding: member.key, as: UTF8.self)] = member.value.plain.flatMap { UInt64($0) }
                }
            }
            try? FileManager.default.removeItem(atPath: folder.progress)
            if exit.isSuccess, !isHanging { break }
            if isHanging { report.hangs += 1 } else { report.traps += 1 }
            guard let input = try? RecordedInput(path: folder.current) else {
                throw FuzzFault("the worker ended with \(exit) before its first iteration: \(lastErrors())")
            }
            saveFinding(input, isHanging ? "ran for \(maximumWait / 1_000) s" : "\(exit)")
            next[input.target] = input.iteration + 1
        } while clock.now < end && report.traps + report.hangs < Self.maximumTraps
        report.findings = folder.findings
        return report
    }

    private func runChild(seconds: Double, _ next: [String: UInt64]) throws -> (ProcessExit, isHanging: Bool) {
        let numbers = next.sorted { $0.key < $1.key }.flatMap { ["--next", "\($0.key)=\($0.value)"] }
        let child = try ChildProcess(
            executable,
            ["worker", "--seed", String(seed), "--seconds", String(seconds), "--out", folder.path]
                + ["--runner", String(getpid())] + numbers
                + arguments,
            environment: ["SWIFT_BACKTRACE": "enable=yes,color=no,interactive=no,threads=crashed,images=none,limit=24"],
            output: .null,
            errors: .file(folder.errors)
        )
        let began = Date()
        while true {
            if let exit = child.wait(timeout: .milliseconds(500)) { return (exit, false) }
            let last = folder.modified(folder.current) ?? began
            guard Date().timeIntervalSince(max(last, began)) * 1_000 > Double(maximumWait) else { continue }
            child.send(SIGABRT)
            // Waits for the last output of the child, if there is any.
            if let exit = child.wait(timeout: .seconds(10)) { return (exit, true) }
            child.kill()
            return (child.wait() ?? .exited(1), true)
        }
    }

    private func lastErrors() -> String {
        let data = (try? Data(contentsOf: URL(fileURLWithPath: folder.errors))) ?? Data()
        return String(decoding: data.suffix(8_000), as: UTF8.self)
    }

    private func saveFinding(_ input: RecordedInput, _ reason: String) {
        let name = folder.finding(input.target, seed, input.iteration)
        try? FileManager.default.removeItem(atPath: name + ".jsonl")
        try? FileManager.default.copyItem(atPath: folder.current, toPath: name + ".jsonl")
        let text = "seed \(seed), iteration \(input.iteration): \(reason)\n\(lastErrors())\n"
        try? Data(text.utf8).write(to: URL(fileURLWithPath: name + ".txt"))
    }

    /// Removes steps of a recorded input for as long as it fails, and writes the remaining steps beside it.
    ///
    /// - Returns: The new file, its number of steps, and the original number of steps.
    /// - Complexity: O(*n* log *n*) runs in the number of steps; ends after `seconds`.
    func shrink(_ path: String, seconds: Double) throws -> (path: String, steps: Int, originalSteps: Int) {
        let input = try RecordedInput(path: path)
        let header: JSONTree = ["target": .text(input.target), "seed": 0, "iteration": 0]
        let small = (path.hasSuffix(".jsonl") ? String(path.dropLast(6)) : path) + ".small.jsonl"
        func write(_ steps: [JSONTree], to path: String) throws {
            var bytes: [UInt8] = []
            for tree in [header] + steps { bytes += tree.bytes + [UInt8(ascii: "\n")] }
            try Data(bytes).write(to: URL(fileURLWithPath: path))
        }
        func fails(_ steps: [JSONTree]) throws -> Bool {
            try write(steps, to: folder.path + "/trial.jsonl")
            let child = try ChildProcess(
                executable,
                ["replay", folder.path + "/trial.jsonl", "--out", folder.path] + arguments,
                environment: ["SWIFT_BACKTRACE": "enable=no"],
                output: .null,
                errors: .null
            )
            guard let exit = child.wait(timeout: .milliseconds(maximumWait)) else {
                child.kill()
                _ = child.wait()
                return true
            }
            return !exit.isSuccess
        }
        var steps = input.steps
        guard try fails(steps) else { throw FuzzFault("\(path) does not fail when it is replayed") }
        let clock = ContinuousClock()
        let end = clock.now + .seconds(seconds)
        var size = max(1, steps.count / 2)
        while clock.now < end {
            var index = 0
            var isSmaller = false
            while index < steps.count, clock.now < end {
                var fewer = steps
                fewer.removeSubrange(index..<min(steps.count, index + size))
                if try fails(fewer) {
                    steps = fewer
                    isSmaller = true
                } else {
                    index += size
                }
            }
            if size == 1, !isSmaller { break }
            size = max(1, size / 2)
        }
        try write(steps, to: small)
        return (small, steps.count, input.steps.count)
    }
}
