internal import Acquisition
internal import Datasets
public import Flywheel
public import JSON
internal import Labeling
internal import Rollout
internal import Tables
internal import Training
public import Vocabulary

/// A key of a table as text, part of the key of its record in `state`.
public protocol StateKey {
    var stateKey: String { get }
    init?(stateKey: String)
}

extension StateKey where Self: Identifier {
    public var stateKey: String { rawValue }
    public init?(stateKey: String) { self.init(stateKey) }
}

extension SampleID: StateKey {}
extension TaskID: StateKey {}
extension AnnotatorID: StateKey {}
extension ModelVersion: StateKey {}
extension RequestID: StateKey {}
extension String: StateKey {
    public var stateKey: String { self }
    public init?(stateKey: String) { self = stateKey }
}
extension Int: StateKey {
    public var stateKey: String { String(self) }
    public init?(stateKey: String) { self.init(stateKey) }
}
extension Stage: StateKey {
    public var stateKey: String { rawValue }
    public init?(stateKey: String) { self.init(rawValue: stateKey) }
}

/// A changed row: nil value for a row that is gone.
public struct StateChange: Hashable, Sendable {
    public let table: String
    public let key: String
    public let value: [UInt8]?

    public init(table: String, key: String, value: [UInt8]?) {
        self.table = table
        self.key = key
        self.value = value
    }
}

/// One table of `ProjectState`, by name: how its changes are written and its rows read back.
public struct StateTable: Sendable {
    public let name: String
    /// Appends the rows that changed since the last commit, by ascending key.
    public let changes: @Sendable (borrowing ProjectState, inout [StateChange]) -> Void
    /// Appends every row, by ascending key.
    public let rows: @Sendable (borrowing ProjectState, inout [StateChange]) -> Void
    /// Puts a row back; nil removes it.
    public let restore: @Sendable (inout ProjectState, String, JSONValue?) throws(JSONError) -> Void
    public let commit: @Sendable (inout ProjectState) -> Void
    public let undo: @Sendable (inout ProjectState) -> Void
    public let count: @Sendable (borrowing ProjectState) -> Int

    init<Key: StateKey & Hashable & Comparable & Sendable, Value: JSONCodable & Equatable & Sendable>(
        _ name: String,
        _ path: any WritableKeyPath<ProjectState, Table<Key, Value>> & Sendable
    ) {
        self.name = name
        changes = { state, changes in
            for change in state[keyPath: path].changes {
                changes.append(.init(table: name, key: change.key.stateKey, value: change.value?.jsonBytes))
            }
        }
        rows = { state, rows in
            for row in state[keyPath: path].sortedRows {
                rows.append(.init(table: name, key: row.key.stateKey, value: row.value.jsonBytes))
            }
        }
        restore = { (state, text, json) throws(JSONError) in
            guard let key = Key(stateKey: text) else {
                throw JSONError(.invalidValue, path: name, reason: "\"\(text)\" is no key of this table")
            }
            var value: Value?
            if let json { value = try Value(json: json) }
            state[keyPath: path].restore(key, value)
        }
        commit = { $0[keyPath: path].commit() }
        undo = { $0[keyPath: path].undo() }
        count = { $0[keyPath: path].count }
    }

    /// The table of one row that a cell is in the changelog.
    init<Value: JSONCodable & Equatable & Sendable>(
        _ name: String,
        _ path: any WritableKeyPath<ProjectState, Cell<Value>> & Sendable
    ) {
        self.name = name
        rows = { state, rows in
            guard let value = state[keyPath: path].row else { return }
            rows.append(.init(table: name, key: Self.cellKey, value: value.jsonBytes))
        }
        changes = { state, changes in
            guard state[keyPath: path].hasChanges else { return }
            changes.append(.init(table: name, key: Self.cellKey, value: state[keyPath: path].row?.jsonBytes))
        }
        restore = { (state, _, json) throws(JSONError) in
            var value: Value?
            if let json { value = try Value(json: json) }
            state[keyPath: path].restore(value)
        }
        commit = { $0[keyPath: path].commit() }
        undo = { $0[keyPath: path].undo() }
        count = { $0[keyPath: path].row == nil ? 0 : 1 }
    }

    private static let cellKey = "_"

    /// Every table, in the order in which its changes are written.
    public static let all: [StateTable] = [
        StateTable("loop.position", \.position),
        StateTable("loop.configuration", \.configuration),
        StateTable("loop.commands", \.commands),
        StateTable("loop.stages", \.stages),
        StateTable("loop.refusals", \.refusals),
        StateTable("loop.entries", \.entries),
        StateTable("acquisition.pool", \.acquisition.pool),
        StateTable("acquisition.audit", \.acquisition.audit),
        StateTable("acquisition.asked", \.acquisition.asked),
        StateTable("acquisition.ledger", \.acquisition.ledger),
        StateTable("acquisition.cadence", \.acquisition.cadence),
        StateTable("acquisition.memory", \.acquisition.memory),
        StateTable("acquisition.stream", \.acquisition.stream),
        StateTable("acquisition.slices", \.acquisition.slices),
        StateTable("acquisition.triggered", \.acquisition.triggered),
        StateTable("acquisition.awaiting", \.acquisition.awaiting),
        StateTable("labeling.open", \.labeling.open),
        StateTable("labeling.closed", \.labeling.closed),
        StateTable("labeling.annotators", \.labeling.annotators),
        StateTable("datasets.labels", \.datasets.labels),
        StateTable("datasets.position", \.datasets.position),
        StateTable("datasets.pending", \.datasets.pending),
        StateTable("training.progress", \.training.progress),
        StateTable("training.models", \.training.models),
        StateTable("training.ended", \.training.ended),
        StateTable("rollout.phase", \.rollout.phase),
        StateTable("rollout.rows", \.rollout.rows),
        StateTable("rollout.pairs", \.rollout.pairs),
        StateTable("rollout.watch", \.rollout.watch),
        StateTable("rollout.buckets", \.rollout.buckets),
        StateTable("rollout.seen", \.rollout.seen),
    ]

    /// The tables by name.
    public static let named: [String: StateTable] = Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0) })
}
