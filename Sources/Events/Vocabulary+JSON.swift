public import JSON
public import Vocabulary

extension Content: JSONCodable {
    public init(json: JSONValue) throws(JSONError) {
        let object = try json.object()
        switch try object.string("kind") {
        case "uri":
            let uri = try object.string("uri")
            guard (1...Content.longestURI).contains(uri.utf8.count) else {
                throw object.failure("uri", "expected 1 to 2,048 bytes")
            }
            self = .uri(uri)
        case "inline":
            let text = try object.string("data")
            guard text.utf8.count <= Content.inlineLimit else {
                throw object.failure("data", "expected at most \(Content.inlineLimit) bytes; send a larger one by URI")
            }
            self = .inline(mediaType: try object.string("media_type"), text: text)
        case let kind: throw object.failure("kind", "expected uri or inline, found \"\(kind.prefix(64))\"")
        }
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            switch self {
            case .uri(let uri):
                writer.member("kind", "uri")
                writer.member("uri", uri)
            case .inline(let mediaType, let text):
                writer.member("kind", "inline")
                writer.member("media_type", mediaType)
                writer.member("data", text)
            }
        }
    }
}

extension Sample: JSONCodable {
    public init(json: JSONValue) throws(JSONError) {
        var remarks = Remarks()
        try self.init(json, &remarks)
    }

    /// Reads a sample in the form in which a service sends it.
    init(_ json: JSONValue, _ remarks: inout Remarks) throws(JSONError) {
        let object = try json.object()
        self.init(
            id: try object.id("id"),
            content: try object.optionalValue("content"),
            embedding: try object.optionalValue("embedding", Embedding.self)?.values,
            metadata: object.optional("metadata").map { SampleMetadata($0, &remarks) } ?? .none,
            space: try object.optionalID("space"),
            group: try object.optionalID("group")
        )
    }

    public func write(to writer: inout JSONWriter) { write(to: &writer, withEmbedding: true) }

    /// Writes a sample; without its embedding for label tools, which do not need it.
    func write(to writer: inout JSONWriter, withEmbedding: Bool) {
        writer.object { writer in
            writer.member("id", id)
            writer.member("group", ifPresent: group)
            writer.member("content", ifPresent: content)
            if withEmbedding, let embedding {
                writer.member("embedding", Embedding(embedding))
                writer.member("space", ifPresent: space)
            }
            if !metadata.entries.isEmpty { writer.member("metadata", metadata) }
        }
    }
}

extension ModelReference: JSONCodable {
    public init(json: JSONValue) throws(JSONError) {
        var remarks = Remarks()
        try self.init(json, &remarks)
    }

    /// Reads a model in the form in which the predicting service names it.
    init(_ json: JSONValue, _ remarks: inout Remarks) throws(JSONError) {
        let object = try json.object()
        self.init(
            name: object.informativeText("name", &remarks) ?? "",
            version: try object.id("version"),
            variant: object.informativeText("variant", &remarks) ?? "base",
            role: object.optional("role") == nil ? .champion : try object.choice("role")
        )
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("name", name)
            writer.member("version", version)
            writer.member("variant", variant)
            writer.member("role", role.rawValue)
        }
    }
}

extension ArtifactReference: JSONCodable {
    /// Maximum number of bytes of a URI.
    public static let longestURI = 1_024

    /// Reads a reference to an artifact.
    ///
    /// - Throws: `JSONError`, also if the size or digest is missing.
    public init(json: JSONValue) throws(JSONError) {
        let object = try json.object()
        let (sha256, size) = (try object.string("sha256"), try object.int64("size"))
        self.init(
            uri: try Self.uri(object),
            size: try Self.checked(size, object),
            sha256: try Self.checked(sha256, object)
        )
    }

    /// Reads the description of a registered model's file by an operator, or by a release: size and digest may be
    /// missing.
    init(incumbent json: JSONValue) throws(JSONError) {
        let object = try json.object()
        let (sha256, size) = (try object.optionalString("sha256"), try object.optionalInt64("size"))
        self.init(
            uri: try Self.uri(object),
            size: try size.map { (size) throws(JSONError) in try Self.checked(size, object) },
            sha256: try sha256.map { (digest) throws(JSONError) in try Self.checked(digest, object) }
        )
    }

    private static func checked(_ sha256: String, _ object: JSONObject) throws(JSONError) -> String {
        guard sha256.utf8.count == 64,
            sha256.utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) })
        else {
            throw object.failure("sha256", "expected 64 lower-case hexadecimal digits")
        }
        return sha256
    }

    private static func checked(_ size: Int64, _ object: JSONObject) throws(JSONError) -> Int64 {
        guard size >= 0 else { throw object.failure("size", "expected bytes, not less than 0") }
        return size
    }

    private static func uri(_ object: JSONObject) throws(JSONError) -> String {
        let uri = try object.string("uri")
        // The limit exists because models and versions are kept in rows of state, and a row must fit in one record.
        guard (1...Self.longestURI).contains(uri.utf8.count),
            uri.utf8.allSatisfy({ (0x21...0x7E).contains($0) && $0 != 0x22 && $0 != 0x5C })
        else {
            throw object.failure("uri", "expected a URI of 1 to \(Self.longestURI) bytes (RFC 3986: ASCII, no quotes)")
        }
        return uri
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("uri", uri)
            writer.member("size", ifPresent: size)
            writer.member("sha256", ifPresent: sha256)
        }
    }
}

extension ReleasedModel: JSONCodable {
    public init(json: JSONValue) throws(JSONError) {
        let object = try json.object()
        self.init(
            version: try object.id("version"),
            artifact: try ArtifactReference(incumbent: object.required("artifact")),
            datasetVersionNumber: try object.int("dataset_ordinal", in: 0...Int.max),
            newestSampleAt: try object.time("newest_sample_at_ms"),
            verified: try object.optionalBool("verified")
        )
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("version", version)
            writer.member("artifact", artifact)
            writer.member("dataset_ordinal", datasetVersionNumber)
            writer.member("newest_sample_at_ms", newestSampleAt)
            writer.member("verified", ifPresent: verified)
        }
    }
}

extension SelectionReason: JSONCodable {
    public init(json: JSONValue) throws(JSONError) {
        let object = try json.object()
        self.init(
            strategy: try object.string("strategy"),
            score: try object.double("score"),
            scoredBy: try object.optionalID("scored_by"),
            predicted: try object.optionalValue("predicted"),
            inclusionProbability: try object.optionalDouble("inclusion_probability"),
            propensity: try object.optionalDouble("propensity"),
            triggers: try object.stringsIfPresent("triggers"),
            parts: object.optional("parts") == nil ? [] : try object.values("parts")
        )
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("strategy", strategy)
            writer.member("score", score)
            writer.member("scored_by", ifPresent: scoredBy)
            writer.member("predicted", ifPresent: predicted)
            writer.member("inclusion_probability", ifPresent: inclusionProbability)
            writer.member("propensity", ifPresent: propensity)
            if !parts.isEmpty { writer.array("parts", ofValues: parts) }
            if !triggers.isEmpty { writer.array("triggers", of: triggers) }
        }
    }
}

extension SealedVersion: JSONCodable {
    public init(json: JSONValue) throws(JSONError) {
        let object = try json.object()
        let counts = try object.object("counts")
        self.init(
            id: try object.id("version"),
            versionNumber: try object.int("ordinal", in: 1...Int.max),
            parent: try object.optionalID("parent"),
            semanticVersion: try object.string("semantic_version"),
            manifest: try object.value("manifest"),
            training: try counts.int("training", in: 0...Int.max),
            validation: try counts.int("validation", in: 0...Int.max),
            test: try counts.int("test", in: 0...Int.max)
        )
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in writeMembers(to: &writer) }
    }

    func writeMembers(to writer: inout JSONWriter) {
        writer.member("version", id)
        writer.member("ordinal", versionNumber)
        writer.member("parent", ifPresent: parent)
        writer.member("semantic_version", semanticVersion)
        writer.member("manifest", manifest)
        writer.object("counts") { writer in
            writer.member("training", training)
            writer.member("validation", validation)
            writer.member("test", test)
        }
    }
}
