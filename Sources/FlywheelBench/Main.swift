import Arguments
import Foundation

/// The `flywheel-bench` command: figures to compare, each beside what it is compared with.
@main
struct FlywheelBench {
    static let root = CommandSpecification(
        "flywheel-bench",
        summary: "measures what Flywheel does",
        subcommands: [AcquisitionBenchmark.specification, SelectionBenchmark.specification]
    )

    /// Exit codes: 0 ok, 1 failed, 2 usage.
    static func main() {
        do {
            switch try ArgumentParser(root).parse(Array(CommandLine.arguments.dropFirst())) {
            case .help(let text): print(text)
            case .run(let arguments) where arguments.path.last == SelectionBenchmark.specification.name:
                try SelectionBenchmark(arguments).run(printsJSON: arguments.flag("json"))
            case .run(let arguments):
                try AcquisitionBenchmark(arguments).run(printsJSON: arguments.flag("json"))
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
