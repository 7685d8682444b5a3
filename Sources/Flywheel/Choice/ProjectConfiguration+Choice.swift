public import Acquisition
public import Datasets
internal import Kinds
public import Labeling
public import Rollout
public import Training
public import Vocabulary

extension ProjectConfiguration {
    /// The classes among which a project of kind `choice` chooses; a project of another kind has none.
    public var schema: LabelSchema { question.schema ?? LabelSchema(question: question.text, classes: []) }

    /// The fewest classes of any revision of the project, as far as known, at least 2 and at most the present number: a
    /// model trained then has an output for that many classes.
    public var shortestOutput: Int {
        let now = question.extent
        guard let initialClasses else { return revision == 1 ? now : min(2, now) }
        return min(now, max(2, initialClasses))
    }

    /// Creates a project of kind `choice`.
    public init(
        project: ProjectID,
        revision: Int,
        partition: Int32,
        schema: LabelSchema,
        acquisition: AcquisitionPolicy = AcquisitionPolicy(),
        labeling: LabelingPolicy = LabelingPolicy(),
        datasets: DatasetPolicy = DatasetPolicy(),
        training: TrainingPolicy = TrainingPolicy(),
        rollout: RolloutPolicy = RolloutPolicy(),
        embedding: EmbeddingSpace? = nil,
        requireTokens: Bool? = nil,
        initialClasses: Int? = nil
    ) {
        self.init(
            project: project,
            revision: revision,
            partition: partition,
            question: .choice(schema),
            acquisition: acquisition,
            labeling: labeling,
            datasets: datasets,
            training: training,
            rollout: rollout,
            embedding: embedding,
            requireTokens: requireTokens,
            initialClasses: initialClasses
        )
    }
}
