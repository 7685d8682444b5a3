import Arguments
import Demo
internal import Events
import Foundation
import KafkaClient
import Processes
import Storage
import Worker

/// `flywheel demo` and the participants that it starts.
enum DemoCommand {
    static func run(_ arguments: ParsedArguments) throws -> Bool {
        let seeds = try seeds(arguments)
        let options = DemoOptions(
            isQuick: arguments.flag("quick"),
            seeds: seeds,
            printsJSON: arguments.flag("json"),
            bootstrap: arguments.string("bootstrap"),
            brokerKind: arguments.string("broker-kind"),
            folder: arguments.string("out").map(WorkerFile.absolute) ?? WorkerFile.absolute("demo-out"),
            executable: executable,
            isTruthPermuted: arguments.flag("permute-truth"),
            duration: try arguments.double("duration", in: 20...86_400),
            store: try store(arguments)
        )
        if let bootstrap = options.bootstrap { try KafkaConnection.require(KafkaProperties(bootstrap: bootstrap)) }
        let stop = StopFlag()
        let trap = SignalTrap([SIGTERM, SIGINT]) { _ in stop.raise() }
        defer { trap.cancel() }
        let json = try Demo(options: options, stop: stop).run()
        if options.printsJSON { Terminal.show(json) }
        return !stop.isRaised
    }

    /// Returns the URI of a store in a bucket, if its client can be created; nil if no store is given.
    private static func store(_ arguments: ParsedArguments) throws -> String? {
        guard let text = arguments.string("store") else { return nil }
        guard case .bucket(let uri) = try StoreLocation(text) else {
            throw ArgumentsError("--store: expected s3://BUCKET/PREFIX, found \"\(text)\"", command: "flywheel demo")
        }
        _ = try StoreLocation.client(DemoOptions.buckets)
        return uri.description
    }

    private static func seeds(_ arguments: ParsedArguments) throws -> [UInt64] {
        guard let range = arguments.string("seeds") else {
            return [UInt64(try arguments.int("seed", in: 0...Int.max) ?? 1)]
        }
        let parts = range.components(separatedBy: "...").compactMap { UInt64($0) }
        guard parts.count == 2, parts[0] <= parts[1], parts[1] - parts[0] < 1_000 else {
            throw ArgumentsError(
                "--seeds: expected A...B with A <= B, as in 1...5, found \"\(range)\"",
                command: "flywheel demo"
            )
        }
        return Array(parts[0]...parts[1])
    }

    private static var executable: String {
        (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
    }

    static func product(_ arguments: ParsedArguments) throws -> Bool {
        let configuration = try WorkerFile.connected(arguments)
        let (stop, shipBroken) = (StopFlag(), StopFlag())
        let trap = SignalTrap([SIGTERM, SIGINT, SIGUSR1]) { signal in
            if signal == SIGUSR1 { shipBroken.raise() } else { stop.raise() }
        }
        defer { trap.cancel() }
        let options = ProductService.Options(
            kafka: configuration.kafka,
            prefix: configuration.topics.prefix,
            projects: arguments.strings("project"),
            seed: UInt64(try arguments.int("seed", in: 0...Int.max) ?? 1),
            rate: try arguments.int("rate", in: 1...100_000) ?? 300,
            ledger: arguments.string("ledger")
        )
        try ProductService(options: options, stop: stop, shipBroken: shipBroken).run()
        return true
    }

    static func labelTool(_ arguments: ParsedArguments) throws -> Bool {
        let configuration = try WorkerFile.connected(arguments)
        let stop = StopFlag()
        let trap = SignalTrap([SIGTERM, SIGINT]) { _ in stop.raise() }
        defer { trap.cancel() }
        let options = LabelTool.Options(
            kafka: configuration.kafka,
            prefix: configuration.topics.prefix,
            seed: UInt64(try arguments.int("seed", in: 0...Int.max) ?? 1),
            meanAnswerTime: try arguments.double("pace", in: 1...3_600_000) ?? 500,
            isTruthPermuted: arguments.flag("permute-truth"),
            ledger: arguments.string("ledger")
        )
        try LabelTool(options: options, stop: stop).run()
        return true
    }
}
