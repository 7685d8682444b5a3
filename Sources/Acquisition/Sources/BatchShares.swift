internal import Vocabulary

/// Divides a batch: each source fills what its share allows of the capacity that remains after the sources before it.
struct BatchShares: SourceWriter {
    private var room: BatchRoom
    /// Selections for training labels, from the last source to the first, and then the audit sample's.
    private(set) var batch: [Selection] = []

    init(_ room: BatchRoom) { self.room = room }

    mutating func write(_ source: inout some TaskSource, _ accounts: inout TaskAccounts, _ context: SelectionContext) {
        // A sample may wait in several sources.
        for selection in batch { source.remove(selection.sample.id) }
        room.advance()
        let count = source.allowance(room, accounts, context)
        guard count > 0 else { return }
        let selected = source.select(count, &accounts, context)
        room.deduct(selected.count, source.purpose)
        if source.purpose.split == .training {
            for selection in selected { accounts.countSlice(selection.sample, context) }
        }
        batch = source.purpose.split == .training ? selected + batch : batch + selected
    }
}

/// Determines which sources quotas block.
struct QuotaCheck: SourceWriter {
    mutating func write(_ source: inout some TaskSource, _ accounts: inout TaskAccounts, _ context: SelectionContext) {
        source.checkQuotas(accounts, context)
    }
}

/// Removes a sample that is queried.
struct SampleRemoval: SourceWriter {
    let sample: SampleID

    mutating func write(_ source: inout some TaskSource, _ accounts: inout TaskAccounts, _ context: SelectionContext) {
        source.remove(sample)
    }
}
