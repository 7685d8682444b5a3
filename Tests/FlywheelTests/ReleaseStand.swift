import Datasets
import Flywheel
import Rollout
import Tables
import Training
import Vocabulary

/// A project whose studies end with prescribed results.
struct ReleaseStand {
    static let artifact = ArtifactReference(uri: "s3://m/x", size: 7, sha256: String(repeating: "a", count: 64))

    static func model(_ version: String) -> ReleasedModel {
        ReleasedModel(
            version: ModelVersion(version),
            artifact: artifact,
            datasetVersionNumber: 0,
            newestSampleAt: StreamTime(milliseconds: 0)
        )
    }

    var state = ProjectState(project: ProjectID("pets"))
    var now: Int64 = 1
    let configuration: ProjectConfiguration

    init(first: FirstModelPolicy = FirstModelPolicy(), bound: PromotionBound = .challenger) {
        let usual = FlywheelTests.configuration()
        var (rollout, training) = (usual.rollout, usual.training)
        (rollout.first, training.repeats, training.trials) = (first, 1, [Hyperparameters()])
        rollout.bound = bound
        configuration = ProjectConfiguration(
            project: usual.project,
            revision: 4,
            partition: 0,
            schema: usual.schema,
            training: training,
            rollout: rollout
        )
        _ = apply(.configured(configuration))
    }

    mutating func apply(_ body: JournalEntry.Body) -> [Decision.Body] {
        now += 1
        let entry = JournalEntry(project: ProjectID("pets"), body: body)
        return state.apply(entry, appendedAt: StreamTime(milliseconds: now)).map(\.body)
    }

    mutating func command(_ id: String, _ action: Command.Action) -> [Decision.Body] {
        apply(.command(Command(id: id, action: action, by: "ada", reason: "noon")))
    }

    /// Seals a version, and requests a study of it if one is due.
    mutating func seal(_ versionNumber: Int) -> [Decision.Body] {
        let time = StreamTime(milliseconds: now)
        state.datasets.pending[versionNumber] = PendingCut(cutAt: time, newestSampleAt: time)
        let version = SealedVersion(
            id: DatasetVersionID(String(repeating: "d", count: 64)),
            versionNumber: versionNumber,
            parent: nil,
            semanticVersion: "1.0.0",
            manifest: Self.artifact,
            training: versionNumber * 100,
            validation: 0,
            test: versionNumber
        )
        return apply(.versionSealed(version))
    }

    /// Ends the requested study with a model.
    mutating func finish(_ bodies: [Decision.Body]) -> [Decision.Body] {
        let requests = bodies.compactMap { if case .training(let request) = $0 { request } else { nil } }
        guard let request = requests.first else { return [] }
        let outcome = TrainingResult.Outcome.finished(
            artifact: Self.artifact,
            score: 0.5,
            itemsScored: request.dataset.test,
            predictions: nil
        )
        return apply(.trainingResult(TrainingResult(request: request.id, trial: 0, repetition: 0, outcome: outcome)))
    }

    /// Seals a version and ends its study with a model.
    mutating func train(_ versionNumber: Int) -> [Decision.Body] { finish(seal(versionNumber)) }
}
