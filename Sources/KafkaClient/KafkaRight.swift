/// One thing that a principal may be allowed to do, named as Kafka's access control lists name it.
public struct KafkaRight: Hashable, Sendable, CustomStringConvertible {
    /// The kind of thing that the right is about.
    public enum Kind: String, Hashable, Sendable, CaseIterable {
        case topic = "Topic"
        case group = "Group"
        case transactionalID = "TransactionalId"
        case cluster = "Cluster"
    }

    /// Operation on it. Read and Write include Describe.
    public enum Operation: String, Hashable, Sendable, CaseIterable {
        case read = "Read"
        case write = "Write"
        case describe = "Describe"
        case describeConfigs = "DescribeConfigs"
        case create = "Create"
        case delete = "Delete"
        case idempotentWrite = "IdempotentWrite"
    }

    /// Operation.
    public let operation: Operation
    /// Kind of resource.
    public let kind: Kind
    /// The thing's name, or what the names of all that are meant begin with.
    public let name: String
    /// Whether `name` is the beginning of names and not one itself.
    public let isPrefix: Bool

    /// A right to one thing, or with `isPrefix` to all things whose names begin so.
    public init(_ operation: Operation, _ kind: Kind, _ name: String, isPrefix: Bool = false) {
        self.operation = operation
        self.kind = kind
        self.name = name
        self.isPrefix = isPrefix
    }

    /// As in "Write on Topic flywheel.journal".
    public var description: String { "\(operation.rawValue) on \(kind.rawValue) \(name)\(isPrefix ? "*" : "")" }
}

extension KafkaError {
    /// Whether a broker refused because the principal lacks a right; a pause mends nothing then.
    public var isForbidden: Bool { code.hasSuffix("_AUTHORIZATION_FAILED") }

    /// Returns this error with the lacking right in its reason, where it is about a right.
    ///
    /// - Parameter rights: Rights that the operation needs; those of the kind that the error code is about are
    ///   named.
    /// - Returns: The error as it was where it is about no right, or already names one.
    func lacking(_ rights: KafkaRight...) -> KafkaError { lacking(anyOf: rights) }

    /// Returns this error with, in its reason, the rights of which at least one is lacking.
    func lacking(anyOf rights: [KafkaRight]) -> KafkaError {
        let kind: KafkaRight.Kind? =
            switch code {
            case "TOPIC_AUTHORIZATION_FAILED": .topic
            case "GROUP_AUTHORIZATION_FAILED": .group
            case "TRANSACTIONAL_ID_AUTHORIZATION_FAILED": .transactionalID
            case "CLUSTER_AUTHORIZATION_FAILED": .cluster
            default: nil
            }
        let named = rights.filter { $0.kind == kind }.map(\.description)
        guard !named.isEmpty, !reason.hasPrefix(Self.lackingWords) else { return self }
        return KafkaError(
            disposition,
            operation: operation,
            code: code,
            reason: "\(Self.lackingWords) \(named.joined(separator: " or "))"
        )
    }

    private static let lackingWords = "this principal has no right to"
}
