internal import Events
internal import Flywheel
internal import Hashing
internal import JSON
internal import StreamRuntime
internal import Vocabulary

/// What is written of a project.
extension StateStore {
    /// The changelog of a project since the last commit.
    static func changes(of project: LoopProject, name: String, topic: String, partition: Int32) -> [OutputRecord] {
        var changes: [StateChange] = []
        for table in StateTable.all { table.changes(project.state, &changes) }
        changes.append(chain(of: project))
        if project.isPauseNew { changes.append(pause(of: project)) }
        return changes.map { change in
            OutputRecord(
                topic: topic,
                partition: partition,
                key: Array(key(of: change, name).utf8),
                value: change.value
            )
        }
    }

    /// Every row of a project as the changelog holds it, a table at a time.
    static func tables(of project: LoopProject, name: String) -> [() -> [(key: String, value: [UInt8])]] {
        let own = { [chain(of: project), pause(of: project)] }
        let tables = StateTable.all.map { table in
            {
                var rows: [StateChange] = []
                table.rows(project.state, &rows)
                return rows
            }
        }
        return (tables + [own]).map { rows in
            { rows().compactMap { row in row.value.map { (key(of: row, name), $0) } } }
        }
    }

    private static func key(of row: StateChange, _ name: String) -> String { "\(name)/\(row.table)/\(row.key)" }

    private static func chain(of project: LoopProject) -> StateChange {
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("chain", project.chain.digest.hex)
            writer.member("ticks_written", project.ticksWritten)
            writer.member("last_offset", project.lastOffset)
        }
        return StateChange(table: chainTable, key: "_", value: writer.bytes)
    }

    private static func pause(of project: LoopProject) -> StateChange {
        StateChange(table: ProjectPause.table, key: "_", value: project.pause?.jsonBytes)
    }
}
