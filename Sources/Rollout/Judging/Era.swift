internal import Statistics
public import Vocabulary

/// The time from one champion to the next, and its evidence.
///
/// An era begins with the first pair that is fixed under a champion, and ends when another model becomes champion or
/// begins its rollout. Eras without pairs are not numbered.
public struct Era: Hashable, Sendable {
    /// Number of the current era, or of the last one; 0 before the first.
    public var number: Int
    /// Number of promotions in the project's life; provisional releases do not count.
    public var promotions: Int
    /// Whether the era is running; if not, the next one begins with the next pair.
    public var isRunning: Bool
    /// Natural logarithm of the capital that results from betting a capital of 1 on the challengers.
    public var logCapital: Double
    /// Number of the pair that new samples get; nil before the first pair of the era.
    public var currentPair: Int?
    /// Pairs numbered so far, in all eras.
    public var pairs: Int
    /// Audit tasks with a pair that were opened, in all eras.
    public var opened: Int
    /// Number of tasks in `opened` whose labels have entered, or never will: they enter in the order in which tasks
    /// were opened.
    public var entered: Int
    /// Figures of the era's labels.
    public var counts: EraCounts
    /// Labels of the current block; nil if there are none.
    public var block: EraBlock?

    public init(
        number: Int = 0,
        promotions: Int = 0,
        isRunning: Bool = false,
        logCapital: Double = 0,
        currentPair: Int? = nil,
        pairs: Int = 0,
        opened: Int = 0,
        entered: Int = 0,
        counts: EraCounts = EraCounts(),
        block: EraBlock? = nil
    ) {
        self.number = number
        self.promotions = promotions
        self.isRunning = isRunning
        self.logCapital = logCapital
        self.currentPair = currentPair
        self.pairs = pairs
        self.opened = opened
        self.entered = entered
        self.counts = counts
        self.block = block
    }

    /// The number of the running era, or of the next era if none is running.
    var current: Int { isRunning ? number : number + 1 }

    /// The level at which a challenger is promoted in this era: α γᵣ (R + 1) if the share is bounded, α γᵣ if `any` is,
    /// with *r* the number of the era and *R* the promotions so far.
    ///
    /// - SeeAlso: Xu & Ramdas (2024), *Online multiple testing with e-values*, arXiv:2311.06412, e-LOND.
    func level(alpha: Double, _ bound: PromotionBound) -> Double {
        let factor = bound == .any ? 1 : Double(promotions + 1)
        return alpha * Self.share(of: current) * factor
    }

    /// γᵣ = 1/(2.1098 (r + 1) ln²(r + 1)): positive, decreasing, and at most 1 in sum over all *r*.
    static func share(of number: Int) -> Double {
        let next = Double(max(1, number) + 1)
        let log = Reproducible.log(next)
        return 1 / (2.1098 * next * log * log)
    }
}

/// Figures of the labels of one era.
public struct EraCounts: Hashable, Sendable {
    public var labels: Int
    /// Labels on which the challenger of their pair agrees better.
    public var wins: Int
    /// Labels on which the champion of their pair agrees better.
    public var losses: Int
    /// Number of labels in `labels` that were queried because the pair disagreed.
    public var duels: Int
    /// Samples whose pair of predictions was fixed when their task opened.
    public var settled: Int
    /// Number of samples in `settled` without a prediction by the challenger.
    public var silent: Int
    /// Labels whose pair belonged to another era.
    public var ofAnotherEra: Int
    /// Predictions by a pair's challenger that arrived after the task had opened.
    public var late: Int
    /// Opening time of the first task whose label counts; nil before there is one.
    public var firstOpenedAt: StreamTime?
    /// Opening time of the last task whose label counts.
    public var lastOpenedAt: StreamTime?

    public init(
        labels: Int = 0,
        wins: Int = 0,
        losses: Int = 0,
        duels: Int = 0,
        settled: Int = 0,
        silent: Int = 0,
        ofAnotherEra: Int = 0,
        late: Int = 0,
        firstOpenedAt: StreamTime? = nil,
        lastOpenedAt: StreamTime? = nil
    ) {
        self.labels = labels
        self.wins = wins
        self.losses = losses
        self.duels = duels
        self.settled = settled
        self.silent = silent
        self.ofAnotherEra = ofAnotherEra
        self.late = late
        self.firstOpenedAt = firstOpenedAt
        self.lastOpenedAt = lastOpenedAt
    }
}

/// Labels whose tasks opened in one block of time: together they are one factor of the capital.
public struct EraBlock: Hashable, Sendable {
    /// The block's number since 1970: the opening time divided by `rollout.block`.
    public var number: Int64
    /// Labels in it.
    public var labels: Int
    /// Sum of λD over its labels; see `PairBet`.
    public var bets: Double

    public init(number: Int64, labels: Int = 0, bets: Double = 0) {
        self.number = number
        self.labels = labels
        self.bets = bets
    }
}
