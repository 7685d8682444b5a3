import Acquisition
import Events
import Flywheel
import Foundation
import Labeling
import Rollout
import Tables
import Testing
import Training
import Vocabulary

@testable import EngineCore
@testable import Loop

/// Recorded journals, with the decisions that each build made on them.
@Suite struct GoldenJournalTests {
    private static let remedy =
        "raise Build.version, record again (make golden), and say in the changelog what changed"
    static let isRecording = ProcessInfo.processInfo.environment["FLYWHEEL_GOLDEN"] == "record"

    /// A scenario of a frozen set or of the newest one.
    struct Recording: Sendable, CustomStringConvertible {
        let set: GoldenSet
        let scenario: String
        var description: String { "\(set)/\(scenario)" }
    }

    static let recordings = GoldenSet.all.flatMap { set in set.scenarios.map { Recording(set: set, scenario: $0) } }

    @Test("The running build has a recorded set with every golden journal", .disabled(if: isRecording))
    func isRecorded() {
        #expect(!GoldenJournal.scenarios.isEmpty)
        #expect(
            GoldenSet.newest.scenarios == GoldenJournal.scenarios,
            "no set of build \(Build.version) in Golden, or not of every journal: run make golden"
        )
    }

    @Test(
        "Every entry gives the decisions, changed rows and deadline that were recorded of this build",
        .disabled(if: isRecording),
        arguments: GoldenJournal.scenarios
    )
    func digests(scenario: String) throws {
        let run = GoldenRun(try GoldenJournal.read(scenario))
        let recorded = try GoldenSet.newest.steps(scenario)
        #expect(recorded.count == run.steps.count)
        for (number, (now, then)) in zip(run.steps, recorded).enumerated() {
            guard let difference = now.difference(from: then) else { continue }
            Issue.record(
                "decisions changed at entry \(number + 1) of \(scenario) (\(difference)): \(Self.remedy)\nnow      \(now.line)\nrecorded \(then.line)"
            )
            return
        }
    }

    @Test(
        "A journal of any build is applied to its end without a new refusal",
        .disabled(if: isRecording),
        arguments: recordings
    )
    func applies(recording: Recording) throws {
        let run = GoldenRun(try GoldenJournal.read(recording.scenario))
        let recorded = try recording.set.steps(recording.scenario)
        #expect(recorded.count == run.steps.count)
        for (now, then) in zip(run.steps, recorded) {
            let new = Set(now.refusals).subtracting(then.refusals)
            #expect(new.isEmpty, "\(recording): \(new.sorted()) is new: \(now.line), recorded \(then.line)")
        }
        let first = zip(run.steps, recorded).enumerated().first { $1.0.difference(from: $1.1) != nil }?.offset
        let reported = first.map { "differs from entry \($0 + 1)" } ?? "decides the same"
        print("golden set \(recording): build \(Build.version) \(reported)")
    }

    @Test(
        "Rows and snapshots of any build are restored, and the journal continues to its end",
        .disabled(if: isRecording),
        arguments: recordings
    )
    func restores(recording: Recording) throws {
        let journal = try GoldenJournal.read(recording.scenario)
        let middle = GoldenPlan.middle(of: recording.scenario)
        let recorded = try recording.set.steps(recording.scenario).dropFirst(middle)
        let fromRows = try GoldenRows.restore(recording.set.file(recording.scenario, "rows"))
        #expect(fromRows.state.position.value.entryNumber == UInt64(middle))
        if recording.set.hasSnapshot(recording.scenario) {
            let fromSnapshot = try GoldenSnapshot.restore(recording.set.file(recording.scenario, "snapshot"))
            #expect(Dump.rows(of: fromRows.state) == Dump.rows(of: fromSnapshot.state))
            #expect(fromRows.chain == fromSnapshot.chain)
        }
        let run = GoldenRun(fromRows, then: journal[middle...])
        #expect(run.steps.count == recorded.count)
        for (now, then) in zip(run.steps, recorded) {
            let new = Set(now.refusals).subtracting(then.refusals)
            #expect(new.isEmpty, "\(recording): \(new.sorted()) is new: \(now.line), recorded \(then.line)")
            guard recording.set.build == Build.version, let difference = now.difference(from: then) else { continue }
            Issue.record("\(recording): \(difference) differ after a restore: \(now.line), recorded \(then.line)")
            return
        }
    }

    @Test(
        "Every set has a snapshot of some scenario, and the newest set all that are configured",
        .disabled(if: isRecording)
    )
    func snapshots() {
        for set in GoldenSet.all { #expect(set.scenarios.contains { set.hasSnapshot($0) }, "\(set)") }
        for scenario in GoldenJournal.scenarios where GoldenSet.withSnapshot.contains(scenario) {
            #expect(GoldenSet.newest.hasSnapshot(scenario), "\(scenario)")
        }
    }

    @Test("A set has at most 2 MB", arguments: GoldenSet.all)
    func size(set: GoldenSet) throws {
        let size = try set.size
        #expect(size <= GoldenSet.maximumSize, "\(set) has \(size) bytes")
    }

    @Test("The journals contain every kind of entry, decision, notice and refusal", .disabled(if: isRecording))
    func coverage() throws {
        var entries: Set<String> = []
        var decisions: Set<String> = []
        var refusals: Set<String> = []
        var tables: Set<String> = []
        var setAside: Set<SetAside> = []
        var quotes = 0
        for scenario in GoldenJournal.scenarios {
            let journal = try GoldenJournal.read(scenario)
            #expect(journal.count == GoldenPlan.entries(of: scenario))
            entries.formUnion(journal.map(\.entry.body.kind.rawValue))
            #expect(journal.count { $0.entry.body.kind == .configured } >= 2, "\(scenario)")
            #expect(journal.contains { $0.entry.origin != nil })
            // One revision lacks the keys that later builds added.
            let text = try String(contentsOf: GoldenJournal.file(scenario), encoding: .utf8)
            #expect(text.split(separator: "\n").contains { $0.contains("label_schema") && !$0.contains("temperature") })
            var state = ProjectState(project: ProjectID("pets"))
            for (position, appended) in journal.enumerated() {
                for decision in state.apply(appended.entry, appendedAt: appended.at) {
                    switch decision.body {
                    case .task(let task):
                        if case .closed(let closing) = task.state { decisions.insert("task \(closing)") }
                        if task.purpose == .audit { decisions.insert("audit") }
                    case .label(let fact): decisions.insert("label \(fact.split)")
                    case .change(let change): decisions.insert("label \(change.kind.word)")
                    case .cut: decisions.insert("cut")
                    case .training: decisions.insert("training")
                    case .prediction: decisions.insert("prediction")
                    case .release(let release):
                        decisions.insert("release \(release.cause)")
                        if case .judged = release.evidence { decisions.insert("judged") }
                    case .transition(let transition, _): decisions.insert("transition \(transition.to)")
                    case .notice(let notice):
                        decisions.insert("notice \(notice.kind)")
                        quotes += notice.text.contains("nearest to it: b") && notice.text.contains("\"blank, ") ? 1 : 0
                    case .refused(let refusal): refusals.insert(refusal.code.rawValue)
                    }
                }
                setAside.formUnion(state.acquisition.pool.candidates.sortedRows.compactMap(\.value.setAside))
                guard position + 1 == GoldenPlan.middle(of: scenario) else { continue }
                tables.formUnion(Dump.changes(of: state).map(\.table))
                #expect(!state.labeling.open.isEmpty, "\(scenario)")
                // In this scenario a canary is in rollout most of the time.
                guard scenario != "disputes" else { continue }
                #expect(state.training.progress.value.running != nil, "\(scenario)")
                #expect(state.rollout.roles.value.challenger != nil, "\(scenario)")
            }
            tables.formUnion(Dump.changes(of: state).map(\.table))
        }
        #expect(setAside == Set(SetAside.allCases))
        #expect(quotes > 0, "no notice names samples that lie near and quotes a flag")
        #expect(tables == Set(ProjectState(project: ProjectID("pets")).tableCounts.map(\.name)))
        #expect(
            entries == [
                "configured", "candidate", "feedback", "annotation", "training_result", "version_sealed", "command",
                "tally", "tick", "engine", "imported_label", "predicted",
            ]
        )
        var expected: Set = [
            "audit", "label training", "label test", "label revised", "label retracted", "label moved", "cut",
            "training", "prediction", "judged",
        ]
        expected.formUnion(LabelingTask.Closing.allCases.map { "task \($0)" })
        expected.formUnion(ModelRelease.Cause.allCases.map { "release \($0)" })
        let states: [ReleaseState] = [.registered, .shadow, .live, .superseded, .quarantined]
        expected.formUnion(states.map { "transition \($0)" })
        // No entry causes notices of the runtime, votes are not yet recounted, and a leak results only from a damaged
        // state.
        let runtime: Set<Notice.Kind> = [.projectPaused, .projectResumed, .labelDisputed, .labelLeak]
        expected.formUnion(Notice.Kind.allCases.filter { !runtime.contains($0) }.map { "notice \($0)" })
        #expect(expected.subtracting(decisions).isEmpty)
        #expect(Set(EntryRejection.Code.allCases.map(\.rawValue)).subtracting(refusals).isEmpty)
    }

    /// Writes the journals that are not recorded yet and the set of the running build. Runs with `make golden` only.
    @Test("Recording", .enabled(if: isRecording))
    func record() throws {
        let files = FileManager.default
        try files.createDirectory(at: GoldenJournal.folder, withIntermediateDirectories: true)
        for plan in GoldenPlan.all where !GoldenJournal.scenarios.contains(plan.name) {
            let journal = try #require(GoldenScenario.journal(of: plan), "no seed suits \(plan.name)")
            try Data(GoldenJournal.bytes(journal)).write(to: GoldenJournal.file(plan.name))
        }
        let set = GoldenSet.newest
        try files.createDirectory(at: set.folder, withIntermediateDirectories: true)
        for scenario in GoldenJournal.scenarios {
            let run = GoldenRun(try GoldenJournal.read(scenario), middle: GoldenPlan.middle(of: scenario))
            let middle = try #require(run.middle)
            try Data(GoldenRows.bytes(of: middle)).write(to: set.file(scenario, "rows"))
            if GoldenSet.withSnapshot.contains(scenario) {
                try GoldenSnapshot.write(middle, build: set.build, to: set.file(scenario, "snapshot"))
            }
            let text = run.steps.map { $0.line + "\n" }.joined()
            try Data(text.utf8).write(to: set.file(scenario, "digests"))
        }
    }
}
