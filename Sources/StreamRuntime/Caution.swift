/// Why a record is taken out of the stream.
public struct Isolation: Hashable, Sendable {
    /// What happened with the record in hand, for people.
    public let text: String
    /// Taking it out has failed too: what is written of it must be as little as possible.
    public let isStubborn: Bool

    public init(_ text: String, isStubborn: Bool = false) {
        self.text = text
        self.isStubborn = isStubborn
    }
}

/// Which records may have brought a worker down, and in how small portions to take them: a value without any I/O.
///
///     found open  --> portions of a hundred, over what a turn may have held
///     found few   --> one record a transaction, over what a hundred may span
///     found one   --> that record alone; after three deaths it is isolated
///
/// A turn that is refused for what a record holds is taken again record by record; after three equal refusals the record is
/// isolated. Behind the suspicious part everything goes on as before.
struct Caution {
    /// The portion after a first unclean stop.
    static let few = 100
    /// Deaths, and equal refusals, that a record gets.
    static let patience = 3

    private struct Span {
        var size: Int
        /// Records below this offset are suspicious.
        var until: Int64
    }

    private struct Suspect {
        var offset: Int64
        var deaths = 0
        var refusals = 0
        /// Equal for equal refusals.
        var kind = ""
        var text = ""
    }

    /// As the group holds them.
    private(set) var marks: [TopicPartition: OffsetMark] = [:]
    private var spans: [TopicPartition: Span] = [:]
    private var suspects: [TopicPartition: Suspect] = [:]
    /// Whether the group knows that this life is at work.
    private var isOpened = false
    /// Partitions whose marks are this life's own.
    private var own: Set<TopicPartition> = []

    /// Nothing is suspicious, and the group knows that we are at work: records may be taken as they come.
    var isCalm: Bool { isOpened && spans.isEmpty }

    // MARK: - Partitions

    /// A partition has come.
    ///
    /// - Parameters:
    ///   - partition: Not owned until now.
    ///   - found: What the group holds; nil of a partition that nobody has read yet.
    ///   - high: The end of the partition, uncommitted records included. What was in hand stands before it.
    ///   - turn: Records that a turn may hold.
    ///   - isExplained: Its last owner was this process, which knows why it stopped: no death is counted.
    mutating func take(
        _ partition: TopicPartition,
        _ found: GroupOffset?,
        high: Int64,
        turn: Int,
        isExplained: Bool
    ) {
        isOpened = false
        give(partition)
        guard let found else { return }
        // Without a mark nobody has said that it left in order.
        let mark = OffsetMark(found.note) ?? .open
        marks[partition] = mark
        guard high > found.next else { return }
        switch mark {
        case .clean: break
        case .open where isExplained, .few where isExplained: break
        // Between records stand markers and aborted ones: the span is in offsets.
        case .open: spans[partition] = Span(size: Self.few, until: min(high, found.next + 2 * Int64(turn)))
        case .few: spans[partition] = Span(size: 1, until: min(high, found.next + 2 * Int64(Self.few)))
        case .one(let offset, let deaths):
            suspects[partition] = Suspect(offset: offset, deaths: deaths + (isExplained ? 0 : 1))
            spans[partition] = Span(size: 1, until: offset + 1)
        }
    }

    mutating func give(_ partition: TopicPartition) {
        marks[partition] = nil
        spans[partition] = nil
        suspects[partition] = nil
        own.remove(partition)
    }

    /// What to leave beside the offsets of partitions that are given up in order. Where this life has done nothing, what was
    /// found stays.
    func farewell(_ partitions: some Sequence<TopicPartition>) -> [TopicPartition: OffsetMark] {
        var notes: [TopicPartition: OffsetMark] = [:]
        for partition in partitions where own.contains(partition) && marks[partition] != .clean {
            notes[partition] = .clean
        }
        return notes
    }

    // MARK: - Portions

    /// How many of the records to take at once, from `start` on, and whether that is a portion of its own.
    func portion(_ records: ContiguousArray<RecordView>, from start: Int, topics: [String]) -> (
        count: Int, isAlone: Bool
    ) {
        guard !spans.isEmpty else { return (records.count - start, false) }
        var (limit, isAlone, count) = (Int.max, false, 0)
        for record in records[start...] {
            if let size = size(of: record, topics) {
                if size == 1 { return count == 0 ? (1, true) : (count, isAlone) }
                limit = min(limit, size)
                isAlone = true
            }
            guard count < limit else { break }
            count += 1
        }
        return (count, isAlone)
    }

    private func size(of record: RecordView, _ topics: [String]) -> Int? {
        guard let span = spans[TopicPartition(topics[record.topic], record.partition)], record.offset < span.until
        else { return nil }
        return span.size
    }

    /// Whether the record has had its chances.
    func verdict(_ partition: TopicPartition, _ offset: Int64) -> Isolation? {
        guard let suspect = suspects[partition], suspect.offset == offset else { return nil }
        let isStubborn = max(suspect.deaths, suspect.refusals) > Self.patience + 1
        if suspect.deaths >= Self.patience {
            return Isolation("\(suspect.deaths) workers died with this record in hand", isStubborn: isStubborn)
        }
        guard suspect.refusals >= Self.patience else { return nil }
        return Isolation("\(suspect.refusals) times in a row: \(suspect.text)", isStubborn: isStubborn)
    }

    /// What must be stored before a portion is taken, if it is not: that we are at work, and which record alone.
    func notes(before alone: (partition: TopicPartition, offset: Int64)?, owned: Set<TopicPartition>)
        -> [TopicPartition: OffsetMark]
    {
        var notes: [TopicPartition: OffsetMark] = [:]
        if !isOpened {
            for partition in owned {
                let isSpanned = spans[partition] != nil
                switch marks[partition] {
                case nil, .clean: notes[partition] = isSpanned ? .few : .open
                case .open: if isSpanned { notes[partition] = .few }
                case .few, .one: break
                }
            }
        }
        guard let alone, spans[alone.partition]?.size == 1 else { return notes }
        let suspect = suspects[alone.partition]
        // What stands before the suspect was survived before.
        if let suspect, alone.offset < suspect.offset { return notes }
        let deaths = suspect.flatMap { $0.offset == alone.offset ? $0.deaths : nil } ?? 0
        let mark = OffsetMark.one(alone.offset, deaths: deaths)
        if marks[alone.partition] != mark { notes[alone.partition] = mark }
        return notes
    }

    /// The mark that goes with an offset.
    func mark(of partition: TopicPartition, at next: Int64) -> OffsetMark {
        if let suspect = suspects[partition], next <= suspect.offset, let mark = marks[partition] { return mark }
        guard let span = spans[partition], next < span.until else { return .open }
        return .few
    }

    // MARK: - What became of it

    /// The group knows that this life is at work.
    mutating func begin() { isOpened = true }

    /// A transaction with these marks stands.
    mutating func stored(_ stored: [TopicPartition: OffsetMark]) {
        marks.merge(stored) { $1 }
        own.formUnion(stored.keys)
    }

    /// These marks were read again.
    mutating func found(_ found: [TopicPartition: OffsetMark]) { marks.merge(found) { $1 } }

    /// Records before an offset are behind us.
    mutating func passed(_ partition: TopicPartition, to next: Int64) {
        if let span = spans[partition], next >= span.until { spans[partition] = nil }
        if let suspect = suspects[partition], next > suspect.offset { suspects[partition] = nil }
    }

    /// One record, taken alone, was refused for what it holds.
    ///
    /// `kind` is equal for equal reasons, `text` is for people.
    mutating func refused(_ partition: TopicPartition, _ offset: Int64, kind: String, _ text: String) {
        var suspect = suspects[partition] ?? Suspect(offset: offset)
        if suspect.offset != offset { suspect = Suspect(offset: offset) }
        suspect.refusals = suspect.kind == kind ? suspect.refusals + 1 : 1
        suspect.kind = kind
        suspect.text = text
        suspects[partition] = suspect
    }

    /// A turn of several records was refused for what one of them holds: they are taken again one by one.
    mutating func refused(_ reached: [TopicPartition: Int64]) {
        for (partition, next) in reached { spans[partition] = Span(size: 1, until: next) }
    }
}
