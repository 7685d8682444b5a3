internal import Synchronization

/// What each role of a worker is doing, for health checks: written by the roles, read by whoever asks.
public final class WorkerHealth: Sendable {
    /// `degraded` roles have failed and will begin anew.
    public enum Condition: String, Hashable, Sendable {
        case starting, running, degraded, stopped
    }

    /// What a role last said of itself.
    public struct RoleHealth: Hashable, Sendable {
        public var condition: Condition
        /// Why it is degraded; empty otherwise.
        public var reason: String
        /// Partitions assigned to it.
        public var partitions: Int
        /// Milliseconds since 1970.
        public var lastTurnAt: Int64
        /// What people should know though the role runs, as that a project is paused.
        public var remarks: [String] = []
    }

    private let roles = Mutex<[Role: RoleHealth]>([:])
    /// A role whose loop has not turned for so many milliseconds is not alive.
    public static let stall: Int64 = 60_000

    public init() {}

    /// Records a turn at `time`. Nil partitions leave the count as it was.
    public func set(_ role: Role, _ condition: Condition, reason: String = "", partitions: Int? = nil, at time: Int64) {
        roles.withLock { roles in
            var health = roles[role] ?? RoleHealth(condition: condition, reason: "", partitions: 0, lastTurnAt: time)
            health.condition = condition
            health.reason = reason
            if let partitions { health.partitions = partitions }
            health.lastTurnAt = time
            roles[role] = health
        }
    }

    /// Replaces what people should know of a role.
    public func remark(_ role: Role, _ remarks: [String]) { roles.withLock { $0[role]?.remarks = remarks } }

    /// The roles that have started, in the order of `Role`.
    public var snapshot: [(role: Role, health: RoleHealth)] {
        roles.withLock { roles in
            Role.allCases.compactMap { role in roles[role].map { (role, $0) } }
        }
    }

    /// Every role has started and none is degraded.
    public var isReady: Bool { snapshot.allSatisfy { $0.health.condition == .running } && !snapshot.isEmpty }

    /// Every role's loop turns. A trainer is within a study for as long as that takes.
    public func isLive(at time: Int64) -> Bool {
        snapshot.allSatisfy { $0.role == .trainer || time - $0.health.lastTurnAt < Self.stall }
    }
}
