internal import Hashing
internal import JSON
internal import Storage
public import Vocabulary

/// Content or a group with labels of several splits: scores on such test and validation labels flatter.
public struct SideOverlap: Hashable, Sendable {
    /// Distinct contents in line or behind one URI that several splits have, under whatever ids.
    public var contents = 0
    /// Groups that several splits have.
    public var groups = 0
    /// Samples concerned of the later split (training, validation, test), the first five.
    public var samples: [String] = []

    public var isEmpty: Bool { contents == 0 && groups == 0 }
}

extension DatasetStore {
    /// What stands on several sides of a version: labels of builds or editions that did not look, or what lies behind URIs.
    ///
    /// - Returns: Nothing where segments are missing: `verify` says so.
    /// - Complexity: O(*n*) in the bytes of its segments, one in memory at a time, and 9 bytes a content and a group.
    public func overlap(_ project: ProjectID, id: DatasetVersionID) throws -> SideOverlap {
        var found = SideOverlap()
        guard let manifest = try manifest(project, id: id) else { return found }
        var (contents, groups): ([UInt64: Split], [UInt64: Split]) = ([:], [:])
        var (sharedContents, sharedGroups): (Set<UInt64>, Set<UInt64>) = ([], [])
        for split in [Split.training, .validation, .test] {
            for segment in manifest.segments where segment.split == split {
                try readLines(project, segment) { sample, content, group in
                    var isShared = false
                    if let content, contents[content, default: split] != split {
                        sharedContents.insert(content)
                        isShared = true
                    }
                    if let group, groups[group, default: split] != split {
                        sharedGroups.insert(group)
                        isShared = true
                    }
                    if let content, contents[content] == nil { contents[content] = split }
                    if let group, groups[group] == nil { groups[group] = split }
                    if isShared, found.samples.count < 5 { found.samples.append(sample) }
                }
            }
        }
        (found.contents, found.groups) = (sharedContents.count, sharedGroups.count)
        return found
    }

    private func readLines(
        _ project: ProjectID,
        _ segment: DatasetSegment,
        _ take: (_ sample: String, _ content: UInt64?, _ group: UInt64?) -> Void
    ) throws {
        let path = "\(project)/segments/\(segment.sha256).jsonl"
        guard let bytes = try objects.readIfPresent(path, maximumSize: 1 << 30) else { return }
        let parser = JSONParser(maximumDepth: 64, maximumSize: 16 << 20)
        for line in bytes.split(separator: 0x0A) {
            try parser.withDocument(of: Array(line)) { json in
                // A line that cannot be read is told by `verify`.
                guard let object = try? json.object(), (try? DatasetForm.check(line: object)) != nil else { return }
                let sample = try object.object("sample")
                let content = try sample.optionalObject("content")
                let said = try content.flatMap { try $0.optionalString("uri") ?? $0.optionalString("data") }
                let kind = try content?.string("kind") ?? ""
                take(
                    try sample.string("id"),
                    said.map { xxh64("\(kind)\0\($0)") },
                    try sample.optionalString("group").map { xxh64($0) }
                )
            }
        }
    }
}
