internal import Datasets
internal import EngineCore
public import Events
internal import Flywheel
internal import Hashing
internal import Kinds
public import Processes
public import StreamRuntime
internal import Tables
public import Vocabulary

/// Revises, retracts or moves a label, by a command.
public struct LabelCorrection {
    /// State of the command when its time is up.
    public enum Outcome: Hashable, Sendable {
        case done
        /// The label already was as requested: the loop has refused the command as a duplicate.
        case unchanged
        /// Not carried out yet: no worker runs, or the worker is far behind.
        case waiting
        /// The loop refused it.
        case refused
    }

    private let delivery: CommandDelivery

    public init(transport: any StreamTransport, topics: TopicNames) {
        delivery = CommandDelivery(transport: transport, topics: topics)
    }

    /// Sends the command, and waits until the loop has carried it out.
    ///
    /// - Parameters:
    ///   - action: A revision, retraction or move.
    ///   - name: The project.
    ///   - by: The person who requests it.
    ///   - reason: Explanation for people; it is kept permanently in the dataset log.
    ///   - maximumWait: Maximum wait in milliseconds; 0 for no wait.
    ///   - now: Milliseconds since 1970.
    ///   - pause: Called between two polls of the state, with milliseconds.
    /// - Returns: The outcome known by then.
    /// - Throws: `EngineError` if there is no such project, label or class, or if the change is not allowed by the
    ///   state committed now; `StreamError` when the topics cannot be read or written.
    public func send(
        _ action: Command.Action,
        project name: String,
        by: String,
        reason: String,
        maximumWait: Int64 = 15_000,
        now: @escaping () -> Int64 = WallClock.now,
        pause: @escaping (Int64) -> Void = { WallClock.pause($0) }
    ) throws -> Outcome {
        guard let sample = action.changedSample else {
            preconditionFailure("\(action) changes no label")
        }
        let attempt = "change the label of \(sample)"
        guard by.utf8.count <= LabelChange.longestAuthor, reason.utf8.count <= LabelChange.longestReason else {
            throw EngineError(
                attempt,
                "--by has \(by.utf8.count) bytes and --reason \(reason.utf8.count)",
                remedy: "at most \(LabelChange.longestAuthor) and \(LabelChange.longestReason) are allowed"
            )
        }
        let outcome: Outcome? = try delivery.send(
            attempt: attempt,
            project: name,
            by: by,
            reason: reason,
            wait: .init(maximum: maximumWait, now: now, pause: pause),
            plan: { state, configuration in
                // The committed state may lag behind commands in flight: a change that seems to be done already is sent
                // nevertheless.
                if let state { try check(action, on: sample, in: state, under: configuration, attempt: attempt) }
                return (action, "\(Self.verb(action))-\(String(xxh64(sample.rawValue), radix: 16))")
            },
            outcome: { before, state, configuration in
                guard Self.isCarriedOut(action, on: sample, in: state, under: configuration) else { return .refused }
                let isUnchanged = state.datasets.labels[sample] == before?.datasets.labels[sample]
                return isUnchanged ? .unchanged : .done
            }
        )
        return outcome ?? .waiting
    }

    /// Checks whether the loop would accept the change, as far as is known: the loop makes the final decision.
    ///
    /// - Throws: If the loop would refuse the change, except when the label already has the requested value.
    private func check(
        _ action: Command.Action,
        on sample: SampleID,
        in state: ProjectState,
        under configuration: ProjectConfiguration,
        attempt: String
    ) throws {
        if case .revise(_, let name) = action, configuration.question.label(named: name) == nil {
            throw EngineError(
                attempt,
                "class \"\(name)\" is not among those of \(configuration.project)",
                remedy: "see flywheel project show \(configuration.project)"
            )
        }
        // The reducer itself determines whether it would accept the change.
        var datasets = state.datasets
        let context = ChangeContext(
            policy: configuration.datasets,
            by: "",
            reason: "",
            studied: [],
            time: .init(milliseconds: 0)
        )
        let result: Result<LabelChange, EntryRejectionError>
        switch action {
        case .revise(_, let name):
            guard let label = configuration.question.label(named: name) else { return }
            result = datasets.revise(sample, to: label, question: configuration.question, context)
        case .retract: result = datasets.retract(sample, context)
        case .move(_, let split): result = datasets.move(sample, to: split, context)
        case .rollBack, .hold, .releaseHold, .freeze, .unfreeze, .approve, .suppress, .resume, .register: return
        }
        guard case .failure(let error) = result, error.refusal.code != .duplicate else { return }
        if case .retract = action, state.datasets.labels[sample]?.isLiving == false { return }
        let refusal = error.refusal
        let remedy =
            switch refusal.code {
            case .labelsFixed: "first make sure that all trainers can read format 2"
            case .splitFixed:
                state.datasets.labels[sample]?.isTestLabel ?? false
                    ? "retract it instead if it must not be a test label"
                    : "only labels of audit samples can be test labels"
            default: "see flywheel explain \(sample) --project \(configuration.project)"
            }
        throw EngineError(attempt, refusal.text, remedy: remedy)
    }

    /// Whether the label is in the state that the command requested.
    private static func isCarriedOut(
        _ action: Command.Action,
        on sample: SampleID,
        in state: ProjectState,
        under configuration: ProjectConfiguration
    ) -> Bool {
        guard let row = state.datasets.labels[sample] else { return false }
        return switch action {
        case .revise(_, let name): row.isLiving && configuration.question.label(named: name) == row.label
        case .retract: !row.isLiving
        case .move(_, let split): row.isLiving && row.split == split
        case .rollBack, .hold, .releaseHold, .freeze, .unfreeze, .approve, .suppress, .resume, .register: false
        }
    }

    private static func verb(_ action: Command.Action) -> String {
        switch action {
        case .revise: "revise"
        case .retract: "retract"
        case .move: "move"
        case .rollBack, .hold, .releaseHold, .freeze, .unfreeze, .approve, .suppress, .resume, .register: "command"
        }
    }
}
