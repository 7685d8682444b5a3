internal import EngineCore

/// Partition that the loop owns, with the projects in it. It can be changed through any reference without a lock,
/// because it is used on the role's thread only.
final class LoopPartition {
    var projects: [String: LoopProject] = [:]
    /// Names of the projects that are paused.
    var paused: Set<String> = []
    var tallies = TallyFolder()
    /// Set once an entry has arrived that only a newer build can read: only that build can apply this entry and the
    /// ones after it.
    var stop: PartitionStop?
    var timers: [String: TickTimer] = [:]
    var reportedBuilds: Set<String> = []
    var history = ""
    var journalOffset: Int64 = 0
    var committedOffset: Int64 = 0
    var isTouched = false
    /// Rows written since the last snapshot, and the time of that snapshot, in milliseconds since 1970.
    var rowsSinceSnapshot = 0
    var snapshotAt: Int64 = 0

    /// Pauses a project, or resumes it if `pause` is nil.
    func pause(_ name: String, _ pause: ProjectPause?) {
        projects[name]?.pause(pause)
        if pause == nil { paused.remove(name) } else { paused.insert(name) }
    }
}
