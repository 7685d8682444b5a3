internal import DatasetFiles
internal import Events
internal import Hashing
internal import JSON
internal import S3
internal import Vocabulary

/// Rows of a version, as they were read for training. For a later version that extends it only the additional files are
/// read, and withdrawn lines are dropped.
struct VersionRows {
    let project: ProjectID
    private(set) var classes: [String]
    private(set) var training = TrainingRows()
    private(set) var validation = TrainingRows()
    private(set) var test = TrainingRows()
    /// Form of the manifest; lines of form 1 have no known order.
    private let formatVersion: Int
    /// Position up to which each split is read, and the tombstones that apply.
    private var order = LineOrder(Tombstones())
    /// The number of its files, and the digest chain over their entries: each digest covers the ones before it.
    private var files = 0
    private var chain = SHA256Digest(of: [])
    /// Number of segments that were read for this version.
    private(set) var segmentsRead = 0

    /// Size of the embeddings, in bytes, up to which a version is kept for the next one.
    static let limit = 512 << 20

    var size: Int { training.size.adding(validation.size).adding(test.size) }

    /// Reads a version.
    ///
    /// - Parameters:
    ///   - reader: Reader of the version.
    ///   - cachedRows: The version that was read before, of any project; consumed, whether or not it can be used.
    /// - Throws: `EngineError` and `StorageError` if a version is incomplete or missing.
    init(_ reader: DatasetReader, cachedRows: consuming VersionRows?) throws {
        let manifest = reader.manifest
        try manifest.requireTrainable(in: reader.name)
        let positions = Self.positions(manifest.classes)
        if let added = try cachedRows?.added(by: reader), let earlier = cachedRows.take() {
            // Moved: with a second owner the embeddings would be copied when the next is added.
            self = consume earlier
            segmentsRead = 0
            classes = manifest.classes
            var order = order
            if let tombstones = added.tombstones {
                let withdrawn = added.withdrawn
                let removed: [Split: Int] = [
                    .training: training.remove(withdrawn), .validation: validation.remove(withdrawn),
                    .test: test.remove(withdrawn),
                ]
                order = order.withdrawing(removed, tombstones)
            }
            for entry in added.entries { try read(entry, order: &order, reader: reader, positions: positions) }
            try reader.check(order, of: Set(Split.allCases))
            self.order = order
            return
        }
        cachedRows = nil
        project = manifest.project
        classes = manifest.classes
        formatVersion = manifest.formatVersion
        training.reserve(manifest.count(of: .training))
        validation.reserve(manifest.count(of: .validation))
        test.reserve(manifest.count(of: .test))
        var order = LineOrder(try reader.tombstones())
        try reader.forEachEntry { entry in try read(entry, order: &order, reader: reader, positions: positions) }
        try reader.check(order, of: Set(Split.allCases))
        self.order = order
    }

    /// Reads the next file after those that were read before.
    private mutating func read(
        _ entry: DatasetEntry,
        order: inout LineOrder,
        reader: DatasetReader,
        positions: [String: Int]
    ) throws {
        extendChain(entry)
        guard entry.kind == .labels else { return }
        try reader.forEachLine(of: entry, &order) { line in try append(line, positions, reader.manifest) }
        segmentsRead += 1
    }

    private static func positions(_ classes: [String]) -> [String: Int] {
        var positions: [String: Int] = [:]
        for (position, name) in classes.enumerated() { positions[name] = position }
        return positions
    }

    private mutating func append(_ line: BorrowedLine, _ positions: [String: Int], _ manifest: DatasetManifest) throws {
        do throws(JSONError) {
            let expected = manifest.count(of: line.split)
            switch line.split {
            case .training: try training.append(line, classes: positions, expected: expected)
            case .validation: try validation.append(line, classes: positions, expected: expected)
            case .test: try test.append(line, classes: positions, expected: expected)
            }
        } catch {
            throw DatasetForm.refusal(error, in: "\(line.file) line \(line.number)")
        }
    }

    private mutating func extendChain(_ entry: DatasetEntry) {
        files += 1
        chain = Self.linked(chain, entry)
    }

    private static func linked(_ chain: SHA256Digest, _ entry: DatasetEntry) -> SHA256Digest {
        SHA256Digest(of: chain.bytes + entry.jsonBytes)
    }

    /// Files and withdrawn lines that a version has in addition to those of this one.
    private struct Addition {
        let entries: [DatasetEntry]
        /// All tombstones of the version; nil if it withdraws no further lines.
        var tombstones: Tombstones?
        /// Sequence numbers of the lines that the version withdraws and this one does not, ascending.
        var withdrawn: [Int64] = []
    }

    /// The files that a version has in addition to those of this one.
    ///
    /// - Returns: Nil if it does not begin with all files of this one, withdraws the line that represents all unusable
    ///   ones, has another format, or has classes with another meaning.
    private func added(by reader: DatasetReader) throws -> Addition? {
        let manifest = reader.manifest
        let hasUnknown = training.hasUnknownClass || validation.hasUnknownClass || test.hasUnknownClass
        guard manifest.project == project, manifest.formatVersion == formatVersion,
            manifest.classes == classes || !hasUnknown, manifest.classes.starts(with: classes)
        else { return nil }
        var (count, known) = (0, SHA256Digest(of: []))
        var added: [DatasetEntry] = []
        var differs = false
        try reader.forEachEntry { entry in
            count += 1
            if count <= files { known = Self.linked(known, entry) } else { added.append(entry) }
            if count == files, known != chain { differs = true }
        }
        guard !differs, count >= files else { return nil }
        var addition = Addition(entries: added)
        guard added.contains(where: { $0.kind == .tombstones }) else { return addition }
        var tombstones = order.tombstones
        let before = tombstones.sequences.count
        for entry in added where entry.kind == .tombstones { try reader.read(entry, into: &tombstones) }
        addition.withdrawn = tombstones.sequences[before...].sorted()
        try tombstones.sort(reader.name)
        addition.tombstones = tombstones
        let loses = [training, validation, test].contains { $0.losesFault(addition.withdrawn) }
        return loses ? nil : addition
    }
}
