public import Forms
internal import Strategies
internal import Vocabulary

extension AcquisitionPolicy: Formed {
    public static let standard: AcquisitionPolicy? = AcquisitionPolicy()

    /// Batch policy implied by records that were written before there were batch policies.
    private static let beforeBatches = BatchPolicy(
        rule: .kmeans,
        coldStart: .none,
        handover: 8,
        weights: UtilityWeights(uncertainty: 1, value: 0, freshness: 0, novelty: 0, density: 0),
        classValues: [],
        halfLife: 3_600_000,
        sharpness: 1,
        duplicateDistance: 0,
        memory: 1_000
    )

    public init<F: Fields<Self>>(fields f: inout F) throws(F.Failure) {
        let share = Number(0...1)
        function = try f("strategy", \.function, Choice(), doc: "How usefulness is judged ([all](acquisition.md)).")
        isDiverse = try f(
            "diverse",
            \.isDiverse,
            Flag(),
            doc: "Use the rule of `batch`; else the highest scores are taken."
        )
        batchSize = try f(
            "batch_size",
            \.batchSize,
            Count(1...10_000),
            doc: "Tasks opened at once for training labels."
        )
        let spread: StaticString =
            "`kmeans` spreads a batch over this many times `batch_size` of the highest utilities."
        preselection = try f("preselection", \.preselection, Count(1...1_000), doc: spread)
        // A capacity must hold a batch only if it is read from a file; older revisions may have smaller ones.
        let (pool, pools) = (Count(1...100_000), Count(batchSize...100_000))
        // The default of a capacity that the file does not set holds a batch, too.
        let (room, allowed) = (max(500, batchSize), max(20, batchSize))
        let kept: StaticString = "Candidates kept; a batch at least."
        poolCapacity = try f("pool_capacity", \.poolCapacity, pool, default: room, inFile: pools, doc: kept)
        let (open, opens) = (Count(1...1_000_000), Count(batchSize...1_000_000))
        let limit: StaticString =
            "The most tasks open at once, audit tasks included; no batch is chosen that has no room below it."
        openTaskLimit = try f("open_task_limit", \.openTaskLimit, open, default: allowed, inFile: opens, doc: limit)
        let chance: StaticString = "Share of a batch, and of what Intake lets through, that is drawn by chance."
        explorationShare = try f("exploration_share", \.explorationShare, share, absent: 0, doc: chance)
        let most: StaticString =
            "The most that `exploration_share` grows to while audit labels show the model wrong where it is sure (edition 2)."
        explorationMost = try f("exploration_most", \.explorationMost, share, implied: 0, doc: most)
        let audits: StaticString = "Share of a window's tasks that are audit tasks; with 0 no sample is kept for any."
        auditShare = try f("audit_share", \.auditShare, Number(0...0.9), doc: audits)
        let first: StaticString =
            "Audit tasks asked for at once, beside their share, which counts from there (edition 2)."
        auditFirst = try f("audit_first", \.auditFirst, Count(0...1_000), implied: 0, doc: first)
        auditCutoff = try f(
            "audit_cutoff",
            \.auditCutoff,
            share,
            doc: "Share of samples that belong to the audit sample."
        )
        let aged: StaticString = "Age after which an audit candidate is asked only where no younger waits; 0: never."
        auditAge = try f("audit_age", \.auditAge, Span(0...Span.longest), implied: 0, doc: aged)
        votes = try f(
            "votes_per_window",
            \.votes,
            Count(0...1_000_000_000),
            doc: "Answers bought in a window; 0: none."
        )
        window = try f("window", \.window, Span(), doc: "The budget's window.")
        oversample = try f("oversample", \.oversample, Number(1...100_000), doc: "Candidates forwarded for each task.")
        maximumWait = try f("patience", \.maximumWait, Span(), doc: "How long a batch waits for a newer model.")
        let tempering: StaticString = "What a model's output, or its logits, are tempered by before they are judged."
        temperature = try f("temperature", \.temperature, Number(0.01...100), absent: 1, doc: tempering)
        batch = try f("batch", \.batch, Nested(), absent: Self.beforeBatches, doc: "How a batch is put together.")
        let (times, money) = (Span(0...Span.longest), Whole<Int64>(0...1_000_000_000_000_000))
        time = try f.optional("time_per_window", \.time, times, doc: "People's time; needs `vote_cost.maximum_time`.")
        self.money = try f.optional(
            "money_per_window_micros",
            \.money,
            money,
            doc: "Money, in millionths; needs a price."
        )
        let carry: StaticString = "Windows whose unused budget is added to later ones."
        carriedWindows = try f("carry_windows", \.carriedWindows, Count(0...1_000), implied: 0, doc: carry)
        let free = VoteCost(maximumTime: 0, perVote: 0, perSecond: 0)
        let cost: StaticString = "What a vote may cost; a task reserves it for each of its votes when it opens."
        voteCost = try f("vote_cost", \.voteCost, Nested(), implied: free, doc: cost)
        slices = try f.optional("slices", \.slices, Nested(), doc: "[Quotas](budgets.md) of slices of the samples.")
        stream = try f.optional("stream", \.stream, Nested(), doc: "Ask [one by one](budgets.md) as candidates come.")
        let named = ListOf(Nested<Trigger>(), 0...Trigger.limit, of: "triggers with distinct names") {
            Set($0.map(\.name)).count == $0.count
        }
        triggers = try f("triggers", \.triggers, named, implied: [], doc: "[Conditions](triggers.md) beside the score.")
        let triggered: StaticString = "Share of a batch, and of all training tasks, that triggers may ask for."
        triggerShare = try f("trigger_share", \.triggerShare, share, implied: 0.2, doc: triggered)
        let editions = Count(1...Self.latestEdition)
        let edition: StaticString = "[Edition](acquisition.md#editions) of the rules of choosing."
        self.edition = try f("edition", \.edition, editions, implied: 1, doc: edition)
        try f.require("vote_cost", costComplaint)
    }

    /// Complaint about a budget of time or money without the cost of a vote to count it by; nil if there is none.
    private var costComplaint: String? {
        if time ?? 0 > 0, voteCost.maximumTime == 0 {
            return "a budget of time needs the most time that a vote may take (maximum_time), above 0"
        }
        if money ?? 0 > 0, voteCost.maximumMoney == 0 {
            return "a budget of money needs the price of a vote or of a second (vote_micros, second_micros), above 0"
        }
        return nil
    }
}
