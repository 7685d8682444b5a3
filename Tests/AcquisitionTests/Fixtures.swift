import Acquisition
import Tables
import Vocabulary

/// A candidate of the pool, or, with a draw below the cut-off, of the audit sample.
func candidate(
    _ id: String,
    score: Double = 0.5,
    draw: Double = 1,
    cutoff: Double = 0,
    embedding: [Float]? = nil,
    isCold: Bool = false
) -> Candidate {
    let entry = ClassDistribution.Entry(label: ClassIndex(0), probability: 1)
    return Candidate(
        sample: Sample(id: SampleID(id), embedding: embedding),
        output: isCold ? nil : ClassDistribution([entry]).map(Output.choice),
        model: isCold ? nil : ModelReference(name: "m", version: ModelVersion("v1")),
        score: score,
        auditProbability: draw < cutoff ? cutoff : nil,
        auditDraw: draw,
        predictedAt: StreamTime(milliseconds: 0)
    )
}

func context(_ entry: UInt64, at milliseconds: Int64 = 0) -> EntryContext {
    EntryContext(
        project: ProjectID("p"),
        entryNumber: entry,
        time: StreamTime(milliseconds: milliseconds),
        seed: entry &* 0x9E37_79B9_7F4A_7C15
    )
}

/// A policy under which nothing prevents a batch: a budget that is never reached, no limit, no audit sample.
func freePolicy(_ change: (inout AcquisitionPolicy) -> Void = { _ in }) -> AcquisitionPolicy {
    var policy = AcquisitionPolicy(
        isDiverse: false,
        batchSize: 5,
        preselection: 10,
        poolCapacity: 1_000,
        openTaskLimit: 1_000_000,
        auditShare: 0,
        auditCutoff: 0,
        votes: 1_000_000,
        window: 86_400_000,
        maximumWait: 1_000,
        auditFirst: 0
    )
    change(&policy)
    return policy
}

/// Calls of the reducer with default values for the inputs that a test does not set.
extension AcquisitionState {
    mutating func receive(
        _ candidate: Candidate,
        modelVersionNumber: Int,
        unlearned: Int = 0,
        votesPerTask: Int = 1,
        classes: Int = 1,
        policy: AcquisitionPolicy,
        context: EntryContext
    ) {
        let context = SelectionContext(
            policy: Boxed(policy),
            votesPerTask: votesPerTask,
            classes: classes,
            unlearnedLabels: unlearned,
            entry: context
        )
        receive(candidate, modelVersionNumber: modelVersionNumber, context)
    }

    mutating func receive(_ feedback: Feedback, classes: Int, policy: AcquisitionPolicy, context: EntryContext) {
        receive(feedback, SelectionContext(policy: Boxed(policy), classes: classes, entry: context))
    }

    mutating func selectBatch(
        openTasks: Int,
        votesPerTask: Int,
        newestVersionNumber: Int,
        unlearned: Int,
        policy: AcquisitionPolicy,
        context: EntryContext
    ) -> [Selection] {
        selectBatch(
            SelectionContext(
                policy: Boxed(policy),
                votesPerTask: votesPerTask,
                openTasks: openTasks,
                newestVersionNumber: newestVersionNumber,
                unlearnedLabels: unlearned,
                entry: context
            )
        )
    }

    /// The next deadline as of a time, by default the beginning of the window.
    func nextDeadline(
        openTasks: Int,
        votesPerTask: Int,
        policy: AcquisitionPolicy,
        at time: StreamTime? = nil
    ) -> StreamTime? {
        let time = time ?? accounts.ledger.value.windowStart
        return nextDeadline(
            SelectionContext(
                policy: Boxed(policy),
                votesPerTask: votesPerTask,
                openTasks: openTasks,
                entry: context(0, at: time.milliseconds)
            )
        )
    }
}

extension AcquisitionState {
    /// A state that has received candidates, all at time 0.
    init(_ candidates: [Candidate], modelVersionNumber: Int = 1, policy: AcquisitionPolicy) {
        self.init()
        for candidate in candidates {
            receive(candidate, modelVersionNumber: modelVersionNumber, policy: policy, context: context(1))
        }
    }

    /// Selects a batch after the maximum wait.
    mutating func batch(
        _ policy: AcquisitionPolicy,
        entry: UInt64 = 2,
        at milliseconds: Int64 = 10_000,
        openTasks: Int = 0,
        votesPerTask: Int = 1
    ) -> [Selection] {
        selectBatch(
            openTasks: openTasks,
            votesPerTask: votesPerTask,
            newestVersionNumber: 1,
            unlearned: 0,
            policy: policy,
            context: context(entry, at: milliseconds)
        )
    }
}

extension [Selection] {
    var ids: [String] { map(\.sample.id.rawValue) }
}
