internal import Hashing
internal import JSON
internal import Storage
public import Vocabulary

/// Contents and groups with labels in several splits: scores on such test and validation labels are too optimistic.
public struct SplitOverlap: Hashable, Sendable {
    /// Number of distinct contents, inline or behind a URI, that occur in several splits, under any sample ids.
    public var contents = 0
    /// Number of groups that occur in several splits.
    public var groups = 0
    /// The first five samples that share a content or group with an earlier split, in the order training, validation,
    /// test.
    public var samples: [String] = []

    public var isEmpty: Bool { contents == 0 && groups == 0 }
}

extension DatasetStore {
    /// Finds contents and groups that occur in several splits of a version: labels of builds or editions that did
    /// not check for this, or content behind URIs.
    ///
    /// - Returns: An empty overlap if the version is not in the store.
    /// - Throws: `EngineError` or `StorageError` if files are missing or changed.
    /// - Complexity: O(*n*) in the bytes of its segments, one in memory at a time, and 9 bytes per content and group.
    public func overlap(_ project: ProjectID, id: DatasetVersionID) throws -> SplitOverlap {
        var found = SplitOverlap()
        guard let manifest = try manifest(project, id: id) else { return found }
        var (contents, groups): ([UInt64: Split], [UInt64: Split]) = ([:], [:])
        var (sharedContents, sharedGroups): (Set<UInt64>, Set<UInt64>) = ([], [])
        let reader = reader(of: manifest)
        for split in [Split.training, .validation, .test] {
            try reader.forEachLine(of: [split]) { line in
                guard let overlapKeys = Self.overlapKeys(line) else { return }
                var isShared = false
                if let content = overlapKeys.content, contents[content, default: split] != split {
                    sharedContents.insert(content)
                    isShared = true
                }
                if let group = overlapKeys.group, groups[group, default: split] != split {
                    sharedGroups.insert(group)
                    isShared = true
                }
                if let content = overlapKeys.content, contents[content] == nil { contents[content] = split }
                if let group = overlapKeys.group, groups[group] == nil { groups[group] = split }
                if isShared, found.samples.count < 5 { found.samples.append(overlapKeys.sample) }
            }
        }
        (found.contents, found.groups) = (sharedContents.count, sharedGroups.count)
        return found
    }

    /// Reads from a line its sample, and the hashes of the content and the group that may occur in several splits;
    /// nil where the line cannot be read.
    private static func overlapKeys(_ line: BorrowedLine) -> (sample: String, content: UInt64?, group: UInt64?)? {
        guard let object = try? line.object.get() else { return nil }
        return try? overlapKeys(object)
    }

    private static func overlapKeys(
        _ object: JSONObject
    ) throws(JSONError) -> (sample: String, content: UInt64?, group: UInt64?) {
        try DatasetForm.check(line: object)
        let sample = try object.object("sample")
        let content = try sample.optionalObject("content")
        let uri = try content?.optionalString("uri")
        let data = try content?.optionalString("data")
        let kind = try content?.string("kind") ?? ""
        let contentHash = (uri ?? data).map { xxh64("\(kind)\0\($0)") }
        let group = try sample.optionalString("group").map { xxh64($0) }
        return (try sample.string("id"), contentHash, group)
    }
}
