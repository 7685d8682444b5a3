public import EngineCore
internal import Hashing
public import StreamRuntime

/// Digest of the salt in use, stored beside the offsets of Intake's and the loop's group: a worker with another salt
/// would select another audit sample, treat known users as new ones and create tokens that the others refuse.
///
/// The digest is HMAC-SHA-256 of `flywheel salt in use`, under the SHA-256 of `flywheel salt`, a zero byte and the
/// salt; the first 8 bytes of the code, as 16 lower-case hexadecimal digits. Nothing else is derived from that key.
public struct SaltDigest: Hashable, Sendable {
    public let hex: String
    private let isNone: Bool

    public init(salt: [UInt8]) {
        let key = SHA256Digest(of: Array("flywheel salt\u{0}".utf8) + salt).bytes
        hex = String(HMACSHA256(key: key).tag(of: Array("flywheel salt in use".utf8)).prefix(16))
        isNone = salt.isEmpty
    }

    private static let none = SaltDigest(salt: [])

    /// The digest as it is written after the mark of an offset.
    public var attribute: OffsetAttribute { OffsetAttribute("salt", hex) }

    /// Checks the digests that the members of a group have stored, without joining the group: a member that has joined
    /// delays the others.
    ///
    /// - Throws: `EngineError` if another salt was in use; `StreamError` if no broker answers.
    public func check(group: String, of role: Role, topics names: [String], transport: any StreamTransport) throws {
        let reader = try transport.makeReader(topics: names)
        defer { reader.close() }
        var topicPartitions: [TopicPartition] = []
        for name in names { topicPartitions += try reader.partitions(of: name).map { TopicPartition(name, $0) } }
        let found = try transport.groupOffsets(group, topicPartitions)
        for topicPartition in topicPartitions {
            guard let offset = found[topicPartition],
                let disagreement = OffsetDisagreement(offset.metadata, of: topicPartition, own: attribute)
            else { continue }
            throw fault(disagreement, role, group: group)
        }
    }

    /// Returns the error for a disagreement, with its remedy, for human readers.
    func fault(_ disagreement: OffsetDisagreement, _ role: Role, group: String) -> EngineError {
        let wasNone = disagreement.found == Self.none.attribute
        let own = isNone ? "this worker has none" : "this worker has another one (digest \(hex))"
        let before = wasNone ? "without a salt" : "with the salt of digest \(disagreement.found.value)"
        return EngineError(
            "start the role \(role.rawValue)",
            "the group \(group) has worked \(before), and \(own) (\(disagreement.partition))",
            remedy:
                "give this worker the salt of the others (salt in its file, or FLYWHEEL_SALT); to change the salt on "
                + "purpose, see Secrets in the operators' guide"
        )
    }
}
