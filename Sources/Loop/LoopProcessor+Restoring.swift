internal import EngineCore
internal import Events
internal import StreamRuntime

/// Restoring of stored state into memory, and snapshots of it.
extension LoopProcessor {
    /// Restores a partition's tables, and their position in the journal.
    func restore(_ topicPartition: TopicPartition, _ committed: Int64?, _ store: StateStore) throws -> (
        RestoredPartition, Int64
    ) {
        if let fromSnapshot = try restoreFromSnapshot(topicPartition, committed, store) { return fromSnapshot }
        let restored = try store.restore(topicPartition.partition)
        return (restored, try startOffset(topicPartition, committed, restored.position))
    }

    /// Restores a partition from its snapshot. Nil if there is no snapshot or it does not fit: the changelog is then
    /// read instead, which is authoritative and may refuse the partition.
    private func restoreFromSnapshot(
        _ topicPartition: TopicPartition,
        _ committed: Int64?,
        _ store: StateStore
    ) throws -> (RestoredPartition, Int64)? {
        let number = topicPartition.partition
        guard let snapshots,
            var restored = try snapshots.load(number, state: store, clusterID: clusterID, now: now())
        else { return nil }
        let history = restored.position?.history
        do {
            try store.follow(number, &restored)
            guard restored.position?.history == history else {
                throw StateSnapshot.Unusable("the changelog was made anew")
            }
            return (restored, try startOffset(topicPartition, committed, restored.position))
        } catch let error as StreamError {
            throw error
        } catch {
            snapshots.observe(.unusable(partition: number, reason: "\(error)"))
            return nil
        }
    }

    /// The offset to start at. Offsets and changelog are committed together, so they must agree. If the group's offset
    /// has expired, the position applies.
    private func startOffset(_ topicPartition: TopicPartition, _ committed: Int64?, _ position: PartitionPosition?)
        throws
        -> Int64
    {
        let remedy =
            "restore the topic state, or make it anew and reset the group's offsets of journal to the beginning, to decide everything anew"
        if let position, position.clusterID != clusterID {
            throw EngineError(
                "restore \(topicPartition)",
                "its state was written on cluster \(position.clusterID), and this is \(clusterID)",
                remedy: "check bootstrap.servers and the topic prefix"
            )
        }
        switch (committed, position?.journalOffset) {
        // Nothing was decided yet, or everything is to be decided anew.
        case (nil, nil), (0?, nil): return 0
        case (nil, let position?): return position
        case (let committed?, let position?) where committed == position: return committed
        case (let committed?, nil):
            throw EngineError(
                "restore \(topicPartition)",
                "the group has committed offset \(committed) but there is no state",
                remedy: remedy
            )
        case (let committed?, let position?):
            throw EngineError(
                "restore \(topicPartition)",
                "the group has committed offset \(committed) but the state stands at \(position)",
                remedy: remedy
            )
        }
    }

    // MARK: - Snapshots

    /// If snapshots are due, reads the end of `state` *before* the transaction opens.
    ///
    /// A committed transaction proves that the partition was assigned to no other worker until then. All records
    /// committed before this end are therefore in the tables, and a snapshot of them may state so. If the end were read
    /// afterwards, it might already be that of a successor, whose rows this worker lacks.
    func prepareSnapshots(isLeaving: Bool) {
        guard let snapshots else { return }
        let time = now()
        let due = partitions.keys.sorted().filter { number in
            guard let partition = partitions[number], partition.rowsSinceSnapshot > 0 else { return false }
            let age = time - partition.snapshotAt
            return isLeaving || age >= snapshots.interval || age < 0
        }
        // Snapshots are optional: an error here must not abort the transaction.
        guard !due.isEmpty, let store = try? StateStore(transport: transport, topics: topics) else { return }
        defer { store.close() }
        for number in due { if let ends = try? store.ends(number) { snapshotEnds[number] = ends.high } }
    }

    /// Hands over copies of the tables as they are now, after the transaction is committed.
    func takeSnapshots() {
        guard let snapshots else { return }
        for number in snapshotEnds.keys.sorted() {
            guard let end = snapshotEnds[number], let partition = partitions[number] else { continue }
            let position = PartitionPosition(
                journalOffset: partition.journalOffset,
                clusterID: clusterID,
                build: Build.version,
                history: partition.history
            )
            let header = StateSnapshot.Header(
                topic: topics[.state],
                partition: number,
                stateOffset: end,
                position: position,
                writtenAt: now()
            )
            snapshots.write(StateSnapshot(header: header, projects: partition.projects))
            partitions[number]?.rowsSinceSnapshot = 0
            partitions[number]?.snapshotAt = now()
        }
        snapshotEnds.removeAll()
    }
}
