import Foundation
import Fuzzing

/// The `flywheel-fuzz-codecs` command: what reads bytes, and nothing that keeps state. Small, so that sanitizers build it fast.
@main
struct FlywheelFuzzCodecs {
    static func main() {
        let command = FuzzCommand("flywheel-fuzz-codecs") { corpus, _ in try CodecTargets.all(corpus) }
        exit(command.main(Array(CommandLine.arguments.dropFirst())))
    }
}
