internal import EngineCore
internal import Events
public import Storage
internal import StreamRuntime
internal import Vocabulary

/// The snapshots of a worker: their location and their writer.
public struct LoopSnapshots {
    /// Use of a snapshot, for logs.
    public enum Event: Hashable, Sendable {
        /// `rows` rows were restored from the snapshot, up to `offset` of `state`.
        case used(partition: Int32, rows: Int, offset: Int64)
        /// The partition is restored from its changelog.
        case unusable(partition: Int32, reason: String)
    }

    /// Maximum age in milliseconds. Older snapshots are not used: tombstones are kept for seven days only, and a
    /// deleted row would reappear.
    static let maximumAge: Int64 = 86_400_000

    let store: FolderStore
    /// Milliseconds between two snapshots of a partition.
    let interval: Int64
    /// Writes a snapshot, now or later; a later snapshot of the same partition may replace it.
    let write: (StateSnapshot) -> Void
    let observe: (Event) -> Void

    public init(
        store: FolderStore,
        interval: Int64 = 300_000,
        write: @escaping (StateSnapshot) -> Void,
        observe: @escaping (Event) -> Void = { _ in }
    ) {
        self.store = store
        self.interval = interval
        self.write = write
        self.observe = observe
    }

    /// Loads the snapshot of a partition, after which only later records are to be read; nil if there is no trustworthy
    /// one.
    ///
    /// - Throws: `StreamError`; any defect of the snapshot is reported, and the result is nil.
    func load(_ partition: Int32, state: StateStore, clusterID: String, now: Int64) throws(StreamError)
        -> RestoredPartition?
    {
        let (low, high) = try state.ends(partition)
        do {
            return try read(partition, of: state.topic, clusterID: clusterID, now: now, low: low, high: high)
        } catch {
            observe(.unusable(partition: partition, reason: "\(error)"))
            return nil
        }
    }

    private func read(
        _ partition: Int32,
        of topic: String,
        clusterID: String,
        now: Int64,
        low: Int64,
        high: Int64
    ) throws -> RestoredPartition? {
        var restored = RestoredPartition()
        let parser = StateStore.makeParser()
        let header = try StateSnapshot.read(store, topic: topic, partition: partition) { header in
            let age = now.subtracting(header.writtenAt)
            try require(header.topic == topic && header.partition == partition, "it is of another partition")
            try require(
                header.position.clusterID == clusterID,
                "it is of cluster \(header.position.clusterID), and this is \(clusterID)"
            )
            try require(header.position.build == Build.version, "build \(header.position.build) wrote it")
            try require(!header.position.history.isEmpty, "its history is not known")
            try require((0...Self.maximumAge).contains(age), "it was written \(age / 1_000) s ago")
            try require(low == 0, "the changelog's first records were deleted")
            try require(
                (0...high).contains(header.stateOffset),
                "it stands at offset \(header.stateOffset), and the changelog ends at \(high)"
            )
        } row: { key, value in
            try StateStore.restoreRow(key, value, parser, into: &restored)
        }
        guard let header else { return nil }
        restored.position = header.position
        restored.next = header.stateOffset
        observe(.used(partition: partition, rows: restored.records, offset: header.stateOffset))
        return restored
    }

    private func require(_ condition: Bool, _ reason: @autoclosure () -> String) throws {
        guard condition else { throw StateSnapshot.Unusable(reason()) }
    }
}
