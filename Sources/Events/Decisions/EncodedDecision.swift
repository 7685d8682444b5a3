public import Flywheel
internal import JSON
internal import Kinds
public import Vocabulary

/// A decision encoded as a record of its topic.
public struct EncodedDecision: Hashable, Sendable {
    public let id: String
    /// The topic; nil for a refusal that is only counted.
    public let topic: Topic?
    public let key: String
    public let value: [UInt8]
    public let headers: CloudEventHeaders
    /// The id that an external client's answer refers to; the record carries a token for it. Nil for a decision that is
    /// not answered.
    public let answerableID: String?
    /// The refusal, if the decision is one.
    public let refusal: EntryRejection?

    /// Encodes a decision that the entry with the given number and time caused. The same decision always gives the same
    /// bytes.
    public init(_ decision: Decision, project: ProjectID, question: Question, time: StreamTime, entryNumber: UInt64) {
        id = decision.id
        var writer = JSONWriter()
        var key = project.rawValue
        var correlation: String?
        var refused: EntryRejection?
        var answerable: String?
        let topic: Topic?
        let type: String
        switch decision.body {
        case .task(let task):
            (topic, key, correlation) = (.labelingTasks, task.id.rawValue, task.sample.id.rawValue)
            type = if case .open = task.state { "task.opened" } else { "task.closed" }
            answerable = task.id.rawValue
            task.write(to: &writer, project: project)
        case .label(let fact):
            (topic, type, correlation) = (.datasetLog, "label.accepted", fact.consensus.sample.id.rawValue)
            let names = question.classNames(in: fact.consensus.label)
            DatasetLogRecord.accepted(fact, names: names).write(to: &writer, project: project)
        case .change(let change):
            (topic, correlation) = (.datasetLog, change.sample.rawValue)
            var (names, former): ([String]?, [String]?)
            switch change.kind {
            case .revised(let from, let to):
                type = "label.revised"
                (names, former) = (question.classNames(in: to), question.classNames(in: from))
            case .retracted: type = "label.retracted"
            case .moved: type = "label.moved"
            }
            DatasetLogRecord.changed(change, names: names, formerNames: former).write(to: &writer, project: project)
        case .cut(let cut):
            (topic, type, correlation) = (.datasetLog, "version.cut", "\(project)/\(cut.versionNumber)")
            DatasetLogRecord.cut(cut).write(to: &writer, project: project)
        case .training(let request):
            (topic, type, correlation) = (.trainingRequests, "training.requested", request.dataset.id.rawValue)
            answerable = request.id.rawValue
            request.write(to: &writer, project: project)
        case .prediction(let request):
            (topic, type, correlation) = (
                .trainingRequests, "prediction.requested", request.challenger.version.rawValue
            )
            answerable = request.id.rawValue
            request.write(to: &writer, project: project)
        case .release(let release):
            (topic, type, correlation) = (
                .modelReleases, "model.\(Self.verb(release.cause))", release.champion.version.rawValue
            )
            release.write(to: &writer, project: project)
        case .transition(let transition, let configuration):
            (topic, type, correlation) = (.releaseLog, "model.transitioned", transition.version.rawValue)
            ReleaseLogRecord(transition, under: configuration, at: time, entryNumber: entryNumber)
                .write(to: &writer, project: project)
        case .notice(let notice):
            (topic, type) = (.notices, "notice.given")
            notice.write(to: &writer, project: project)
        case .refused(let refusal):
            (topic, type) = (refusal.code.isDeadLetter ? .deadLetters : nil, "entry.refused")
            refused = refusal
            writer.object { writer in
                writer.member("code", refusal.code.rawValue)
                writer.member("text", refusal.text)
            }
        }
        self.topic = topic
        self.key = key
        (refusal, answerableID) = (refused, answerable)
        value = writer.bytes
        headers = CloudEventHeaders(
            id: decision.id,
            source: "flywheel/\(project)/loop",
            type: "io.flywheel.\(type).v1",
            time: time.milliseconds,
            correlation: correlation,
            causation: "\(project)-\(entryNumber)"
        )
    }

    private static func verb(_ cause: ModelRelease.Cause) -> String {
        switch cause {
        case .first, .promoted, .provisional, .registered, .live: "promoted"
        case .shadow: "shadowed"
        case .rolledBack, .command, .canaryRolledBack: "rolled_back"
        case .canary, .assignment: "staged"
        case .suppression: "suppressed"
        }
    }
}
