internal import EngineCore
public import Events
internal import Flywheel
internal import Kinds
public import Processes
internal import Rollout
public import StreamRuntime
internal import Tables
public import Vocabulary

/// Controls the releases of a project by commands: rolls back a version, and holds, freezes or suppresses until a
/// second command ends it.
public struct ReleaseControl {
    /// Action that an operator can order.
    public enum Order: String, Hashable, Sendable, CaseIterable {
        /// The champion is quarantined, and its predecessor serves again.
        case rollBack = "rollback"
        /// No promotion until `unhold`.
        case hold, unhold
        /// No promotion and no study until `unfreeze`, and back to the last trusted champion.
        case freeze, unfreeze
        /// Services do not answer with the class, and annotators cannot choose it, until `unsuppress`.
        case suppress, unsuppress
    }

    /// The state of the command when its time is up.
    public enum Outcome: Hashable, Sendable {
        /// Carried out.
        ///
        /// - Parameters:
        ///   - live: The version that serves from then on; nil if there is none.
        ///   - replaced: The version that was rolled back for it; nil if the live version stayed.
        case done(live: ModelVersion?, replaced: ModelVersion?)
        /// A rollback of a canary was carried out.
        ///
        /// - Parameters:
        ///   - canary: The version that was rolled back, now in quarantine.
        ///   - live: The version that serves, as before the command.
        case withdrawn(canary: ModelVersion, live: ModelVersion?)
        /// Refused by the loop: another version had become champion meanwhile, there was no version left to return to,
        /// or the class already was as requested.
        ///
        /// - Parameter live: The version that serves.
        case refused(live: ModelVersion?)
        /// Not carried out yet: no worker runs, or the worker is far behind.
        case waiting
    }

    private let delivery: CommandDelivery

    public init(transport: any StreamTransport, topics: TopicNames) {
        delivery = CommandDelivery(transport: transport, topics: topics)
    }

    /// Sends the command, and waits until the loop has carried it out.
    ///
    /// - Parameters:
    ///   - order: The order.
    ///   - version: For `rollBack`: the champion or the canary to roll back; nil for the champion. Ignored for other
    ///     orders.
    ///   - className: For `suppress` and `unsuppress`: the class. Ignored for other orders.
    ///   - name: The project.
    ///   - by: The person who requests it.
    ///   - reason: Explanation for people; it is kept permanently.
    ///   - maximumWait: Maximum wait in milliseconds; 0 for no wait.
    ///   - now: Milliseconds since 1970.
    ///   - pause: Called between two polls of the state, with milliseconds.
    /// - Returns: The state of the command by then.
    /// - Throws: `EngineError` if there is no such project, nothing to roll back, or Intake would refuse the command;
    ///   `StreamError` when the topics cannot be read or written.
    public func send(
        _ order: Order,
        version: ModelVersion? = nil,
        className: String? = nil,
        project name: String,
        by: String,
        reason: String,
        maximumWait: Int64 = 15_000,
        now: @escaping () -> Int64 = WallClock.now,
        pause: @escaping (Int64) -> Void = { WallClock.pause($0) }
    ) throws -> Outcome {
        let attempt =
            switch order {
            case .rollBack: "roll back the release of \(name)"
            case .suppress, .unsuppress: "\(order.rawValue) a class of \(name)"
            case .hold, .unhold, .freeze, .unfreeze: "\(order.rawValue) the releases of \(name)"
            }
        let outcome: Outcome? = try delivery.send(
            attempt: attempt,
            project: name,
            by: by,
            reason: reason,
            wait: .init(maximum: maximumWait, now: now, pause: pause),
            plan: { state, configuration in
                if let className, !configuration.question.classes.contains(className) {
                    throw EngineError(
                        attempt,
                        "class \"\(className)\" is not in the project's question",
                        remedy: "see flywheel project show \(name)"
                    )
                }
                let action = try Self.action(
                    for: order,
                    version: version,
                    className: className ?? "",
                    of: state,
                    attempt: attempt
                )
                return (action, order.rawValue)
            },
            outcome: { before, state, _ in
                Self.outcome(of: order, className: className ?? "", before: before, after: state)
            }
        )
        return outcome ?? .waiting
    }

    private static func action(
        for order: Order,
        version: ModelVersion?,
        className: String,
        of state: ProjectState?,
        attempt: String
    ) throws -> Command.Action {
        switch order {
        case .hold: return .hold
        case .unhold: return .releaseHold
        case .freeze: return .freeze
        case .unfreeze: return .unfreeze
        case .suppress: return .suppress(true, className: className)
        case .unsuppress: return .suppress(false, className: className)
        case .rollBack: break
        }
        let roles = state?.rollout.roles.value
        guard let champion = roles?.champion?.version else {
            throw EngineError(attempt, "no version is live", remedy: "see flywheel releases show")
        }
        if let version, version == state?.rollout.canary?.version { return .rollBack(version) }
        guard version == nil || version == champion else {
            throw EngineError(
                attempt,
                "\(version?.rawValue ?? "") is not live, \(champion) is",
                remedy: "name the live version, or none; see flywheel releases show"
            )
        }
        guard roles?.history.isEmpty == false else {
            throw EngineError(
                attempt,
                "no model served before \(champion), as far as is recorded",
                remedy: state?.rollout.canary.map { "to withdraw the canary, name it: --from \($0.version)" }
                    ?? "freeze releases, and register or train another model"
            )
        }
        return .rollBack(champion)
    }

    private static func outcome(
        of order: Order,
        className: String,
        before: ProjectState?,
        after state: ProjectState
    ) -> Outcome {
        let (old, live) = (before?.rollout.roles.value.champion?.version, state.rollout.roles.value.champion?.version)
        // A rollback of a canary leaves the champion in place.
        if order == .rollBack, let canary = before?.rollout.canary?.version, state.rollout.canary == nil,
            state.rollout.roles.value.quarantined.contains(canary), old == live
        {
            return .withdrawn(canary: canary, live: live)
        }
        if order == .rollBack, old == live || !state.rollout.roles.value.quarantined.contains(where: { $0 == old }) {
            return .refused(live: live)
        }
        let refusals = [before, state].map { $0?.refusals[EntryRejection.Code.suppressionRefused.rawValue] ?? 0 }
        if order == .suppress || order == .unsuppress,
            refusals[0] < refusals[1] || state.rollout.suppressedClasses.contains(className) != (order == .suppress)
        {
            return .refused(live: live)
        }
        return .done(live: live, replaced: live == old ? nil : old)
    }
}
