public import Statistics
internal import Tables
public import Vocabulary

/// Counts of audit candidates by stratum and day, labelled or not: figures from labels are weighted by these shares.
///
/// A candidate is counted in the stratum that its label would be in. Until it is queried, it changes its stratum with
/// the predictions of its pair's models.
extension RolloutState {
    /// Maximum number of days with separate counts; the oldest day is merged into the next one.
    public static let candidateDays = 366

    /// Counts a sample in the stratum of its pair, and moves it to another stratum when that has changed.
    ///
    /// Called for each live prediction of an audit sample if models are judged by eras. A sample whose row was evicted
    /// and that is predicted again is a new candidate.
    ///
    /// - Parameters:
    ///   - sample: A sample of the audit draw.
    ///   - pairing: The result of `pair` for the sample.
    /// - Complexity: O(1); O(`candidateDays`) for the first candidate of a stratum and day.
    public mutating func countCandidate(_ sample: SampleID, _ pairing: AuditPairing) {
        guard let row = rows[sample], !row.isQueried, row.label == nil else { return }
        move(sample, row, to: pairing.settled, isQueried: false)
    }

    /// Marks a sample as queried: it stays in the stratum that it is in when its task opens.
    public mutating func noteQueried(_ sample: SampleID, _ origin: AuditOrigin) {
        guard let row = rows[sample], !row.isQueried else { return }
        move(sample, row, to: origin.stratum, isQueried: true)
    }

    /// Removes a sample that has left the audit sample from the counts, as if it had never been a candidate.
    mutating func uncountCandidate(_ row: AuditRow) {
        guard let stratum = row.stratum else { return }
        add(-1, stratum, row.day)
    }

    /// The candidates counted, by stratum and day.
    ///
    /// - Complexity: O(*n*) in the days.
    public var candidateCounts: [(stratum: AuditStratum, day: Int, count: Int)] {
        candidates.sortedRows.map { key, count in
            let (stratum, day) = Self.cell(key)
            return (stratum, day, Int(count))
        }
    }

    private mutating func move(_ sample: SampleID, _ row: AuditRow, to stratum: AuditStratum, isQueried: Bool) {
        guard row.stratum != stratum || row.isQueried != isQueried else { return }
        if row.stratum != stratum {
            uncountCandidate(row)
            add(1, stratum, row.day)
        }
        var row = row
        row.stratum = stratum
        row.isQueried = isQueried
        order.set(sample, row, in: &rows)
    }

    private mutating func add(_ count: Int64, _ stratum: AuditStratum, _ day: Int) {
        var key = Self.key(stratum, day)
        if candidates[key] == nil, let oldest = candidates.minimum(by: { $0.key < $1.key }) {
            // A day that was merged into a later one is counted there.
            key = Self.key(stratum, max(day, Self.cell(oldest.key).day))
        }
        let (former, sum) = (candidates[key], (candidates[key] ?? 0) + count)
        candidates[key] = sum > 0 ? sum : nil
        if former == nil { joinOldestDays() }
    }

    private mutating func joinOldestDays() {
        var days = Set(candidates.sortedKeys.map { Self.cell($0).day }).sorted()[...]
        while days.count > Self.candidateDays, let first = days.popFirst(), let next = days.first {
            for stratum in AuditStratum.allCases {
                let (from, to) = (Self.key(stratum, first), Self.key(stratum, next))
                guard let count = candidates[from] else { continue }
                candidates[from] = nil
                candidates[to] = (candidates[to] ?? 0) + count
            }
        }
    }

    private static func key(_ stratum: AuditStratum, _ day: Int) -> Int {
        day * AuditStratum.allCases.count + stratum.index
    }

    private static func cell(_ key: Int) -> (stratum: AuditStratum, day: Int) {
        let count = AuditStratum.allCases.count
        let index = ((key % count) + count) % count
        return (AuditStratum.allCases[index], (key - index) / count)
    }
}

extension AuditRow {
    /// The UTC day on which the candidate entered, since 1970-01-01.
    var day: Int { Int((Double(since.milliseconds) / 86_400_000).rounded(.down)) }
}

extension AuditStratum {
    /// Index of the stratum, by which figures are weighted.
    public var index: Int {
        switch self {
        case .agree: 0
        case .disagree: 1
        case .unknown: 2
        }
    }
}

extension PostStratification {
    /// Creates the weighting of labels by the candidates of a project.
    ///
    /// - Parameter candidates: The counts that `RolloutState.candidateCounts` returns.
    public init(candidates: [(stratum: AuditStratum, day: Int, count: Int)]) {
        self.init(candidates: candidates.map { (Cell(stratum: $0.stratum.index, day: $0.day), $0.count) })
    }
}
