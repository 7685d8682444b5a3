/// All topics of the engine: `flywheel topics create` uses this list, and the table in `docs/` is checked against it.
public enum Topic: String, Hashable, Sendable, CaseIterable {
    case predictions, feedback, annotations
    case trainingResults = "training-results"
    case commands, imports, projects, tallies, journal, state
    case labelingTasks = "labeling-tasks"
    case datasetLog = "dataset-log"
    case datasetVersions = "dataset-versions"
    case trainingRequests = "training-requests"
    case modelReleases = "model-releases"
    case releaseLog = "release-log"
    case notices
    case deadLetters = "dead-letters"

    /// The rule for the number of partitions of a topic.
    public enum Partitioning: Hashable, Sendable {
        /// A number chosen by traffic; keys do not determine the partition.
        case traffic
        /// One number for all of these topics: a project's records are written explicitly to the project's own
        /// partition.
        case project
        case single
    }

    public var partitioning: Partitioning {
        switch self {
        case .predictions, .feedback, .annotations, .trainingResults, .commands, .imports, .deadLetters: .traffic
        case .tallies, .journal, .state, .labelingTasks, .datasetLog, .datasetVersions, .trainingRequests,
            .modelReleases, .releaseLog, .notices:
            .project
        case .projects: .single
        }
    }

    /// Setting of topics that external clients write to: the broker decompresses the batches and checks their size.
    /// Otherwise a batch of some kilobytes could expand to a gigabyte in every reader before a single record is parsed.
    private static let uncompressed = (name: "compression.type", value: "uncompressed")

    /// Topic configuration by Kafka's names. Sizes are bytes, times milliseconds.
    public var configuration: [(name: String, value: String)] {
        let day: Int64 = 86_400_000
        switch self {
        case .predictions, .feedback, .annotations, .trainingResults, .commands, .imports:
            return [("cleanup.policy", "delete"), ("retention.ms", String(7 * day)), Self.uncompressed]
        case .projects: return [("cleanup.policy", "compact"), Self.uncompressed]
        case .tallies: return [("cleanup.policy", "delete"), ("retention.ms", String(7 * day))]
        case .journal:
            return [
                ("cleanup.policy", "delete"), ("retention.ms", "-1"), ("message.timestamp.type", "LogAppendTime"),
            ]
        case .state:
            return [
                ("cleanup.policy", "compact"), ("segment.bytes", "67108864"), ("delete.retention.ms", String(7 * day)),
            ]
        case .labelingTasks: return [("cleanup.policy", "compact")]
        case .modelReleases: return [("cleanup.policy", "compact"), ("min.compaction.lag.ms", String(30 * day))]
        case .datasetLog, .datasetVersions, .releaseLog: return [("cleanup.policy", "delete"), ("retention.ms", "-1")]
        case .trainingRequests, .notices: return [("cleanup.policy", "delete"), ("retention.ms", String(30 * day))]
        case .deadLetters:
            return [("cleanup.policy", "delete"), ("retention.ms", String(14 * day)), ("max.message.bytes", "8388608")]
        }
    }
}

/// The names of the topics in Kafka: the catalogue's names with a prefix, or names of topics that existed before
/// Flywheel.
public struct TopicNames: Hashable, Sendable {
    public let prefix: String
    /// Full names that replace the catalogue's.
    public let overrides: [Topic: String]

    public init(prefix: String = "flywheel.", overrides: [Topic: String] = [:]) {
        self.prefix = prefix
        self.overrides = overrides
    }

    public subscript(topic: Topic) -> String { overrides[topic] ?? prefix + topic.rawValue }
}
