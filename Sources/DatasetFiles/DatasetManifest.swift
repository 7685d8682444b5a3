public import Events
internal import Hashing
public import JSON
public import Vocabulary

/// Manifest of a dataset version. Its canonical bytes hold facts of the log only, so every build on every machine at
/// any time writes the same bytes; their SHA-256 is the version's id.
///
/// Form 1 lists every segment, including those of all ancestors. Form 2 names pages of segments and tombstones: the
/// cost of a version depends on its change, not on the versions before it.
public struct DatasetManifest: Hashable, Sendable, JSONCodable {
    /// The SHA-256 of the manifest's bytes: of the bytes that were read if it was read, whatever else they contain;
    /// otherwise of the canonical bytes.
    public private(set) var id = DatasetVersionID("")
    /// Number of the bytes that `id` is the digest of.
    public private(set) var size = 0
    /// Form of the manifest, 1 or 2; readers refuse any other.
    public let formatVersion: Int
    public let project: ProjectID
    public let versionNumber: Int
    /// Kind of the labels.
    public let kind: KindName
    /// Sequence number of the cut in the dataset log.
    public let sequence: Int64
    public let parent: DatasetVersionID?
    public let semanticVersion: String
    public let classes: [String]
    /// The embedding space of the project at the cut; earlier labels may be in other spaces. Nil if no space was known.
    public let embedding: EmbeddingSpace?
    /// All segments of the version in form 1; empty in form 2.
    public let segments: [DatasetSegment]
    /// Pages of the version in form 2, in the order of the log and of descending levels; empty in form 1.
    public let pages: [DatasetPageReference]
    /// Number of valid labels by split, in form 2.
    private let counts: [Split: Int]

    /// Creates a manifest of form 1.
    public init(
        project: ProjectID,
        versionNumber: Int,
        sequence: Int64,
        parent: DatasetVersionID?,
        semanticVersion: String,
        kind: KindName = .choice,
        classes: [String],
        embedding: EmbeddingSpace? = nil,
        segments: [DatasetSegment]
    ) {
        formatVersion = 1
        self.embedding = embedding
        self.project = project
        self.versionNumber = versionNumber
        self.sequence = sequence
        self.parent = parent
        self.semanticVersion = semanticVersion
        self.kind = kind
        self.classes = classes
        self.segments = segments
        pages = []
        counts = [:]
        setCanonicalID()
    }

    /// Creates a manifest of form 2.
    ///
    /// - Parameters:
    ///   - project: The project.
    ///   - cut: The cut that is sealed.
    ///   - parent: The version before.
    ///   - semanticVersion: Semantic version, by Croissant's rule.
    ///   - counts: Number of valid labels by split.
    ///   - pages: Pages in the order of the log.
    package init(
        _ project: ProjectID,
        cut: VersionCut,
        parent: DatasetVersionID?,
        semanticVersion: String,
        counts: [Split: Int],
        pages: [DatasetPageReference]
    ) {
        formatVersion = 2
        embedding = cut.embedding
        self.project = project
        versionNumber = cut.versionNumber
        sequence = cut.sequence
        self.parent = parent
        self.semanticVersion = semanticVersion
        kind = cut.kind
        classes = cut.classes
        segments = []
        self.pages = pages
        self.counts = counts
        setCanonicalID()
    }

    public init(json: JSONValue) throws(JSONError) {
        try self.init(json, read: nil)
    }

    private init(_ json: JSONValue, read: (id: DatasetVersionID, size: Int)?) throws(JSONError) {
        let object = try json.object()
        formatVersion = try DatasetForm.check(manifest: object)
        project = ProjectID(try object.string("project"))
        versionNumber = try object.int("ordinal", in: 1...Int.max)
        sequence = try object.int64("sequence")
        parent = try object.optionalString("parent").map { DatasetVersionID($0) }
        semanticVersion = try object.string("semantic_version")
        let schema = try object.object("label_schema")
        // `DatasetForm` has refused unknown values.
        kind = try schema.optionalString("kind").flatMap { KindName(rawValue: $0) } ?? .choice
        classes = try schema.strings("classes")
        embedding = try object.optionalObject("embedding").map { (space) throws(JSONError) in
            try EmbeddingSpace(json: space.value)
        }
        guard formatVersion > 1 else {
            segments = try object.decode("segments") { (element) throws(JSONError) in try DatasetSegment(json: element)
            }
            pages = []
            counts = [:]
            setID(read)
            return
        }
        segments = []
        pages = try object.decode("pages") { (element) throws(JSONError) in try DatasetPageReference(json: element) }
        guard pages.count <= DatasetForm.pageLimit else {
            throw object.failure("pages", "expected at most \(DatasetForm.pageLimit), found \(pages.count)")
        }
        guard zip(pages, pages.dropFirst()).allSatisfy({ $0.level >= $1.level }) else {
            throw object.failure("pages", "expected the higher levels first")
        }
        let countsObject = try object.object("counts")
        let range = 0...Counting.limit
        counts = [
            .training: try countsObject.int("training", in: range),
            .validation: try countsObject.int("validation", in: range),
            .test: try countsObject.int("test", in: range),
        ]
        setID(read)
    }

    /// Reads a manifest's bytes.
    ///
    /// - Parameters:
    ///   - bytes: All bytes of the manifest.
    ///   - file: Location of the file, for messages.
    ///   - known: Digest of the bytes, if it was computed already.
    /// - Throws: `EngineError` that names the file, the fault and the remedy.
    package init(_ bytes: [UInt8], file: String, id known: DatasetVersionID? = nil) throws {
        let id = known ?? DatasetVersionID(SHA256Digest(of: bytes).hex)
        do {
            self = try JSONParser(maximumSize: 256 << 20).withDocument(of: bytes) { json in
                try DatasetManifest(json, read: (id, bytes.count))
            }
        } catch let error as JSONError {
            throw DatasetForm.refusal(error, in: file)
        }
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("format", "flywheel-dataset")
            writer.member("format_version", formatVersion)
            writer.member("project", project.rawValue)
            writer.member("ordinal", versionNumber)
            writer.member("sequence", sequence)
            writer.member("parent", ifPresent: parent?.rawValue)
            writer.member("semantic_version", semanticVersion)
            writer.object("label_schema") { writer in
                writer.member("kind", kind.rawValue)
                writer.array("classes", of: classes)
            }
            if let embedding {
                writer.key("embedding")
                embedding.write(to: &writer)
            }
            writer.object("counts") { writer in
                writer.member("training", count(of: .training))
                writer.member("validation", count(of: .validation))
                writer.member("test", count(of: .test))
            }
            if formatVersion > 1 {
                writer.array("pages") { writer in for page in pages { page.write(to: &writer) } }
            } else {
                writer.array("segments") { writer in for segment in segments { segment.write(to: &writer) } }
            }
        }
    }

    /// Number of valid labels in a split.
    public func count(of split: Split) -> Int {
        guard formatVersion == 1 else { return counts[split] ?? 0 }
        var count = 0
        for segment in segments where segment.split == split { count = count.adding(segment.records) }
        return count
    }

    private mutating func setID(_ read: (id: DatasetVersionID, size: Int)?) {
        guard let read else { return setCanonicalID() }
        (id, size) = read
    }

    private mutating func setCanonicalID() {
        let bytes = jsonBytes
        id = DatasetVersionID(SHA256Digest(of: bytes).hex)
        size = bytes.count
    }
}
