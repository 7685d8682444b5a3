import Acquisition
import Datasets
import Events
import Flywheel
import Labeling
import Rollout
import Statistics
import Tables
import Training
import Vocabulary

/// Inputs of golden journals: feedback, candidates, and records from which entries originate.
extension GoldenScenario {
    mutating func giveFeedback(
        _ verdict: Feedback.Verdict,
        by user: String,
        about: ModelVersion? = nil,
        of sample: SampleID? = nil
    ) {
        guard let version = about ?? scenario.state.rollout.roles.value.champion?.version else { return }
        scenario.append(
            .feedback(
                Feedback(
                    key: UInt64(1_000_000 + scenario.journal.count),
                    sample: sample ?? SampleID("s\(generator.next(below: 600))"),
                    modelVersion: version,
                    user: UserDigest(user),
                    verdict: verdict,
                    answer: verdict == .correction ? .choice(ClassIndex(generator.next(below: 3))) : nil,
                    inclusionProbability: 0.5
                )
            )
        )
    }

    /// Candidates unlike those of other scenarios: inline content, no embedding or a larger one, many classes, a remainder.
    mutating func candidate() -> Candidate {
        let number = 1_000 + generator.next(below: 300)
        let first = 0.35 + generator.nextUnit() / 4
        let entries = [
            ClassDistribution.Entry(label: ClassIndex(number % 3), probability: first),
            .init(label: ClassIndex((number + 1) % 3), probability: 0.3),
        ]
        let champion = scenario.state.rollout.roles.value.champion?.version ?? ModelVersion("outside")
        let isUnseen = generator.next(below: 6) == 0
        let isAudit = generator.next(below: 8) == 0
        var embedding: [Float]? = number % 4 == 0 ? nil : [Float(number % 17) / 4, Float(number % 13) / 2]
        var space: SpaceID?
        if plan.hasSpaces {
            if number % 5 == 1 { embedding?.append(1) }
            if number % 23 == 2 { embedding?[0] = 1e30 }
            if number % 3 == 0 { space = SpaceID("encoder-\(1 + number % 4)") }
        }
        return Candidate(
            sample: Sample(
                id: SampleID("g\(number)"),
                content: content(number),
                embedding: embedding,
                metadata: SampleMetadata([.init(key: "shelter", value: "n\(number % 7)")]) ?? .none,
                space: space,
                group: plan.hasGroups && number % 2 == 0 ? GroupID("g\(number % 22)") : nil
            ),
            output: isUnseen ? nil : ClassDistribution(entries, remainder: 0.7 - first).map(Output.choice),
            model: isUnseen ? nil : ModelReference(name: "m", version: champion, variant: "int8"),
            score: generator.nextUnit(),
            auditProbability: isAudit ? 0.25 : nil,
            auditDraw: generator.nextUnit() / 4,
            predictedAt: StreamTime(milliseconds: max(0, scenario.now - Int64(generator.next(below: 60_000)))),
            isExploration: number % 2 == 0,
            triggers: number % 5 == 0 ? ["facts"] : [],
            isBelowThreshold: false
        )
    }

    private func content(_ number: Int) -> Content? {
        guard number % 3 == 0 else { return nil }
        let text = plan.hasGroups ? number % 60 : number
        return .inline(mediaType: "text/plain", text: "Grüße \(text)\n\"ok\"")
    }

    /// Adds the origin to every third entry that originates from a record.
    func reported(_ appended: Appended, at position: Int) -> Appended {
        let topic: String
        switch appended.entry.body {
        case .annotation: topic = "annotations"
        case .feedback: topic = "feedback"
        case .trainingResult: topic = "training-results"
        case .command: topic = "commands"
        case .importedLabel: topic = "imports"
        default: return appended
        }
        guard position % 3 == 0 else { return appended }
        let origin = EntryOrigin(
            topic: "flywheel.\(topic)",
            partition: Int32(position % 4),
            offset: Int64(position),
            value: Array("{}".utf8),
            key: Array("k".utf8),
            headers: [OriginHeader(name: "ce_id", value: Array("\(position)".utf8))]
        )
        let entry = JournalEntry(project: appended.entry.project, body: appended.entry.body, origin: origin)
        return Appended(entry: entry, at: appended.at)
    }
}
