internal import DatasetFiles
internal import Storage
internal import Vocabulary

/// Storage of labels that wait for a long time: a project that never cuts, or an import of only validation labels, must
/// not hold back the group's offset indefinitely.
extension MaterializerProcessor {
    /// The offset of a partition's first label that no version contains yet; if there is none, the offset of the next
    /// record.
    func safeOffset(_ partition: Int32) -> Int64? {
        let waiting = (pending[partition] ?? [:]).values.map(\.firstOffset).min()
        return waiting ?? next[partition]
    }

    /// Rewinds to the group's offset, with the labels that are kept there.
    func rewind(_ partition: Int32) {
        let offset = committedNext[partition]
        let waiting = keptLabels[partition].flatMap { $0.offset == offset ? $0 : nil }
        next[partition] = offset
        pending[partition] = waiting?.projects ?? [:]
        facts.forget(partition)
        if let waiting { facts.resume(waiting, in: partition) }
        lastKeepOffset[partition] = nil
        recordedProgress[partition] = nil
    }

    /// The offset that the group may commit: that of the first waiting label, but not before the offset at which labels
    /// are kept.
    func groupOffset(_ partition: Int32, _ safe: Int64) -> Int64 {
        max(safe, (pendingKeptLabels[partition] ?? keptLabels[partition])?.offset ?? safe)
    }

    /// Whether so much follows the first waiting label that a restart should not read it again: at least `keepEvery`
    /// records, and as many as there are labels to keep, so that keeping them costs no more than reading them did; or a
    /// version, which would be sealed again, if little is to be kept.
    func isKeepingDue(_ partition: Int32) -> Bool {
        guard let end = next[partition], let safe = safeOffset(partition), safe < end else { return false }
        let read = end - max(safe, keptLabels[partition]?.offset ?? 0, lastKeepOffset[partition] ?? 0)
        if isAnnouncementBlocked(partition) { return true }
        guard read >= keepEvery else { return false }
        return read >= (pending[partition] ?? [:]).values.reduce(0) { $0 + Int64($1.count) }
    }

    /// Maximum number of bytes of waiting labels that are kept for one sealed version.
    private static let keptForVersion = 1 << 20

    /// Whether there is a version to announce whose cut the group's offset cannot pass, because earlier labels of other
    /// projects wait, and whether these are few enough to be kept for it.
    private func isAnnouncementBlocked(_ partition: Int32) -> Bool {
        guard keepEvery < .max, !(waitingAnnouncements[partition] ?? []).isEmpty, let cut = cutAt[partition],
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
        lastKeepOffset[partition] = end
        let waiting = WaitingLabels(offset: end, projects: pending[partition] ?? [:])
        do throws(StorageError) {
            if try store.keep(waiting, of: partition) { pendingKeptLabels[partition] = waiting }
            return true
        } catch {
            return !error.isRemote
        }
    }
}
