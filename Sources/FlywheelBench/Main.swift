import Arguments
import Foundation

/// The `flywheel-bench` command: it measures Flywheel, each figure beside one to compare it with.
@main
struct FlywheelBench {
    static let root = CommandSpecification(
        "flywheel-bench",
        summary: "measures what Flywheel does",
        subcommands: [
            AcquisitionBenchmark.specification, RareBenchmark.specification, SelectionBenchmark.specification,
            StreamBenchmark.specification, RollbackBenchmark.specification,
            IntakeBenchmark.specification, LiveBenchmark.specification, LoopBenchmark.specification,
            StageBenchmark.specification, JournalBenchmark.specification, RestoreBenchmark.specification,
            DatasetBenchmark.specification, JudgementBenchmark.specification, RolloutBenchmark.specification,
            IntakeMode.specification, LiveWorker.specification, DatasetMode.specification,
        ]
    )

    /// Exit codes: 0 ok, 1 failed, 2 usage.
    static func main() {
        do {
            switch try ArgumentParser(root).parse(Array(CommandLine.arguments.dropFirst())) {
            case .help(let text): print(text)
            case .run(let arguments):
                switch arguments.path.last {
                case "acquisition": try AcquisitionBenchmark(arguments).run(printsJSON: arguments.flag("json"))
                case "rollback": try RollbackBenchmark(arguments).run(printsJSON: arguments.flag("json"))
                case "rollout": try RolloutBenchmark(arguments).run(printsJSON: arguments.flag("json"))
                case "rare": try RareBenchmark(arguments).run()
                case "stream": try StreamBenchmark(arguments).run(printsJSON: arguments.flag("json"))
                case "selection": try SelectionBenchmark(arguments).run(printsJSON: arguments.flag("json"))
                case "intake": try IntakeBenchmark(arguments).run(printsJSON: arguments.flag("json"))
                case "live": try LiveBenchmark(arguments).run(printsJSON: arguments.flag("json"))
                case "loop": try LoopBenchmark(arguments).run(printsJSON: arguments.flag("json"))
                case "stage": try StageBenchmark(arguments).run(printsJSON: arguments.flag("json"))
                case "journal": try JournalBenchmark(arguments).run(printsJSON: arguments.flag("json"))
                case "restore": try RestoreBenchmark(arguments).run(printsJSON: arguments.flag("json"))
                case "dataset": try DatasetBenchmark(arguments).run(printsJSON: arguments.flag("json"))
                case "judgement": try JudgementBenchmark(arguments).run(printsJSON: arguments.flag("json"))
                case "dataset-mode": try DatasetMode(arguments).run()
                case "intake-mode": try IntakeMode(arguments).run()
                case "live-worker": try LiveWorker(arguments).run()
                default: throw ArgumentsError("which command?", command: arguments.path.joined(separator: " "))
                }
            }
        } catch let error as ArgumentsError {
            complain(error)
            exit(2)
        } catch {
            complain(error)
            exit(1)
        }
    }

    private static func complain(_ error: any Error) {
        FileHandle.standardError.write(Data("flywheel-bench: \(error)\n".utf8))
    }
}
