import Acquisition
import Datasets
import Events
import Labeling
import Rollout
import Tables
import Testing
import Training
import Vocabulary

@testable import Flywheel

/// Test labels that leave the window, in scenarios with all kinds of entries, compared with the log.
@Suite("Test labels that leave the window")
struct TestWindowTests {
    static let window = 6

    static func moving(_ bound: PromotionBound = .share) -> ProjectConfiguration {
        let usual = FlywheelTests.configuration(votes: 4_000)
        var (acquisition, rollout) = (usual.acquisition, usual.rollout)
        (acquisition.edition, acquisition.auditShare, acquisition.auditFirst) = (2, 0.8, 8)
        (rollout.bound, rollout.provisional, rollout.window, rollout.move) = (bound, 4, window, true)
        return ProjectConfiguration(
            project: usual.project,
            revision: 1,
            partition: usual.partition,
            schema: usual.schema,
            acquisition: acquisition,
            labeling: usual.labeling,
            datasets: DatasetPolicy(cutEvery: 4, cutAfter: 20_000, format: 2),
            training: usual.training,
            rollout: rollout
        )
    }

    /// A scenario in which annotators, trainers and the materializer are quick.
    static func scenario(seed: UInt64, entries: Int, _ configuration: ProjectConfiguration) -> Scenario {
        var scenario = Scenario(seed: seed, first: configuration)
        for number in 0..<entries { number % 4 == 0 ? scenario.hasten() : scenario.run(entries: 1) }
        return scenario
    }

    /// The dataset log, according to the decisions.
    private struct Log {
        var lines: [SampleID: (split: Split, sequence: Int64)] = [:]
        /// Audit labels in the order of acceptance.
        var audit: [SampleID] = []
        var grouped: Set<SampleID> = []
        /// Samples whose labels were moved or retracted by hand.
        var byHand: Set<SampleID> = []
        var moved: [SampleID] = []
        /// Training samples of each version.
        var training: [Int: Set<SampleID>] = [:]
        var moves: [Int] = []
    }

    private static func record(_ decisions: [Decision.Body], _ log: inout Log, _ seed: UInt64) {
        var moves: [SampleID] = []
        for body in decisions {
            switch body {
            case .label(let fact):
                let sample = fact.consensus.sample
                #expect(log.lines[sample.id] == nil, "seed \(seed): \(sample.id) twice")
                log.lines[sample.id] = (fact.split, fact.sequence)
                if fact.split == .test { log.audit.append(sample.id) }
                if sample.group != nil { log.grouped.insert(sample.id) }
            case .change(let change):
                #expect(log.lines[change.sample]?.sequence == change.replaces, "seed \(seed): \(change.sample)")
                if change.by == "rollout.move" {
                    #expect(change.kind == .moved(from: .test) && change.split == .training)
                    moves.append(change.sample)
                } else if change.kind.word != "revised" {
                    log.byHand.insert(change.sample)
                }
                let isRetracted = change.kind == .retracted
                log.lines[change.sample] = isRetracted ? nil : (change.split, change.sequence)
            case .cut(let cut):
                let splits = log.lines.mapValues(\.split)
                #expect(splits.count { $0.value == .test } == cut.test, "seed \(seed): version \(cut.versionNumber)")
                #expect(
                    splits.count { $0.value == .training } == cut.training,
                    "seed \(seed): version \(cut.versionNumber)"
                )
                log.training[cut.versionNumber] = Set(splits.filter { $0.value == .training }.keys)
                check(log, moves, seed)
                log.moved += moves
                log.moves.append(moves.count)
                moves = []
            default: break
            }
        }
        #expect(moves.isEmpty, "seed \(seed): labels leave at a cut alone")
    }

    /// Expects that the anchor and the newest labels are test labels at every cut, and that labels leave in the order
    /// of acceptance.
    private static func check(_ log: Log, _ moves: [SampleID], _ seed: UInt64) {
        for sample in log.audit.prefix(DatasetsState.anchorSize) where !log.byHand.contains(sample) {
            #expect(log.lines[sample]?.split == .test, "seed \(seed): \(sample) of the anchor")
        }
        let moving = Set(moves)
        let afterAnchor = log.audit.dropFirst(DatasetsState.anchorSize).filter { sample in
            log.lines[sample]?.split == .test || moving.contains(sample)
        }
        for sample in afterAnchor.suffix(window) {
            #expect(!moving.contains(sample), "seed \(seed): \(sample) of the window")
        }
        #expect(moves == afterAnchor.filter(moving.contains), "seed \(seed): \(moves)")
        for sample in moves { #expect(!log.grouped.contains(sample), "seed \(seed): \(sample) is of a group") }
    }

    @Test(
        "Splits are disjoint, anchor and window test, and training labels judge no model, even after undo or restore",
        arguments: 0..<4 as Range<UInt64>
    )
    func worlds(seed: UInt64) throws {
        let configuration = Self.moving(seed % 3 == 2 ? .challenger : .share)
        let scenario = Self.scenario(seed: seed, entries: 4_000, configuration)
        var log = Log()
        var state = ProjectState(project: ProjectID("pets"))
        var judged = 0
        for (position, appended) in scenario.journal.enumerated() {
            // An entry that is undone and applied again has the same decisions, so no cache affects them.
            if position % 7 == 3 {
                _ = state.apply(appended.entry, appendedAt: appended.at)
                state.undo()
            }
            if position % 997 == 500 {
                var restored = ProjectState(project: ProjectID("pets"))
                for row in Dump.rows(of: state) { try #require(try Dump.restore(row, into: &restored)) }
                state = restored
            }
            let decisions = state.apply(appended.entry, appendedAt: appended.at)
            state.commit()
            guard decisions == scenario.decisions[position] else {
                Issue.record("seed \(seed): entry \(position + 1) is decided otherwise when it is applied again")
                return
            }
            Self.record(decisions.map(\.body), &log, seed)
            for case .notice(let notice) in decisions.map(\.body) {
                #expect(notice.kind != .labelLeak, "seed \(seed): \(notice.text)")
            }
            guard position % 3 == 0 else { continue }
            let roles = state.rollout.roles.value
            let models = [roles.champion, roles.challenger, roles.waiting].compactMap { $0 }
            for (sample, row) in state.rollout.rows.sortedRows where row.label != nil {
                #expect(log.lines[sample]?.split == .test, "seed \(seed): \(sample) judges and does not test")
                for model in models {
                    let trained = log.training[model.datasetVersionNumber]?.contains(sample) ?? false
                    #expect(!trained, "seed \(seed): \(model.version) was trained on \(sample)")
                    judged += 1
                }
            }
            for (_, opening) in state.rollout.openings.sortedRows where opening.label != nil {
                #expect(!log.moved.contains(opening.sample), "seed \(seed): \(opening.sample) is to be evidence")
            }
        }
        #expect(log.moved.count > 10 && judged > 0, "seed \(seed): \(log.audit.count) labels, \(log.moved.count) moved")
        #expect(log.moves.contains { $0 == 0 } && log.moves.allSatisfy { $0 <= DatasetsState.movesPerCutLimit })
    }
}
