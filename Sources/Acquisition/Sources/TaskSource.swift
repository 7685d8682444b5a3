internal import Vocabulary

/// A source of labeling tasks: candidates in tables of its own, and a share of the queries.
///
/// `AcquisitionState` lists the sources in the order in which they divide a batch, once for reading and once for
/// writing. Each is visited with its own type, so that nothing is dispatched at run time.
protocol TaskSource {
    /// Purpose of this source's queries. Tasks for training labels fill a batch and count against the quotas of their
    /// slices; others are added on top, as far as the budget allows.
    var purpose: TaskPurpose { get }

    /// Whether no candidate is kept.
    var isEmpty: Bool { get }

    /// Whether there is a sample to query.
    func hasCandidates(_ accounts: TaskAccounts, _ context: SelectionContext) -> Bool

    /// Whether anything is queried now, or will be as candidates arrive: then sources before this one are limited to
    /// their shares.
    func isActive(_ context: SelectionContext) -> Bool

    /// Determines whether quotas block the whole source, once for many checks.
    mutating func checkQuotas(_ accounts: TaskAccounts, _ context: SelectionContext)

    /// Whether a batch need not wait for `maximumWait`.
    func isReady(_ room: BatchRoom, _ accounts: TaskAccounts, _ context: SelectionContext) -> Bool

    /// Number of tasks that its share of all tasks allows in a batch; at least 0, and no more than the capacity for its
    /// purpose.
    func allowance(_ room: BatchRoom, _ accounts: TaskAccounts, _ context: SelectionContext) -> Int

    /// Selects samples to query: at most `count`, which is above 0 and no more than `allowance` returned, and distinct.
    mutating func select(_ count: Int, _ accounts: inout TaskAccounts, _ context: SelectionContext) -> [Selection]

    /// Time at which something could be queried without a further candidate.
    func nextQueryTime(_ room: BatchRoom, _ accounts: TaskAccounts, _ context: SelectionContext) -> NextQueryTime

    /// Removes a sample that is queried, by whichever source.
    mutating func remove(_ sample: SampleID)
}

extension TaskSource {
    func hasCandidates(_ accounts: TaskAccounts, _ context: SelectionContext) -> Bool { !isEmpty }
    func isActive(_ context: SelectionContext) -> Bool { !isEmpty }
    mutating func checkQuotas(_ accounts: TaskAccounts, _ context: SelectionContext) {}
    func isReady(_ room: BatchRoom, _ accounts: TaskAccounts, _ context: SelectionContext) -> Bool { false }
}

/// Time at which a source could query without a further candidate.
enum NextQueryTime {
    /// Once the batch has waited for `maximumWait`.
    case afterMaximumWait
    case at(StreamTime)
    /// Only a further entry can make a query possible.
    case never
}

/// Visitor that reads each source, one after the other.
protocol SourceReader {
    mutating func read(_ source: borrowing some TaskSource, _ accounts: TaskAccounts, _ context: SelectionContext)
}

/// Visitor that changes each source, one after the other.
protocol SourceWriter {
    mutating func write(_ source: inout some TaskSource, _ accounts: inout TaskAccounts, _ context: SelectionContext)
}
