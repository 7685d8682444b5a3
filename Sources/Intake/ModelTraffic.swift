internal import Acquisition
internal import Hashing
internal import Vocabulary

/// Intake's knowledge of the predictions of one model version: which scores pass, and the counts of the pending
/// transaction.
struct ModelTraffic {
    /// Nil for samples that no model has seen, and for all versions beyond those that are distinguished.
    let version: ModelVersion?
    /// Hash of the version's name; 0 where there is none.
    let hash: UInt64
    private(set) var threshold: AdaptiveThreshold
    private let burst: Double
    private var exploration: AdaptiveThreshold?
    /// Counts by the model's role: none, champion, challenger.
    private var tallies = (TallyCounter(), TallyCounter(), TallyCounter())
    /// Conditions on names that the version meets, one word per trigger; empty if there are no triggers.
    let nameConditions: UnsafeBufferPointer<UInt64>
    /// Owner of the memory of `nameConditions`.
    private let words: WordBuffer
    /// The transaction that last counted something here.
    private(set) var lastTransaction = 0

    /// - Parameters:
    ///   - version: Version of the model.
    ///   - rate: Wanted candidates per second.
    ///   - policy: Policy of the project.
    ///   - share: The share of the rate that is admitted by hash, whatever its score.
    ///   - nameConditions: One word per trigger: the trigger's conditions on names that the version meets.
    init(
        version: ModelVersion?,
        rate: Double,
        policy: AcquisitionPolicy,
        exploration share: Double,
        nameConditions: ContiguousArray<UInt64>
    ) {
        self.version = version
        hash = version.map { xxh64($0.rawValue) } ?? 0
        words = WordBuffer(nameConditions)
        self.nameConditions = words.view
        burst = Double(policy.batchSize)
        threshold = AdaptiveThreshold(perSecond: rate, burst: burst)
        explore(share, of: rate)
    }

    /// Sets the wanted rate of candidates per second, and the share of it that is admitted by hash.
    mutating func setRate(_ rate: Double, exploration share: Double) {
        threshold.target = rate / 1_000
        explore(share, of: rate)
    }

    private mutating func explore(_ share: Double, of rate: Double) {
        guard share > 0 else {
            exploration = nil
            return
        }
        if exploration == nil { exploration = AdaptiveThreshold(perSecond: rate * share, burst: burst) }
        exploration?.target = rate * share / 1_000
    }

    /// Adds a score and judges it by the stream's threshold; see `AdaptiveThreshold.admits`.
    mutating func admits(_ score: Double, at time: Int64) -> Bool { threshold.admits(score, at: time) }

    var explores: Bool { exploration != nil }

    /// Whether a draw in `0..<1` is admitted, whatever its score.
    mutating func explores(_ draw: Double, at time: Int64) -> Bool { exploration?.admits(draw, at: time) ?? false }

    /// Calls `body` with the tally of a role, in which it counts.
    mutating func count(_ role: ModelRole?, in transaction: Int, _ body: (inout TallyCounter) -> Void) {
        lastTransaction = transaction
        switch role {
        case nil: body(&tallies.0)
        case .champion: body(&tallies.1)
        case .challenger: body(&tallies.2)
        }
    }

    /// Returns the tallies of a transaction by role; roles without any counts are left out.
    func counted(in transaction: Int) -> [(role: ModelRole?, tally: TallyCounter)] {
        guard lastTransaction == transaction else { return [] }
        return [(nil, tallies.0), (ModelRole.challenger, tallies.2), (ModelRole.champion, tallies.1)]
            .filter { !$0.1.isEmpty }
    }

    /// Sets all counts to 0.
    mutating func forget() {
        tallies.0.clear()
        tallies.1.clear()
        tallies.2.clear()
    }

    /// Takes over the counts of another stream of the same version.
    mutating func inherit(_ other: ModelTraffic) {
        tallies = other.tallies
        lastTransaction = other.lastTransaction
    }
}

/// Words that are needed for every record: they are stored in memory without reference counting.
private final class WordBuffer {
    private let words: UnsafeMutableBufferPointer<UInt64>

    init(_ words: ContiguousArray<UInt64>) {
        self.words = .allocate(capacity: words.count)
        _ = self.words.initialize(fromContentsOf: words)
    }

    deinit { words.deallocate() }

    /// View of the words; valid while the object exists.
    var view: UnsafeBufferPointer<UInt64> { UnsafeBufferPointer(words) }
}
