public import Events
internal import Flywheel
public import Processes
internal import Rollout
public import StreamRuntime
internal import Tables
public import Vocabulary

/// Lets a rollout pass the step that asks for a person, by a command.
public struct ReleaseApproval {
    /// The state of the command when its time is up.
    public enum Outcome: Hashable, Sendable {
        /// Carried out: the step from then on, nil where the rollout is over.
        case done(step: Int?)
        /// Refused: the version is not on its way, or its step asks for no approval, or has it.
        case refused
        /// Nobody has carried it out yet: no worker runs, or it is far behind.
        case waiting
    }

    private let transport: any StreamTransport
    private let topics: TopicNames

    public init(transport: any StreamTransport, topics: TopicNames) {
        self.transport = transport
        self.topics = topics
    }

    /// Sends the command, and waits until the loop has carried it out.
    ///
    /// - Parameters:
    ///   - version: The model on its way.
    ///   - name: The project.
    ///   - by: Who approves; stands in the release log.
    ///   - reason: Explanation for people.
    ///   - patience: Milliseconds to wait; 0 for not at all.
    ///   - now: Milliseconds since 1970.
    ///   - pause: Called between two looks, with milliseconds.
    /// - Returns: The state of the command by then.
    /// - Throws: `EngineError` where there is no such project, or Intake would refuse the command; `StreamError` when the topics
    ///   cannot be read or written.
    public func send(
        _ version: ModelVersion,
        project name: String,
        by: String,
        reason: String,
        patience: Int64 = 15_000,
        now: @escaping () -> Int64 = WallClock.now,
        pause: @escaping (Int64) -> Void = { WallClock.pause($0) }
    ) throws -> Outcome {
        let delivery = CommandDelivery(
            transport: transport,
            topics: topics,
            attempt: "approve \(version) of \(name)",
            patience: patience,
            now: now,
            pause: pause
        )
        let outcome: Outcome? = try delivery.send(
            project: name,
            by: by,
            reason: reason,
            plan: { _, _ in .send(.approve(version), id: "approve") },
            look: { before, state, _ in Self.outcome(before, state) }
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
