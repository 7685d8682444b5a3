internal import Events
internal import Glibc
package import JSON
package import Vocabulary

/// Line of a version; valid only while it is read.
package struct BorrowedLine {
    package let split: Split
    /// Without its line feed.
    package let bytes: UnsafeRawBufferPointer
    /// JSON object of the line, or the error of parsing it; always an object in form 2.
    package let object: Result<JSONObject, JSONError>
    /// The line's number in the log; 0 where it is not known, in form 1.
    package let sequence: Int64
    /// The file that contains the line, and the line's number in it, for messages.
    package let file: String
    package let number: Int
}

/// Reads a dataset version as a stream: the pages that its manifest names, then file after file, each verified when it
/// is read, without the lines that are no longer valid.
///
/// Memory does not grow with the version, except for 8 bytes per tombstone; beyond those it is a page of each level and
/// one segment.
package final class DatasetReader {
    package let manifest: DatasetManifest
    package let files: DatasetFiles
    /// Name of the manifest, for messages.
    package let name: String
    package let parser = JSONParser(maximumDepth: 64, maximumSize: DatasetForm.lineSize)

    package init(_ manifest: DatasetManifest, _ files: DatasetFiles, name: String) {
        self.manifest = manifest
        self.files = files
        self.name = name
    }

    /// Passes the files of the version to `body`, in the order of the log.
    ///
    /// - Parameters:
    ///   - isWanted: Whether a page is read; by default all are.
    ///   - body: Called with each file.
    /// - Throws: `EngineError`, naming the page, if a page differs from its reference or is of an unknown form.
    package func forEachEntry(
        where isWanted: (DatasetPageReference) -> Bool = { _ in true },
        _ body: (DatasetEntry) throws -> Void
    ) throws {
        for segment in manifest.segments { try body(DatasetEntry(segment)) }
        var seen: Set<String> = []
        for page in manifest.pages where isWanted(page) { try walk(page, where: isWanted, seen: &seen, body) }
    }

    /// Visits the files below a page. Levels decrease by one at each step and no page is visited twice, so the walk is
    /// as long as the list that it reads.
    private func walk(
        _ reference: DatasetPageReference,
        where isWanted: (DatasetPageReference) -> Bool,
        seen: inout Set<String>,
        _ body: (DatasetEntry) throws -> Void
    ) throws {
        guard seen.insert(reference.sha256).inserted else {
            throw DatasetForm.damage("page \(reference.sha256) is named twice", in: name)
        }
        switch try page(reference).content {
        case .files(let files): for file in files { try body(file) }
        case .pages(let pages):
            for page in pages where isWanted(page) { try walk(page, where: isWanted, seen: &seen, body) }
        }
    }

    /// A page, verified.
    package func page(_ reference: DatasetPageReference) throws -> DatasetPage {
        try files.page(reference, parser)
    }

    /// All tombstones of the version.
    package func tombstones() throws -> Tombstones {
        var tombstones = Tombstones()
        try forEachEntry(where: { $0.tombstones > 0 }) { entry in
            if entry.kind == .tombstones { try read(entry, into: &tombstones) }
        }
        try tombstones.sort(name)
        return tombstones
    }

    /// Adds the tombstones of a file.
    package func read(_ entry: DatasetEntry, into tombstones: inout Tombstones) throws {
        let bytes = try files.read(entry.path, size: entry.size, sha256: entry.sha256)
        try tombstones.append(bytes, entry, file: files.objectName(entry.path))
    }

    /// Passes the valid lines to `body`, in the order of the log within each split; for form 2 also checks that their
    /// number matches the manifest, and that no line occurs twice.
    package func forEachLine(of splits: Set<Split> = Set(Split.allCases), _ body: (BorrowedLine) throws -> Void) throws
    {
        var order = LineOrder(try tombstones())
        try forEachEntry { entry in
            guard entry.kind == .labels, let split = entry.split, splits.contains(split) else { return }
            try forEachLine(of: entry, &order, body)
        }
        try check(order, of: splits)
    }

    /// Id of the sample of a line, by the line's number among the valid lines of its split, from 0; empty if there is
    /// no such line. Reads the version up to that line.
    package func sampleID(of row: Int, in split: Split) throws -> String {
        struct Found: Error { let id: String }
        var number = 0
        do {
            try forEachLine(of: [split]) { line in
                defer { number += 1 }
                guard number == row else { return }
                throw Found(id: (try? line.object.get().object("sample").string("id")) ?? "")
            }
        } catch let found as Found {
            return found.id
        }
        return ""
    }

    /// Passes the valid lines of a segment to `body`.
    package func forEachLine(of entry: DatasetEntry, _ order: inout LineOrder, _ body: (BorrowedLine) throws -> Void)
        throws
    {
        guard let split = entry.split else { return }
        let bytes = try files.read(entry.path, size: entry.size, sha256: entry.sha256)
        let file = try files.objectName(entry.path)
        let isPaged = manifest.formatVersion > 1
        var number = 0
        var first: Int64?
        try bytes.withUnsafeBytes { buffer in
            try enumerateLines(of: buffer) { line in
                number += 1
                let object = Result { () throws(JSONError) in try parser.parse(line).object() }
                var sequence: Int64 = 0
                if isPaged {
                    sequence = try Self.sequence(of: object, split: split, number: number, file: file)
                    guard order.advance(to: sequence, in: split) else {
                        throw DatasetForm.damage(
                            "line \(number): number \(sequence) does not follow those before it",
                            in: file
                        )
                    }
                    first = first ?? sequence
                    guard !order.isWithdrawn(sequence, split) else { return }
                }
                try body(
                    BorrowedLine(
                        split: split,
                        bytes: line,
                        object: object,
                        sequence: sequence,
                        file: file,
                        number: number
                    )
                )
            }
        }
        guard isPaged else { return }
        guard number == entry.records else {
            throw DatasetForm.damage("it holds \(number) labels, not \(entry.records)", in: file)
        }
        if let range = entry.sequences, range != (first ?? 0)...(order.last[split] ?? 0) {
            throw DatasetForm.damage("its sequence numbers differ from those in its page", in: file)
        }
    }

    /// Refuses a version whose content does not match its manifest.
    package func check(_ order: LineOrder, of splits: Set<Split>) throws {
        guard manifest.formatVersion > 1 else { return }
        for split in Split.allCases where splits.contains(split) {
            let count = order.validCounts[split] ?? 0
            guard count == manifest.count(of: split) else {
                throw DatasetForm.damage(
                    "\(count) \(split) labels remain, the manifest counts \(manifest.count(of: split))",
                    in: name
                )
            }
        }
        guard splits.count < Split.allCases.count || order.withdrawn == order.tombstones.sequences.count else {
            throw DatasetForm.damage(
                "\(order.tombstones.sequences.count) lines are withdrawn, \(order.withdrawn) of them exist",
                in: name
            )
        }
    }

    private static func sequence(
        of object: Result<JSONObject, JSONError>,
        split: Split,
        number: Int,
        file: String
    ) throws -> Int64 {
        do {
            let line = try object.get()
            try DatasetForm.check(line: line)
            guard try line.string("split") == split.rawValue else { throw line.failure("split", "expected \(split)") }
            let sequence = try line.int64("sequence")
            guard sequence >= 1 else { throw line.failure("sequence", "expected a number from 1") }
            return sequence
        } catch let error as JSONError {
            throw DatasetForm.refusal(error, in: "\(file) line \(number)")
        }
    }
}

extension DatasetFiles {
    /// Reads and verifies a page.
    ///
    /// - Throws: `EngineError`, naming the page, if it differs from its reference or is of an unknown form.
    func page(_ reference: DatasetPageReference, _ parser: JSONParser) throws -> DatasetPage {
        let bytes = try read(reference.path, size: reference.size, sha256: reference.sha256)
        let name = try objectName(reference.path)
        let page: DatasetPage
        do {
            page = try parser.withDocument(of: bytes) { json in try DatasetPage(json: json) }
        } catch let error as JSONError {
            throw DatasetForm.refusal(error, in: name)
        }
        guard DatasetPageReference(page, bytes) == reference else {
            throw DatasetForm.damage("its content differs from the reference to it", in: name)
        }
        return page
    }
}

/// Position up to which each split is read, and the tombstones that apply.
package struct LineOrder {
    package let tombstones: Tombstones
    /// Sequence number of the last line read, by split.
    private(set) var last: [Split: Int64] = [:]
    /// Number of valid lines read so far, by split.
    private(set) var validCounts: [Split: Int] = [:]
    /// Number of lines read so far that are no longer valid.
    private(set) var withdrawn = 0
    /// Index of the next tombstone, by split.
    private var next: [Split: Int] = [:]

    package init(_ tombstones: Tombstones) { self.tombstones = tombstones }

    /// Position in a later version that corresponds to this one; the later version withdraws more of the lines already
    /// read.
    ///
    /// - Parameters:
    ///   - removed: Number of lines that were valid and no longer are, by split.
    ///   - tombstones: All tombstones of the later version.
    /// - Returns: Position at which reading of the later version continues.
    package func withdrawing(_ removed: [Split: Int], _ tombstones: Tombstones) -> LineOrder {
        var order = LineOrder(tombstones)
        order.last = last
        order.validCounts = validCounts
        order.withdrawn = withdrawn
        for (split, count) in removed {
            order.validCounts[split, default: 0] -= count
            order.withdrawn += count
        }
        for (split, sequence) in last { order.next[split] = tombstones.position(of: sequence.adding(1)) }
        return order
    }

    /// Advances to a line; false if it does not follow the line before.
    mutating func advance(to sequence: Int64, in split: Split) -> Bool {
        guard sequence > last[split] ?? 0 else { return false }
        last[split] = sequence
        return true
    }

    /// Whether the line that was just reached is no longer valid; counts it.
    mutating func isWithdrawn(_ sequence: Int64, _ split: Split) -> Bool {
        let all = tombstones.sequences
        var index = next[split] ?? 0
        while index < all.count, all[index] < sequence { index += 1 }
        next[split] = index
        guard index < all.count, all[index] == sequence else {
            validCounts[split, default: 0] += 1
            return false
        }
        withdrawn += 1
        return true
    }
}

/// Passes the lines of a text to `body`, without their line feeds; empty lines are skipped.
func enumerateLines(of text: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
    guard let start = text.baseAddress else { return }
    var index = 0
    while index < text.count {
        let lineEnd = memchr(start + index, 0x0A, text.count - index).map { UnsafeRawPointer($0) - start } ?? text.count
        if lineEnd > index { try body(UnsafeRawBufferPointer(rebasing: text[index..<lineEnd])) }
        index = lineEnd + 1
    }
}
