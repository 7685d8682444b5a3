public import Events
public import JSON
public import Vocabulary

/// A file of one split's labels in a manifest of form 1: JSON Lines, named by its digest.
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

/// A file that a page of a manifest of form 2 names: labels of one split, or tombstones, which are the sequence numbers
/// of lines that are no longer valid.
public struct DatasetEntry: Hashable, Sendable, JSONCodable {
    /// Content of the file.
    public enum Kind: String, Hashable, Sendable {
        case labels, tombstones
    }

    public let kind: Kind
    /// Split of the labels; nil for tombstones.
    public let split: Split?
    /// Relative to the manifest's folder.
    public let path: String
    public let size: Int
    public let sha256: String
    /// Number of lines.
    public let records: Int
    /// Sequence numbers of the first and the last line; nil for segments taken over from a version of form 1.
    public let sequences: ClosedRange<Int64>?

    package init(_ kind: Kind, _ split: Split?, size: Int, sha256: String, records: Int, sequences: ClosedRange<Int64>?)
    {
        self.kind = kind
        self.split = split
        path = Self.path(kind, sha256)
        self.size = size
        self.sha256 = sha256
        self.records = records
        self.sequences = sequences
    }

    /// Creates an entry for a segment of a manifest of form 1, at the path that the segment states.
    package init(_ segment: DatasetSegment) {
        kind = .labels
        split = segment.split
        path = segment.path
        size = segment.size
        sha256 = segment.sha256
        records = segment.records
        sequences = nil
    }

    /// Path of the file with a digest, relative to the manifest's folder.
    static func path(_ kind: Kind, _ sha256: String) -> String {
        kind == .labels ? "../../segments/\(sha256).jsonl" : "../../tombstones/\(sha256).jsonl"
    }

    /// - Throws: `.newerForm` for an unknown kind; another `JSONError` for a path that is not the one of the digest.
    public init(json: JSONValue) throws(JSONError) {
        let object = try json.object()
        let name = try object.string("kind")
        guard let kind = Kind(rawValue: name) else {
            throw DatasetForm.newer(object.failure("kind", "").path, name, known: #"labels" or "tombstones"#)
        }
        var split: Split?
        if kind == .labels {
            split = Split(rawValue: try object.string("split"))
            guard split != nil else { throw object.failure("split", "expected training, validation or test") }
        }
        let sha256 = try object.digest("sha256")
        self.init(
            kind,
            split,
            size: try object.int("size", in: 1...DatasetForm.segmentSize),
            sha256: sha256,
            records: try object.int("records", in: 1...DatasetForm.segmentSize),
            sequences: try object.sequences()
        )
        try object.requirePath(path)
        guard kind == .labels || sequences != nil else {
            throw object.failure("first_sequence", "expected a number, found none")
        }
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("kind", kind.rawValue)
            writer.member("split", ifPresent: split?.rawValue)
            writer.member("path", path)
            writer.member("size", size)
            writer.member("sha256", sha256)
            writer.member("records", records)
            writer.member("first_sequence", ifPresent: sequences?.lowerBound)
            writer.member("last_sequence", ifPresent: sequences?.upperBound)
        }
    }
}

extension JSONObject {
    /// Decodes a SHA-256 in the form used in names.
    func digest(_ key: StaticString) throws(JSONError) -> String {
        let text = try string(key)
        guard DatasetForm.isDigest(text) else {
            throw failure(key, "expected 64 lower-case hexadecimal digits")
        }
        return text
    }

    /// Refuses every path except that of the file's own digest, so also one that leads out of the project's folder or
    /// through a link.
    func requirePath(_ expected: String) throws(JSONError) {
        let found = try string("path")
        guard found == expected else {
            throw failure("path", "expected \(expected), found \"\(found.prefix(200))\"")
        }
    }

    /// The sequence numbers of the first and the last line; nil if neither is present.
    func sequences() throws(JSONError) -> ClosedRange<Int64>? {
        let (first, last) = (try optionalInt64("first_sequence"), try optionalInt64("last_sequence"))
        guard let first, let last else {
            guard first == nil, last == nil else {
                throw failure("first_sequence", "expected a number beside the other")
            }
            return nil
        }
        guard first >= 1, first <= last else {
            throw failure("first_sequence", "expected a number from 1 up to the last one")
        }
        return first...last
    }
}
