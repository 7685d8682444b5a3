internal import Acquisition
internal import Events
package import Flywheel
internal import JSON
package import Strategies
internal import StreamTesting
package import Vocabulary

/// Projects with triggers, and the candidates in their journals.
package enum TriggerScenario {
    /// A project whose threshold admits hardly any sample once it is warm.
    package static func configuration(_ triggers: [Trigger], share: Double = 0.2, cutoff: Double = 0.1)
        -> ProjectConfiguration
    {
        let scenario = Scenario.configuration()
        var policy = scenario.acquisition
        policy.oversample = 1
        policy.votes = 3
        policy.auditCutoff = cutoff
        policy.triggers = triggers
        policy.triggerShare = share
        return ProjectConfiguration(
            project: Scenario.project,
            revision: 1,
            partition: Scenario.partition,
            question: .choice(Scenario.schema),
            acquisition: policy,
            labeling: scenario.labeling,
            datasets: scenario.datasets,
            training: scenario.training,
            rollout: scenario.rollout
        )
    }

    package static func candidates(_ pipeline: Pipeline) throws -> [Candidate] {
        let parser = JSONParser(maximumDepth: 64, maximumSize: 16 << 20)
        return try pipeline.journal().compactMap { record in
            let entry = try parser.withDocument(of: record.value ?? []) { try JournalEntry(json: $0) }
            guard case .candidate(let candidate) = entry.body else { return nil }
            return candidate
        }
    }
}
