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
        function = try f(
            "strategy",
            \.function,
            Choice(),
            doc: "Score by which the usefulness of a sample is judged ([all scores](acquisition.md))."
        )
        isDiverse = try f(
            "diverse",
            \.isDiverse,
            Flag(),
            doc:
                "Whether a batch is composed by `batch.rule`; if not, the candidates with the highest utilities are selected."
        )
        batchSize = try f(
            "batch_size",
            \.batchSize,
            Count(1...10_000),
            doc: "Number of tasks for training labels that are opened at once."
        )
        let spread: StaticString =
            "`kmeans` selects a batch from this many times `batch_size` candidates: those with the highest utilities. `top` considers as many if novelty, density or `duplicate_distance` counts."
        preselection = try f("preselection", \.preselection, Count(1...1_000), doc: spread)
        // A capacity must hold a batch only if it is read from a file; older revisions may have smaller ones.
        let (capacity, capacityInFile) = (Count(1...100_000), Count(batchSize...100_000))
        // The default of a capacity that the file does not set holds a batch, too.
        let (defaultCapacity, defaultOpenLimit) = (max(500, batchSize), max(20, batchSize))
        let kept: StaticString = "Maximum number of candidates that are kept; at least `batch_size`."
        poolCapacity = try f(
            "pool_capacity",
            \.poolCapacity,
            capacity,
            default: defaultCapacity,
            inFile: capacityInFile,
            doc: kept
        )
        let (openLimit, openLimitInFile) = (Count(1...1_000_000), Count(batchSize...1_000_000))
        let limit: StaticString =
            "Maximum number of tasks open at once, audit tasks included; at least `batch_size`. A batch is selected only if all its tasks fit within the limit."
        openTaskLimit = try f(
            "open_task_limit",
            \.openTaskLimit,
            openLimit,
            default: defaultOpenLimit,
            inFile: openLimitInFile,
            doc: limit
        )
        let chance: StaticString =
            "Share of each batch, and of the candidates that Intake forwards, that is selected at random, whatever the score."
        explorationShare = try f("exploration_share", \.explorationShare, share, absent: 0, doc: chance)
        let most: StaticString =
            "Upper limit of the share that is selected at random: the share grows from `exploration_share` towards it while audit labels show that the model is confident and wrong (edition 2)."
        explorationMost = try f("exploration_most", \.explorationMost, share, implied: 0, doc: most)
        let audits: StaticString =
            "Share of a window's tasks that are audit tasks; with 0 there are none, and no samples are kept for them."
        auditShare = try f("audit_share", \.auditShare, Number(0...0.9), doc: audits)
        let first: StaticString =
            "Number of a project's first audit tasks, which open at once; they do not count towards `audit_share` (edition 2)."
        auditFirst = try f("audit_first", \.auditFirst, Count(0...1_000), implied: 0, doc: first)
        auditCutoff = try f(
            "audit_cutoff",
            \.auditCutoff,
            share,
            doc: "Share of samples that belong to the audit sample."
        )
        let aged: StaticString =
            "Age from which an audit candidate is queried only if no younger one waits; 0: age does not matter."
        auditAge = try f("audit_age", \.auditAge, Span(0...Span.longest), implied: 0, doc: aged)
        votes = try f(
            "votes_per_window",
            \.votes,
            Count(0...1_000_000_000),
            doc: "Maximum number of answers in a budget window; 0: no sample is queried."
        )
        window = try f(
            "window",
            \.window,
            Span(),
            doc: "Length of a budget window, to which the budgets of votes, time and money apply."
        )
        oversample = try f(
            "oversample",
            \.oversample,
            Number(1...100_000),
            doc: "Number of candidates that Intake forwards for each task that the budget of votes allows."
        )
        maximumWait = try f(
            "patience",
            \.maximumWait,
            Span(),
            doc: "Maximum time that a batch waits for a model that has learnt from the last batch."
        )
        let tempering: StaticString =
            "Temperature applied to a model's output, or to its logits, before it is scored; 1 has no effect."
        temperature = try f("temperature", \.temperature, Number(0.01...100), absent: 1, doc: tempering)
        batch = try f("batch", \.batch, Nested(), absent: Self.beforeBatches, doc: "How a batch is composed.")
        let (times, money) = (Span(0...Span.longest), Integer<Int64>(0...1_000_000_000_000_000))
        time = try f.optional(
            "time_per_window",
            \.time,
            times,
            doc:
                "Maximum working time of annotators in a window; without the key, no limit. It requires `vote_cost.maximum_time`."
        )
        self.money = try f.optional(
            "money_per_window_micros",
            \.money,
            money,
            doc:
                "Maximum amount of money spent in a window, in millionths of your unit of money; without the key, no limit. It requires a price in `vote_cost`."
        )
        let carry: StaticString =
            "Number of windows whose unused budget may be carried over to later ones; 0: unused budget is lost."
        carriedWindows = try f("carry_windows", \.carriedWindows, Count(0...1_000), implied: 0, doc: carry)
        let free = VoteCost(maximumTime: 0, perVote: 0, perSecond: 0)
        let cost: StaticString =
            "Maximum cost of a vote; when a task opens, this cost is reserved for each of its votes."
        voteCost = try f("vote_cost", \.voteCost, Nested(), implied: free, doc: cost)
        slices = try f.optional(
            "slices",
            \.slices,
            Nested(),
            doc: "[Quotas](budgets.md): the share of the votes that each slice of the samples may use."
        )
        stream = try f.optional(
            "stream",
            \.stream,
            Nested(),
            doc: "Query candidates [one by one](budgets.md) as they arrive, instead of in batches."
        )
        let named = ListOf(Nested<Trigger>(), 0...Trigger.limit, of: "triggers with distinct names") {
            Set($0.map(\.name)).count == $0.count
        }
        triggers = try f(
            "triggers",
            \.triggers,
            named,
            implied: [],
            doc: "[Conditions](triggers.md) under which the sample of a prediction may be queried, whatever its score."
        )
        let triggered: StaticString = "Maximum share of a batch, and of all training tasks, that triggers may select."
        triggerShare = try f("trigger_share", \.triggerShare, share, implied: 0.2, doc: triggered)
        let editions = Count(1...Self.latestEdition)
        let edition: StaticString = "[Edition](acquisition.md#editions) of the rules of selection."
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
