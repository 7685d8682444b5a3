internal import EngineCore
internal import Events
internal import StreamRuntime

/// From what is stored to what is in memory, and snapshots of it.
extension LoopProcessor {
    /// A partition's tables, and where in the journal they stand.
    func restore(_ place: TopicPartition, _ committed: Int64?, _ store: StateStore) throws -> (RestoredPartition, Int64)
    {
        if let fromSnapshot = try restoreFromSnapshot(place, committed, store) { return fromSnapshot }
        let restored = try store.restore(place.partition)
        return (restored, try startOffset(place, committed, restored.position))
    }

    /// Nil where there is no snapshot, or it does not fit: the changelog has the last word, and refuses if need be.
    private func restoreFromSnapshot(
        _ place: TopicPartition,
        _ committed: Int64?,
        _ store: StateStore
    ) throws -> (RestoredPartition, Int64)? {
        let number = place.partition
        guard let snapshots,
            var restored = try snapshots.load(number, state: store, clusterID: clusterID, now: now())
        else { return nil }
        let history = restored.position?.history
        do {
            try store.follow(number, &restored)
            guard restored.position?.history == history else {
                throw StateSnapshot.Unusable("the changelog was made anew")
            }
            return (restored, try startOffset(place, committed, restored.position))
        } catch let error as StreamError {
            throw error
        } catch {
            snapshots.observe(.unusable(partition: number, reason: "\(error)"))
            return nil
        }
    }

    /// Offsets and changelog commit together, so they must agree. Where the group's offset has expired the position stands.
    private func startOffset(_ place: TopicPartition, _ committed: Int64?, _ position: PartitionPosition?) throws
        -> Int64
    {
        let remedy =
            "restore the topic state, or make it anew and reset the group's offsets of journal to the beginning, to decide everything anew"
        if let position, position.clusterID != clusterID {
            throw EngineError(
                "restore \(place)",
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
                "restore \(place)",
                "the group has committed offset \(committed) but there is no state",
                remedy: remedy
            )
        case (let committed?, let position?):
            throw EngineError(
                "restore \(place)",
                "the group has committed offset \(committed) but the state stands at \(position)",
                remedy: remedy
            )
        }
    }

    // MARK: - Snapshots

    /// Where snapshots are due, asks where `state` ends *before* the transaction opens.
    ///
    /// That the transaction stands proves that nobody else has had the partition until then. So all that was committed
    /// before this end is in the tables, and a snapshot of them may say so. Asked afterwards, the end might already be that
    /// of a successor, whose rows we lack.
    func prepareSnapshots(isLeaving: Bool) {
        guard let snapshots else { return }
        let time = now()
        let due = partitions.keys.sorted().filter { number in
            guard let partition = partitions[number], partition.rowsSinceSnapshot > 0 else { return false }
            let age = time - partition.snapshotAt
            return isLeaving || age >= snapshots.interval || age < 0
        }
        // It can be done without: what fails here must not cost a transaction.
        guard !due.isEmpty, let store = try? StateStore(transport: transport, topics: topics) else { return }
        defer { store.close() }
        for number in due { if let ends = try? store.ends(number) { snapshotEnds[number] = ends.high } }
    }

    /// The transaction stands: hands over copies of the tables as they are now.
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
