public import Acquisition
public import Datasets
public import Labeling
public import Rollout
public import Training
public import Vocabulary

/// Everything that is decided about a project beforehand. It enters the journal as a revision.
public struct ProjectConfiguration: Hashable, Sendable {
    public let project: ProjectID
    /// Counted from 1.
    public let revision: Int
    /// The partition of `journal`, `tallies`, `state` and of all that Loop writes for the project; given at the first apply.
    public let partition: Int32
    public let schema: LabelSchema
    public let acquisition: AcquisitionPolicy
    public let labeling: LabelingPolicy
    public let datasets: DatasetPolicy
    public let training: TrainingPolicy
    public let rollout: RolloutPolicy

    public init(
        project: ProjectID,
        revision: Int,
        partition: Int32,
        schema: LabelSchema,
        acquisition: AcquisitionPolicy = AcquisitionPolicy(),
        labeling: LabelingPolicy = LabelingPolicy(),
        datasets: DatasetPolicy = DatasetPolicy(),
        training: TrainingPolicy = TrainingPolicy(),
        rollout: RolloutPolicy = RolloutPolicy()
    ) {
        self.project = project
        self.revision = revision
        self.partition = partition
        self.schema = schema
        self.acquisition = acquisition
        self.labeling = labeling
        self.datasets = datasets
        self.training = training
        self.rollout = rollout
    }

    /// The same configuration under another revision and partition.
    public func numbered(revision: Int, partition: Int32) -> ProjectConfiguration {
        ProjectConfiguration(
            project: project,
            revision: revision,
            partition: partition,
            schema: schema,
            acquisition: acquisition,
            labeling: labeling,
            datasets: datasets,
            training: training,
            rollout: rollout
        )
    }
}
