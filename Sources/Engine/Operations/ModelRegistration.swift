public import Events
internal import Flywheel
internal import Rollout
public import StreamRuntime
internal import Tables
public import Vocabulary

/// Makes a model that serves already a project's first champion, by a command.
public struct ModelRegistration {
    /// What is known of the command once its time is up.
    public enum Outcome: Hashable, Sendable {
        case champion
        /// It was champion before, and nothing was sent.
        case known
        /// Nobody has carried it out yet: no worker runs, or it is far behind.
        case waiting
        /// Another model is champion by now, or the command was refused.
        case refused(champion: ModelVersion?)
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
    ///   - model: The incumbent.
    ///   - name: The project.
    ///   - by: Who wants it.
    ///   - reason: Why, for people.
    ///   - patience: Milliseconds to wait; 0 for not at all.
    ///   - now: Milliseconds since 1970.
    ///   - pause: Called between two looks, with milliseconds.
    /// - Returns: What is known by then.
    /// - Throws: `EngineError` where there is no such project, or it has another champion, or the same one with another
    ///   artifact; `StreamError` when the topics cannot be
    ///   read or written.
    public func send(
        _ model: IncumbentModel,
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
            attempt: "register \(model.version)",
            patience: patience,
            now: now,
            pause: pause
        )
        let outcome: Outcome? = try delivery.send(
            project: name,
            by: by,
            reason: reason,
            plan: { state, _ in try Self.plan(model, state, name) },
            look: { _, state, _ in
                let champion = state.rollout.phase.value.champion?.version
                return champion == model.version ? .champion : .refused(champion: champion)
            }
        )
        return outcome ?? .waiting
    }

    private static func plan(
        _ model: IncumbentModel,
        _ state: ProjectState?,
        _ name: String
    ) throws -> CommandDelivery.Plan<Outcome> {
        guard let champion = state?.rollout.phase.value.champion else { return .send(.register(model), id: "register") }
        if champion.version == model.version, agree(champion.artifact, model.artifact) { return .known(.known) }
        let isOther = champion.version != model.version
        throw EngineError(
            "register \(model.version)",
            "\(champion.version) is champion of \(name)\(isOther ? "" : " already, with the artifact \(champion.artifact.uri)")",
            remedy: isOther
                ? "an incumbent is registered before a project has a champion; train against it, or use another project"
                : "what was registered stays; another model is another version"
        )
    }

    /// Whether two references may be of the same bytes: by their digests where both have one, else by their URIs.
    private static func agree(_ one: ArtifactReference, _ other: ArtifactReference) -> Bool {
        guard let (first, second) = one.sha256.flatMap({ first in other.sha256.map { (first, $0) } }) else {
            return one.uri == other.uri
        }
        return first == second
    }
}
