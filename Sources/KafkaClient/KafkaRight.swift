/// A right that a principal may have, named as in Kafka's access control lists.
public struct KafkaRight: Hashable, Sendable, CustomStringConvertible {
    /// Kind of the resource to which the right applies.
    public enum Kind: String, Hashable, Sendable, CaseIterable {
        case topic = "Topic"
        case group = "Group"
        case transactionalID = "TransactionalId"
        case cluster = "Cluster"
    }

    /// Operation on the resource. Read and Write include Describe.
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
    /// Name of the resource, or the prefix of the names of all resources that are meant.
    public let name: String
    /// Whether `name` is a prefix of names and not a complete name.
    public let isPrefix: Bool

    /// Creates a right to one resource, or with `isPrefix` to all resources whose names begin with `name`.
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
    /// Whether a broker refused because the principal lacks a right; waiting does not help then.
    public var isForbidden: Bool { code.hasSuffix("_AUTHORIZATION_FAILED") }

    /// Returns this error with the lacking right in its reason, if the error is about a right.
    ///
    /// - Parameter rights: Rights that the operation needs; those of the kind that the error code is about are
    ///   named.
    /// - Returns: The unchanged error if it is not about a right, or already names one.
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
