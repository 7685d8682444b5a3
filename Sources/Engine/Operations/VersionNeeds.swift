public import Events
internal import Flywheel
internal import Rollout
public import StreamRuntime
internal import Tables
internal import Training
public import Vocabulary

/// Which dataset versions of a project are needed, by what the loop knows: its `state`, and nothing else.
///
/// Whatever the loop may ask for later is named by this state, or newer than everything that it has heard of: so a state that
/// is a little old names no version too few.
public struct VersionNeeds: Hashable, Sendable {
    /// Why, by ordinal.
    public private(set) var reasons: [Int: [String]] = [:]
    /// The newest version that the loop has heard of; all from there on are needed.
    public private(set) var heardOf: Int = 0

    /// Nothing is needed but what is newer than a version, for tests and tools.
    public init(reasons: [Int: [String]] = [:], heardOf: Int) {
        self.reasons = reasons
        self.heardOf = heardOf
    }

    init(_ project: LoopProject) {
        let rollout = project.state.rollout.phase.value
        let training = project.state.training.progress.value
        add(rollout.champion?.datasetOrdinal, "champion \(rollout.champion?.version.rawValue ?? "")")
        add(rollout.challenger?.datasetOrdinal, "challenger \(rollout.challenger?.version.rawValue ?? "")")
        let canary = project.state.rollout.canary
        add(canary?.datasetOrdinal, "canary \(canary?.version.rawValue ?? "")")
        for former in rollout.history.reversed() {
            add(former.model.datasetOrdinal, "former champion \(former.model.version)")
        }
        add(training.newest?.datasetOrdinal, "newest model \(training.newest?.version.rawValue ?? "")")
        add(training.running?.request.dataset.ordinal, "running study \(training.running?.request.id.rawValue ?? "")")
        add(training.waiting?.version.ordinal, "waits for a study")
        heardOf = reasons.keys.max() ?? 0
    }

    private mutating func add(_ ordinal: Int?, _ reason: String) {
        // 0 of a model that was registered: nothing of ours made it.
        guard let ordinal, ordinal > 0 else { return }
        reasons[ordinal, default: []].append(reason)
    }

    /// Why a version is needed; empty where it is not.
    public func reasons(of ordinal: Int) -> [String] {
        (reasons[ordinal] ?? []) + (ordinal > heardOf ? ["newer than what the loop has heard of"] : [])
    }

    /// Reads what a project needs from `state`.
    ///
    /// - Throws: `EngineError` where `state` knows no such project, or cannot be read to its end; `StreamError` when no broker
    ///   answers.
    public static func read(
        _ name: ProjectID,
        transport: any StreamTransport,
        topics: TopicNames
    ) throws -> VersionNeeds {
        let scan = try TopicScan(transport: transport, topic: topics[.state])
        let partitions: [Int32]
        do {
            defer { scan.close() }
            partitions = try scan.partitions()
        }
        let store = try StateStore(transport: transport, topics: topics)
        defer { store.close() }
        for partition in partitions {
            if let project = try store.restore(partition).projects[name.rawValue] { return VersionNeeds(project) }
        }
        throw EngineError(
            "find out which versions of \(name) are needed",
            "\(topics[.state]) knows no such project",
            remedy: "name the project as flywheel status does, and the prefix of its topics"
        )
    }
}
