internal import Arguments
internal import Foundation
internal import Statistics

/// The command line of a fuzzing program; programs differ in their targets only.
public struct FuzzCommand {
    private let name: String
    private let makeTargets: (Corpus, String) throws -> [any FuzzTarget]

    /// Creates a command; `makeTargets` receives the corpus and a folder to work in.
    public init(_ name: String, targets makeTargets: @escaping (Corpus, String) throws -> [any FuzzTarget]) {
        self.name = name
        self.makeTargets = makeTargets
    }

    private var specification: CommandSpecification {
        let common: [OptionSpecification] = [
            .option("schemas", "DIR", help: "folder of the golden files", defaultValue: "schemas"),
            .option("out", "DIR", help: "folder for findings and work files", defaultValue: ".build/fuzz"),
            .repeated("target", "NAME", help: "run only this target"),
            .option("patience", "MS", help: "how long one iteration may take", defaultValue: "120000"),
        ]
        let length: [OptionSpecification] = [
            .option("seconds", "S", help: "length of the run", defaultValue: "60"),
            .option("seed", "N", help: "seed of all inputs", defaultValue: "7"),
        ]
        return CommandSpecification(
            name,
            summary: "feeds malformed and hostile input to everything that reads input",
            subcommands: [
                CommandSpecification("run", summary: "fuzz, and print what was found", options: common + length),
                CommandSpecification(
                    "worker",
                    summary: "fuzz in this process; run starts it",
                    options: common + length + [
                        .repeated("next", "TARGET=N", help: "the target's first iteration"),
                        .option("runner", "PID", help: "end when this process, which started us, has ended"),
                    ]
                ),
                CommandSpecification(
                    "once",
                    summary: "run one iteration in this process",
                    options: common + length
                        + [.option("iteration", "N", help: "which", isRequired: true)]
                ),
                CommandSpecification(
                    "replay",
                    summary: "give recorded inputs to their targets again",
                    options: common,
                    positionals: [PositionalSpecification("FILE", help: "a recorded input", isRepeated: true)]
                ),
                CommandSpecification(
                    "shrink",
                    summary: "leave out steps of a recorded input for as long as it fails",
                    options: common + length,
                    positionals: [PositionalSpecification("FILE", help: "a recorded input")]
                ),
            ]
        )
    }

    /// Runs the command and returns its exit code: 0 if nothing was found, 1 if something was found or failed, 2 for
    /// wrong usage.
    public func main(_ words: [String]) -> Int32 {
        do {
            switch try ArgumentParser(specification).parse(words) {
            case .help(let text): print(text)
            case .run(let arguments): return try run(arguments) ? 0 : 1
            }
            return 0
        } catch let error as ArgumentsError {
            complain("\(error)")
            return 2
        } catch {
            complain("\(error)")
            return 1
        }
    }

    private func complain(_ text: String) { FileHandle.standardError.write(Data("\(name): \(text)\n".utf8)) }

    private func run(_ arguments: ParsedArguments) throws -> Bool {
        let folder = try FuzzFolder(path: try arguments.requiredString("out"))
        switch arguments.path.last {
        case "run": return try supervise(arguments, folder)
        case "worker":
            var next: [String: UInt64] = [:]
            for word in arguments.strings("next") {
                let parts = word.split(separator: "=")
                if parts.count == 2 { next[String(parts[0])] = UInt64(parts[1]) }
            }
            let targets = try targets(arguments, folder)
            if let runner = try arguments.int("runner", in: 1...Int(Int32.max)) {
                FuzzWorker.exitWhenOrphaned(by: Int32(runner))
            }
            var worker = FuzzWorker(targets: targets, folder: folder, seed: try seed(arguments), next: next)
            try worker.run(seconds: try seconds(arguments))
            return true
        case "once":
            let iteration = UInt64(try arguments.int("iteration", in: 0...Int.max) ?? 0)
            for target in try targets(arguments, folder) {
                var outcomes = FuzzOutcomes()
                let recorder = try InputRecorder(path: folder.current)
                let seed = try seed(arguments)
                recorder.begin(target.name, seed: seed, iteration: iteration)
                var generator = SplitMix64(seed: seed, target: target.name, iteration: iteration)
                try target.run(&generator, recorder, &outcomes)
                show(outcomes.tree)
            }
            return true
        case "replay":
            let targets = try targets(arguments, folder)
            for path in arguments.repeatedPositional("FILE") {
                var outcomes = FuzzOutcomes()
                try Self.replay(path, targets, &outcomes)
                show(outcomes.tree)
            }
            return true
        default:
            let runner = try runner(arguments, folder)
            let result = try runner.shrink(try arguments.requiredPositional("FILE"), seconds: try seconds(arguments))
            show([
                "file": .text(result.path), "steps": .word("\(result.steps)"), "of": .word("\(result.originalSteps)"),
            ])
            return true
        }
    }

    /// Passes a recorded input to its target.
    ///
    /// - Throws: The error of the target, or `FuzzFault` if there is no such target.
    public static func replay(_ path: String, _ targets: [any FuzzTarget], _ outcomes: inout FuzzOutcomes) throws {
        let input = try RecordedInput(path: path)
        guard let target = targets.first(where: { $0.name == input.target }) else {
            throw FuzzFault("\(path): there is no target \(input.target)")
        }
        try target.replay(input.steps, &outcomes)
    }

    private func seed(_ arguments: ParsedArguments) throws -> UInt64 {
        UInt64(try arguments.int("seed", in: 0...Int.max) ?? 7)
    }

    private func seconds(_ arguments: ParsedArguments) throws -> Double {
        guard let seconds = Double(try arguments.requiredString("seconds")), (0...1e6).contains(seconds) else {
            throw ArgumentsError("option --seconds: expected 0...1000000", command: name)
        }
        return seconds
    }

    private func targets(_ arguments: ParsedArguments, _ folder: FuzzFolder) throws -> [any FuzzTarget] {
        let corpus = try Corpus(folder: try arguments.requiredString("schemas"))
        let all = try makeTargets(corpus, folder.path)
        let wanted = arguments.strings("target")
        if wanted == [PlantedTarget().name] { return [PlantedTarget()] }
        for name in wanted where !all.contains(where: { $0.name == name }) {
            let names = all.map(\.name).joined(separator: ", ")
            throw ArgumentsError("option --target: expected one of \(names), found '\(name)'", command: self.name)
        }
        return wanted.isEmpty ? all : all.filter { wanted.contains($0.name) }
    }

    private func runner(_ arguments: ParsedArguments, _ folder: FuzzFolder) throws -> FuzzRunner {
        FuzzRunner(
            executable: "/proc/self/exe",
            arguments: ["--schemas", try arguments.requiredString("schemas")]
                + arguments.strings("target").flatMap { ["--target", $0] },
            folder: folder,
            seed: try seed(arguments),
            maximumWait: Int64(try arguments.int("patience", in: 1...86_400_000) ?? 120_000)
        )
    }

    private func supervise(_ arguments: ParsedArguments, _ folder: FuzzFolder) throws -> Bool {
        let seconds = try seconds(arguments)
        let report = try runner(arguments, folder).run(seconds: seconds)
        for name in report.findings {
            let reason =
                (try? String(contentsOfFile: "\(folder.path)/findings/\(name.dropLast(6)).txt", encoding: .utf8))
            complain("found \(folder.path)/findings/\(name): \(reason?.prefix(2_000) ?? "")")
        }
        var line: [JSONTree.Member] = [
            .init("seed", .word(String(try seed(arguments)))), .init("seconds", .word(String(seconds))),
            .init("records", .word(String(report.outcomes["records", "sent"]))),
            .init("inputs", .word(String((report.outcomes.counts["inputs"] ?? [:]).values.reduce(0, +)))),
            .init("traps", .word(String(report.traps))), .init("hangs", .word(String(report.hangs))),
            .init("faults", .word(String(report.faults))),
            .init("ledger", .word(String(report.outcomes["ledger", "wrong"]))),
        ]
        line.append(.init("reached", report.outcomes.tree))
        line.append(.init("findings", .array(report.findings.map { .text($0) })))
        show(.object(line))
        return report.isClean
    }

    private func show(_ tree: JSONTree) { print(String(decoding: tree.bytes, as: UTF8.self)) }
}
