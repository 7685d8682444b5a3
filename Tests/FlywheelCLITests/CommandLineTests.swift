import Arguments
import Fuzzing
import Statistics
import Testing

@testable import FlywheelCLI

@Suite("Random command lines")
struct CommandLineTests {
    @Test(
        "Every command line is accepted, answered with help, or refused with a reference to the help",
        arguments: 1...8 as ClosedRange<UInt64>
    )
    func lines(seed: UInt64) throws {
        var generator = SplitMix64(seed: seed)
        let words = Self.words(CommandLineSpecification.root)
        var (accepted, helped, refused) = (0, 0, 0)
        for _ in 0..<1_500 {
            var line = generator.chance(0.7) ? generator.pick(Self.paths(CommandLineSpecification.root)) : []
            for _ in 0..<generator.size(below: 10) {
                let word = generator.chance(0.7) ? generator.pick(words) : generator.pick(Extremes.words)
                line.insert(generator.chance(0.2) ? "\(word)=\(generator.pick(Extremes.words))" : word, at: line.count)
            }
            do throws(ArgumentsError) {
                switch try ArgumentParser(CommandLineSpecification.root).parse(line) {
                case .help: helped += 1
                case .run(let arguments):
                    accepted += 1
                    #expect(arguments.path.first == "flywheel")
                }
            } catch {
                refused += 1
                #expect(error.description.contains("--help'"), "seed \(seed): \(line)")
            }
        }
        #expect(accepted > 0 && helped > 0 && refused > 0, "seed \(seed): \(accepted), \(helped), \(refused)")
    }

    private static func words(_ command: CommandSpecification) -> [String] {
        command.options.map { "--\($0.name)" } + command.subcommands.flatMap { [$0.name] + words($0) }
            + ["--", "--help", "-", "x"]
    }

    private static func paths(_ command: CommandSpecification) -> [[String]] {
        [[]] + command.subcommands.flatMap { sub in paths(sub).map { [sub.name] + $0 } }
    }
}
