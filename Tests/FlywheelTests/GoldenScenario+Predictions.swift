import Flywheel
import Rollout
import Statistics
import Tables
import Vocabulary

/// Services cannot shadow. Trainers predict, are absent for a while, and report predictions that services contradict.
extension GoldenScenario {
    /// Outcomes that the plan `predicted` must reach.
    static let predicted: Set<String> = [
        "prediction", "predicted", "late", "judged", "canary", "inconclusive", "predictions_missing",
        "contradicts_request",
    ]

    /// Services publish predictions, trainers answer requests unless they are absent, and annotators and trainers of
    /// models are quick.
    mutating func advancePredicted() {
        // The trainer is absent from entry 150 to entry 389.
        scenario.isTrainerAway = (150..<390).contains(scenario.journal.count)
        (scenario.isTrainerSloppy, scenario.lead) = (false, 7)
        if !scenario.isTrainerAway, !scenario.predictionRequests.isEmpty { return scenario.answer() }
        switch generator.next(below: 6) {
        case 0 where scenario.isTrainerAway: scenario.tick()
        case 1, 2: serve()
        default: scenario.hasten()
        }
    }

    /// Publishes a prediction of a new sample of the pool or of the audit sample.
    private mutating func serve() {
        let rollout = scenario.state.rollout
        guard let version = rollout.canary?.version ?? rollout.roles.value.champion?.version else {
            return scenario.tick()
        }
        let number = 1_000 + generator.next(below: 9_000)
        let isAudited = generator.next(below: 2) == 0
        // While a canary is in rollout, about half of the services' answers differ from their model's.
        let isOdd = rollout.canary != nil && generator.next(below: 2) == 0
        let top = (scenario.answer(of: version, to: number) + (isOdd ? 1 : 0)) % 3
        let entries = [
            ClassDistribution.Entry(label: ClassIndex(top), probability: 0.7),
            ClassDistribution.Entry(label: ClassIndex((top + 1) % 3), probability: 0.3),
        ]
        scenario.append(
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
                    predictedAt: StreamTime(milliseconds: scenario.now)
                )
            )
        )
    }
}
