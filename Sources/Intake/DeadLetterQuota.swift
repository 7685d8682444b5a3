internal import Events

/// Limit on the number of dead letters: a flood of invalid records must not fill the broker's disks.
struct DeadLetterQuota {
    /// Dead letters per second; the limit on bytes per second is as many dead letters of this size.
    let perSecond: Double
    /// Bytes of a typical dead letter.
    private static let size = 4_096.0
    /// Seconds' worth of dead letters that may be written at once.
    private static let burst = 10.0

    private var deadLetters: Double
    private var bytes: Double
    private var last: Int64?

    init(perSecond: Int) {
        self.perSecond = Double(perSecond)
        deadLetters = self.perSecond * Self.burst
        bytes = deadLetters * Self.size
    }

    /// Whether a dead letter of `size` bytes may be written at a time in milliseconds; if so, it is charged. A step
    /// back in time counts as no elapsed time.
    mutating func admits(_ size: Int, at time: Int64) -> Bool {
        let elapsed = Double(max(0, time - (last ?? time))) / 1_000
        last = time
        deadLetters = min(perSecond * Self.burst, deadLetters + elapsed * perSecond)
        bytes = min(perSecond * Self.burst * Self.size, bytes + elapsed * perSecond * Self.size)
        guard deadLetters >= 1, bytes >= Double(size) else { return false }
        deadLetters -= 1
        bytes -= Double(size)
        return true
    }

    /// Charges bytes that were written in addition to the requested ones: later dead letters wait for them.
    mutating func charge(_ size: Int) { bytes -= Double(size) }
}

/// Source of refused records with its own quota of dead letters, so that a flood from one source does not use the
/// capacity of the others.
enum DeadLetterSource: Int, CaseIterable {
    /// Predictions, feedback, and whatever is beyond the budget of journal entries.
    case traffic
    /// Answers and results that lack their token, or have a wrong one.
    case unauthenticated
    case annotations
    case trainingResults
    case commands
    case datasetVersions

    /// The source that a refused record of `topic` counts for.
    init(_ topic: Topic, _ code: RecordRejection.Code) {
        switch (code, topic) {
        case (.badToken, _), (.missingToken, _): self = .unauthenticated
        case (.entryBudget, _), (_, .predictions), (_, .feedback): self = .traffic
        case (_, .annotations): self = .annotations
        case (_, .trainingResults): self = .trainingResults
        case (_, .commands): self = .commands
        default: self = .datasetVersions
        }
    }
}

/// Quotas of all sources.
struct DeadLetterQuotas {
    private var all: [DeadLetterQuota]

    init(perSecond: Int) { all = DeadLetterSource.allCases.map { _ in DeadLetterQuota(perSecond: perSecond) } }

    subscript(source: DeadLetterSource) -> DeadLetterQuota {
        get { all[source.rawValue] }
        _modify { yield &all[source.rawValue] }
    }
}
