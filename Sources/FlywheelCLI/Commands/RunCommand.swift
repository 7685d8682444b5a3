import Arguments
import Console
import EngineCore
import Foundation
import KafkaClient
import KafkaTransport
import Processes
import ProjectFiles
import Telemetry
import Worker

/// `flywheel run`.
enum RunCommand {
    static func run(_ arguments: ParsedArguments) throws -> Bool {
        var configuration = try WorkerFile.configuration(arguments, for: .worker)
        if let roles = arguments.string("roles") { configuration.roles = try parse(roles, arguments) }
        if let instance = arguments.string("instance") { configuration.instance = instance }
        if let store = arguments.string("store") { configuration.storePath = store }
        if let artifacts = arguments.string("artifacts") { configuration.artifactsPath = artifacts }
        if let state = arguments.string("state") { configuration.statePath = state }
        if let host = arguments.string("host") { configuration.consoleHost = host }
        if let port = try arguments.int("port", in: 0...65_535) { configuration.consolePort = UInt16(port) }
        if let port = try arguments.int("health-port", in: 0...65_535) { configuration.healthPort = UInt16(port) }
        let levelName = arguments.string("log-level") ?? "info"
        guard let level = LogLevel(rawValue: levelName) else {
            let names = LogLevel.allCases.map(\.rawValue).joined(separator: ", ")
            throw ArgumentsError(
                "--log-level: expected one of \(names), \(found(levelName))",
                command: "flywheel run"
            )
        }

        // Before an empty path would become the current folder.
        try WorkerCheck.require(configuration)
        configuration.storePath = WorkerFile.location(configuration.storePath)
        configuration.artifactsPath = WorkerFile.location(configuration.artifactsPath)
        configuration.artifactRoots = configuration.artifactRoots?.map(WorkerFile.absolute)
        if !configuration.statePath.isEmpty {
            configuration.statePath = WorkerFile.absolute(configuration.statePath)
        }
        // All of them are read before the first is applied.
        for file in arguments.strings("project") { _ = try ProjectFile.read(InputFile.contents(of: file), file: file) }

        let stop = StopFlag()
        let trap = SignalTrap([SIGTERM, SIGINT]) { _ in stop.raise() }
        defer { trap.cancel() }
        let logger = Logger(module: "worker", level: level, sink: StandardErrorSink())
        for caveat in KafkaCaveat.all(configuration.kafka) {
            logger.warning("configuration may not work", ["reason": .string(caveat.description)])
        }
        if !arguments.strings("project").isEmpty { try KafkaConnection.require(configuration.kafka) }
        for file in arguments.strings("project") {
            let outcome = try ProjectCommand.apply(file: file, configuration)
            logger.info("project applied", ["outcome": .string(outcome.message)])
        }
        if !configuration.tokens.isSecret, !Set(configuration.roles).isDisjoint(with: [.intake, .loop]) {
            logger.warning("neither salt nor tokens.secret: anybody can compute the tokens of tasks and requests")
        }
        let registry = MetricsRegistry()
        registry.gauge("flywheel_build_info", help: "The running build.", labels: ["version": Build.version]).set(1)
        let worker = Worker(configuration: configuration, logger: logger, registry: registry, stop: stop)
        logger.info(
            "starting",
            [
                "version": .string(Build.version), "instance": .string(configuration.instance),
                "roles": .string(configuration.roles.map(\.rawValue).joined(separator: ",")),
            ]
        )
        // An address that cannot be bound ends the start: a worker that its probes cannot reach would go unnoticed.
        var listeners: [ListenerThread] = []
        defer {
            stop.raise()
            for listener in listeners { listener.wait() }
        }
        if let port = configuration.healthPort {
            listeners.append(
                try ListenerThread(.health, port: port, worker: worker, registry: registry, logger: logger, stop: stop)
            )
        }
        if configuration.roles.contains(.console) {
            listeners.append(
                try ListenerThread(
                    .all,
                    port: configuration.consolePort,
                    worker: worker,
                    registry: registry,
                    logger: logger,
                    stop: stop
                )
            )
        }
        worker.run()
        // A worker with only the console has no other role to wait for.
        if Set(configuration.roles).isDisjoint(with: Worker.streamRoles) {
            while !stop.isRaised {
                worker.health.set(.console, .running, at: WallClock.now())
                WallClock.pause(100)
            }
        }
        stop.raise()
        for listener in listeners { listener.wait() }
        if let refusal = worker.refusal { throw refusal }
        logger.info("stopped")
        return true
    }

    private static func parse(_ text: String, _ arguments: ParsedArguments) throws -> [Role] {
        try text.split(separator: ",").map { name in
            guard let role = Role(rawValue: name.trimmingCharacters(in: .whitespaces)) else {
                throw ArgumentsError(
                    "--roles: expected some of \(Role.allCases.map(\.rawValue).joined(separator: ", ")), \(found(name))",
                    command: "flywheel run"
                )
            }
            return role
        }
    }
}
