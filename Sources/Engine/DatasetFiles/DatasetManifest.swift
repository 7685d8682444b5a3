public import Events
internal import Hashing
public import JSON
public import Vocabulary

/// A file of one split's labels: JSON Lines, named by its digest.
public struct DatasetSegment: Hashable, Sendable, JSONCodable {
    public let split: Split
    /// Relative to the manifest's folder.
    public let path: String
    public let size: Int
    public let sha256: String
    public let records: Int

    public init(split: Split, path: String, size: Int, sha256: String, records: Int) {
        self.split = split
        self.path = path
        self.size = size
        self.sha256 = sha256
        self.records = records
    }

    public init(json: JSONValue) throws(JSONError) {
        let object = try json.object()
        try DatasetForm.check(segment: object)
        guard let split = Split(rawValue: try object.string("split")) else {
            throw object.failure("split", "expected training, validation or test")
        }
        let path = try object.string("path")
        self.init(
            split: split,
            path: path,
            size: try object.int("size", in: 0...Int.max),
            sha256: try object.string("sha256"),
            records: try object.int("records", in: 0...Int.max)
        )
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("split", split.rawValue)
            writer.member("path", path)
            writer.member("size", size)
            writer.member("sha256", sha256)
            writer.member("records", records)
        }
    }
}

/// What a dataset version is made of. Its canonical bytes hold facts of the log only, so every build on every machine at any
/// time gives the same ones; their SHA-256 is the version's id.
public struct DatasetManifest: Hashable, Sendable, JSONCodable {
    /// Readers refuse any other.
    public static let formatVersion = DatasetForm.version

    public let project: ProjectID
    public let ordinal: Int
    /// Of the cut in the dataset log.
    public let sequence: Int64
    public let parent: DatasetVersionID?
    public let semanticVersion: String
    public let classes: [String]
    /// The space that the project worked in at the cut; labels before may lie in others. Nil where nothing was known of it.
    public let embedding: EmbeddingSpace?
    public let segments: [DatasetSegment]

    public init(
        project: ProjectID,
        ordinal: Int,
        sequence: Int64,
        parent: DatasetVersionID?,
        semanticVersion: String,
        classes: [String],
        embedding: EmbeddingSpace? = nil,
        segments: [DatasetSegment]
    ) {
        self.embedding = embedding
        self.project = project
        self.ordinal = ordinal
        self.sequence = sequence
        self.parent = parent
        self.semanticVersion = semanticVersion
        self.classes = classes
        self.segments = segments
    }

    public init(json: JSONValue) throws(JSONError) {
        let object = try json.object()
        try DatasetForm.check(manifest: object)
        self.init(
            project: ProjectID(try object.string("project")),
            ordinal: try object.int("ordinal", in: 1...Int.max),
            sequence: try object.int64("sequence"),
            parent: try object.optionalString("parent").map { DatasetVersionID($0) },
            semanticVersion: try object.string("semantic_version"),
            classes: try object.object("label_schema").strings("classes"),
            embedding: try object.optionalObject("embedding").map { (space) throws(JSONError) in
                try EmbeddingSpace(json: space.value)
            },
            segments: try object.decode("segments") { (element) throws(JSONError) in try DatasetSegment(json: element) }
        )
    }

    /// Reads a manifest's bytes.
    ///
    /// - Throws: `EngineError` that names the file, what is wrong and what to do.
    init(_ bytes: [UInt8], file: String) throws {
        do {
            self = try JSONParser().withDocument(of: bytes) { json in try DatasetManifest(json: json) }
        } catch let error as JSONError {
            throw DatasetForm.refusal(error, in: file)
        }
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("format", "flywheel-dataset")
            writer.member("format_version", Self.formatVersion)
            writer.member("project", project.rawValue)
            writer.member("ordinal", ordinal)
            writer.member("sequence", sequence)
            writer.member("parent", ifPresent: parent?.rawValue)
            writer.member("semantic_version", semanticVersion)
            writer.object("label_schema") { writer in
                writer.member("kind", "choice")
                writer.array("classes", of: classes)
            }
            if let embedding {
                writer.key("embedding")
                embedding.write(to: &writer)
            }
            writer.object("counts") { writer in
                for split in Split.allCases { writer.member(StaticSplitKey.key(split), count(of: split)) }
            }
            writer.array("segments") { writer in for segment in segments { segment.write(to: &writer) } }
        }
    }

    /// Labels in a split.
    public func count(of split: Split) -> Int {
        var count = 0
        for segment in segments where segment.split == split { count = count.adding(segment.records) }
        return count
    }

    /// The SHA-256 of the canonical bytes.
    public var id: DatasetVersionID { DatasetVersionID(SHA256Digest(of: jsonBytes).hex) }
}

private enum StaticSplitKey {
    static func key(_ split: Split) -> StaticString {
        switch split {
        case .training: "training"
        case .validation: "validation"
        case .test: "test"
        }
    }
}

/// One line of a segment.
public struct DatasetLine: Sendable {
    public let sample: SampleID
    public let className: String
    public let embedding: [Float]?
    public let space: SpaceID?

    /// The line of an accepted label: readable without us, numbers as numbers.
    static func bytes(_ fact: LabelFact, className: String) -> [UInt8] {
        let consensus = fact.consensus
        var writer = JSONWriter()
        writer.object { writer in
            writer.object("sample") { writer in
                writer.member("id", consensus.sample.id.rawValue)
                writer.member("group", ifPresent: consensus.sample.group?.rawValue)
                if let content = consensus.sample.content {
                    writer.key("content")
                    content.write(to: &writer)
                }
                if let embedding = consensus.sample.embedding {
                    writer.array("embedding") { writer in
                        // The shortest text of a float32, not that of the float64 nearest to it.
                        for value in embedding { writer.value(encoded: Array(value.description.utf8)) }
                    }
                    writer.member("space", ifPresent: consensus.sample.space?.rawValue)
                }
            }
            writer.object("label") { writer in
                writer.member("kind", "choice")
                writer.member("class", className)
            }
            writer.member("split", fact.split.rawValue)
            writer.member("confidence", consensus.confidence.value)
            writer.member("votes", consensus.votes.count)
            writer.member("task", consensus.task.rawValue)
            writer.member("sequence", fact.sequence)
        }
        return writer.bytes + [0x0A]
    }

    /// - Throws: `.newerForm` of a line that is no accepted label of a class, whatever else is wrong with it.
    init(json: JSONValue) throws(JSONError) {
        let object = try json.object()
        try DatasetForm.check(line: object)
        let sample = try object.object("sample")
        self.sample = SampleID(try sample.string("id"))
        className = try object.object("label").string("class")
        var values: [Float] = []
        if let array = try sample.optionalArray("embedding") { try array.floats(into: &values) }
        embedding = values.isEmpty ? nil : values
        space = try sample.optionalString("space").map { SpaceID($0) }
    }
}
