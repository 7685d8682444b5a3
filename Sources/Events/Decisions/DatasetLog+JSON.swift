public import JSON
public import Vocabulary

/// A record of `dataset-log`.
public enum DatasetLogRecord: Hashable, Sendable {
    /// An accepted label with the names of its classes, in the order of the label.
    case accepted(LabelFact, names: [String])
    /// A change of a label, with the names of its classes and of the former ones if its value changes.
    case changed(LabelChange, names: [String]?, formerNames: [String]?)
    case cut(VersionCut)

    public var sequence: Int64 {
        switch self {
        case .accepted(let fact, _): fact.sequence
        case .changed(let change, _, _): change.sequence
        case .cut(let cut): cut.sequence
        }
    }
}

extension DatasetLogRecord: JSONCodable {
    /// - Throws: `JSONError`; `.newerForm` for a kind or format of fact that only a newer build knows.
    public init(json: JSONValue) throws(JSONError) {
        let object = try json.object()
        switch try object.string("kind") {
        case "label_accepted":
            let label = try NamedLabel(object.object("label"))
            guard let confidence = Probability(try object.double("confidence")) else {
                throw object.failure("confidence", "expected a number in 0...1")
            }
            let consensus = ConsensusLabel(
                task: try object.id("task"),
                sample: try object.value("sample"),
                purpose: try object.choice("purpose"),
                label: label.label,
                confidence: confidence,
                votes: try object.values("votes"),
                predictedAt: try object.time("predicted_at_ms"),
                origin: try object.optionalObject("imported").map { (origin) throws(JSONError) in
                    ImportOrigin(source: try origin.string("source"), id: try origin.string("id"))
                }
            )
            let format = try Self.format(object)
            let isExtended = format >= DatasetFormat.changes
            let fact = LabelFact(
                consensus: consensus,
                split: try object.choice("split"),
                sequence: try Self.sequence(object),
                format: format,
                acceptedAt: isExtended ? try object.time("accepted_at_ms") : nil,
                inclusionProbability: isExtended ? try Self.probability(object, "inclusion_probability") : nil,
                propensity: isExtended ? try Self.probability(object, "propensity") : nil,
                audit: isExtended ? try AuditOrigin(members: object) : nil
            )
            self = .accepted(fact, names: label.names)
        case "version_cut":
            let counts = try object.object("counts")
            self = .cut(
                VersionCut(
                    versionNumber: try object.int("ordinal", in: 1...Int.max),
                    sequence: try Self.sequence(object),
                    training: try counts.int("training", in: 0...Int.max),
                    validation: try counts.int("validation", in: 0...Int.max),
                    test: try counts.int("test", in: 0...Int.max),
                    kind: try Self.kind(object),
                    classes: try object.strings("classes"),
                    embedding: try object.optionalValue("embedding"),
                    format: try Self.format(object)
                )
            )
        case let kind:
            if let changed = try Self.changed(kind, object) {
                self = changed
                return
            }
            throw JSONError(
                .newerForm,
                path: "kind",
                reason: "unknown kind of fact \"\(kind.prefix(64))\", a newer build wrote it; upgrade this worker"
            )
        }
    }

    /// The format of a fact; 1 if absent.
    private static func format(_ object: JSONObject) throws(JSONError) -> Int {
        guard let format = try object.optionalInt64("format") else { return DatasetFormat.additions }
        guard format <= Int64(DatasetFormat.known.upperBound) else {
            throw JSONError(
                .newerForm,
                path: object.failure("format", "").path,
                reason: "unknown format \(format) of a fact, a newer build wrote it; upgrade this worker"
            )
        }
        guard format >= Int64(DatasetFormat.additions) else { throw object.failure("format", "expected 1 or 2") }
        return Int(format)
    }

    /// The kind of the labels of a cut; `choice` if absent.
    private static func kind(_ object: JSONObject) throws(JSONError) -> KindName {
        guard let kind = object.optional("label_kind") else { return .choice }
        return try KindName(known: kind)
    }

    private static func probability(_ object: JSONObject, _ key: StaticString) throws(JSONError) -> Double? {
        guard let value = try object.optionalDouble(key) else { return nil }
        guard (0...1).contains(value) else { throw object.failure(key, "expected a number in 0...1") }
        return value
    }

    static func sequence(_ object: JSONObject, _ key: StaticString = "sequence") throws(JSONError) -> Int64 {
        let sequence = try object.int64(key)
        guard (1...Int64(Counting.limit)).contains(sequence) else {
            throw object.failure(key, "expected a number counted from 1 up to 2⁵³, found \(sequence)")
        }
        return sequence
    }

    public func write(to writer: inout JSONWriter) { write(to: &writer, project: nil) }

    public func write(to writer: inout JSONWriter, project: ProjectID?) {
        writer.object { writer in
            switch self {
            case .accepted(let fact, let names): write(fact, names, project, to: &writer)
            case .changed(let change, let names, let former):
                write(change, names: names, former: former, project: project, to: &writer)
            case .cut(let cut): write(cut, project, to: &writer)
            }
        }
    }

    private func write(_ fact: LabelFact, _ names: [String], _ project: ProjectID?, to writer: inout JSONWriter) {
        let consensus = fact.consensus
        writer.member("kind", "label_accepted")
        writer.member("project", ifPresent: project)
        writer.member("sequence", fact.sequence)
        writer.member("sample", consensus.sample)
        writer.member("label", NamedLabel(consensus.label, names: names))
        writer.member("split", fact.split.rawValue)
        writer.member("confidence", consensus.confidence.value)
        writer.member("task", consensus.task)
        writer.member("purpose", consensus.purpose.rawValue)
        writer.array("votes", ofValues: consensus.votes)
        writer.member("predicted_at_ms", consensus.predictedAt)
        if let origin = consensus.origin {
            writer.object("imported") { writer in
                writer.member("source", origin.source)
                writer.member("id", origin.id)
            }
        }
        guard fact.format >= DatasetFormat.changes else { return }
        writer.member("format", fact.format)
        writer.member("inclusion_probability", ifPresent: fact.inclusionProbability)
        writer.member("propensity", ifPresent: fact.propensity)
        fact.audit?.writeMembers(to: &writer)
        writer.member("accepted_at_ms", ifPresent: fact.acceptedAt?.milliseconds)
    }

    private func write(_ cut: VersionCut, _ project: ProjectID?, to writer: inout JSONWriter) {
        writer.member("kind", "version_cut")
        writer.member("project", ifPresent: project)
        writer.member("sequence", cut.sequence)
        writer.member("ordinal", cut.versionNumber)
        writer.object("counts") { writer in
            writer.member("training", cut.training)
            writer.member("validation", cut.validation)
            writer.member("test", cut.test)
        }
        if !cut.kind.isUntagged { writer.member("label_kind", cut.kind.rawValue) }
        writer.array("classes", of: cut.classes)
        writer.member("embedding", ifPresent: cut.embedding)
        if cut.format >= DatasetFormat.changes { writer.member("format", cut.format) }
    }
}

/// A record of `dataset-versions`.
public struct SealedVersionEvent: Hashable, Sendable {
    public let project: ProjectID
    public let version: SealedVersion

    public init(project: ProjectID, version: SealedVersion) {
        self.project = project
        self.version = version
    }

    public init(_ object: JSONObject, project: ProjectID) throws(RecordRejection) {
        do throws(JSONError) {
            self.project = project
            version = try SealedVersion(json: object.value)
            let digits = version.id.rawValue.utf8
            guard digits.count == 64, digits.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) })
            else {
                throw object.failure("version", "expected 64 lower-case hexadecimal digits")
            }
            let numbers = [version.versionNumber, version.training, version.validation, version.test]
            guard numbers.allSatisfy({ $0 <= Counting.limit }) else {
                throw object.failure("counts", "expected at most \(Counting.limit) of anything")
            }
            // The semantic version becomes part of requests and of rows of the state.
            guard version.semanticVersion.utf8.count <= RecordLimits.semanticVersion else {
                throw object.failure("semantic_version", "expected at most \(RecordLimits.semanticVersion) bytes")
            }
        } catch {
            throw RecordRejection(error)
        }
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("project", project)
            version.writeMembers(to: &writer)
        }
    }
}
