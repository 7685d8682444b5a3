public import DatasetFiles
internal import EngineCore
public import Events
internal import Flywheel
internal import Loop
internal import Rollout
public import StreamRuntime
internal import Tables
internal import Training
public import Vocabulary

extension VersionNeeds {
    /// Versions that the state of a project names.
    init(_ project: LoopProject) {
        self.init(newestKnown: 0)
        let rollout = project.state.rollout.roles.value
        let training = project.state.training.progress.value
        add(rollout.champion?.datasetVersionNumber, "champion \(rollout.champion?.version.rawValue ?? "")")
        add(rollout.challenger?.datasetVersionNumber, "challenger \(rollout.challenger?.version.rawValue ?? "")")
        let canary = project.state.rollout.canary
        add(canary?.datasetVersionNumber, "canary \(canary?.version.rawValue ?? "")")
        for former in rollout.history.reversed() {
            add(former.model.datasetVersionNumber, "former champion \(former.model.version)")
        }
        add(training.newest?.datasetVersionNumber, "newest model \(training.newest?.version.rawValue ?? "")")
        add(
            training.running?.request.dataset.versionNumber,
            "running study \(training.running?.request.id.rawValue ?? "")"
        )
        add(training.waiting?.version.versionNumber, "waits for a study")
        noteNewest()
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
            remedy: "see flywheel status for the names of projects, and check --prefix"
        )
    }
}
