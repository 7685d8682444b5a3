internal import Vocabulary

/// Whether any source has a sample to query.
struct AnyCandidates: SourceReader {
    private(set) var isFound = false

    mutating func read(_ source: borrowing some TaskSource, _ accounts: TaskAccounts, _ context: SelectionContext) {
        if !isFound { isFound = source.hasCandidates(accounts, context) }
    }
}

/// Whether any source need not wait for `maximumWait`.
struct AnyReady: SourceReader {
    private var room: BatchRoom
    private(set) var isFound = false

    init(_ room: BatchRoom) { self.room = room }

    mutating func read(_ source: borrowing some TaskSource, _ accounts: TaskAccounts, _ context: SelectionContext) {
        room.advance()
        if !isFound { isFound = source.isReady(room, accounts, context) }
    }
}

/// The earliest time at which any source could query without a further candidate.
struct EarliestQueryTime: SourceReader {
    private var room: BatchRoom
    private(set) var earliest = NextQueryTime.never

    init(_ room: BatchRoom) { self.room = room }

    mutating func read(_ source: borrowing some TaskSource, _ accounts: TaskAccounts, _ context: SelectionContext) {
        room.advance()
        if case .afterMaximumWait = earliest { return }
        switch (source.nextQueryTime(room, accounts, context), earliest) {
        case (.never, _): break
        case (.at(let time), .at(let other)): earliest = .at(min(time, other))
        case (let next, _): earliest = next
        }
    }
}
