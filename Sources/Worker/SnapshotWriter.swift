internal import Dispatch
internal import Loop
internal import Processes
internal import Storage
internal import Synchronization
internal import Telemetry

/// Writes snapshots on a separate thread, so that the loop need not wait for the disk. At most one snapshot of each
/// partition waits.
final class SnapshotWriter: Sendable {
    let store: FolderStore
    private let logger: Logger
    private let waiting = Mutex<[Int32: StateSnapshot]>([:])
    private let queue = DispatchQueue(label: "flywheel.snapshots", qos: .utility)

    init(store: FolderStore, logger: Logger) {
        self.store = store
        self.logger = logger
    }

    func submit(_ snapshot: StateSnapshot) {
        waiting.withLock { $0[snapshot.partition] = snapshot }
        queue.async { [self] in writeNext() }
    }

    /// Waits until all that was submitted is on the disk.
    func finish() { queue.sync {} }

    private func writeNext() {
        guard let snapshot = waiting.withLock({ $0.popFirst()?.value }) else { return }
        let began = WallClock.now()
        do throws(StorageError) {
            let bytes = try snapshot.write(to: store)
            logger.info(
                "snapshot written",
                [
                    "partition": .number(snapshot.partition), "bytes": .number(bytes),
                    "ms": .number(WallClock.now() - began),
                ]
            )
        } catch {
            logger.warning("no snapshot written; a restart reads the whole changelog", ["reason": .string("\(error)")])
        }
    }
}
