import Acquisition
import Events
import Flywheel
import JSON
import Kinds
import Labeling
import Rollout
import Tables
import Testing
import Training
import Vocabulary

@Suite("A loop restarted after any entry continues as if it had not been restarted")
struct RestartedPredictionTests {
    @Test("Decisions are the same with open requests, late answers and checks", arguments: [6, 11] as [UInt64])
    func restarts(seed: UInt64) throws {
        let plan = try #require(GoldenPlan.all.first { $0.name == "predicted" })
        var golden = GoldenScenario(plan, seed: seed)
        golden.run(to: plan.entries)
        let scenario = golden.scenario
        var state = ProjectState(project: ProjectID("pets"))
        var rows: [String: StateChange] = [:]
        var (inFlight, checked) = (0, 0)
        for (number, appended) in scenario.journal.enumerated() {
            let decisions = state.apply(appended.entry, appendedAt: appended.at)
            #expect(decisions == scenario.decisions[number], "entry \(number + 1)")
            for change in Dump.changes(of: state) {
                rows["\(change.table)/\(change.key)"] = change.value == nil ? nil : change
            }
            state.commit()
            if state.rollout.requests.contains(where: { !$1.isAnswered }) { inFlight += 1 }
            if !state.rollout.checks.isEmpty { checked += 1 }
            guard number % 3 == 0 else { continue }
            var restored = ProjectState(project: ProjectID("pets"))
            try Dump.restore(rows, into: &restored)
            #expect(restored.nextDeadline == state.nextDeadline)
            #expect(Dump.rows(of: restored) == Dump.rows(of: state))
            state = restored
        }
        #expect(inFlight > 15 && checked > 10, "\(inFlight), \(checked)")
    }
}

@Suite("With rollout.predict, only predictions made before a task opened are evidence")
struct FixedBeforeOpeningTests {
    @Test("The law holds for late, repeated, wrong and missing answers", arguments: [3, 13, 23, 33, 43] as [UInt64])
    func law(seed: UInt64) throws {
        var configuration = FlywheelTests.configuration(votes: 2_000, variant: .money, predict: true)
        var rollout = configuration.rollout
        (rollout.provisional, rollout.minimumShadow) = (0, 2)
        configuration = ProjectConfiguration(
            project: configuration.project,
            revision: 1,
            partition: 3,
            schema: configuration.schema,
            acquisition: configuration.acquisition,
            labeling: configuration.labeling,
            datasets: configuration.datasets,
            training: configuration.training,
            rollout: rollout
        )
        var scenario = Scenario(seed: seed, first: configuration)
        scenario.run(entries: 3_000)
        var state = ProjectState(project: ProjectID("pets"))
        // Predictions of samples, up to and including those of the current entry.
        var predicted: [SampleID: [ModelVersion: Set<Int>]] = [:]
        var requests: [RequestID: PredictionRequest] = [:]
        var settled: [Int: AuditOpening] = [:]
        var (spoken, silent) = (0, 0)
        for appended in scenario.journal {
            switch appended.entry.body {
            case .candidate(let candidate):
                if let version = candidate.model?.version, let label = candidate.output?.top {
                    predicted[candidate.sample.id, default: [:]][version, default: []].insert(label.index)
                }
            case .predicted(let labels):
                guard let request = requests[labels.request] else { break }
                for answer in labels.answers {
                    guard let label = answer.challenger else { continue }
                    predicted[answer.sample, default: [:]][request.challenger.version, default: []].insert(label.index)
                }
            default: break
            }
            for decision in state.apply(appended.entry, appendedAt: appended.at) {
                if case .prediction(let request) = decision.body { requests[request.id] = request }
            }
            for (number, opening) in state.rollout.openings.sortedRows {
                if let before = settled[number] {
                    // The opening is final, except that the label is added later.
                    #expect(before.champion == opening.champion && before.challenger == opening.challenger)
                    #expect(before.pair == opening.pair && before.sample == opening.sample)
                    continue
                }
                settled[number] = opening
                // An era that has ended has no bets.
                guard let bet = state.rollout.bets[opening.pair] else { continue }
                #expect(opening.openedAt == state.position.value.time)
                #expect(predicted[opening.sample]?[bet.champion]?.contains(opening.champion.index) == true)
                if let challenger = opening.challenger {
                    spoken += 1
                    #expect(predicted[opening.sample]?[bet.challenger]?.contains(challenger.index) == true)
                } else {
                    silent += 1
                    #expect(
                        state.rollout.rows[opening.sample]?.predictions.contains { $0.version == bet.challenger }
                            != true
                    )
                }
            }
        }
        #expect(spoken > 3, "seed \(seed): \(spoken) spoken, \(silent) silent")
        #expect(requests.count > 3)
        // The size of each request is within its limits.
        for request in requests.values {
            #expect(request.candidates.count >= 2 && request.candidates.count <= PredictionRequest.limit)
        }
    }
}

extension Label {
    fileprivate var index: Int {
        switch self {
        case .choice(let label): label.rawValue
        }
    }
}
