internal import Events
internal import Flywheel
public import StreamRuntime
internal import Tables
internal import Vocabulary

/// What goes with every transaction, and what follows from its outcome.
extension LoopStage {
    public func willCommit(into turn: inout Turn) throws {
        prepareSnapshots(isLeaving: turn.isLeaving)
        for number in partitions.keys.sorted() {
            guard let partition = partitions[number], partition.isTouched else { continue }
            for name in partition.projects.keys.sorted() {
                guard let project = partition.projects[name], project.isTouched else { continue }
                for record in StateStore.changes(of: project, name: name, topic: topics[.state], partition: number) {
                    turn.write(record)
                    partitions[number]?.rowsSinceSnapshot += 1
                }
            }
            let position = PartitionPosition(
                journalOffset: partition.journalOffset,
                clusterID: clusterID,
                build: Build.version,
                history: partition.history
            )
            turn.write(
                OutputRecord(
                    topic: topics[.state],
                    partition: number,
                    key: Array(PartitionPosition.key.utf8),
                    value: position.jsonBytes
                )
            )
            // Also where only a timer wrote: the position must equal the offset that the transaction commits.
            turn.advance(TopicPartition(topics[.journal], number), to: partition.journalOffset)
        }
    }

    public func committed() {
        for number in partitions.keys.sorted() {
            guard var partition = partitions.removeValue(forKey: number) else { continue }
            defer { partitions[number] = partition }
            guard partition.isTouched else { continue }
            for name in partition.projects.keys.sorted() { partition.projects[name]?.commit() }
            partition.committedOffset = partition.journalOffset
            partition.isTouched = false
        }
        counts.entries += turnCounts.entries
        counts.decisions += turnCounts.decisions
        counts.ticks += turnCounts.ticks
        counts.unreadable += turnCounts.unreadable
        counts.refused.merge(turnCounts.refused) { $0 + $1 }
        turnCounts = LoopCounts()
        rereading.committed()
        takeSnapshots()
    }

    public func aborted() {
        for number in partitions.keys.sorted() {
            guard var partition = partitions.removeValue(forKey: number) else { continue }
            defer { partitions[number] = partition }
            for name in partition.projects.keys.sorted() { partition.projects[name]?.undo() }
            partition.journalOffset = partition.committedOffset
            partition.isTouched = false
            partition.tallies = TallyFolder()
            partition.timers.removeAll()
            partition.enginesTold.removeAll()
        }
        turnCounts = LoopCounts()
        rereading.aborted()
        snapshotEnds.removeAll()
    }
}
