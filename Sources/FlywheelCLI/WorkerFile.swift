import Arguments
import Configuration
import EngineCore
import Events
import Foundation
import Intake
import KafkaClient
import KafkaTransport
import S3
import Worker

/// A worker's file, and the options that replace its values. `docs/reference/worker.md` has every key.
enum WorkerFile {
    /// Use of the file by a command, which determines the secrets and folders that must exist.
    enum Use {
        /// The command contacts no broker.
        case offline
        /// The command contacts brokers.
        case connection
        /// The command contacts no broker, and reads dataset versions.
        case store
        /// The command runs a worker, or checks the file for one.
        case worker
    }

    /// Reads a worker's file.
    ///
    /// - Parameters:
    ///   - path: Path of the file.
    ///   - use: Use of the file, which determines what is checked.
    ///   - replaced: Keys whose values options replace, so that these are not checked.
    /// - Returns: The values, with the defaults of keys that the file lacks.
    /// - Throws: `ConfigurationError` with all faults of values, in the order of lines; `EngineError` if the file
    ///   cannot be read.
    static func read(_ path: String, for use: Use, replaced: Set<String> = []) throws -> WorkerConfiguration {
        let reader = try ConfigurationReader(
            yaml: InputFile.contents(of: path),
            file: path,
            environment: ProcessInfo.processInfo.environment
        )
        let keys = WorkerKeys(reader)
        let worker = configuration(keys, for: use)
        for (key, fault) in WorkerCheck.faultsOfValues(in: worker) where !replaced.contains(key) {
            // All commands name topics; the rest matters to a worker alone.
            guard use == .worker || key == "topics.prefix" else { continue }
            keys.report(key, fault)
        }
        try reader.finish()
        return worker
    }

    /// Returns a page in Markdown with every key, its possible values, default and meaning; reads an empty file for it.
    static func reference() throws -> String {
        let keys = WorkerKeys(try ConfigurationReader(yaml: [], file: ""))
        _ = configuration(keys, for: .offline)
        return keys.page
    }

    static func configuration(_ keys: WorkerKeys, for use: Use) -> WorkerConfiguration {
        var worker = defaults
        let properties = keys.properties(
            "kafka",
            isNeeded: use == .connection || use == .worker,
            secrets: KafkaProperties.isSecret,
            fault: { name, value in
                name == "bootstrap.servers" && value.isEmpty
                    ? "expected HOST:PORT, found nothing" : KafkaProperties.fault(of: name, value)
            },
            "Any property of librdkafka. `bootstrap.servers` is required: here, as `--bootstrap` or in `FLYWHEEL_BOOTSTRAP`. Passwords, keys and client secrets must be references."
        )
        for (name, value) in properties { worker.kafka[name] = value.reveal() }
        worker.topics = TopicNames(
            prefix: keys.text(
                "topics.prefix",
                worker.topics.prefix,
                "Prefix of the names of topics, groups and transactional ids."
            )
        )
        worker.instance = keys.text(
            "instance",
            worker.instance,
            shown: "the host's name",
            "Name of the worker, which no other worker has; a restarted worker keeps it."
        )
        worker.roles = keys.choices("roles", worker.roles, "Roles that the worker runs.")
        worker.storePath = keys.text("store.path", worker.storePath, "Folder of the dataset versions.")
        worker.storePath =
            keys.storeURL(
                "store.url",
                insteadOf: "path",
                "Location of the dataset versions, instead of `store.path`; only one of the two keys may be given."
            )
            ?? worker.storePath
        worker.storeCompression = keys.choice(
            "store.compression",
            worker.storeCompression,
            "Compression of files of labels that are written to the store; both kinds of files are read, and ids do not depend on it."
        )
        worker.artifactsPath = keys.text(
            "artifacts.path",
            worker.artifactsPath,
            "Folder in which the built-in trainer stores its models."
        )
        worker.artifactsPath =
            keys.storeURL(
                "artifacts.url",
                insteadOf: "path",
                "Location of the built-in trainer's models, instead of `artifacts.path`; only one of the two keys may be given."
            )
            ?? worker.artifactsPath
        readBuckets(keys, &worker, for: use)
        worker.artifactRoots = keys.folders(
            "artifacts.roots",
            areChecked: use == .worker,
            "Folders in which artifacts of the scheme `file` must be, with links followed, unless their project names their folder; Intake checks whether they exist there. Without the key artifacts may be anywhere, and Intake checks `artifacts.path` only."
        )
        worker.statePath = keys.text(
            "state.path",
            worker.statePath,
            "Folder in which the loop stores its snapshots; an empty text turns snapshots off."
        )
        readConsole(keys, &worker)
        readSecrets(keys, &worker, for: use)
        worker.intakeDelivery = keys.choice(
            "delivery.intake",
            worker.intakeDelivery,
            "Delivery guarantee for what Intake writes. With `at_least_once` input may be read again after a fault, and its output written twice."
        )
        worker.intakeThreads = keys.integer(
            "intake.threads",
            worker.intakeThreads,
            in: 1...64,
            shown: "one for every two processors, at most 8",
            "Threads of Intake, each a member of its group."
        )
        readLimits(keys, &worker)
        let commit: ClosedRange<Int64> = 10...2_000
        let meaning = "Time from the first record of a transaction to its commit"
        worker.intakeInterval = keys.duration(
            "commit.intake",
            worker.intakeInterval,
            in: commit,
            "\(meaning), in Intake."
        )
        worker.loopInterval = keys.duration("commit.loop", worker.loopInterval, in: commit, "\(meaning), in the loop.")
        return worker
    }

    private static func readBuckets(_ keys: WorkerKeys, _ worker: inout WorkerConfiguration, for use: Use) {
        let endpoint = keys.text(
            "s3.endpoint",
            "",
            shown: "the variable `AWS_ENDPOINT_URL_S3`, else `AWS_ENDPOINT_URL`, else Amazon's in the region",
            "Address of the service with the buckets: `http://` or `https://`, host and port."
        )
        if !endpoint.isEmpty { worker.s3.endpoint = endpoint }
        let region = keys.text(
            "s3.region",
            "",
            shown: "the variable `AWS_REGION`, else `AWS_DEFAULT_REGION`, else us-east-1",
            "Region of the buckets."
        )
        if !region.isEmpty { worker.s3.region = region }
        worker.s3.style = keys.choice(
            "s3.style",
            worker.s3.style,
            "Position of the bucket's name in a URL: before the host's name (`host`) or at the beginning of the path (`path`); `auto` is `host` for Amazon and `path` otherwise."
        )
        let locations =
            use == .worker ? [worker.storePath, worker.artifactsPath] : use == .store ? [worker.storePath] : []
        let isNeeded = locations.contains { $0.lowercased().hasPrefix("s3:") }
        let access = keys.secret(
            "s3.access_key",
            isNeeded: isNeeded,
            shown: "the variable `AWS_ACCESS_KEY_ID`",
            "Id of the access key, set together with `secret_key`; then none of the credentials is taken from the environment."
        )
        let secret = keys.secret(
            "s3.secret_key",
            isNeeded: isNeeded,
            shown: "the variable `AWS_SECRET_ACCESS_KEY`",
            "Secret access key, which signs the requests."
        )
        let token = keys.secret(
            "s3.session_token",
            isNeeded: isNeeded,
            shown: "the variable `AWS_SESSION_TOKEN`, else none",
            "Session token of temporary credentials. A worker reads credentials when it starts."
        )
        guard access != nil || secret != nil || token != nil else { return }
        worker.s3.replaceCredentials(
            accessKey: access?.reveal(),
            secretKey: secret?.reveal(),
            sessionToken: token?.reveal()
        )
    }

    private static func readConsole(_ keys: WorkerKeys, _ worker: inout WorkerConfiguration) {
        worker.consoleHost = keys.text(
            "console.host",
            worker.consoleHost,
            "IPv4 address, in digits, at which health, metrics and their index are served."
        )
        worker.consolePort = UInt16(
            keys.integer(
                "console.port",
                Int(worker.consolePort),
                in: 0...65_535,
                "Port for health, metrics and the index; 0 picks a free one."
            )
        )
        let health =
            "Additional port at the same address that serves only health, on a thread of its own; 0: any free port."
        worker.healthPort = keys.optionalInteger("console.health_port", 0...65_535, health).map { UInt16($0) }
    }

    private static func readSecrets(_ keys: WorkerKeys, _ worker: inout WorkerConfiguration, for use: Use) {
        let salt = keys.secret(
            "salt",
            isNeeded: use == .worker,
            shown: "the variable `FLYWHEEL_SALT`, else none",
            "Secret bytes that are hashed first in the draws for the audit sample and for random selection; the key of the digests of user ids is derived from them. The salt must be the same for all workers, and must never change."
        )
        worker.salt = Array((salt?.reveal() ?? "").utf8)
        let secrets = keys.secrets(
            "tokens.secret",
            atMost: 2,
            minimumBytes: 16,
            isNeeded: use == .worker,
            shown: "derived from the salt",
            "Secret from which the tokens of tasks and training requests are computed. Of two secrets the first signs tokens and both are accepted. The same for all workers."
        )
        worker.tokenKeys = secrets.isEmpty ? nil : TokenKeys(secrets: secrets.map { $0.reveal() })
    }

    private static func readLimits(_ keys: WorkerKeys, _ worker: inout WorkerConfiguration) {
        worker.deadLettersPerSecond = keys.integer(
            "dead_letters.per_second",
            worker.deadLettersPerSecond,
            in: 1...100_000,
            unit: "a second",
            "Maximum number of refused records that a worker keeps as dead letters; further ones are only counted. The limit applies separately to predictions and feedback (with records beyond the entry budget), to annotations, to training results, to commands, to dataset versions and imports, and to records whose token is missing or wrong. Their size is limited to this number times 4 KiB a second; ten seconds' worth may be kept at once."
        )
        for topic in Topic.allCases {
            guard let defaultValue = worker.entryLimits.entries[topic] else { continue }
            worker.entryLimits.entries[topic] = keys.integer(
                "entry_budget." + topic.rawValue.replacing("-", with: "_"),
                defaultValue,
                in: 1...1_000_000_000,
                unit: "an hour",
                topic == .projects
                    ? "Maximum number of revisions of a project that each thread of Intake writes to the project's journal, and at most \(EntryLimits.revisionBytes >> 20) MiB of them an hour; beyond that the newest revision waits."
                    : "Maximum number of journal entries that records of `\(topic.rawValue)` add to a project's journal, over all workers."
            )
        }
        worker.entryLimits.bytes = keys.size(
            "entry_budget.bytes",
            worker.entryLimits.bytes,
            in: 1 << 20...1 << 40,
            "Bytes of journal entries an hour, for each topic and project."
        )
    }

    /// Configuration of a worker without a file.
    private static var defaults: WorkerConfiguration {
        WorkerConfiguration(
            kafka: KafkaProperties(),
            instance: defaultInstance,
            s3: S3Connection(environment: ProcessInfo.processInfo.environment),
            intakeThreads: WorkerConfiguration.defaultThreads
        )
    }

    /// The host's name, so that two workers on different hosts never replace each other.
    static var defaultInstance: String { ProcessInfo.processInfo.hostName }

    static func milliseconds(_ duration: Duration) -> Int64 {
        duration.components.seconds * 1_000 + duration.components.attoseconds / 1_000_000_000_000_000
    }

    /// Returns the configuration in the file of `--config`, if any, with the values of the options, once a broker has
    /// accepted the connection.
    ///
    /// - Throws: The fault of a file or an option; the reason why no broker accepts the connection, if one answers; and
    ///   an error if none answers.
    static func connected(_ arguments: ParsedArguments) throws -> WorkerConfiguration {
        let worker = try configuration(arguments, for: .connection)
        try KafkaConnection.require(worker.kafka)
        return worker
    }

    /// Returns the configuration in the file of `--config`, if any, with the values of the options.
    static func configuration(_ arguments: ParsedArguments, for use: Use) throws -> WorkerConfiguration {
        let worker = try parsed(arguments, for: use)
        guard worker.kafka["bootstrap.servers"] != nil else {
            throw ArgumentsError(
                "which brokers? give --bootstrap HOST:PORT, --config FILE with kafka.bootstrap.servers, or FLYWHEEL_BOOTSTRAP",
                command: arguments.path.joined(separator: " ")
            )
        }
        return worker
    }

    /// Options whose values replace those of a file, and the keys that a fault of their values is about.
    private static let keysOfOptions: [(option: String, keys: [String])] = [
        ("prefix", ["topics.prefix"]), ("instance", ["instance"]),
        ("roles", ["roles", "console.host", "console.health_port"]),
        ("host", ["console.host"]), ("port", ["console.health_port"]), ("store", ["store.path"]),
        ("artifacts", ["artifacts.path"]),
        ("health-port", ["console.health_port", "console.host"]),
    ]

    /// Reads the file of `--config`, if any, with the values of the options, for a cluster that need not be named.
    static func parsed(_ arguments: ParsedArguments, for use: Use = .offline) throws -> WorkerConfiguration {
        // Only a worker's command has all of these options.
        let options = use == .worker ? keysOfOptions : keysOfOptions.filter { $0.option == "prefix" }
        let given = options.filter { arguments.string($0.option) != nil }
        let replaced = Set(given.flatMap(\.keys))
        var worker = try arguments.string("config").map { try read($0, for: use, replaced: replaced) } ?? defaults
        if worker.salt.isEmpty {
            worker.salt = Array((ProcessInfo.processInfo.environment["FLYWHEEL_SALT"] ?? "").utf8)
        }
        if let bootstrap = arguments.string("bootstrap") {
            guard !bootstrap.isEmpty else { throw arguments.failure("--bootstrap: expected HOST:PORT, found nothing") }
            worker.kafka["bootstrap.servers"] = bootstrap
        }
        if worker.kafka["bootstrap.servers"] == nil,
            let bootstrap = ProcessInfo.processInfo.environment["FLYWHEEL_BOOTSTRAP"], !bootstrap.isEmpty
        {
            worker.kafka["bootstrap.servers"] = bootstrap
        }
        if let prefix = arguments.string("prefix") {
            worker.topics = TopicNames(prefix: prefix)
            if let fault = WorkerCheck.fault(ofPrefix: worker.topics) { throw arguments.failure("--prefix: \(fault)") }
        }
        for property in arguments.strings("kafka") {
            guard let separator = property.firstIndex(of: "="), separator > property.startIndex else {
                throw ArgumentsError(
                    "--kafka: expected NAME=VALUE, found \"\(property)\"",
                    command: arguments.path.joined(separator: " ")
                )
            }
            let (name, value) = (String(property[..<separator]), String(property[property.index(after: separator)...]))
            if let fault = KafkaProperties.fault(of: name, value) {
                throw ArgumentsError("--kafka: \(fault)", command: arguments.path.joined(separator: " "))
            }
            worker.kafka[name] = value
        }
        return worker
    }

    /// Returns the location of a store; for a folder, its absolute path.
    static func location(_ text: String) -> String {
        // The fault of any other text is reported where it is used.
        guard case .folder(let path)? = try? StoreLocation(text) else { return text }
        return absolute(path)
    }

    static func absolute(_ path: String) -> String { URL(fileURLWithPath: path).standardizedFileURL.path }
}
