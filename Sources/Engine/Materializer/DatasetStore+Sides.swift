internal import Hashing
internal import JSON
internal import Storage
public import Vocabulary

/// Content or a group with training labels and test labels both: scores on such test labels flatter.
public struct SideOverlap: Hashable, Sendable {
    /// Distinct contents in line or behind one URI that both sides have, under whatever ids.
    public var contents = 0
    /// Groups that both sides have.
    public var groups = 0
    /// Test samples concerned, the first five.
    public var samples: [String] = []

    public var isEmpty: Bool { contents == 0 && groups == 0 }
}

extension DatasetStore {
    /// What stands on two sides of a version: labels of builds or editions that did not look, or what lies behind URIs.
    ///
    /// - Returns: Nothing where segments are missing: `verify` says so.
    /// - Complexity: O(*n*) in the bytes of its segments, one in memory at a time, and 8 bytes a content and a group.
    public func overlap(_ project: ProjectID, id: DatasetVersionID) throws -> SideOverlap {
        var found = SideOverlap()
        guard let manifest = try manifest(project, id: id) else { return found }
        var (contents, groups): (Set<UInt64>, Set<UInt64>) = ([], [])
        var (sharedContents, sharedGroups): (Set<UInt64>, Set<UInt64>) = ([], [])
        for isTest in [false, true] {
            for segment in manifest.segments where (segment.split == .test) == isTest {
                try readLines(project, segment) { sample, content, group in
                    guard isTest else {
                        if let content { contents.insert(content) }
                        if let group { groups.insert(group) }
                        return
                    }
                    var isShared = false
                    if let content, contents.contains(content) {
                        sharedContents.insert(content)
                        isShared = true
                    }
                    if let group, groups.contains(group) {
                        sharedGroups.insert(group)
                        isShared = true
                    }
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
        guard try objects.exists(path) else { return }
        let parser = JSONParser(maximumDepth: 64, maximumSize: 16 << 20)
        for line in try objects.read(path, maximumSize: 1 << 30).split(separator: 0x0A) {
            try parser.withDocument(of: Array(line)) { json in
                let sample = try json.object().object("sample")
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
