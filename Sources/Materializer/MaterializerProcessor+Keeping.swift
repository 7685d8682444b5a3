internal import DatasetFiles
internal import Storage
internal import Vocabulary

/// Labels that wait for long: a project that never cuts, or an import of validation labels alone, must not hold the group's offset
/// back without end.
extension MaterializerProcessor {
    /// The first label of a partition that no version holds yet; where there is none, the next record.
    func safeOffset(_ partition: Int32) -> Int64? {
        let waiting = (pending[partition] ?? [:]).values.map(\.from).min()
        return waiting ?? next[partition]
    }

    /// Rewinds to the group's offset, with the labels that are kept there.
    func goBack(_ partition: Int32) {
        let offset = committedNext[partition]
        let waiting = kept[partition].flatMap { $0.offset == offset ? $0 : nil }
        next[partition] = offset
        pending[partition] = waiting?.projects ?? [:]
        facts.forget(partition)
        if let waiting { facts.resume(waiting, in: partition) }
        keptAt[partition] = nil
        noted[partition] = nil
    }

    /// Where the group may go: to the first label that waits, and not back from where labels are kept.
    func groupOffset(_ partition: Int32, _ safe: Int64) -> Int64 {
        max(safe, (pendingKept[partition] ?? kept[partition])?.offset ?? safe)
    }

    /// Whether so many records follow the first waiting label that a restart should not read them again: at least as
    /// many records as there are labels to keep, so that keeping them costs no more than reading them did; or a
    /// version, which would be sealed again, if little is to be kept.
    func isKeepingDue(_ partition: Int32) -> Bool {
        guard let end = next[partition], let safe = safeOffset(partition), safe < end else { return false }
        let read = end - max(safe, kept[partition]?.offset ?? 0, keptAt[partition] ?? 0)
        if hasSealedBeside(partition) { return true }
        guard read >= keepEvery else { return false }
        return read >= (pending[partition] ?? [:]).values.reduce(0) { $0 + Int64($1.count) }
    }

    /// Bytes that are kept for each version that is sealed, at most.
    private static let keptForVersion = 1 << 20

    /// Whether a version is to be announced whose cut the group's offset cannot pass, because labels of other projects
    /// wait from before it; and those are few enough to be kept for it.
    private func hasSealedBeside(_ partition: Int32) -> Bool {
        guard keepEvery < .max, !(sealedSinceNote[partition] ?? []).isEmpty, let cut = cutAt[partition],
            let safe = safeOffset(partition), groupOffset(partition, safe) <= cut
        else { return false }
        var size = 0
        for project in (pending[partition] ?? [:]).values {
            for line in project.lines.values.joined() {
                size = size.adding(line.bytes.count)
                guard size <= Self.keptForVersion else { return false }
            }
            size = size.adding(project.changes.count.multiplied(by: LabelChange.longestReason))
        }
        return size <= Self.keptForVersion
    }

    /// Writes the waiting labels to a file. It is a copy of data in the log: if the disk refuses it, the group waits.
    ///
    /// - Returns: False if a server is unreachable.
    func keep(_ partition: Int32) -> Bool {
        guard let end = next[partition] else { return true }
        keptAt[partition] = end
        let waiting = WaitingLabels(offset: end, projects: pending[partition] ?? [:])
        do throws(StorageError) {
            if try store.keep(waiting, of: partition) { pendingKept[partition] = waiting }
            return true
        } catch {
            return !error.isRemote
        }
    }
}
