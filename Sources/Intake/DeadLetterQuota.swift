internal import Events

/// How many dead letters may be written: a flood of bad records must not fill the broker's disks.
struct DeadLetterQuota {
    /// Dead letters a second; as many bytes at this size.
    let perSecond: Double
    /// Bytes of a usual letter.
    private static let size = 4_096.0
    /// So many seconds' worth may come at once.
    private static let burst = 10.0

    private var letters: Double
    private var bytes: Double
    private var last: Int64?

    init(perSecond: Int) {
        self.perSecond = Double(perSecond)
        letters = self.perSecond * Self.burst
        bytes = letters * Self.size
    }

    /// Whether a dead letter of so many bytes may be written, which is charged then, at a moment in milliseconds; going back counts as standing still.
    mutating func takes(_ size: Int, at time: Int64) -> Bool {
        let elapsed = Double(max(0, time - (last ?? time))) / 1_000
        last = time
        letters = min(perSecond * Self.burst, letters + elapsed * perSecond)
        bytes = min(perSecond * Self.burst * Self.size, bytes + elapsed * perSecond * Self.size)
        guard letters >= 1, bytes >= Double(size) else { return false }
        letters -= 1
        bytes -= Double(size)
        return true
    }

    /// So many bytes more were written than was asked for: those to come wait for them.
    mutating func charge(_ size: Int) { bytes -= Double(size) }
}

/// Source of refused records with its own quota of dead letters, so that a flood from one source leaves the
/// room of the others.
enum LetterSource: Int, CaseIterable {
    /// Predictions, feedback, and whatever is beyond the budget of journal entries.
    case traffic
    /// Answers and results that lack their token, or have a wrong one.
    case strangers
    case annotations
    case trainingResults
    case commands
    case datasetVersions

    /// The source that a refused record of `topic` counts for.
    init(_ topic: Topic, _ code: RecordRejection.Code) {
        switch (code, topic) {
        case (.badToken, _), (.missingToken, _): self = .strangers
        case (.entryBudget, _), (_, .predictions), (_, .feedback): self = .traffic
        case (_, .annotations): self = .annotations
        case (_, .trainingResults): self = .trainingResults
        case (_, .commands): self = .commands
        default: self = .datasetVersions
        }
    }
}

/// The room of every source.
struct DeadLetterQuotas {
    private var all: [DeadLetterQuota]

    init(perSecond: Int) { all = LetterSource.allCases.map { _ in DeadLetterQuota(perSecond: perSecond) } }

    subscript(source: LetterSource) -> DeadLetterQuota {
        get { all[source.rawValue] }
        _modify { yield &all[source.rawValue] }
    }
}
