import Datasets
import Flywheel
import Rollout
import Statistics
import Tables
import Vocabulary

/// Test labels that leave a small window, and later changes and predictions of them.
extension GoldenScenario {
    /// Outcomes that the plan `moves` must reach.
    static let moving: Set<String> = ["left", "late revised", "late retracted", "window"]

    /// Appends audit samples and answers quickly, and reviews moved labels again.
    mutating func move() {
        switch generator.next(below: 12) {
        case 0..<5: audit()
        case 5: reviewMoved()
        default: scenario.hasten()
        }
    }

    /// Predicts a new audit sample by champion and challenger.
    private mutating func audit() {
        let number = scenario.journal.count
        let roles = scenario.state.rollout.roles.value
        let versions = [roles.champion?.version, roles.challenger?.version].compactMap { $0 }
        guard !versions.isEmpty else { return scenario.run(entries: 1) }
        for (index, version) in versions.enumerated() {
            // Later models are right more often.
            let skill = 10 + (Int(version.rawValue.dropFirst()) ?? 0) * 2
            let top = ClassIndex(number % 20 < skill ? number * 7 % 3 : (number * 7 + 1) % 3)
            scenario.append(
                .candidate(
                    Candidate(
                        sample: Sample(
                            id: SampleID("m\(number)"),
                            embedding: [Float(number % 17), Float(number % 5)],
                            group: number % 19 == 0 ? GroupID("batch \(number / 100)") : nil
                        ),
                        output: ClassDistribution([.init(label: top, probability: 1)]).map(Output.choice),
                        model: ModelReference(
                            name: "m",
                            version: version,
                            role: index == 0 ? .champion : .challenger
                        ),
                        score: 0.5,
                        auditProbability: 0.4,
                        auditDraw: Double(number % 97) / 250,
                        predictedAt: StreamTime(milliseconds: scenario.now)
                    )
                )
            )
        }
    }

    private mutating func reviewMoved() {
        let moved = scenario.state.datasets.labels.sortedRows.filter { $1.standing == .moved && $1.split == .training }
        guard !moved.isEmpty else { return scenario.hasten() }
        let sample = moved[generator.next(below: moved.count)].key
        let name = ["cat", "dog", "cow"][generator.next(below: 3)]
        let action: Command.Action =
            generator.next(below: 3) == 0 ? .retract(sample) : .revise(sample, className: name)
        let id = "m\(scenario.journal.count)"
        scenario.append(.command(Command(id: id, action: action, by: "olga", reason: "looked at again")))
    }
}
