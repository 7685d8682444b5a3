internal import EngineCore
public import Events
internal import Flywheel
public import Processes
internal import Rollout
public import StreamRuntime
internal import Tables
public import Vocabulary

/// Approves, by a command, the rollout step that requires a person's approval.
public struct ReleaseApproval {
    /// The state of the command when its time is up.
    public enum Outcome: Hashable, Sendable {
        /// Carried out: the step from then on, nil where the rollout is over.
        case done(step: Int?)
        /// Refused by the loop: the step requires no approval or is already approved, or the rollout ended meanwhile.
        case refused
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
    ///   - version: The model in rollout.
    ///   - name: The project.
    ///   - by: The person who approves; recorded in the release log.
    ///   - reason: Explanation for people.
    ///   - maximumWait: Maximum wait in milliseconds; 0 for no wait.
    ///   - now: Milliseconds since 1970.
    ///   - pause: Called between two polls of the state, with milliseconds.
    /// - Returns: The state of the command by then.
    /// - Throws: `EngineError` if there is no such project, the version is not in rollout, or Intake would refuse the
    ///   command; `StreamError` when the topics cannot be read or written.
    public func send(
        _ version: ModelVersion,
        project name: String,
        by: String,
        reason: String,
        maximumWait: Int64 = 15_000,
        now: @escaping () -> Int64 = WallClock.now,
        pause: @escaping (Int64) -> Void = { WallClock.pause($0) }
    ) throws -> Outcome {
        let attempt = "approve \(version) of \(name)"
        let outcome: Outcome? = try delivery.send(
            attempt: attempt,
            project: name,
            by: by,
            reason: reason,
            wait: .init(maximum: maximumWait, now: now, pause: pause),
            plan: { state, _ in
                let canary = state?.rollout.canary?.version
                guard canary == version else {
                    throw EngineError(
                        attempt,
                        "\(canary.map { "\($0)" } ?? "no model") is in rollout",
                        remedy: canary.map { "name \($0), or see flywheel releases show \(name)" }
                            ?? "see flywheel releases show \(name)"
                    )
                }
                return (.approve(version), "approve")
            },
            outcome: { before, state, _ in Self.outcome(before, state) }
        )
        return outcome ?? .waiting
    }

    private static func outcome(_ before: ProjectState?, _ state: ProjectState) -> Outcome {
        let isRefused = [EntryRejection.Code.nothingToApprove, .unknownModel].contains {
            (state.refusals[$0.rawValue] ?? 0) > (before?.refusals[$0.rawValue] ?? 0)
        }
        return isRefused ? .refused : .done(step: state.rollout.progress.value.rollout?.step)
    }
}
