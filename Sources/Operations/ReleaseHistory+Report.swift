public import Events
internal import JSON
public import Loop
internal import Telemetry
public import Vocabulary

/// Versions that were live, in shadow and in a rollout by steps at a given time.
public struct ReleaseMoment: Hashable, Sendable {
    public let project: String
    public let at: StreamTime
    /// The transition by which the live version became live; nil where none was, or none is known.
    public let live: ReleaseLogRecord?
    public let shadow: ReleaseLogRecord?
    /// Transition of the version that was in a stepwise rollout, paused or not; nil where none was.
    public let canary: ReleaseLogRecord?
    /// Whether models that are not recorded may have been in service at that time.
    public let isUncertain: Bool
    private let isEmpty: Bool

    /// Derives the versions from a history at a given time.
    public init(_ history: ReleaseHistory, at time: StreamTime) {
        project = history.project
        at = time
        live = history.holder(of: .live, at: time)
        shadow = history.holder(of: .shadow, at: time)
        canary = history.holder(of: .canary, at: time) ?? history.holder(of: .paused, at: time)
        isUncertain = live == nil && !history.hasBeginning
        isEmpty = history.records.isEmpty
    }

    /// Lines for people.
    public var text: String {
        let moment = RFC3339.text(milliseconds: at.milliseconds)
        var lines: [String] = []
        if let live {
            lines.append("\(live.described(as: "live")) at \(moment), \(live.since)")
        } else if isUncertain {
            let lack = isEmpty ? "no transition of \(project) is" : "the releases of \(project) were not"
            lines.append("unknown which version was live at \(moment): \(lack) recorded yet")
        } else {
            lines.append("no version was live at \(moment)")
        }
        if let canary { lines.append("\(canary.described(as: canary.transition.to.rawValue)) then, \(canary.since)") }
        if let shadow { lines.append("\(shadow.described(as: "shadow")) then, \(shadow.since)") }
        return lines.joined(separator: "\n")
    }

    /// The versions at that time as one JSON object.
    public var json: String {
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("project", project)
            writer.member("at_ms", at.milliseconds)
            ReleaseHistory.write("live", live, to: &writer)
            if canary != nil { ReleaseHistory.write("canary", canary, to: &writer) }
            ReleaseHistory.write("shadow", shadow, to: &writer)
            writer.member("uncertain", isUncertain)
        }
        return writer.text
    }
}

/// The current releases of a project: the live version, the shadow version, the times since when, and the obstacles to
/// promotions.
public struct ReleaseOverview: Sendable {
    public let summary: ProjectSummary
    public let history: ReleaseHistory

    /// - Parameters:
    ///   - summary: Summary of the state.
    ///   - history: The release history, read after the summary; provides the times.
    public init(_ summary: ProjectSummary, _ history: ReleaseHistory) {
        self.summary = summary
        self.history = history
    }

    /// The latest transition of a version into a state; nil where it is not recorded.
    private func transition(_ model: ReleasedModel?, _ state: ReleaseState) -> ReleaseLogRecord? {
        guard let model else { return nil }
        return history.records.last { $0.transition.version == model.version && $0.transition.to == state }
    }

    /// Lines for people.
    public var text: String {
        var lines: [String] = []
        let models: [(String, ReleasedModel?, ReleaseState)] = [
            ("live         ", summary.champion, .live), ("shadow       ", summary.challenger, .shadow),
        ]
        for (heading, model, state) in models {
            let since = transition(model, state).map { ", \($0.since)" } ?? ", since before releases were recorded"
            lines.append(heading + (model.map { "\(ReleaseLogRecord.name($0.version))\(since)" } ?? "none"))
        }
        if let rollout = summary.rollout { lines.append("canary       \(rollout.text)") }
        if let holdback = summary.holdback {
            lines.append("hold-back    \(ReleaseLogRecord.name(holdback.version)), a share of \(holdback.share)")
        }
        if let standing = summary.standing {
            lines.append(
                "evidence     \(standing.won) pairs won, \(standing.lost) lost on \(standing.labels) audit labels; log e \(Self.rounded(standing.logE)) of \(Self.rounded(standing.threshold)); \(standing.livePredictions) live predictions of at least \(standing.minimumPredictions)"
            )
        }
        lines += summary.suspicions.map { "suspected    \($0.text)" }
        let stops = [
            summary.isHeld ? "held" : nil, summary.isFrozen ? "frozen" : nil,
            summary.isSuspected ? "stopped until labels have decided" : nil,
        ].compactMap { $0 }
        lines.append("promotions   \(stops.isEmpty ? "not held" : stops.joined(separator: " and "))")
        if let waiting = summary.waiting {
            lines.append(
                "waiting      \(ReleaseLogRecord.name(waiting.version)), until audit labels have decided about the challenger"
            )
        }
        let suppressed = summary.suppressed.map { ForeignText.line($0, limit: 300) }.joined(separator: ", ")
        if !suppressed.isEmpty { lines.append("suppressed   \(suppressed)") }
        let quarantined = summary.quarantined.map { ForeignText.line($0, limit: 300) }.joined(separator: ", ")
        lines.append("quarantined  \(quarantined.isEmpty ? "none" : quarantined)")
        return lines.joined(separator: "\n")
    }

    /// The overview as one JSON object.
    public var json: String {
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("project", summary.project)
            write("live", summary.champion, .live, to: &writer)
            write("shadow", summary.challenger, .shadow, to: &writer)
            if let rollout = summary.rollout {
                writer.key("canary")
                rollout.write(to: &writer)
            }
            if let holdback = summary.holdback {
                writer.object("holdback") { writer in
                    writer.member("version", holdback.version.rawValue)
                    writer.member("share", holdback.share)
                }
            }
            writer.array("suspicions") { writer in for suspicion in summary.suspicions { suspicion.write(to: &writer) }
            }
            writer.member("held", summary.isHeld)
            writer.member("frozen", summary.isFrozen)
            writer.member("waiting", ifPresent: summary.waiting?.version.rawValue)
            writer.array("suppressed", of: summary.suppressed)
            writer.array("quarantined", of: summary.quarantined)
        }
        return writer.text
    }

    /// Writes a model; null if there is no such version, without time if its transition is not recorded.
    private func write(
        _ key: StaticString,
        _ model: ReleasedModel?,
        _ state: ReleaseState,
        to writer: inout JSONWriter
    ) {
        if let record = transition(model, state) { return ReleaseHistory.write(key, record, to: &writer) }
        writer.key(key)
        guard let model else { return writer.null() }
        writer.object { writer in writer.member("version", model.version.rawValue) }
    }

    /// To hundredths; 0 has no sign.
    private static func rounded(_ value: Double) -> Double { (value * 100).rounded() / 100 + 0 }
}

/// The reasons for the state of a version: `flywheel releases why`.
public struct ReleaseReasons: Sendable {
    /// Transitions of the version, the latest last; at least one.
    public let transitions: [ReleaseLogRecord]
    private let last: ReleaseLogRecord
    /// The comparison with the version that it replaced, or else with the live one; nil if the two have no answered
    /// label in common.
    private let window: ReleaseWindow?

    /// - Throws: `EngineError` where no transition of the version is recorded.
    public init(_ history: ReleaseHistory, version: String, window: ReleaseWindow? = nil) throws {
        self.window = window
        transitions = try history.transitions(of: version)
        last = transitions[transitions.count - 1]
    }

    /// Lines for people.
    public var text: String {
        let figures = window.map { ["  " + $0.text] } ?? []
        return
            ([last.described(as: last.transition.to.rawValue) + ", " + last.since] + figures
            + transitions.map { "  " + $0.line }).joined(separator: "\n")
    }

    /// One JSON object: the latest transition, and all of them.
    public var json: String {
        var writer = JSONWriter()
        let transition = last.transition
        writer.object { writer in
            writer.member("version", transition.version.rawValue)
            writer.member("state", transition.to.rawValue)
            writer.member("since_ms", last.at.milliseconds)
            writer.member("cause", transition.cause.rawValue)
            writer.member("replaced", ifPresent: transition.replaced?.rawValue)
            writer.member("replaced_by", ifPresent: transition.replacedBy?.rawValue)
            writer.member("evidence", encoded: transition.evidence.jsonBytes)
            window?.write("window", to: &writer)
            writer.member("revision", last.revision)
            writer.member("policy", last.policyDigest)
            writer.key("by")
            if let by = transition.by { writer.value(by) } else { writer.null() }
            writer.member("reason", ifPresent: transition.reason)
            writer.array("transitions") { writer in
                for record in transitions { record.write(to: &writer) }
            }
        }
        return writer.text
    }
}

extension ReleaseHistory {
    /// Writes the version of a transition with time and cause; null if there is no transition.
    static func write(_ key: StaticString, _ record: ReleaseLogRecord?, to writer: inout JSONWriter) {
        writer.key(key)
        guard let record else { return writer.null() }
        writer.object { writer in
            writer.member("version", record.transition.version.rawValue)
            writer.member("since_ms", record.at.milliseconds)
            writer.member("cause", record.transition.cause.rawValue)
        }
    }
}

extension ReleaseLogRecord {
    /// The record of a project as it is on the topic.
    public func json(of project: ProjectID) -> String {
        var writer = JSONWriter()
        write(to: &writer, project: project)
        return writer.text
    }

    fileprivate func described(as state: String) -> String { "\(Self.name(transition.version)): \(state)" }

    fileprivate var since: String {
        "since \(RFC3339.text(milliseconds: at.milliseconds)) (\(transition.cause.rawValue))"
    }
}
