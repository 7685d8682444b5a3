import Acquisition
import Datasets
import Events
import Flywheel
import JSON
import Labeling
import Rollout
import Tables
import Testing
import Training
import Vocabulary

/// Rows of a whole state in the format of the changelog.
enum Dump {
    static func changes(of state: ProjectState) -> [StateChange] {
        var state = state
        return state.changes()
    }

    static func rows(of state: ProjectState) -> [StateChange] {
        var rows: [StateChange] = []
        state.forEachRow { rows.append($0) }
        return rows
    }

    static func counts(of state: ProjectState) -> [String: Int] {
        Dictionary(uniqueKeysWithValues: state.tableCounts.map { ($0.name, $0.rows) })
    }

    static func restore(_ rows: [String: StateChange], into state: inout ProjectState) throws {
        for key in rows.keys.sorted() {
            guard let row = rows[key] else { continue }
            try #require(try restore(row, into: &state), "\(row.table)")
        }
    }

    /// Restores a row; returns false if no table has its name.
    static func restore(_ row: StateChange, into state: inout ProjectState) throws -> Bool {
        let parser = JSONParser()
        return try Array(row.table.utf8).withUnsafeBytes { name in
            guard let value = row.value else { return try state.restore(name, row.key, nil) }
            return try value.withUnsafeBytes { try state.restore(name, row.key, try parser.parse($0)) }
        }
    }
}

@Suite struct ChangelogTests {
    @Test(
        "A state restored from its changelog equals the original and makes the same decisions",
        arguments: DeterminismTests.seeds
    )
    func restore(seed: UInt64) throws {
        var scenario = Scenario(seed: seed)
        // A compacted changelog: the last row of each key, and no row after a tombstone.
        var stored: [String: StateChange] = [:]
        for _ in 0..<8 {
            scenario.run(entries: 150)
            for change in Dump.changes(of: scenario.state) {
                stored["\(change.table)/\(change.key)"] = change.value == nil ? nil : change
            }
            scenario.state.commit()
        }
        var restored = ProjectState(project: ProjectID("pets"))
        try Dump.restore(stored, into: &restored)
        #expect(Dump.changes(of: restored).isEmpty, "a restored row is no change")
        #expect(Dump.counts(of: restored) == Dump.counts(of: scenario.state))

        let start = scenario.journal.count
        scenario.run(entries: 300)
        for (position, appended) in scenario.journal[start...].enumerated() {
            let decisions = restored.apply(appended.entry, appendedAt: appended.at)
            guard decisions == scenario.decisions[start + position] else {
                Issue.record("seed \(seed): entry \(start + position + 1) is decided otherwise after a restore")
                return
            }
        }
        #expect(Dump.changes(of: restored) == Dump.changes(of: scenario.state))
    }

    @Test("Committing or undoing a state commits or undoes each of its tables", arguments: DeterminismTests.seeds)
    func allTables(seed: UInt64) {
        var scenario = Scenario(seed: seed)
        scenario.run(entries: 400)
        var undone = scenario.state
        undone.undo()
        #expect(undone.rowCount == 0, "\(Dump.counts(of: undone))")
        scenario.state.commit()
        #expect(Dump.changes(of: scenario.state).isEmpty)
        let before = Dump.rows(of: scenario.state)
        scenario.run(entries: 400)
        scenario.state.undo()
        #expect(Dump.rows(of: scenario.state) == before)
    }

    @Test("Every row is written, read and written again to the same bytes", arguments: DeterminismTests.seeds)
    func rows(seed: UInt64) throws {
        var scenario = Scenario(seed: seed)
        scenario.run(entries: 800)
        let rows = Dump.changes(of: scenario.state)
        #expect(Set(rows.map(\.table)).count > 20)
        for row in rows {
            // A restored row that is set again to its value is written as the same row.
            var restored = ProjectState(project: ProjectID("pets"))
            guard row.value != nil, try Dump.restore(row, into: &restored) else {
                Issue.record("\(row.table)/\(row.key) is a tombstone though nothing was stored, or of no table")
                continue
            }
            #expect(restored.rowCount == 1)
            #expect(Dump.counts(of: restored)[row.table] == 1)
            #expect(Dump.rows(of: restored) == [row])
            if let again = Self.rewrite(restored).first { #expect(again == row) }
        }
    }

    /// Writes again the rows of the tables whose values can be read and set.
    private static func rewrite(_ state: ProjectState) -> [StateChange] {
        var fresh = ProjectState(project: state.project)
        for (key, value) in state.acquisition.pool.candidates.sortedRows {
            fresh.acquisition.pool.candidates[key] = value
        }
        for (key, value) in state.acquisition.audit.candidates.sortedRows {
            fresh.acquisition.audit.candidates[key] = value
        }
        for (key, value) in state.acquisition.accounts.queried.sortedRows {
            fresh.acquisition.accounts.queried[key] = value
        }
        for (key, value) in state.labeling.open.sortedRows { fresh.labeling.open[key] = value }
        for (key, value) in state.labeling.closed.sortedRows { fresh.labeling.closed[key] = value }
        for (key, value) in state.labeling.annotators.sortedRows { fresh.labeling.annotators[key] = value }
        for (key, value) in state.datasets.labels.sortedRows { fresh.datasets.labels[key] = value }
        for (key, value) in state.datasets.pending.sortedRows { fresh.datasets.pending[key] = value }
        for (key, value) in state.training.models.sortedRows { fresh.training.models[key] = value }
        if let row = state.training.progress.row { fresh.training.progress.value = row }
        if let row = state.rollout.roles.row { fresh.rollout.roles.value = row }
        for (key, value) in state.rollout.rows.sortedRows { fresh.rollout.rows[key] = value }
        if let row = state.rollout.watch.row { fresh.rollout.watch.value = row }
        if let row = state.configuration.row { fresh.configuration.value = row }
        return fresh.changes()
    }

    @Test(
        "Every entry of a journal is written, read and written again to the same bytes",
        arguments: DeterminismTests.seeds
    )
    func entries(seed: UInt64) throws {
        var scenario = Scenario(seed: seed)
        scenario.run(entries: 400)
        let parser = JSONParser()
        for appended in scenario.journal {
            let bytes = appended.entry.jsonBytes
            let entry = try parser.withDocument(of: bytes) { try JournalEntry(json: $0) }
            #expect(entry == appended.entry)
        }
    }

    @Test("An invalid key of a table is refused")
    func keys() throws {
        var state = ProjectState(project: ProjectID("pets"))
        for (name, key) in [("datasets.pending", "first"), ("rollout.seen", "1.5"), ("loop.stages", "sleep")] {
            let row = StateChange(table: name, key: key, value: nil)
            #expect(throws: JSONError.self) { _ = try Dump.restore(row, into: &state) }
        }
    }

    @Test("A row of an unlisted table is not restored")
    func unknownTables() throws {
        var state = ProjectState(project: ProjectID("pets"))
        for name in ["", "loop.positions", "loop.positiom", "acquisition"] {
            let row = StateChange(table: name, key: "_", value: Array("{}".utf8))
            #expect(try !Dump.restore(row, into: &state), "\(name)")
        }
        #expect(state.rowCount == 0)
    }
}
