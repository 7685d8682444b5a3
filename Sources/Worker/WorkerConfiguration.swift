public import DatasetFiles
public import EngineCore
public import Events
internal import Foundation
public import Intake
public import KafkaClient
public import KafkaTransport
public import S3
internal import StreamRuntime

/// Configuration of a worker: connections and resources, nothing about projects.
public struct WorkerConfiguration: Sendable {
    public var kafka: KafkaProperties
    public var topics: TopicNames
    /// Name that distinguishes this worker from others; a restarted worker keeps it, and thus its partitions.
    public var instance: String
    public var roles: [Role]
    /// Location of the dataset versions: a folder, or `s3://BUCKET/PREFIX`.
    public var storePath: String
    /// Compression of the files of labels in the store.
    public var storeCompression: StoreCompression
    /// Location of the built-in trainer's models: a folder, or `s3://BUCKET/PREFIX`.
    public var artifactsPath: String
    /// Connection to the service of the buckets.
    public var s3: S3Connection
    /// Folders that hold artifacts of trainers; nil if they are not configured: then artifacts may be anywhere.
    public var artifactRoots: [String]?
    /// Folder of the loop's snapshots; empty for none.
    public var statePath: String
    /// Address that health and metrics listen on.
    public var consoleHost: String
    /// 0 for any free port.
    public var consolePort: UInt16
    /// Port, at the same address, of health alone; 0 for any free port, nil for none.
    public var healthPort: UInt16?
    /// Secret bytes before the input of every selection by hash, and the key of users' digests.
    public var salt: [UInt8]
    /// Keys derived from the secrets that are configured for tokens; nil: from a secret that is derived from the salt.
    public var tokenKeys: TokenKeys?
    /// Milliseconds from the first record of a transaction to its commit.
    public var intakeInterval: Int64
    /// Delivery guarantee for Intake's writes. The loop always writes exactly once.
    public var intakeDelivery: Delivery
    /// Threads of Intake, at least 1.
    public var intakeThreads: Int
    /// Maximum number of rejected traffic records that one worker keeps whole per second; the others are only counted.
    public var deadLettersPerSecond: Int
    /// Limits on the journal entries that records of each input topic may cause per project and hour, over all workers.
    public var entryLimits: EntryLimits
    /// Milliseconds from the first record of a transaction of the loop to its commit.
    public var loopInterval: Int64

    public init(
        kafka: KafkaProperties,
        topics: TopicNames = TopicNames(),
        instance: String = "worker-1",
        roles: [Role] = [.intake, .loop, .materializer, .console],
        storePath: String = "flywheel-data/datasets",
        storeCompression: StoreCompression = .none,
        artifactsPath: String = "flywheel-data/artifacts",
        s3: S3Connection = S3Connection(),
        artifactRoots: [String]? = nil,
        statePath: String = "flywheel-data/state",
        consoleHost: String = "127.0.0.1",
        consolePort: UInt16 = 8080,
        healthPort: UInt16? = nil,
        salt: [UInt8] = [],
        tokenKeys: TokenKeys? = nil,
        intakeInterval: Int64 = 100,
        intakeThreads: Int = 1,
        intakeDelivery: Delivery = .exactlyOnce,
        deadLettersPerSecond: Int = 1_000,
        entryLimits: EntryLimits = .usual,
        loopInterval: Int64 = 50
    ) {
        self.kafka = kafka
        self.topics = topics
        self.instance = instance
        self.roles = roles
        self.storePath = storePath
        self.storeCompression = storeCompression
        self.artifactsPath = artifactsPath
        self.s3 = s3
        self.artifactRoots = artifactRoots
        self.statePath = statePath
        self.consoleHost = consoleHost
        self.consolePort = consolePort
        self.healthPort = healthPort
        self.salt = salt
        self.tokenKeys = tokenKeys
        self.intakeInterval = intakeInterval
        self.intakeDelivery = intakeDelivery
        self.intakeThreads = intakeThreads
        self.deadLettersPerSecond = deadLettersPerSecond
        self.entryLimits = entryLimits
        self.loopInterval = loopInterval
    }

    /// Keys that make and check the tokens of tasks and requests; the same for all workers.
    public var tokens: TokenKeys { tokenKeys ?? TokenKeys(salt: salt) }

    /// Returns the digest in which the members of a role's group must agree; nil for a role that does not depend on
    /// the salt.
    func saltDigest(_ role: Role) -> SaltDigest? {
        switch role {
        case .intake: SaltDigest(salt: salt)
        // With a named secret, the loop's tokens do not depend on the salt.
        case .loop: tokenKeys == nil ? SaltDigest(salt: salt) : nil
        case .materializer, .trainer, .console: nil
        }
    }

    /// Number of threads that a role runs on; each is a member of the role's group and a separate writer.
    func threads(_ role: Role) -> Int { role == .intake ? max(1, intakeThreads) : 1 }

    /// Default number of threads of Intake: half the processors, in `1...8`; the others are for the client library's
    /// own threads.
    public static var defaultThreads: Int { max(1, min(8, ProcessInfo.processInfo.activeProcessorCount / 2)) }

    /// Returns the properties of a role's clients: `kafka`, completed with the role's defaults for properties not set.
    func properties(_ role: Role) -> KafkaProperties {
        var properties = kafka
        func set(_ name: String, _ value: String) {
            if properties[name] == nil { properties[name] = value }
        }
        // Dead letters are the largest records; every other topic refuses records that exceed its own limit.
        set("message.max.bytes", "8388608")
        // A repeat of a study is computed between two polls, and may take long.
        if role == .trainer { set("max.poll.interval.ms", "3600000") }
        // Each thread prefetches records into memory: with several threads, half as much is enough for each.
        if threads(role) > 1 { set("queued.max.messages.kbytes", "16384") }
        return properties
    }

    func group(_ role: Role) -> String { "\(topics.prefix)\(role.rawValue)" }
    /// Names a thread, counted from 0, as a static member of its group.
    func member(_ role: Role, thread: Int) -> String { "\(instance)-\(role.rawValue)\(Self.suffix(thread))" }

    /// Names a thread, counted from 0, as a writer. Its number precedes the instance: if it followed the instance, the
    /// second thread of `w` and the only one of `w-2` would fence each other.
    func transactionalID(_ role: Role, thread: Int) -> String {
        "\(topics.prefix)\(role.rawValue)\(Self.suffix(thread)).\(instance)"
    }

    private static func suffix(_ thread: Int) -> String { thread == 0 ? "" : "-\(thread + 1)" }
}
