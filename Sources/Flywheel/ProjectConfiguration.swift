public import Acquisition
public import Datasets
public import Labeling
public import Rollout
internal import Tables
public import Training
public import Vocabulary

/// All settings of a project. They enter the journal as a revision.
public struct ProjectConfiguration: Hashable, Sendable {
    public var project: ProjectID { contents.value.project }
    /// Counted from 1.
    public var revision: Int { contents.value.revision }
    /// The partition of `journal`, `tallies`, `state` and of all topics that Loop writes for the project; assigned at
    /// the first apply.
    public var partition: Int32 { contents.value.partition }
    /// Question for the annotators; its kind never changes.
    public var question: Question { contents.value.question }
    public var acquisition: AcquisitionPolicy { contents.value.acquisition.value }
    public var labeling: LabelingPolicy { contents.value.labeling }
    public var datasets: DatasetPolicy { contents.value.datasets }
    public var training: TrainingPolicy { contents.value.training }
    public var rollout: RolloutPolicy { contents.value.rollout }
    /// The space of the samples' embeddings; if nil, and as far as unspecified, it is learnt from the first candidates.
    public var embedding: EmbeddingSpace? { contents.value.embedding }

    /// Whether answers and results must return the token of their task or request; nil if unspecified.
    public var requireTokens: Bool? { contents.value.requireTokens }
    /// Whether a revision in force requires tokens; false for a revision that does not specify this, which is from
    /// before there were tokens.
    public var requiresTokens: Bool { requireTokens ?? false }

    /// The extent of the question with which the project began, that is its number of classes: its oldest models know
    /// as many. Nil for revisions from builds before 0.5.0, which did not record it.
    public var initialClasses: Int? { contents.value.initialClasses }
    /// The acquisition policy in its shared storage, for code that stores it.
    var sharedAcquisition: Boxed<AcquisitionPolicy> { contents.value.acquisition }

    /// Stored once and shared, because every entry is applied under the configuration.
    private let contents: Boxed<Contents>

    private struct Contents: Hashable, Sendable {
        let project: ProjectID
        let revision: Int
        let partition: Int32
        let question: Question
        let acquisition: Boxed<AcquisitionPolicy>
        let labeling: LabelingPolicy
        let datasets: DatasetPolicy
        let training: TrainingPolicy
        let rollout: RolloutPolicy
        let embedding: EmbeddingSpace?
        let requireTokens: Bool?
        let initialClasses: Int?
    }

    public init(
        project: ProjectID,
        revision: Int,
        partition: Int32,
        question: Question,
        acquisition: AcquisitionPolicy = AcquisitionPolicy(),
        labeling: LabelingPolicy = LabelingPolicy(),
        datasets: DatasetPolicy = DatasetPolicy(),
        training: TrainingPolicy = TrainingPolicy(),
        rollout: RolloutPolicy = RolloutPolicy(),
        embedding: EmbeddingSpace? = nil,
        requireTokens: Bool? = nil,
        initialClasses: Int? = nil
    ) {
        contents = Boxed(
            Contents(
                project: project,
                revision: revision,
                partition: partition,
                question: question,
                acquisition: Boxed(acquisition),
                labeling: labeling,
                datasets: datasets,
                training: training,
                rollout: rollout,
                embedding: embedding,
                requireTokens: requireTokens,
                initialClasses: initialClasses
            )
        )
    }

    /// Returns the configuration under another revision and partition.
    ///
    /// If tokens, or the format of dataset versions, are unspecified, they are set to `requireTokens` and `format`, or
    /// remain unspecified. If `initialClasses` is nil, the value is unchanged.
    public func numbered(
        revision: Int,
        partition: Int32,
        requireTokens: Bool? = nil,
        format: Int? = nil,
        initialClasses: Int? = nil
    ) -> ProjectConfiguration {
        var datasets = datasets
        datasets.format = datasets.format ?? format
        return ProjectConfiguration(
            project: project,
            revision: revision,
            partition: partition,
            question: question,
            acquisition: acquisition,
            labeling: labeling,
            datasets: datasets,
            training: training,
            rollout: rollout,
            embedding: embedding,
            requireTokens: self.requireTokens ?? requireTokens,
            initialClasses: initialClasses ?? self.initialClasses
        )
    }
}
