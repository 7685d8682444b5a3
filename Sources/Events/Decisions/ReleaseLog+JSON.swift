internal import Flywheel
internal import Hashing
public import JSON
public import Rollout
public import Vocabulary

/// A record of `release-log`: the transition of a model version, with the time and the policy of the decision.
public struct ReleaseLogRecord: Hashable, Sendable {
    public let transition: ModelTransition
    /// Append time of the journal entry that caused it.
    public let at: StreamTime
    /// Number of that entry.
    public let entryNumber: UInt64
    /// Revision of the configuration in force.
    public let revision: Int
    /// Digest of that revision's rollout policy, see `digest(of:)`.
    public let policyDigest: String

    public init(
        transition: ModelTransition,
        at: StreamTime,
        entryNumber: UInt64,
        revision: Int,
        policyDigest: String
    ) {
        self.transition = transition
        self.at = at
        self.entryNumber = entryNumber
        self.revision = revision
        self.policyDigest = policyDigest
    }

    init(_ transition: ModelTransition, under configuration: ProjectConfiguration, at: StreamTime, entryNumber: UInt64)
    {
        self.init(
            transition: transition,
            at: at,
            entryNumber: entryNumber,
            revision: configuration.revision,
            policyDigest: Self.digest(of: configuration.rollout)
        )
    }

    /// SHA-256 of a rollout policy's compact JSON, as 64 lower-case hexadecimal digits. The bytes equal those of the
    /// member `rollout` of a revision on `projects` that the same build wrote.
    public static func digest(of policy: RolloutPolicy) -> String { SHA256Digest(of: policy.jsonBytes).hex }
}

extension ReleaseLogRecord: JSONCodable {
    public init(json: JSONValue) throws(JSONError) {
        let object = try json.object()
        let digest = try object.string("policy")
        guard digest.utf8.count == 64,
            digest.utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) })
        else {
            throw object.failure("policy", "expected 64 lower-case hexadecimal digits")
        }
        let entryNumber = try object.entryNumber("entry")
        guard entryNumber > 0 else { throw object.failure("entry", "expected a number counted from 1, found 0") }
        self.init(
            transition: try ModelTransition(object),
            at: try object.time("at_ms"),
            entryNumber: entryNumber,
            revision: try object.int("revision", in: 1...Counting.limit),
            policyDigest: digest
        )
    }

    public func write(to writer: inout JSONWriter) { write(to: &writer, project: nil) }

    public func write(to writer: inout JSONWriter, project: ProjectID?) {
        writer.object { writer in
            writer.member("project", ifPresent: project)
            writer.member("version", transition.version)
            writer.member("from", ifPresent: transition.from?.rawValue)
            writer.member("to", transition.to.rawValue)
            writer.member("cause", transition.cause.rawValue)
            writer.member("by", ifPresent: transition.by)
            writer.member("reason", ifPresent: transition.reason)
            writer.member("replaced", ifPresent: transition.replaced)
            writer.member("replaced_by", ifPresent: transition.replacedBy)
            writer.member("evidence", transition.evidence)
            writer.member("at_ms", at)
            writer.member("entry", entryNumber)
            writer.member("revision", revision)
            writer.member("policy", policyDigest)
        }
    }
}

extension ModelTransition {
    fileprivate init(_ object: JSONObject) throws(JSONError) {
        let from: ReleaseState? = object.optional("from") == nil ? nil : try object.choice("from", ReleaseState.self)
        self.init(
            version: try object.id("version"),
            from: from,
            to: try object.choice("to"),
            cause: try object.choice("cause"),
            by: try object.optionalString("by"),
            reason: try object.optionalString("reason"),
            replaced: try object.optionalID("replaced"),
            replacedBy: try object.optionalID("replaced_by"),
            evidence: try object.value("evidence")
        )
    }
}
