package import DatasetFiles
internal import EngineCore
internal import Events
internal import JSON
internal import Storage
package import Vocabulary

/// Creates versions from the labels that wait at a cut: segments, pages, manifest, in this order, each of which is
/// named by the next.
///
/// Only the manifest and the last page of the parent are read, however large it is, unless changes of labels require
/// its lines.
package struct VersionSealer {
    let store: DatasetStore
    /// Splits of the samples in the versions sealed before.
    var sides = VersionSides()

    package init(store: DatasetStore) { self.store = store }

    init(store: DatasetStore, sides: VersionSides) {
        self.store = store
        self.sides = sides
    }

    /// Seals a cut.
    ///
    /// A version that was collected is not written again: the record of its collection is sufficient.
    ///
    /// A version that is already in the store is computed again in the form that it has there, and announced as before:
    /// a temporary return to a build with form 1, or a second reading of the log, does not give it a second id.
    ///
    /// - Returns: The version; nil if it was collected.
    /// - Throws: `StorageError` if the store refuses; `PermanentFailure` for an error that no retry repairs.
    package func seal(_ project: ProjectID, _ cut: VersionCut, _ waiting: WaitingLabels.Project) throws
        -> SealedVersion?
    {
        let id = try store.id(project, versionNumber: cut.versionNumber)
        let collected = try id.flatMap { id in try convertingErrors(project, cut) { try store.collected(project, id) } }
        if collected?.sequence == cut.sequence { return nil }
        let stored = try id.flatMap { id in try convertingErrors(project, cut) { try store.manifest(project, id: id) } }
        let known = stored.flatMap { $0.sequence == cut.sequence ? $0 : nil }
        var parent: DatasetManifest?
        if cut.versionNumber > 1 {
            parent = try manifest(project, cut.versionNumber - 1, toSeal: cut)
            // When the log is read again, the parent may be in the middle of its collection, with some of its pages
            // missing.
            if id != nil, let candidate = parent, try store.isCollected(project, candidate.id) { parent = nil }
            guard parent != nil else {
                if let known { return try store.seal(known: known) }
                throw Self.incomplete(project, cut, "its parent is not in the store")
            }
        }
        let delta: VersionDelta
        do {
            delta = try VersionDelta(waiting) { sequences in try lines(sequences, of: parent, project, cut) }
            guard Self.isComplete(delta, after: parent, cut) else {
                throw Self.incomplete(project, cut, "labels before the cut are missing")
            }
        } catch let failure as PermanentFailure {
            // The log was read again from the middle of this project's facts, because another project of the partition
            // held back the offset: the version is sealed already.
            if let known { return try store.seal(known: known) }
            throw failure
        }
        // A version that is in the store already is not changed.
        let splitUpdate =
            known == nil
            ? try convertingErrors(project, cut) {
                try sides.check(delta, after: parent, project, cut) { parent.map { store.reader(of: $0) } }
            } : nil
        let wantedFormat = max(known?.formatVersion ?? cut.format, waiting.changes.isEmpty ? 1 : 2)
        let manifest =
            max(wantedFormat, parent?.formatVersion ?? 1) > 1
            ? try manifestOfForm2(for: project, cut: cut, delta: delta, parent: parent)
            : try manifestOfForm1(for: project, cut: cut, delta: delta, parent: parent)
        if let known, known.id != manifest.id, try isSame(known, as: delta, after: parent, project: project, cut: cut) {
            return try store.seal(known: known)
        }
        // The id was announced, and releases may name it, although the version was collected and its record removed.
        if let id, stored == nil, id != manifest.id {
            throw Self.conflictingID(project: project, cut: cut, id: id, other: manifest.id)
        }
        let version = try store.seal(manifest)
        sides.apply(splitUpdate, project, version.id)
        return version
    }

    private static func conflictingID(
        project: ProjectID,
        cut: VersionCut,
        id: DatasetVersionID,
        other: DatasetVersionID
    ) -> PermanentFailure {
        PermanentFailure(
            reason:
                "version \(cut.versionNumber) of project \(project) was sealed as \(id), and the log now gives \(other): "
                + "another build sealed it, and its manifest is gone. Restore \(project)/versions/\(id)/manifest.json or \(project)/collected/\(id).json from a copy; "
                + "if the old id is not needed any more, remove \(project)/ordinals/\(cut.versionNumber); then start again"
        )
    }

    /// Whether a version in the store contains the same facts, although its bytes differ because a build with fewer
    /// members in its lines wrote it.
    ///
    /// - Throws: `StorageError` if the store cannot be read now, `PermanentFailure` if it is damaged: a version is
    ///   not assigned a second id because the first could not be read.
    private func isSame(
        _ known: DatasetManifest,
        as delta: VersionDelta,
        after parent: DatasetManifest?,
        project: ProjectID,
        cut: VersionCut
    ) throws -> Bool {
        guard known.parent == parent?.id, known.kind == cut.kind, known.classes == cut.classes,
            known.count(of: .training) == cut.training, known.count(of: .validation) == cut.validation,
            known.count(of: .test) == cut.test
        else { return false }
        let parser = JSONParser(maximumDepth: 64, maximumSize: DatasetForm.lineSize)
        let added = delta.lines.values.joined()
        let found = try convertingErrors(project, cut) {
            try store.reader(of: known).lines(added.map(\.sequence).sorted())
        }
        for (split, lines) in delta.lines {
            for line in lines {
                guard let old = found[line.sequence], old.split == split,
                    let subject = DatasetLine.subject(of: old.bytes, parser),
                    subject == DatasetLine.subject(of: line.bytes, parser)
                else { return false }
            }
        }
        return true
    }

    /// A manifest of form 1.
    private func manifestOfForm1(
        for project: ProjectID,
        cut: VersionCut,
        delta: VersionDelta,
        parent: DatasetManifest?
    ) throws -> DatasetManifest {
        var segments = parent?.segments ?? []
        for split in Split.allCases {
            guard let lines = delta.lines[split] else { continue }
            segments.append(try store.writeSegment(project, split, lines: lines))
        }
        return DatasetManifest(
            project: project,
            versionNumber: cut.versionNumber,
            sequence: cut.sequence,
            parent: parent?.id,
            // A version of form 1 only adds labels, for which Croissant's rule increments MINOR.
            semanticVersion: "1.\(cut.versionNumber - 1).0",
            kind: cut.kind,
            classes: cut.classes,
            embedding: cut.embedding,
            segments: segments
        )
    }

    /// A manifest of form 2.
    private func manifestOfForm2(
        for project: ProjectID,
        cut: VersionCut,
        delta: VersionDelta,
        parent: DatasetManifest?
    ) throws -> DatasetManifest {
        // The segments of a parent of form 1 are listed once in the pages.
        var entries = try (parent?.segments ?? []).map { try Self.pageEntry($0, project, cut) }
        for split in Split.allCases {
            entries += try store.writeSegments(project, split, delta.lines[split] ?? [])
        }
        entries += try store.writeTombstones(project, delta.tombstones)
        var tree = PageTree(parent?.pages ?? []) { page in
            guard let parent else { preconditionFailure("pages of no version") }
            return try convertingErrors(project, cut) { try store.reader(of: parent).page(page) }
        }
        try tree.append(entries)
        try store.write(tree, of: project)
        return DatasetManifest(
            project,
            cut: cut,
            parent: parent?.id,
            semanticVersion: Self.semanticVersion(after: parent, isAddition: delta.tombstones.isEmpty),
            counts: [.training: cut.training, .validation: cut.validation, .test: cut.test],
            pages: tree.pages
        )
    }

    private static func pageEntry(_ segment: DatasetSegment, _ project: ProjectID, _ cut: VersionCut)
        throws(PermanentFailure)
        -> DatasetEntry
    {
        let entry = DatasetEntry(
            .labels,
            segment.split,
            size: segment.size,
            sha256: segment.sha256,
            records: segment.records,
            sequences: nil
        )
        guard entry.path == segment.path, DatasetForm.isDigest(segment.sha256), segment.size <= DatasetForm.segmentSize
        else {
            throw incomplete(
                project,
                cut,
                "its parent names a segment \"\(segment.path.prefix(200))\" that pages cannot name"
            )
        }
        return entry
    }

    /// The semantic version after a parent: additions increment MINOR, all other changes MAJOR.
    ///
    /// - SeeAlso: Akhtar et al. (2024), *Croissant: A Metadata Format for ML-Ready Datasets*.
    static func semanticVersion(after parent: DatasetManifest?, isAddition: Bool) -> String {
        guard let parent else { return "1.0.0" }
        let parts = parent.semanticVersion.split(separator: ".").map { Int($0) ?? 0 }
        let (major, minor) = (parts.first ?? 1, parts.count > 1 ? parts[1] : 0)
        return isAddition ? "\(major).\(minor.adding(1)).0" : "\(major.adding(1)).0.0"
    }

    /// The manifest of a version number; nil if there is none.
    private func manifest(_ project: ProjectID, _ versionNumber: Int, toSeal cut: VersionCut) throws -> DatasetManifest?
    {
        try convertingErrors(project, cut) { try store.manifest(project, versionNumber: versionNumber) }
    }

    /// Runs `body`, and adds the name of the version to an error that no retry repairs.
    ///
    /// - Throws: `PermanentFailure` for files that no retry repairs: a newer build wrote them, or they were modified.
    private func convertingErrors<R>(_ project: ProjectID, _ cut: VersionCut, _ body: () throws -> R) throws -> R {
        do {
            return try body()
        } catch let error as EngineError {
            throw PermanentFailure(
                reason:
                    "version \(cut.versionNumber) of project \(project) cannot be sealed: \(error); then restart the worker"
            )
        }
    }

    private static func incomplete(_ project: ProjectID, _ cut: VersionCut, _ reason: String) -> PermanentFailure {
        PermanentFailure(
            reason: "version \(cut.versionNumber) of project \(project) cannot be sealed: \(reason); "
                + "remove the folder progress/ of the store, and start again: the materializer then rebuilds from the log. "
                + "If versions of it were collected, move \(project)/collected/ aside first, and keep it: if this build makes "
                + "other bytes of one, it stops and names that version; then put its record back"
        )
    }

    /// Lines of the parent by their sequence numbers.
    private func lines(
        _ sequences: [Int64],
        of parent: DatasetManifest?,
        _ project: ProjectID,
        _ cut: VersionCut
    ) throws -> [Int64: VersionDelta.ValidLine] {
        guard let parent else { return [:] }
        return try convertingErrors(project, cut) { try store.reader(of: parent).lines(sequences) }
    }

    /// Whether the parent's labels and the delta together give the numbers of labels stated by the cut.
    private static func isComplete(_ delta: VersionDelta, after parent: DatasetManifest?, _ cut: VersionCut) -> Bool {
        for (split, count) in [(Split.training, cut.training), (.validation, cut.validation), (.test, cut.test)] {
            let before = (parent?.count(of: split) ?? 0).subtracting(delta.withdrawn[split] ?? 0)
            guard before.adding(delta.lines[split]?.count ?? 0) == count else { return false }
        }
        return true
    }
}
