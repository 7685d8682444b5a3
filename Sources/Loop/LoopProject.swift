public import Events
public import Flywheel
internal import Hashing
internal import StreamRuntime
internal import Tables
public import Vocabulary

/// One project in the loop: its state, the chain of its decisions, and its timer. Both the running loop and replay use
/// it.
public struct LoopProject: Sendable {
    /// State after the last entry applied, committed or not.
    public internal(set) var state: ProjectState
    /// Chain of the decisions of every entry applied.
    public internal(set) var chain = DecisionChain()
    /// Ticks written to the journal; one is in flight while this exceeds the ticks applied.
    public internal(set) var ticksWritten: UInt64 = 0
    /// The journal offset of the last entry applied; -1 before the first.
    var lastOffset: Int64 = -1
    /// Set while the project's entries wait.
    public internal(set) var pause: ProjectPause?
    var isTouched = false
    private var before: (chain: DecisionChain, ticks: UInt64, lastOffset: Int64, pause: ProjectPause?)?

    public init(project: ProjectID) { state = ProjectState(project: project) }

    /// Applies an entry and encodes the decisions that follow from it.
    public mutating func apply(_ entry: JournalEntry, appendedAt time: StreamTime) -> [EncodedDecision] {
        touch()
        let decisions = state.apply(entry, appendedAt: time)
        let position = state.position.value
        let question = state.configuration.value?.question ?? .choice(LabelSchema(question: "", classes: []))
        let encoded = decisions.map {
            EncodedDecision(
                $0,
                project: entry.project,
                question: question,
                time: position.time,
                entryNumber: position.entryNumber
            )
        }
        chain.extend(entryNumber: position.entryNumber, decisions: encoded)
        return encoded
    }

    /// Applies an entry at an offset of the journal.
    mutating func apply(_ entry: JournalEntry, appendedAt time: StreamTime, offset: Int64) -> [EncodedDecision] {
        defer { lastOffset = offset }
        return apply(entry, appendedAt: time)
    }

    /// Number of rows of its tables.
    public var rowCount: Int { state.rowCount }

    /// Every row as the changelog holds it for a project of that name.
    public func changelogRows(as name: String) -> [(key: [UInt8], value: [UInt8])] {
        var rows: [(key: [UInt8], value: [UInt8])] = []
        StateStore.forEachRow(of: self, name: name) { rows.append(($0, $1)) }
        return rows
    }

    /// Whether no tick is in flight.
    var isTickPossible: Bool { ticksWritten <= state.position.value.ticks }

    /// Whether the pause differs from the stored one.
    var isPauseNew: Bool { before.map { $0.pause != pause } ?? false }

    /// Pause as of the last commit.
    var storedPause: ProjectPause? { before.map { $0.pause } ?? pause }

    mutating func pause(_ pause: ProjectPause?) {
        touch()
        self.pause = pause
    }

    mutating func tickWritten() {
        touch()
        ticksWritten = state.position.value.ticks + 1
    }

    mutating func touch() {
        isTouched = true
        if before == nil { before = (chain, ticksWritten, lastOffset, pause) }
    }

    public mutating func commit() {
        guard isTouched else { return }
        state.commit()
        before = nil
        isTouched = false
    }

    mutating func undo() {
        guard isTouched else { return }
        state.undo()
        if let before { (chain, ticksWritten, lastOffset, pause) = before }
        before = nil
        isTouched = false
    }
}
