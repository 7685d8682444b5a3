internal import Acquisition
internal import Datasets
internal import Flywheel
internal import Labeling
internal import Rollout
internal import Training
internal import Vocabulary

/// The two projects of the demo, which differ only in how they select samples.
enum DemoProjects {
    static let active = "digits"
    static let random = "digits-random"

    static func configuration(_ name: String, _ options: DemoOptions) -> ProjectConfiguration {
        let isRandom = name == random
        let window = Int64((options.length + 60) * 1_000)
        return ProjectConfiguration(
            project: ProjectID(name),
            revision: 1,
            partition: 0,
            schema: LabelSchema(question: "Which digit is this?", classes: DigitsScenario.classes),
            acquisition: AcquisitionPolicy(
                function: isRandom ? .random : .margin,
                isDiverse: !isRandom,
                batchSize: 10,
                preselection: 10,
                poolCapacity: 500,
                openTaskLimit: 14,
                auditShare: options.auditShare,
                auditCutoff: 0.15,
                votes: options.votes,
                window: window,
                oversample: 60,
                maximumWait: 15_000
            ),
            labeling: LabelingPolicy(
                minimumVotes: 2,
                maximumVotes: 3,
                confidence: 0.95,
                lifetime: 60_000,
                maximumSkips: 3
            ),
            datasets: DatasetPolicy(cutEvery: 10, cutAfter: 30_000),
            training: TrainingPolicy(trials: [Hyperparameters()], repeats: 3, deadline: 60_000),
            rollout: RolloutPolicy(
                alpha: 0.1,
                tolerance: 0.05,
                userWindow: 3_600_000,
                provisional: 40,
                userBuckets: 65_536,
                // Hours of practice are minutes in the demo, so the hourly limit is high.
                feedbackPerHour: 1_000_000
            )
        )
    }
}
