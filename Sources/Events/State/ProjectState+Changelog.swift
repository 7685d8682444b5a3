public import Flywheel
public import JSON
internal import Tables

/// Operations on all tables of a state at once.
extension ProjectState {
    /// Commits the current values of all tables.
    public mutating func commit() {
        var visitor = CommitVisitor()
        visit(&visitor)
    }

    /// Restores the values of the last commit.
    public mutating func undo() {
        var visitor = UndoVisitor()
        visit(&visitor)
    }

    /// The rows that changed since the last commit, table by table and by ascending key.
    ///
    /// Changes nothing; mutating because tables are visited in place.
    public mutating func changes() -> [StateChange] {
        var visitor = ChangeVisitor()
        visit(&visitor)
        return visitor.changes
    }

    /// Calls `body` with every row, table by table and by ascending key.
    ///
    /// - Throws: Any error of `body`, which is not called again after it.
    /// - Complexity: O(*n* log *n*) in the rows of the largest table; the rows of one table at a time are held in memory.
    public func forEachRow<Failure: Error>(_ body: (StateChange) throws(Failure) -> Void) throws(Failure) {
        var state = self
        let failure = withoutActuallyEscaping(body) { body in
            var visitor = RowVisitor(body: body)
            state.visit(&visitor)
            return visitor.failure
        }
        if let failure { throw failure }
    }

    /// Number of rows of all tables.
    public var rowCount: Int { tableCounts.reduce(0) { $0 + $1.rows } }

    /// The name and the number of rows of each table, in the order of `visit`.
    public var tableCounts: [(name: String, rows: Int)] {
        var (state, visitor) = (self, CountVisitor())
        state.visit(&visitor)
        return visitor.counts
    }

    /// Restores a row of the changelog; this is not a change.
    ///
    /// - Parameters:
    ///   - name: The UTF-8 bytes of the table's name.
    ///   - key: The row's key; a cell ignores it.
    ///   - json: The row; nil removes it.
    /// - Returns: False if no table has this name.
    /// - Throws: If the key or the row cannot be read.
    public mutating func restore(_ name: UnsafeRawBufferPointer, _ key: String, _ json: JSONValue?) throws(JSONError)
        -> Bool
    {
        var visitor = RestoreVisitor(name: name, key: key, json: json)
        visit(&visitor)
        if let failure = visitor.failure { throw failure }
        return visitor.isFound
    }
}

private struct CommitVisitor: TableVisitor {
    mutating func table<Key, Value>(_: StaticString, _ table: inout Table<Key, Value>) { table.commit() }
    mutating func cell<Value>(_: StaticString, _ cell: inout Cell<Value>) { cell.commit() }
}

private struct UndoVisitor: TableVisitor {
    mutating func table<Key, Value>(_: StaticString, _ table: inout Table<Key, Value>) { table.undo() }
    mutating func cell<Value>(_: StaticString, _ cell: inout Cell<Value>) { cell.undo() }
}

private struct ChangeVisitor: TableVisitor {
    var changes: [StateChange] = []

    mutating func table<Key: StateKey, Value: JSONCodable>(_ name: StaticString, _ table: inout Table<Key, Value>) {
        guard table.hasChanges else { return }
        let name = name.description
        for (key, value) in table.changes {
            changes.append(StateChange(table: name, key: key.stateKey, value: value?.jsonBytes))
        }
    }

    mutating func cell<Value: JSONCodable>(_ name: StaticString, _ cell: inout Cell<Value>) {
        guard cell.hasChanges else { return }
        changes.append(StateChange(table: name.description, key: StateChange.cellKey, value: cell.row?.jsonBytes))
    }
}

private struct RowVisitor<Failure: Error>: TableVisitor {
    let body: (StateChange) throws(Failure) -> Void
    var failure: Failure?

    mutating func table<Key: StateKey, Value: JSONCodable>(_ name: StaticString, _ table: inout Table<Key, Value>) {
        guard failure == nil, !table.isEmpty else { return }
        let name = name.description
        for (key, value) in table.sortedRows {
            visitRow(StateChange(table: name, key: key.stateKey, value: value.jsonBytes))
            if failure != nil { return }
        }
    }

    mutating func cell<Value: JSONCodable>(_ name: StaticString, _ cell: inout Cell<Value>) {
        guard failure == nil, let row = cell.row else { return }
        visitRow(StateChange(table: name.description, key: StateChange.cellKey, value: row.jsonBytes))
    }

    private mutating func visitRow(_ row: StateChange) {
        do throws(Failure) { try body(row) } catch { failure = error }
    }
}

private struct CountVisitor: TableVisitor {
    var counts: [(name: String, rows: Int)] = []

    mutating func table<Key, Value>(_ name: StaticString, _ table: inout Table<Key, Value>) {
        counts.append((name.description, table.count))
    }

    mutating func cell<Value>(_ name: StaticString, _ cell: inout Cell<Value>) {
        counts.append((name.description, cell.row == nil ? 0 : 1))
    }
}

private struct RestoreVisitor: TableVisitor {
    let name: UnsafeRawBufferPointer
    let key: String
    let json: JSONValue?
    var isFound = false
    var failure: JSONError?

    /// Whether a table has the name that is sought. Names are literals, so where this is inlined the length is a
    /// constant; few tables have names of equal length.
    @inline(__always) private mutating func finds(_ name: StaticString) -> Bool {
        guard !isFound, name.utf8CodeUnitCount == self.name.count else { return false }
        isFound = self.name.elementsEqual(UnsafeRawBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount))
        return isFound
    }

    mutating func table<Key: StateKey, Value: JSONCodable>(_ name: StaticString, _ table: inout Table<Key, Value>) {
        guard finds(name) else { return }
        do throws(JSONError) {
            guard let key = Key(stateKey: key) else {
                throw JSONError(.invalidValue, path: name.description, reason: "\"\(key)\" is no key of this table")
            }
            var value: Value?
            if let json { value = try Value(json: json) }
            table.restore(key, value)
        } catch { failure = error }
    }

    mutating func cell<Value: JSONCodable>(_ name: StaticString, _ cell: inout Cell<Value>) {
        guard finds(name) else { return }
        do throws(JSONError) {
            var value: Value?
            if let json { value = try Value(json: json) }
            cell.restore(value)
        } catch { failure = error }
    }
}
