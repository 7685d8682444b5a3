internal import Datasets
internal import Flywheel
internal import Loop
internal import Tables
internal import Vocabulary

/// Versions that are cut and whose announcement has not been received. The loop knows them, whatever prevents the
/// materializer from sealing them, and wherever the materializer runs. Used on one thread.
struct UnsealedCuts {
    /// Oldest waiting version of a project.
    struct Oldest: Hashable {
        /// Number of versions that wait.
        let count: Int
        /// Number of the oldest waiting version, from 1.
        let versionNumber: Int
        /// Time at which it was cut, by the broker's clock, in milliseconds since 1970.
        let cutAt: Int64

        /// Fails if no version waits.
        ///
        /// - Complexity: O(*n*) in the versions that wait.
        init?(_ state: DatasetsState) {
            guard let row = state.pending.minimum(by: { $0.key < $1.key }) else { return nil }
            count = state.pending.count
            versionNumber = row.key
            cutAt = row.value.cutAt.milliseconds
        }
    }

    /// Values of a project's metrics.
    struct Reading: Hashable {
        let project: String
        /// Number of versions that wait.
        let count: Int
        /// Milliseconds since the oldest waiting version was cut; 0 if no version waits.
        let age: Int64
    }

    private struct Watched {
        let oldest: Oldest
        /// Time since which that version is known to be the oldest, in milliseconds since 1970.
        let since: Int64
        /// Whether the project is paused: the loop would then not apply the announcement even if it had arrived.
        let isPaused: Bool
    }

    private var watched: [String: Watched] = [:]
    /// Projects that a metric was reported for.
    private var reported: Set<String> = []

    /// Milliseconds for which a version may wait. Files of a large import take half a minute, and so does the
    /// reassignment of a dead materializer's partitions by the group.
    static let maximumWait: Int64 = 120_000

    /// Scans all projects of the loop.
    ///
    /// - Parameters:
    ///   - processor: The loop, between two transactions.
    ///   - time: Now, in milliseconds since 1970.
    /// - Returns: The metric values of each project; also 0 for projects that were assigned to another worker since the
    ///   last scan, whose values would otherwise remain for ever.
    mutating func update(_ processor: LoopProcessor, time: Int64) -> [Reading] {
        var found: [String: Watched] = [:]
        var current: Set<String> = []
        var readings: [Reading] = []
        processor.forEachProject { project in
            let name = project.state.project.rawValue
            current.insert(name)
            guard let oldest = Oldest(project.state.datasets) else {
                readings.append(Reading(project: name, count: 0, age: 0))
                return
            }
            let known = watched[name].flatMap { $0.oldest.versionNumber == oldest.versionNumber ? $0.since : nil }
            // If the clock moves backwards, the time is counted anew.
            let since = known.map { min($0, time) } ?? time
            found[name] = Watched(oldest: oldest, since: since, isPaused: project.pause != nil)
            readings.append(Reading(project: name, count: oldest.count, age: max(0, time - oldest.cutAt)))
        }
        for name in reported.subtracting(current).sorted() { readings.append(Reading(project: name, count: 0, age: 0)) }
        watched = found
        reported = current
        return readings
    }

    /// Describes the fault for health. The time is counted from when this worker saw the version, because an
    /// announcement that arrived while no loop ran is applied first.
    ///
    /// A paused project is left out: its pause is more informative.
    ///
    /// - Parameter time: Now, in milliseconds since 1970.
    /// - Returns: Nil if no version has waited for `maximumWait`.
    func fault(at time: Int64) -> String? {
        let late = watched.filter { !$0.value.isPaused && time - $0.value.since >= Self.maximumWait }
            .sorted { ($0.value.since, $0.key) < ($1.value.since, $1.key) }
        guard let (name, first) = late.first else { return nil }
        let age = max(time - first.oldest.cutAt, time - first.since) / 1_000
        let more = first.oldest.count > 1 ? ", nor are \(first.oldest.count - 1) after it" : ""
        let others = late.count > 1 ? " (\(late.count - 1) more projects have such versions)" : ""
        return
            "version \(first.oldest.versionNumber) of project \(name), cut \(age) s ago, is not sealed\(more)\(others): "
            + "nothing is trained on its labels; check that a materializer runs, its health, its log, and the "
            + "disk of store.path or the bucket of store.url"
    }
}
