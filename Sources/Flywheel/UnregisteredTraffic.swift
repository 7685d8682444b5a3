internal import Tables
public import Vocabulary

/// Traffic of a model that no release names: the model is served without having been registered.
///
/// Counted from the tallies of the journal that state this; those of builds before 0.6.0 do not. The number of versions
/// kept is limited, so that a client that invents new ones each time does not fill a table: a new version replaces the
/// one least recently reported.
public struct UnregisteredTraffic: Hashable, Sendable {
    /// Maximum number of versions that are kept.
    static let limit = 32

    /// Predictions counted.
    public var predictions: Int64
    /// Feedback counted.
    public var feedback: Int64
    /// When it was first counted.
    public let since: StreamTime
    /// When it was last counted.
    public var lastAt: StreamTime

    public init(predictions: Int64, feedback: Int64, since: StreamTime, lastAt: StreamTime) {
        self.predictions = predictions
        self.feedback = feedback
        self.since = since
        self.lastAt = lastAt
    }

    /// Counts the tallies of an entry.
    ///
    /// - Complexity: O(*n*) in the tallies, for a new version O(`limit`).
    static func count(_ tallies: [Tally], in table: inout Table<ModelVersion, Self>, at time: StreamTime) {
        for tally in tallies {
            guard let version = tally.modelVersion else { continue }
            guard tally.isUnregistered else {
                // A release has named the version in the meantime.
                if table[version] != nil { table[version] = nil }
                continue
            }
            if table[version] == nil, table.count >= limit {
                let oldest = table.minimum { ($0.value.lastAt, $0.key) < ($1.value.lastAt, $1.key) }
                if let oldest { table[oldest.key] = nil }
            }
            var row = table[version] ?? Self(predictions: 0, feedback: 0, since: time, lastAt: time)
            row.predictions = min(row.predictions.adding(max(0, tally.predictions)), CyclePhaseTime.longest)
            row.feedback = min(row.feedback.adding(max(0, tally.feedback)), CyclePhaseTime.longest)
            row.lastAt = time
            table[version] = row
        }
    }
}
