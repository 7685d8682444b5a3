internal import Events
internal import Flywheel
public import JSON
internal import Rollout
internal import Tables
internal import Telemetry
public import Vocabulary

/// A version about which labels decide, because an alarm is based on few users: the number of labels received.
public struct SuspicionStanding: Hashable, Sendable {
    public let version: ModelVersion
    /// Time at which the alarm was raised.
    public let since: StreamTime
    /// The lower limit of the version's accuracy before the alarm, in `0...1`.
    public let accuracy: Double
    /// Number of audit labels since then, drawn at random, of samples that the version predicted.
    public let labels: Int
    /// Total agreement of the labels with its predictions: for kind `choice`, the number of correct predictions.
    public let right: Double
    /// Number of labels that are needed for a decision.
    public var labelsNeeded: Int { RolloutState.decidingLabels }
    /// Labels of samples that users had rejected; they decide nothing.
    public let disputed: Int
    /// Labels among these that find the version wrong.
    public let disputedWrong: Int

    private init(_ version: ModelVersion, _ suspicion: Suspicion) {
        self.version = version
        since = suspicion.since
        accuracy = suspicion.accuracy
        (labels, right) = (suspicion.labels, suspicion.right)
        (disputed, disputedWrong) = (suspicion.disputed, suspicion.disputedWrong)
    }

    /// Returns the standings of all suspected versions, ordered by version.
    static func all(_ state: RolloutState) -> [Self] { state.suspicions.sortedRows.map { Self($0.key, $0.value) } }

    /// The standing on one line, for people.
    public var text: String {
        let disputes =
            disputed > 0 ? "; of \(disputed) samples that users had rejected it had \(disputedWrong) wrong" : ""
        return
            "\(ForeignText.line(version.rawValue, limit: 300)) since \(RFC3339.text(milliseconds: since.milliseconds)): \(labels) of \(labelsNeeded) audit labels have come, \(Self.hundredths(right)) of them right; its accuracy before was at least \(Self.hundredths(accuracy * 100)) %\(disputes)"
    }

    /// Writes the standing as one JSON object.
    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("version", version.rawValue)
            writer.member("since_ms", since.milliseconds)
            writer.member("labels", labels)
            writer.member("labels_needed", labelsNeeded)
            writer.member("right", right)
            writer.member("accuracy_before", accuracy)
            writer.member("disputed", disputed)
            writer.member("disputed_wrong", disputedWrong)
        }
    }

    /// Text of a value rounded to hundredths; a whole number has no point.
    private static func hundredths(_ value: Double) -> String {
        let rounded = (value * 100).rounded() / 100 + 0
        return rounded == rounded.rounded() ? "\(Int(rounded))" : "\(rounded)"
    }
}
