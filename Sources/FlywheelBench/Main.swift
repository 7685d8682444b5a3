import Arguments
import Foundation

/// The `flywheel-bench` command: figures to compare, each beside what it is compared with.
@main
struct FlywheelBench {
    static let root = CommandSpecification(
        "flywheel-bench",
        summary: "measures what Flywheel does",
        subcommands: [
            AcquisitionBenchmark.specification, SelectionBenchmark.specification, IntakeBenchmark.specification,
            LiveBenchmark.specification, IntakeMode.specification, LiveWorker.specification,
        ]
    )

    /// Exit codes: 0 ok, 1 failed, 2 usage.
    static func main() {
        do {
            switch try ArgumentParser(root).parse(Array(CommandLine.arguments.dropFirst())) {
            case .help(let text): print(text)
            case .run(let arguments):
                switch arguments.path.last {
                case "selection": try SelectionBenchmark(arguments).run(printsJSON: arguments.flag("json"))
                case "intake-mode": try IntakeMode(arguments).run()
                case "live-worker": try LiveWorker(arguments).run()
                case "intake": try IntakeBenchmark(arguments).run(printsJSON: arguments.flag("json"))
                case "live": try LiveBenchmark(arguments).run(printsJSON: arguments.flag("json"))
                default: try AcquisitionBenchmark(arguments).run(printsJSON: arguments.flag("json"))
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
