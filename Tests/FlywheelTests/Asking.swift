import Acquisition
import Datasets
import Flywheel
import Labeling
import Rollout
import Statistics
import Strategies
import Tables
import Training
import Vocabulary

/// The way in which a project of these tests queries labels; each seed selects one.
enum QueryVariant: UInt64, CaseIterable {
    case batches, slices, stream, money, triggers

    init(seed: UInt64) { self = QueryVariant(rawValue: seed % 5) ?? .batches }

    var labeling: LabelingPolicy {
        LabelingPolicy(
            minimumVotes: 1,
            maximumVotes: 3,
            confidence: 0.9,
            lifetime: 40_000,
            maximumSkips: 2,
            ageingEvery: self == .slices ? 7_000 : nil
        )
    }

    func change(_ policy: inout AcquisitionPolicy) {
        let third = LabelShare(millionths: 333_333)
        switch self {
        case .batches: break
        case .slices:
            policy.slices = SlicePolicy(key: "shelter", share: third, newShare: third, newFor: 1_000)
            policy.carriedWindows = 1
        case .stream: policy.stream = StreamPolicy(share: third, burst: 3)
        case .money:
            policy.voteCost = VoteCost(maximumTime: 2_000, perVote: 10, perSecond: 5)
            (policy.time, policy.money) = (90_000, 900)
        case .triggers:
            policy.triggers = [
                Trigger(name: "sure", condition: .not(.role(.challenger))),
                Trigger(name: "disputed", condition: .all([.disagreement, .sample(0.7)])),
                Trigger(name: "overridden", condition: .overridden),
                Trigger(name: "both", condition: .all([.disagreement, .overridden])),
            ]
            policy.triggerShare = 0.3
        }
    }
}

func configuration(
    revision: Int = 1,
    classes: [String] = ["cat", "dog", "cow"],
    votes: Int = 50,
    variant: QueryVariant = .batches,
    predict: Bool = false
) -> ProjectConfiguration {
    var acquisition = AcquisitionPolicy(
        batchSize: 4,
        preselection: 3,
        poolCapacity: 40,
        openTaskLimit: 12,
        auditShare: 0.4,
        auditCutoff: 0.4,
        votes: votes,
        window: 120_000,
        maximumWait: 2_000
    )
    variant.change(&acquisition)
    return ProjectConfiguration(
        project: ProjectID("pets"),
        revision: revision,
        partition: 3,
        schema: LabelSchema(question: "Which animal?", classes: classes),
        acquisition: acquisition,
        labeling: variant.labeling,
        // With slices and with triggers, labels can change.
        datasets: DatasetPolicy(
            cutEvery: 6,
            cutAfter: 60_000,
            format: [.slices, .triggers].contains(variant) ? 2 : nil
        ),
        training: TrainingPolicy(
            newLabels: 6,
            trials: [Hyperparameters(), Hyperparameters(warmStart: false)],
            repeats: 2,
            deadline: 90_000
        ),
        rollout: RolloutPolicy(
            alpha: predict ? 0.5 : 0.2,
            minimumShadow: predict ? 1 : 4,
            tolerance: 0.1,
            calibration: 10,
            falseAlarmEvery: 200,
            userCap: 3,
            userWindow: 30_000,
            // With a money budget, a first model waits for test labels.
            first: FirstModelPolicy(testLabels: variant == .money ? 3 : 0),
            // With a money budget and with a stream, eras judge challengers.
            bound: variant == .money ? .share : variant == .stream ? .any : .challenger,
            duels: variant == .money ? 0.75 : 0,
            provisional: variant == .stream ? 4 : 0,
            shadowWait: 1_000,
            shadowShare: variant == .stream ? 0.8 : 1,
            block: variant == .stream ? 20_000 : 0,
            // With slices, feedback is judged as before voices existed.
            rollbackAlpha: variant == .slices ? 0 : 0.2,
            // With triggers, a promoted model is released in steps.
            steps: variant == .triggers ? steps : [.atOnce],
            holdback: variant == .triggers ? 0.2 : 0,
            // In some scenarios trainers predict for challengers.
            predict: predict
        )
    )
}

let steps = [
    RolloutStep(share: 0.3, bake: 4_000, voices: 2), RolloutStep(share: 0.7, bake: 4_000, voices: 2, approve: true),
    RolloutStep(share: 1),
]
