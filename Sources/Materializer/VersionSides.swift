internal import DatasetFiles
internal import Events
internal import Hashing
internal import JSON
internal import Vocabulary

/// Splits of the samples in the versions sealed last, to ensure that no sample of a version is in two splits.
///
/// A label that is only added stays in the split that the loop assigned. From a project's first move on, each new
/// version is compared with the samples of its parent, which are read once for this purpose and then updated.
///
/// Memory: some 20 bytes for each label, for at most `limit` labels, and only for versions whose files do not exceed
/// the byte limit.
final class VersionSides {
    /// Maximum number of labels of all projects that are held at a time; a larger version is checked only by
    /// `flywheel dataset verify`.
    static let limit = 1 << 22
    /// Maximum number of bytes of files that are read for a version's samples, because nothing is sealed meanwhile; a
    /// larger version is likewise checked only by `flywheel dataset verify`.
    private let byteLimit: Int
    /// Maximum number of samples that a refusal names.
    private static let namedLimit = 5

    private struct Known {
        var version: DatasetVersionID
        var splits: [UInt64: Split]
    }

    /// Change of samples' splits by a version.
    struct SplitUpdate {
        /// New split by hash of the sample; nil for a withdrawn sample.
        fileprivate var splits: [UInt64: Split?] = [:]
        fileprivate let parent: DatasetVersionID
    }

    private var known: [ProjectID: Known] = [:]
    private let parser = JSONParser(maximumDepth: 64, maximumSize: DatasetForm.lineSize)

    /// - Parameter byteLimit: Maximum number of bytes of files that are read for a version's samples.
    init(byteLimit: Int = 2 << 30) { self.byteLimit = byteLimit }

    /// Refuses a version in which a sample would be in two splits.
    ///
    /// - Parameters:
    ///   - delta: Lines that the version adds to its parent and withdraws from it.
    ///   - parent: Manifest of the parent; nil for a project's first version.
    ///   - project: Project of the version.
    ///   - cut: Cut for which the version is sealed.
    ///   - reader: Returns a reader of the parent.
    /// - Returns: Update for `apply` once the version is sealed; nil if nothing was checked.
    /// - Throws: `PermanentFailure`, naming the samples; `StorageError` and `EngineError` if the parent cannot be read.
    /// - Complexity: O(*n*) in the delta; for a project's first move of a run, in the version.
    func check(
        _ delta: VersionDelta,
        after parent: DatasetManifest?,
        _ project: ProjectID,
        _ cut: VersionCut,
        reader: () -> DatasetReader?
    ) throws -> SplitUpdate? {
        guard let parent, let splits = try splits(of: parent, project, delta, reader) else { return nil }
        var update = SplitUpdate(parent: parent.id)
        for sample in delta.withdrawnSamples { update.splits[xxh64(sample.rawValue)] = .some(nil) }
        var doubted: Set<String> = []
        let added = delta.lines.flatMap { split, lines in
            lines.map { (split, DatasetLine.sample(of: $0.bytes, parser)) }
        }
        for (split, sample) in added {
            guard let sample else { continue }
            let hash = xxh64(sample)
            if update.splits[hash, default: splits[hash]] != nil { doubted.insert(sample) }
            update.splits[hash] = .some(split)
        }
        // Two samples may have one hash: the lines themselves decide.
        guard !doubted.isEmpty else { return update }
        var splitsBySample: [String: Set<Split>] = [:]
        for (split, sample) in added {
            if let sample, doubted.contains(sample) { splitsBySample[sample, default: []].insert(split) }
        }
        let withdrawn = Set(delta.tombstones)
        try reader()?.forEachLine { line in
            guard !withdrawn.contains(line.sequence),
                let sample = try? line.object.get().object("sample").string("id"), doubted.contains(sample)
            else { return }
            splitsBySample[sample, default: []].insert(line.split)
        }
        let conflicts = splitsBySample.filter { $0.value.count > 1 }.sorted { $0.key < $1.key }
        guard conflicts.isEmpty else { throw Self.refusal(conflicts, project, cut) }
        return update
    }

    /// Updates the known splits after a version is sealed.
    func apply(_ update: SplitUpdate?, _ project: ProjectID, _ version: DatasetVersionID) {
        guard let update, known[project]?.version == update.parent else { return }
        for (hash, split) in update.splits { known[project]?.splits[hash] = split }
        known[project]?.version = version
    }

    private func splits(
        of parent: DatasetManifest,
        _ project: ProjectID,
        _ delta: VersionDelta,
        _ reader: () -> DatasetReader?
    ) throws -> [UInt64: Split]? {
        if let known = known[project], known.version == parent.id { return known.splits }
        known[project] = nil
        let labels = Split.allCases.reduce(0) { $0.adding(parent.count(of: $1)) }
        guard delta.hasMoves, labels <= Self.limit, let reader = reader() else { return nil }
        var bytes = 0
        try reader.forEachEntry { bytes = bytes.adding($0.size) }
        guard bytes <= byteLimit else { return nil }
        if known.values.reduce(labels, { $0 + $1.splits.count }) > Self.limit { known = [:] }
        var splits: [UInt64: Split] = [:]
        splits.reserveCapacity(labels)
        try reader.forEachLine { line in
            if let sample = try? line.object.get().object("sample").string("id") { splits[xxh64(sample)] = line.split }
        }
        known[project] = Known(version: parent.id, splits: splits)
        return splits
    }

    private static func refusal(
        _ conflicts: [(key: String, value: Set<Split>)],
        _ project: ProjectID,
        _ cut: VersionCut
    ) -> PermanentFailure {
        let shown = conflicts.prefix(namedLimit).map { sample, splits in
            let names = Split.allCases.filter(splits.contains).map(\.rawValue).joined(separator: " and ")
            return "\(sample.prefix(64)) (\(names))"
        }
        let more = conflicts.count > namedLimit ? ", and \(conflicts.count - namedLimit) more" : ""
        return PermanentFailure(
            reason:
                "version \(cut.versionNumber) of project \(project) is not sealed: it would hold samples in several splits, \(shown.joined(separator: ", "))\(more), which makes test scores too high; find out who wrote to the topic"
        )
    }
}
