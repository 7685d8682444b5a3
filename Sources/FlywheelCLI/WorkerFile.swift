import Arguments
import Configuration
import Engine
import Events
import Foundation
import KafkaClient
import KafkaTransport

/// A worker's file, and the options that stand in for it.
///
/// - Configuration keys:
///   - `kafka` (map, optional): any librdkafka property; `bootstrap.servers` is needed here, as `--bootstrap` or in
///     `FLYWHEEL_BOOTSTRAP`. A value may be `${VARIABLE}` or `file:PATH`; that of a password or key must be.
///   - `topics.prefix` (string, default `flywheel.`)
///   - `instance` (string, default the host's name)
///   - `roles` (list, default intake, loop, materializer, console)
///   - `store.path` (string, default `flywheel-data/datasets`)
///   - `artifacts.path` (string, default `flywheel-data/artifacts`)
///   - `artifacts.roots` (list of folders, optional): artifacts of the scheme `file` must lie in one of them, links followed,
///     unless their project names their folder; Intake looks there whether they are there. Without it they may lie anywhere,
///     and Intake looks into `artifacts.path` alone.
///   - `state.path` (string, default `flywheel-data/state`): the loop's snapshots; empty for none.
///   - `console.host` (string, default `127.0.0.1`), `console.port` (int in 0...65535, default 8080)
///   - `console.health_port` (int in 0...65535, optional): health alone, on a port and a thread of its own.
///   - `salt` (secret, optional): stands before what is drawn by hash; the same for all workers.
///   - `tokens.secret` (secret of at least 16 bytes, or a list of two; default derived from the salt): under it the tokens of
///     tasks and training requests are made. Of two the first makes them and both are accepted. The same for all workers.
///   - `delivery.intake` (`exactly_once` or `at_least_once`, default `exactly_once`)
///   - `intake.threads` (int in 1...64, default one in two processors, 8 at most)
///   - `dead_letters.per_second` (int in 1...100000, default 1000): of the traffic; the others are counted.
///   - `entry_budget.predictions`, `.feedback`, `.annotations`, `.training_results`, `.commands`, `.dataset_versions` (int in
///     1...1000000000): journal entries that the topic's records may become in a project and an hour; `entry_budget.bytes`
///     (size in 1MiB...1024GiB, default 4GiB): bytes of them, each topic.
///   - `commit.intake` (duration in 10ms...2s, default 100ms), `commit.loop` (the same, default 50ms)
enum WorkerFile {
    static func read(_ path: String) throws -> WorkerConfiguration {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw EngineError("read \(path)", "there is no such file, or it may not be read")
        }
        let reader = try ConfigurationReader(
            yaml: [UInt8](data),
            file: path,
            environment: ProcessInfo.processInfo.environment
        )
        var worker = usual
        let properties = reader.secretMap("kafka", secrets: KafkaProperties.isSecret) { name, value in
            KafkaProperties.fault(of: name, value)
        }
        for (name, value) in properties { worker.kafka[name] = value.reveal() }
        worker.topics = TopicNames(prefix: reader.section("topics").string("prefix", default: worker.topics.prefix))
        worker.instance = reader.string("instance", default: worker.instance)
        let roles = reader.strings("roles", default: worker.roles.map(\.rawValue))
        worker.roles = roles.compactMap { name in
            if let role = Role(rawValue: name) { return role }
            reader.report("roles", "expected intake, loop, materializer, trainer or console, found \"\(name)\"")
            return nil
        }
        worker.storePath = reader.section("store").string("path", default: worker.storePath)
        let artifacts = reader.section("artifacts")
        worker.artifactsPath = artifacts.string("path", default: worker.artifactsPath)
        if artifacts.contains("roots") { worker.artifactRoots = artifacts.strings("roots", default: []) }
        worker.statePath = reader.section("state").string("path", default: worker.statePath)
        let console = reader.section("console")
        worker.consoleHost = console.string("host", default: worker.consoleHost)
        worker.consolePort = UInt16(console.int("port", default: Int(worker.consolePort), in: 0...65_535))
        if console.contains("health_port") {
            worker.healthPort = UInt16(console.int("health_port", default: 0, in: 0...65_535))
        }
        worker.salt = Array((reader.secret("salt")?.reveal() ?? "").utf8)
        let secrets = reader.section("tokens").secrets("secret", atMost: 2, of: 16).map { $0.reveal() }
        worker.tokenKeys = secrets.isEmpty ? nil : TokenKeys(secrets: secrets)
        let delivery = reader.section("delivery")
        worker.intakeDelivery = delivery.choice("intake", default: worker.intakeDelivery)
        worker.intakeThreads = reader.section("intake").int("threads", default: worker.intakeThreads, in: 1...64)
        worker.deadLettersPerSecond = reader.section("dead_letters")
            .int("per_second", default: worker.deadLettersPerSecond, in: 1...100_000)
        let budget = reader.section("entry_budget")
        for (topic, usual) in worker.entryLimits.entries.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            let key = topic.rawValue.replacing("-", with: "_")
            worker.entryLimits.entries[topic] = budget.int(key, default: usual, in: 1...1_000_000_000)
        }
        worker.entryLimits.bytes = budget.byteSize(
            "bytes",
            default: worker.entryLimits.bytes,
            in: 1 << 20...1 << 40
        )
        let commit = reader.section("commit")
        worker.intakeInterval = milliseconds(
            commit.duration("intake", default: .milliseconds(100), in: .milliseconds(10) ... .seconds(2))
        )
        worker.loopInterval = milliseconds(
            commit.duration("loop", default: .milliseconds(50), in: .milliseconds(10) ... .seconds(2))
        )
        try reader.finish()
        return worker
    }

    /// A worker without a file.
    private static var usual: WorkerConfiguration {
        WorkerConfiguration(
            kafka: KafkaProperties(),
            instance: defaultInstance,
            intakeThreads: WorkerConfiguration.usualThreads
        )
    }

    /// The host's name: two workers on different hosts never take each other's place.
    static var defaultInstance: String { ProcessInfo.processInfo.hostName }

    static func milliseconds(_ duration: Duration) -> Int64 {
        duration.components.seconds * 1_000 + duration.components.attoseconds / 1_000_000_000_000_000
    }

    /// The file of `--config`, if any, with the options in its place, once a broker has let us in.
    ///
    /// - Throws: What is wrong with a file or an option; why no broker lets us in, where one answers; and that none answers.
    static func connected(_ arguments: ParsedArguments) throws -> WorkerConfiguration {
        let worker = try configuration(arguments)
        try KafkaConnection.require(worker.kafka)
        return worker
    }

    /// The file of `--config`, if any, with the options in its place.
    static func configuration(_ arguments: ParsedArguments) throws -> WorkerConfiguration {
        let worker = try described(arguments)
        guard worker.kafka["bootstrap.servers"] != nil else {
            throw ArgumentsError(
                "which brokers? give --bootstrap HOST:PORT, --config FILE with kafka.bootstrap.servers, or FLYWHEEL_BOOTSTRAP",
                command: arguments.path.joined(separator: " ")
            )
        }
        return worker
    }

    /// The same, of a cluster that need not be named.
    static func described(_ arguments: ParsedArguments) throws -> WorkerConfiguration {
        var worker =
            try arguments.string("config").map { try read($0) }
            ?? usual
        if worker.salt.isEmpty {
            worker.salt = Array((ProcessInfo.processInfo.environment["FLYWHEEL_SALT"] ?? "").utf8)
        }
        if let bootstrap = arguments.string("bootstrap") { worker.kafka["bootstrap.servers"] = bootstrap }
        if worker.kafka["bootstrap.servers"] == nil,
            let bootstrap = ProcessInfo.processInfo.environment["FLYWHEEL_BOOTSTRAP"], !bootstrap.isEmpty
        {
            worker.kafka["bootstrap.servers"] = bootstrap
        }
        if let prefix = arguments.string("prefix") { worker.topics = TopicNames(prefix: prefix) }
        for property in arguments.strings("kafka") {
            guard let cut = property.firstIndex(of: "="), cut > property.startIndex else {
                throw ArgumentsError(
                    "--kafka: expected NAME=VALUE, found \"\(property)\"",
                    command: arguments.path.joined(separator: " ")
                )
            }
            let (name, value) = (String(property[..<cut]), String(property[property.index(after: cut)...]))
            if let fault = KafkaProperties.fault(of: name, value) {
                throw ArgumentsError("--kafka: \(fault)", command: arguments.path.joined(separator: " "))
            }
            worker.kafka[name] = value
        }
        return worker
    }

    static func absolute(_ path: String) -> String { URL(fileURLWithPath: path).standardizedFileURL.path }
}
