import Flywheel
import Rollout
import Statistics
import Tables
import Vocabulary

/// Services that cannot shadow: trainers predict, are away for a while, and say what services do not answer.
extension GoldenWorld {
    /// What each of the two plans about predictions must have come to.
    static let predicted: [String: Set<String>] = [
        "predicted": ["prediction", "predicted", "judged", "canary", "inconclusive", "contradicts_request"],
        "unheard": [
            "prediction", "predicted", "late", "predictions_missing", "contradicts_request", "duplicate_result",
        ],
    ]

    /// Services show what serves, trainers answer or do not; people and trainers of models are quick.
    mutating func speak() {
        // In one plan the trainer is away again and again.
        world.isTrainerAway = plan.name == "unheard" && world.journal.count % 300 > 120
        world.lead = 7
        world.isTrainerSloppy = plan.name == "unheard"
        if !world.isTrainerAway, !world.asked.isEmpty { return world.answer() }
        switch generator.next(below: 6) {
        case 0 where plan.name == "unheard": world.tick()
        case 1, 2: serve()
        default: world.hasten()
        }
    }

    /// A prediction of a sample that nobody has seen: of the pool, or of the audit sample.
    private mutating func serve() {
        let rollout = world.state.rollout
        guard let version = rollout.canary?.version ?? rollout.phase.value.champion?.version else {
            return world.tick()
        }
        let number = 1_000 + generator.next(below: 9_000)
        let isAudited = generator.next(below: 2) == 0
        // Now and then a service answers what its model does not.
        let isOdd = rollout.canary != nil && generator.next(below: 6) == 0
        let top = (world.answer(of: version, to: number) + (isOdd ? 1 : 0)) % 3
        let entries = [
            ClassDistribution.Entry(label: ClassIndex(top), probability: 0.7),
            ClassDistribution.Entry(label: ClassIndex((top + 1) % 3), probability: 0.3),
        ]
        world.append(
            .candidate(
                Candidate(
                    sample: Sample(
                        id: SampleID("s\(number)"),
                        content: .uri("https://images.example/\(number).png"),
                        embedding: [Float(number % 25), Float(number / 25)]
                    ),
                    output: ClassDistribution(entries).map(Output.choice),
                    model: ModelReference(name: "m", version: version),
                    score: generator.nextUnit(),
                    auditProbability: isAudited ? 0.4 : nil,
                    auditDraw: generator.nextUnit() * 0.4,
                    predictedAt: StreamTime(milliseconds: world.now)
                )
            )
        )
    }
}
