public import Flywheel
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
extension CyclePhase: StateKey {
    public var stateKey: String { rawValue }
    public init?(stateKey: String) { self.init(rawValue: stateKey) }
}

/// A changed row; the value is nil if the row was removed.
public struct StateChange: Hashable, Sendable {
    public let table: String
    public let key: String
    public let value: [UInt8]?

    /// The key of a cell's only row.
    static let cellKey = "_"

    public init(table: String, key: String, value: [UInt8]?) {
        self.table = table
        self.key = key
        self.value = value
    }
}
