internal import Events
internal import Hashing
internal import JSON
internal import S3
internal import Vocabulary

/// A version as it was read for training. The next one that only adds to it reads nothing but what it adds.
struct VersionRows {
    let project: ProjectID
    let classes: [String]
    private(set) var training = TrainingRows()
    private(set) var validation = TrainingRows()
    private(set) var test = TrainingRows()
    /// Its files, and what they are: each digest covers the ones before it.
    private var files = 0
    private var chain = SHA256Digest(of: [])
    /// Segments that were read for it.
    private(set) var segmentsRead = 0

    /// Bytes of embeddings up to which a version is kept for the next one.
    static let limit = 512 << 20

    var size: Int { training.size.adding(validation.size).adding(test.size) }

    /// Reads a version.
    ///
    /// - Parameters:
    ///   - reader: Of the version.
    ///   - kept: The version that was read before, of any project; taken, whether it helps or not.
    /// - Throws: `EngineError` and `StorageError` of a version that is not whole or not there.
    init(_ reader: DatasetReader, kept: consuming VersionRows?) throws {
        let manifest = reader.manifest
        let positions = Self.positions(manifest.classes)
        if let added = try kept?.added(by: reader), let earlier = kept.take() {
            // Moved: with a second owner the embeddings would be copied when the next is added.
            self = consume earlier
            segmentsRead = 0
            var order = LineOrder(Tombstones())
            for entry in added {
                follow(entry)
                try reader.forEachLine(of: entry, &order) { line in try take(line, positions, manifest) }
                segmentsRead += 1
            }
            try checkCounts(manifest, reader.name)
            return
        }
        kept = nil
        project = manifest.project
        classes = manifest.classes
        training.reserve(manifest.count(of: .training))
        validation.reserve(manifest.count(of: .validation))
        test.reserve(manifest.count(of: .test))
        try reader.forEachEntry { entry in
            follow(entry)
            if entry.kind == .labels { segmentsRead += 1 }
        }
        try reader.forEachLine { line in try take(line, positions, manifest) }
    }

    private static func positions(_ classes: [String]) -> [String: Int] {
        var positions: [String: Int] = [:]
        for (position, name) in classes.enumerated() { positions[name] = position }
        return positions
    }

    private mutating func take(_ line: LentLine, _ positions: [String: Int], _ manifest: DatasetManifest) throws {
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

    private mutating func follow(_ entry: DatasetEntry) {
        files += 1
        chain = Self.linked(chain, entry)
    }

    private static func linked(_ chain: SHA256Digest, _ entry: DatasetEntry) -> SHA256Digest {
        SHA256Digest(of: chain.bytes + Array(entry.sha256.utf8))
    }

    /// The segments that a version has beside those of this one.
    ///
    /// - Returns: Nil where it does not begin with all files of this one, withdraws lines, or means other classes.
    private func added(by reader: DatasetReader) throws -> [DatasetEntry]? {
        let manifest = reader.manifest
        let hasUnknown = training.hasUnknownClass || validation.hasUnknownClass || test.hasUnknownClass
        guard manifest.project == project, manifest.classes == classes || !hasUnknown,
            manifest.classes.starts(with: classes)
        else { return nil }
        var (count, known) = (0, SHA256Digest(of: []))
        var added: [DatasetEntry] = []
        var isOther = false
        try reader.forEachEntry { entry in
            count += 1
            if count <= files { known = Self.linked(known, entry) } else { added.append(entry) }
            if count == files, known != chain { isOther = true }
            if count > files, entry.kind == .tombstones { isOther = true }
        }
        return isOther || count < files ? nil : added
    }

    private func checkCounts(_ manifest: DatasetManifest, _ name: String) throws(EngineError) {
        for (split, rows) in [(Split.training, training), (.validation, validation), (.test, test)]
        where manifest.formatVersion > 1 && rows.count != manifest.count(of: split) {
            throw DatasetForm.damage(
                "\(rows.count) \(split) labels hold, it says \(manifest.count(of: split))",
                in: name
            )
        }
    }
}
