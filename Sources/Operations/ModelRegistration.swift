internal import EngineCore
public import Events
internal import Flywheel
internal import Loop
public import Processes
public import StreamRuntime
public import Vocabulary

/// Makes a model that is already in service the first champion of a project, by a command.
public struct ModelRegistration {
    /// State of the command when its time is up.
    public enum Outcome: Hashable, Sendable {
        case champion
        /// The model already was the champion; no command was sent.
        case alreadyChampion
        /// Not carried out yet: no worker runs, or the worker is far behind.
        case waiting
        /// Another model has become champion in the meantime, or the command was refused.
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
    ///   - by: The person who requests it.
    ///   - reason: Explanation for people.
    ///   - maximumWait: Maximum wait in milliseconds; 0 for no wait.
    ///   - now: Milliseconds since 1970.
    ///   - pause: Called between two polls of the state, with milliseconds.
    /// - Returns: The outcome known by then.
    /// - Throws: `EngineError` if there is no such project, or it has another champion, or the same champion with
    ///   another artifact; `StreamError` when the topics cannot be read or written.
    public func send(
        _ model: IncumbentModel,
        project name: String,
        by: String,
        reason: String,
        maximumWait: Int64 = 15_000,
        now: () -> Int64 = WallClock.now,
        pause: (Int64) -> Void = { WallClock.pause($0) }
    ) throws -> Outcome {
        let commands = try OperatorCommandSender(transport: transport, topics: topics, project: name)
        defer { commands.close() }
        let directory = try ProjectDirectory(transport: transport, topics: topics)
        defer { directory.close() }
        try directory.readToEnd(for: name)
        guard let configuration = directory[name] else {
            throw EngineError(
                "register \(model.version)",
                "there is no project \(name)",
                remedy: "see flywheel project list"
            )
        }
        let view = try StatusView(transport: transport, topics: topics)
        defer { view.close() }
        let before = try summary(view, name)
        if let champion = before?.champion {
            if champion.version == model.version, Self.mayBeSame(champion.artifact, model.artifact) {
                return .alreadyChampion
            }
            let isOther = champion.version != model.version
            throw EngineError(
                "register \(model.version)",
                "\(champion.version) is champion of \(name)\(isOther ? "" : " already, with the artifact \(champion.artifact.uri)")",
                remedy: isOther
                    ? "an incumbent is registered before a project has a champion; train against it, or use another project"
                    : "a registration cannot be changed; register another model under another version"
            )
        }
        let began = now()
        try commands.send(
            Command(id: "register-\(name)-\(began)", action: .register(model), by: by, reason: reason),
            at: began,
            checkedBy: configuration
        )
        while true {
            let summary = try summary(view, name)
            if let champion = summary?.champion {
                return champion.version == model.version ? .champion : .refused(champion: champion.version)
            }
            if Self.refusals(summary) > Self.refusals(before) { return .refused(champion: nil) }
            guard now() - began < maximumWait else { return .waiting }
            pause(200)
        }
    }

    /// Whether two references may denote the same bytes: compared by digest if both have one, else by URI.
    private static func mayBeSame(_ one: ArtifactReference, _ other: ArtifactReference) -> Bool {
        guard let (first, second) = one.sha256.flatMap({ first in other.sha256.map { (first, $0) } }) else {
            return one.uri == other.uri
        }
        return first == second
    }

    private func summary(_ view: StatusView, _ name: String) throws -> ProjectSummary? {
        try view.summaries().first { $0.project == name }
    }

    private static func refusals(_ summary: ProjectSummary?) -> Int64 {
        let codes: Set = [EntryRejection.Code.championExists.rawValue, EntryRejection.Code.versionTaken.rawValue]
        return (summary?.refusals ?? []).filter { codes.contains($0.code) }.reduce(0) { $0 + $1.count }
    }
}
