import Foundation
import Fuzzing

/// The `flywheel-fuzz` command: feeds input that no client should send to every part that reads input.
@main
struct FlywheelFuzz {
    static func targets(_ corpus: Corpus, _ folder: String) throws -> [any FuzzTarget] {
        try [
            TopicsTarget(corpus: corpus, folder: folder), DeadLettersTarget(corpus: corpus, folder: folder),
            HTTPTarget(), CommandLineTarget(folder: folder),
        ] + CodecTargets.all(corpus)
    }

    static func main() {
        let command = FuzzCommand("flywheel-fuzz", targets: targets)
        exit(command.main(Array(CommandLine.arguments.dropFirst())))
    }
}
