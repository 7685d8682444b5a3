internal import Events
internal import Hashing
internal import JSON
internal import Storage
package import Vocabulary

/// Page tree of a version that is being made: the pages of its parent, and those that the version adds. The tree grows
/// at its right edge; full pages never change.
///
/// Pages of level 0 hold 128 files, and 64 pages of a level form one page of the next. The root and one page of any
/// version together are less than 128 KiB, and 64³ × 128 files need three levels.
package struct PageTree {
    /// Largest number of files in a page of level 0.
    static let fileCount = 128
    /// Largest number of pages in a page of a higher level.
    static let pageCount = 64

    /// Pages in the order of a manifest: the higher levels first.
    package private(set) var pages: [DatasetPageReference]
    /// Pages that are new, with their bytes.
    private(set) var written: [(page: DatasetPageReference, bytes: [UInt8])] = []
    private let fileCount: Int
    private let pageCount: Int
    private let read: (DatasetPageReference) throws -> DatasetPage

    /// Creates the tree of a parent's manifest; `read` reads the last of its pages.
    package init(
        _ pages: [DatasetPageReference],
        fileCount: Int = Self.fileCount,
        pageCount: Int = Self.pageCount,
        read: @escaping (DatasetPageReference) throws -> DatasetPage
    ) {
        self.pages = pages
        self.fileCount = fileCount
        self.pageCount = pageCount
        self.read = read
    }

    /// Adds files at the right edge.
    package mutating func append(_ files: [DatasetEntry]) throws {
        guard !files.isEmpty else { return }
        var rest = files[...]
        if let last = pages.last, last.level == 0, last.segments < fileCount,
            case .files(let known) = try read(last).content
        {
            pages.removeLast()
            let room = fileCount - known.count
            write(DatasetPage(files: known + rest.prefix(room)))
            rest = rest.dropFirst(room)
        }
        while !rest.isEmpty {
            write(DatasetPage(files: Array(rest.prefix(fileCount))))
            rest = rest.dropFirst(fileCount)
        }
        for level in 0..<DatasetForm.highestLevel { fold(level) }
    }

    /// Moves the first pages of a level below pages of the next one, as long as at least one page of the level remains.
    private mutating func fold(_ level: Int) {
        while true {
            let indices = pages.indices.filter { pages[$0].level == level }
            guard let first = indices.first, indices.count > pageCount else { return }
            let below = Array(pages[first..<first + pageCount])
            pages.removeSubrange(first..<first + pageCount)
            write(DatasetPage(pages: below), at: first)
        }
    }

    private mutating func write(_ page: DatasetPage, at index: Int? = nil) {
        let bytes = page.jsonBytes
        let reference = DatasetPageReference(page, bytes)
        written.append((reference, bytes))
        pages.insert(reference, at: index ?? pages.count)
    }
}

extension DatasetStore {
    /// The most bytes of a segment, but for one line that is longer.
    static let segmentSize = 8 << 20

    /// Writes lines of a split, ascending by sequence, as segments of `segmentSize` at most.
    package func writeSegments(_ project: ProjectID, _ split: Split, _ lines: [SegmentLine]) throws -> [DatasetEntry] {
        var entries: [DatasetEntry] = []
        var start = 0
        while start < lines.count {
            var bytes: [UInt8] = []
            var end = start
            while end < lines.count, end == start || bytes.count + lines[end].bytes.count <= Self.segmentSize {
                bytes += lines[end].bytes
                end += 1
            }
            entries.append(
                try write(
                    for: project,
                    kind: .labels,
                    split: split,
                    bytes: bytes,
                    records: end - start,
                    sequences: lines[start].sequence...lines[end - 1].sequence
                )
            )
            start = end
        }
        return entries
    }

    /// Writes a file of tombstones: sequence numbers of lines that are no longer valid, ascending.
    package func writeTombstones(_ project: ProjectID, _ sequences: [Int64]) throws -> [DatasetEntry] {
        guard let first = sequences.first, let last = sequences.last else { return [] }
        let bytes = Tombstones.bytes(sequences)
        return [
            try write(
                for: project,
                kind: .tombstones,
                split: nil,
                bytes: bytes,
                records: sequences.count,
                sequences: first...last
            )
        ]
    }

    private func write(
        for project: ProjectID,
        kind: DatasetEntry.Kind,
        split: Split?,
        bytes: [UInt8],
        records: Int,
        sequences: ClosedRange<Int64>
    ) throws -> DatasetEntry {
        let entry = DatasetEntry(
            kind,
            split,
            size: bytes.count,
            sha256: SHA256Digest(of: bytes).hex,
            records: records,
            sequences: sequences
        )
        try objects.put(bytes, as: "\(project)\(entry.path.dropFirst("../..".count))")
        return entry
    }

    /// Writes the pages of a tree that are new.
    package func write(_ tree: PageTree, of project: ProjectID) throws {
        // A page that was written and then folded away or filled up in the same version is referenced by nothing.
        for (page, bytes) in tree.written {
            try objects.put(bytes, as: "\(project)/pages/\(page.sha256).json")
        }
    }

    /// The files of a version.
    func files(of manifest: DatasetManifest) -> DatasetFiles { DatasetFiles(objects, manifest.project, manifest.id) }

    /// A reader of a version.
    package func reader(of manifest: DatasetManifest) -> DatasetReader {
        let id = manifest.id
        return DatasetReader(
            manifest,
            DatasetFiles(objects, manifest.project, id),
            name: "\(manifest.project)/versions/\(id)/manifest.json"
        )
    }
}
