import Acquisition
import Datasets
import Labeling
import Rollout
import Tables
import Testing
import Training
import Vocabulary

@testable import Flywheel

/// State derived from labels that change, compared with the log in scenarios with all kinds of entries.
@Suite("Consistency of state and log when labels change")
struct LabelChangeBookTests {
    /// The dataset log, according to the decisions.
    private struct Log {
        /// Current labels by sample, without retracted ones.
        var lines: [SampleID: (label: Label, split: Split, sequence: Int64)] = [:]
        /// Test samples of each version in the order of its list.
        var testSamples: [Int: [SampleID]] = [:]
        /// Training labels of each version, with the sequence numbers that they had in it.
        var training: [Int: [SampleID: Int64]] = [:]
        /// Training labels of the version that was studied last, with their sequence numbers.
        var studied: [SampleID: Int64] = [:]
        var studies = 0
        /// Number of new labels of each study after the first.
        var newLabels: [Int] = []
        var removed: Set<SampleID> = []
        var changes = 0

        mutating func record(_ body: Decision.Body) {
            switch body {
            case .label(let fact):
                lines[fact.consensus.sample.id] = (fact.consensus.label, fact.split, fact.sequence)
            case .change(let change):
                changes += 1
                let old = lines[change.sample]
                #expect(old?.sequence == change.replaces)
                switch change.kind {
                case .retracted:
                    lines[change.sample] = nil
                    removed.insert(change.sample)
                case .revised(_, let to): lines[change.sample] = (to, change.split, change.sequence)
                case .moved:
                    lines[change.sample] = (old?.label ?? .choice(ClassIndex(0)), change.split, change.sequence)
                    if change.split != .test { removed.insert(change.sample) }
                }
            case .cut(let cut):
                testSamples[cut.versionNumber] = lines.filter { $0.value.split == .test }.sorted {
                    $0.value.sequence < $1.value.sequence
                }.map(\.key)
                #expect(testSamples[cut.versionNumber]?.count == cut.test)
                training[cut.versionNumber] = lines.filter { $0.value.split == .training }.mapValues(\.sequence)
            case .training(let request):
                let known = countCurrent(studied)
                studied = training[request.dataset.versionNumber] ?? [:]
                if studies > 0 { newLabels.append(countCurrent(studied) - known) }
                studies += 1
            default: break
            }
        }

        /// The number of these training labels that have not changed.
        func countCurrent(_ labels: [SampleID: Int64]) -> Int {
            labels.count { lines[$0.key]?.sequence == $0.value && lines[$0.key]?.split == .training }
        }
    }

    /// Counts of pairs, computed from the rows.
    private static func pairs(_ rollout: RolloutState) -> PairCounts {
        var counts = PairCounts()
        let roles = rollout.roles.value
        for (_, row) in rollout.rows.sortedRows where !row.isDuel {
            func prediction(_ model: ReleasedModel?) -> Label? {
                row.predictions.first { $0.version == model?.version }?.label
            }
            guard let label = row.label, let old = prediction(roles.champion), let new = prediction(roles.challenger)
            else {
                continue
            }
            counts.labels += 1
            counts.challengerOnly += new == label && old != label ? 1 : 0
            counts.championOnly += old == label && new != label ? 1 : 0
        }
        return counts
    }

    @Test(
        "Audit rows, pairs, verdicts and reported predictions agree with the labels of the log",
        arguments: [1, 6, 9, 11, 19, 21] as [UInt64]
    )
    func books(seed: UInt64) throws {
        var scenario = Scenario(seed: seed, votes: 120)
        #expect(scenario.canChange, "seed \(seed) is of a world whose labels do not change")
        var log = Log()
        var (reported, pairs) = (0, 0)
        for _ in 0..<2_500 {
            let before = scenario.decisions.count
            scenario.run(entries: 1)
            for (position, decided) in scenario.decisions.enumerated().dropFirst(before) {
                for decision in decided { log.record(decision.body) }
                guard position + 1 == scenario.decisions.count else { continue }
                for case .release(let release) in decided.map(\.body) {
                    guard release.cause == .shadow || release.cause == .first,
                        case .trainingResult = scenario.journal[position].entry.body
                    else { continue }
                    let model = release.challenger ?? release.champion
                    let tested = try #require(log.testSamples[model.datasetVersionNumber])
                    for (sample, row) in scenario.state.rollout.rows.sortedRows {
                        guard let prediction = row.predictions.first(where: { $0.version == model.version }) else {
                            continue
                        }
                        let index = try #require(tested.firstIndex(of: sample), "seed \(seed): \(sample) did not test")
                        #expect(prediction.label == .choice(ClassIndex(index % 3)), "seed \(seed): \(sample)")
                        reported += 1
                    }
                }
            }
            let state = scenario.state
            for (sample, row) in state.rollout.rows.sortedRows {
                guard let label = row.label else { continue }
                let line = log.lines[sample]
                #expect(line?.split == .test && line?.label == label, "seed \(seed): \(sample)")
            }
            for sample in log.removed {
                #expect(state.rollout.rows[sample] == nil, "seed \(seed): \(sample) is evidence")
            }
            for (sample, verdict) in state.acquisition.accounts.confidentErrors.verdicts.sortedRows {
                guard let label = verdict.label else { continue }
                #expect(log.lines[sample]?.label == .choice(label) && log.lines[sample]?.split == .test)
            }
            let recounted = Self.pairs(state.rollout)
            #expect(recounted == state.rollout.pairs.value, "seed \(seed)")
            pairs += recounted.labels > 0 ? 1 : 0
            let progress = state.training.progress.value
            if log.studies > 0 {
                #expect(progress.trainedLabels == log.countCurrent(log.studied), "seed \(seed)")
            }
        }
        let minimum = try #require(scenario.state.configuration.value?.training.newLabels)
        #expect(log.newLabels.allSatisfy { $0 >= minimum }, "seed \(seed): \(log.newLabels), at least \(minimum)")
        #expect(log.changes > 20 && reported > 0 && pairs > 0, "seed \(seed): \(log.changes), \(reported), \(pairs)")
    }
}
