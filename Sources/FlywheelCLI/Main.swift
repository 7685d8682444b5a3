import Arguments
import Configuration
import EngineCore
import Events
import Foundation
import KafkaClient
import Operations
import StreamRuntime
import Worker

/// The `flywheel` command.
@main
struct FlywheelCommand {
    /// Exit codes: 0 ok, 1 failed, 2 usage.
    static func main() {
        do {
            switch try CommandLineSpecification.parser.parse(Array(CommandLine.arguments.dropFirst())) {
            case .help(let text):
                Terminal.show(text)
                finish(true)
            case .run(let arguments):
                do { finish(try run(arguments)) } catch {
                    guard isForbidden(error) else { throw error }
                    let kafka = (try? WorkerFile.parsed(arguments, for: .connection))?.kafka ?? [:]
                    Terminal.complain("\(error); \(AccessRights.help(party(arguments), kafka))")
                    exit(1)
                }
            }
        } catch let error as ArgumentsError {
            Terminal.complain("\(error)")
            exit(2)
        } catch let error as ConfigurationError {
            Terminal.complain("\(error)")
            exit(1)
        } catch {
            Terminal.complain("\(error)")
            exit(1)
        }
    }

    /// Ends the process. A command whose output could not be written has failed.
    private static func finish(_ succeeded: Bool) -> Never {
        if let failure = Terminal.failure {
            Terminal.complain("standard output could not be written, \(failure): the output is incomplete")
            exit(1)
        }
        exit(succeeded ? 0 : 1)
    }

    /// Runs the command, and returns whether it succeeded.
    private static func run(_ arguments: ParsedArguments) throws -> Bool {
        switch arguments.path.dropFirst().joined(separator: " ") {
        case "run": try RunCommand.run(arguments)
        case "demo": try DemoCommand.run(arguments)
        case "participant product": try DemoCommand.product(arguments)
        case "participant label-tool": try DemoCommand.labelTool(arguments)
        case "topics create": try TopicsCommand.create(arguments)
        case "topics check": try TopicsCommand.check(arguments)
        case "topics acls": try TopicsCommand.acls(arguments)
        case "project apply": try ProjectCommand.apply(arguments)
        case "project list": try ProjectCommand.list(arguments)
        case "project show": try ProjectCommand.show(arguments)
        case "project resume": try ProjectCommand.resume(arguments)
        case "releases register": try ReleasesCommand.register(arguments)
        case "releases rollback": try ReleasesCommand.control(.rollBack, arguments)
        case "releases hold": try ReleasesCommand.control(.hold, arguments)
        case "releases unhold": try ReleasesCommand.control(.unhold, arguments)
        case "releases freeze": try ReleasesCommand.control(.freeze, arguments)
        case "releases unfreeze": try ReleasesCommand.control(.unfreeze, arguments)
        case "releases suppress": try ReleasesCommand.control(.suppress, arguments)
        case "releases unsuppress": try ReleasesCommand.control(.unsuppress, arguments)
        case "releases approve": try ReleasesCommand.approve(arguments)
        case "releases log": try ReleaseHistoryCommand.log(arguments)
        case "releases show": try ReleaseHistoryCommand.show(arguments)
        case "releases why": try ReleaseHistoryCommand.why(arguments)
        case "releases compare": try ReleaseHistoryCommand.compare(arguments)
        case "labels import": try LabelsCommand.importLabels(arguments)
        case "samples import": try SamplesCommand.importSamples(arguments)
        case "status": try StatusCommand.run(arguments)
        case "dataset log": try DatasetCommand.log(arguments)
        case "dataset show": try DatasetCommand.show(arguments)
        case "dataset verify": try DatasetCommand.verify(arguments)
        case "dataset pack": try DatasetCommand.pack(arguments)
        case "dataset gc": try DatasetCollectionCommand.run(arguments)
        case "dataset revise": try LabelChangeCommand.revise(arguments)
        case "dataset retract": try LabelChangeCommand.retract(arguments)
        case "dataset move": try LabelChangeCommand.move(arguments)
        case "explain": try ExplainCommand.run(arguments)
        case "replay": try ReplayCommand.run(arguments)
        case "dead-letters list": try DeadLettersCommand.list(arguments)
        case "dead-letters show": try DeadLettersCommand.show(arguments)
        case "dead-letters redrive": try RedriveCommand.run(arguments)
        case "check": try CheckCommand.run(arguments)
        case "config check": try ConfigCommand.check(arguments)
        case "config reference": try ConfigCommand.reference(arguments)
        default: throw ArgumentsError("which command?", command: arguments.path.joined(separator: " "))
        }
    }

    private static func isForbidden(_ error: any Error) -> Bool {
        (error as? KafkaError)?.isForbidden ?? (error as? StreamError)?.isForbidden ?? false
    }

    /// Returns the party whose rights a command needs.
    private static func party(_ arguments: ParsedArguments) -> Party {
        switch arguments.path.dropFirst().joined(separator: " ") {
        case "dataset log", "dataset show", "dataset verify", "dataset pack", "explain", "replay": .analyst
        case "dead-letters redrive": .redrive
        case "participant product": .productService
        case "participant label-tool": .labelTool
        default: .operator
        }
    }
}
