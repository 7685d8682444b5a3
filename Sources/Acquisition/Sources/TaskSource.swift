internal import Vocabulary

/// A source of labeling tasks: candidates in tables of its own, and a share of what is asked for.
///
/// `AcquisitionState` lists the sources once, in the order in which they share out a batch. Each is visited with its own type, so
/// that nothing is dispatched at run time.
protocol TaskSource {
    /// Why tasks of this source are asked for. Tasks for training labels fill a batch and count against the quotas of their
    /// slices; others come on top, as far as the budget allows.
    var purpose: TaskPurpose { get }

    /// Whether no candidate is kept.
    var isEmpty: Bool { get }

    /// Whether there is something to ask for.
    func hasCandidates(_ accounts: TaskAccounts, _ context: SelectionContext) -> Bool

    /// Whether anything is asked for now, or will be as candidates come: then sources before this one keep to their shares.
    func isActive(_ context: SelectionContext) -> Bool

    /// Looks up what quotas keep back whole, once for many questions.
    mutating func lookAtQuotas(_ accounts: TaskAccounts, _ context: SelectionContext)

    /// Whether a batch need not wait for `patience`.
    func isReady(_ room: BatchRoom, _ accounts: TaskAccounts, _ context: SelectionContext) -> Bool

    /// Tasks that its share of all tasks allows in a batch; at least 0, and no more than the room that its purpose has.
    func allowance(_ room: BatchRoom, _ accounts: TaskAccounts, _ context: SelectionContext) -> Int

    /// Takes samples to ask for: at most `count`, above 0 and as `allowance` gave it, and distinct.
    mutating func take(_ count: Int, _ accounts: inout TaskAccounts, _ context: SelectionContext) -> [Selection]

    /// When something could be asked for without a further candidate.
    func nextAsking(_ room: BatchRoom, _ accounts: TaskAccounts, _ context: SelectionContext) -> NextAsking

    /// Removes a sample that is asked for, by whichever source.
    mutating func remove(_ sample: SampleID)
}

extension TaskSource {
    func hasCandidates(_ accounts: TaskAccounts, _ context: SelectionContext) -> Bool { !isEmpty }
    func isActive(_ context: SelectionContext) -> Bool { !isEmpty }
    mutating func lookAtQuotas(_ accounts: TaskAccounts, _ context: SelectionContext) {}
    func isReady(_ room: BatchRoom, _ accounts: TaskAccounts, _ context: SelectionContext) -> Bool { false }
}

/// When a source could ask for something without a further candidate.
enum NextAsking {
    /// Once the batch has waited for `patience`.
    case afterPatience
    case at(StreamTime)
    /// Only an entry can bring it about.
    case never
}

/// A question to each source in turn.
protocol SourceReader {
    mutating func read(_ source: borrowing some TaskSource, _ accounts: TaskAccounts, _ context: SelectionContext)
}

/// A change of each source in turn.
protocol SourceWriter {
    mutating func write(_ source: inout some TaskSource, _ accounts: inout TaskAccounts, _ context: SelectionContext)
}
