internal import Events
internal import Flywheel
internal import Hashing
internal import JSON
internal import StreamRuntime
internal import Vocabulary

extension LoopProject {
    /// Returns the changelog since the last commit; nothing for an unmodified project.
    ///
    /// The project does not change; the function is mutating because tables are visited in place.
    mutating func changelog(_ name: String, _ topic: String, _ partition: Int32) -> [OutputRecord] {
        guard isTouched else { return [] }
        var changes = state.changes()
        changes.append(StateStore.chain(of: self))
        if isPauseNew { changes.append(StateStore.pause(of: self)) }
        return changes.map { change in
            OutputRecord(topic: topic, partition: partition, key: StateStore.key(of: change, name), value: change.value)
        }
    }
}

/// Rows as the changelog holds them.
extension StateStore {
    /// Calls `body` with every row of a project as the changelog holds it.
    static func forEachRow<Failure: Error>(
        of project: LoopProject,
        name: String,
        _ body: (_ key: [UInt8], _ value: [UInt8]) throws(Failure) -> Void
    ) throws(Failure) {
        func visit(_ row: StateChange) throws(Failure) {
            if let value = row.value { try body(key(of: row, name), value) }
        }
        try project.state.forEachRow(visit)
        try visit(chain(of: project))
        try visit(pause(of: project))
    }

    fileprivate static func key(of row: StateChange, _ name: String) -> [UInt8] {
        var key: [UInt8] = []
        key.reserveCapacity(name.utf8.count + row.table.utf8.count + row.key.utf8.count + 2)
        key.append(contentsOf: name.utf8)
        key.append(UInt8(ascii: "/"))
        key.append(contentsOf: row.table.utf8)
        key.append(UInt8(ascii: "/"))
        key.append(contentsOf: row.key.utf8)
        return key
    }

    fileprivate static func chain(of project: LoopProject) -> StateChange {
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("chain", project.chain.digest.hex)
            writer.member("ticks_written", project.ticksWritten)
            writer.member("last_offset", project.lastOffset)
        }
        return StateChange(table: chainTable, key: "_", value: writer.bytes)
    }

    fileprivate static func pause(of project: LoopProject) -> StateChange {
        StateChange(table: ProjectPause.table, key: "_", value: project.pause?.jsonBytes)
    }
}
