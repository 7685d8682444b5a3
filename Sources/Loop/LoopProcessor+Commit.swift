internal import EngineCore
internal import Events
internal import Flywheel
public import StreamRuntime
internal import Tables
internal import Vocabulary

/// Rows written with every transaction, and effects of its outcome.
extension LoopProcessor {
    public func willCommit(into transaction: inout PendingTransaction) throws {
        prepareSnapshots(isLeaving: transaction.isLeaving)
        for number in partitions.keys.sorted() {
            guard let partition = partitions[number] else { continue }
            guard partition.isTouched else { continue }
            for name in partition.projects.keys.sorted() {
                for record in partition.projects[name]?.changelog(name, topics[.state], number) ?? [] {
                    transaction.write(record)
                    partition.rowsSinceSnapshot += 1
                }
            }
            let position = PartitionPosition(
                journalOffset: partition.journalOffset,
                clusterID: clusterID,
                build: Build.version,
                history: partition.history
            )
            transaction.write(
                OutputRecord(
                    topic: topics[.state],
                    partition: number,
                    key: Array(PartitionPosition.key.utf8),
                    value: position.jsonBytes
                )
            )
            // The offset is advanced even if only a timer wrote: the position must equal the offset that the
            // transaction commits.
            transaction.advance(TopicPartition(topics[.journal], number), to: partition.journalOffset)
        }
    }

    public func committed() {
        for number in partitions.keys.sorted() {
            guard let partition = partitions[number] else { continue }
            guard partition.isTouched else { continue }
            for name in partition.projects.keys.sorted() { partition.projects[name]?.commit() }
            partition.committedOffset = partition.journalOffset
            partition.isTouched = false
        }
        counts.entries += pendingCounts.entries
        counts.decisions += pendingCounts.decisions
        counts.ticks += pendingCounts.ticks
        counts.unreadable += pendingCounts.unreadable
        counts.refused.merge(pendingCounts.refused) { $0 + $1 }
        pendingCounts = LoopCounts()
        rereading.committed()
        for change in pauseChanges { pauseChanged(change.name, change.pause) }
        pauseChanges.removeAll()
        takeSnapshots()
    }

    public func aborted() {
        for number in partitions.keys.sorted() {
            guard let partition = partitions[number] else { continue }
            for name in partition.projects.keys.sorted() where partition.projects[name]?.isTouched ?? false {
                partition.projects[name]?.undo()
                let isPaused = partition.projects[name]?.pause != nil
                if isPaused { partition.paused.insert(name) } else { partition.paused.remove(name) }
            }
            partition.journalOffset = partition.committedOffset
            partition.isTouched = false
            partition.tallies = TallyFolder()
            partition.timers.removeAll()
            partition.reportedBuilds.removeAll()
        }
        pendingCounts = LoopCounts()
        rereading.aborted()
        pauseChanges.removeAll()
        snapshotEnds.removeAll()
    }
}
