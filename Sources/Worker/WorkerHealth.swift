public import EngineCore
internal import Synchronization

/// Activity of each role of a worker, for health checks: written by the roles, read by any caller.
public final class WorkerHealth: Sendable {
    /// Condition of a role. A `degraded` role has failed and will restart, or runs but does less than it should.
    public enum Condition: String, Hashable, Sendable {
        case starting, running, degraded, stopped
    }

    /// Latest report of a role.
    public struct RoleHealth: Hashable, Sendable {
        public var condition: Condition
        /// Reason why the role is degraded, or not running yet; empty if there is none.
        public var reason: String
        /// Partitions assigned to it.
        public var partitions: Int
        /// Time of the last report, in milliseconds since 1970.
        public var lastReportAt: Int64
        /// Remarks for people although the role runs, such as a paused project.
        public var remarks: [String] = []
    }

    /// One thread of a role: a role may run on several.
    private struct ThreadKey: Hashable, Comparable {
        let role: Role
        let number: Int

        static func < (a: Self, b: Self) -> Bool { a.number < b.number }
    }

    private let reports = Mutex<[ThreadKey: RoleHealth]>([:])
    /// Faults of roles that other threads than their own have found.
    private let alarms = Mutex<[Role: String]>([:])
    /// Milliseconds without a cycle of its loop after which a role is not alive.
    public static let stallLimit: Int64 = 60_000
    /// Milliseconds without a cycle of its loop after which a role is not ready.
    public static let slowLimit: Int64 = 30_000

    public init() {}

    /// Records a report of a role's thread, counted from 0, at `time`. Nil partitions do not change the count.
    public func set(
        _ role: Role,
        thread number: Int = 0,
        _ condition: Condition,
        reason: String = "",
        partitions: Int? = nil,
        at time: Int64
    ) {
        reports.withLock { reports in
            let key = ThreadKey(role: role, number: number)
            var health =
                reports[key] ?? RoleHealth(condition: condition, reason: "", partitions: 0, lastReportAt: time)
            health.condition = condition
            health.reason = reason
            if let partitions { health.partitions = partitions }
            health.lastReportAt = time
            reports[key] = health
        }
    }

    /// Replaces the remarks for human readers about a role's thread.
    public func remark(_ role: Role, thread number: Int = 0, _ remarks: [String]) {
        reports.withLock { $0[ThreadKey(role: role, number: number)]?.remarks = remarks }
    }

    /// Sets the fault of a role, whatever its own threads report; nil if there is none.
    public func alarm(_ role: Role, _ reason: String?) { alarms.withLock { $0[role] = reason } }

    /// Fault of a role whose loop cycles, but whose transactions have not committed its work for a minute.
    ///
    /// - Parameters:
    ///   - since: Time at which the oldest work arrived that no transaction holds; nil if there is none.
    ///   - cause: Result of the last attempt; empty if it is not known.
    ///   - time: Now. Both in milliseconds since 1970.
    /// - Returns: Nil for less than `stallLimit` milliseconds.
    public static func standstill(since: Int64?, cause: String, at time: Int64) -> String? {
        guard let since, time - since >= stallLimit else { return nil }
        let text = "no transaction has committed for \((time - since) / 1_000) s although there is work"
        return cause.isEmpty ? text : "\(text); last: \(cause)"
    }

    /// Maximum wait of a member that had partitions for the other members before it is not ready, in milliseconds: a
    /// rebalance takes seconds.
    public static let rebalanceLimit: Int64 = 10_000

    /// Reason why a role is not running yet although its loop cycles: its group has not assigned its partitions. An
    /// assignment of no partition is an answer, too.
    ///
    /// - Parameters:
    ///   - since: Time since when it waits for the group; nil if it does not.
    ///   - hasJoined: Whether the group has answered in this run of the role.
    ///   - time: Now. Both in milliseconds since 1970.
    /// - Returns: Nil if it does not wait, or only as long as a rebalance takes.
    public static func waiting(since: Int64?, hasJoined: Bool, at time: Int64) -> String? {
        guard let since else { return nil }
        let waited = max(0, time - since)
        guard !hasJoined || waited >= rebalanceLimit else { return nil }
        let seconds = waited >= rebalanceLimit ? " for \(waited / 1_000) s" : ""
        return "waits\(seconds) for its group to assign its partitions"
    }

    /// The roles that have started, in the order of `Role`; for a role with several threads, the condition of the worst
    /// thread.
    public var snapshot: [(role: Role, health: RoleHealth)] {
        let alarms = alarms.withLock { $0 }
        return reports.withLock { reports in
            Role.allCases.compactMap { role in
                let roleReports = reports.filter { $0.key.role == role }.sorted { $0.key < $1.key }.map(\.value)
                return Self.merged(roleReports).map { (role, Self.alarmed($0, alarms[role])) }
            }
        }
    }

    private static func alarmed(_ health: RoleHealth, _ alarm: String?) -> RoleHealth {
        guard let alarm, health.condition != .stopped else { return health }
        var health = health
        health.condition = .degraded
        health.reason = alarm
        return health
    }

    private static func merged(_ reports: [RoleHealth]) -> RoleHealth? {
        let order: [Condition] = [.degraded, .starting, .running, .stopped]
        guard var health = order.lazy.compactMap({ condition in reports.first { $0.condition == condition } }).first
        else {
            return nil
        }
        health.partitions = reports.reduce(0) { $0 + $1.partitions }
        health.lastReportAt = reports.map(\.lastReportAt).min() ?? health.lastReportAt
        // A remark of several threads is listed once.
        var seen: Set<String> = []
        health.remarks = reports.flatMap(\.remarks).filter { seen.insert($0).inserted }
        return health
    }

    /// Whether every role has started, none is degraded, and each has cycled lately.
    public func isReady(at time: Int64) -> Bool {
        let roles = snapshot(at: time)
        return !roles.isEmpty && roles.allSatisfy { $0.health.condition == .running }
    }

    /// Returns `snapshot`, in which a role whose loop has not cycled for `slowLimit` milliseconds is degraded, whatever
    /// it last reported.
    public func snapshot(at time: Int64) -> [(role: Role, health: RoleHealth)] {
        snapshot.map { role, health in
            guard health.condition == .running, Self.timeSinceReport(role, health, time) >= Self.slowLimit else {
                return (role, health)
            }
            var late = health
            late.condition = .degraded
            late.reason = "it has completed no cycle for \(Self.timeSinceReport(role, health, time) / 1_000) s"
            return (role, late)
        }
    }

    /// Whether every role's loop cycles.
    public func isLive(at time: Int64) -> Bool {
        snapshot.allSatisfy { Self.timeSinceReport($0.role, $0.health, time) < Self.stallLimit }
    }

    /// Milliseconds since the last report; 0 for a trainer, which stays within a study for as long as the study takes.
    private static func timeSinceReport(_ role: Role, _ health: RoleHealth, _ time: Int64) -> Int64 {
        role == .trainer ? 0 : time - health.lastReportAt
    }
}
