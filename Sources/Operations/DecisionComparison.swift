internal import Events
internal import Flywheel
internal import Hashing

/// Compares repeated decisions with the decisions stored on the topics. Of several differences, the one of the earliest
/// entry counts.
struct DecisionComparison {
    struct Difference {
        enum Kind {
            /// No decision has this id in this spelling.
            case unexpected(String)
            /// Another record is on the topic under this id.
            case unequal(stored: [UInt8])
            case missing
        }

        let id: DecisionID
        let topic: Topic
        let kind: Kind
    }

    /// Number of decisions that equal their records byte for byte, compared by digests.
    private(set) var compared = 0
    /// Number of decisions that compaction or expiry has removed from their topic.
    private(set) var compacted = 0
    /// Number of decisions not found on a topic that is readable only up to an open transaction: they may be in or
    /// after
    /// that transaction.
    private(set) var unseen = 0
    private(set) var first: Difference?

    private var decided: DecidedTable
    private let last: UInt64
    private var isSeen: [Bool]
    /// Newest decision seen of each key, on topics that are compacted.
    private var newest: [TopicKey: Int] = [:]
    /// Oldest decision still present on each topic whose first records have expired: records expire from the front,
    /// so a missing decision after it is not excused.
    private var oldest: [Topic: Int] = [:]

    /// Last entry with a decision seen, on each topic that an open transaction holds back. Decisions are on a topic in
    /// the order of their entries, so a decision of an earlier entry that was not seen is missing.
    private var reached: [Topic: UInt64] = [:]

    private struct TopicKey: Hashable {
        let topic: Topic
        let key: UInt64
    }

    private static let compacting: [Topic] = [.labelingTasks, .modelReleases]

    /// - Parameters:
    ///   - decided: Decisions of all entries.
    ///   - last: The number of the last entry; later decisions are ignored.
    init(decided: DecidedTable, appliedUpTo last: UInt64) {
        self.decided = decided
        self.last = last
        isSeen = [Bool](repeating: false, count: decided.count)
    }

    /// Records that the first records of a topic have expired.
    mutating func markExpired(_ topic: Topic) { oldest[topic] = .max }

    /// Records that a transaction is open on a topic: its records and all later ones are not read.
    mutating func markHeldBack(_ topic: Topic) { reached[topic] = 0 }

    /// Processes a record of a topic; a record without an id of this project belongs to another project.
    mutating func compare(
        _ text: String,
        of project: String,
        on topic: Topic,
        key: UnsafeRawBufferPointer,
        _ value: UnsafeRawBufferPointer
    ) {
        guard let id = DecisionID(text, of: project) else { return }
        if let known = reached[topic] { reached[topic] = max(known, id.entryNumber) }
        // A record of an entry after the last one replayed may also have replaced a decision of the table by
        // compaction.
        let index = decided.find(id) ?? (id.entryNumber > last ? .max : nil)
        if Self.compacting.contains(topic), let index {
            let topicKey = TopicKey(topic: topic, key: DecidedTable.hash(key))
            newest[topicKey] = max(newest[topicKey] ?? 0, index)
        }
        // An id with leading zeros has equal numbers, but another text.
        guard let index = decided.find(id), id.text(of: project) == text else {
            if id.entryNumber <= last { note(Difference(id: id, topic: topic, kind: .unexpected(text))) }
            return
        }
        let decision = decided[index]
        // The value contains a token in addition to the decision.
        let value = topic.carriesTokens ? RequestToken.removed(from: value) : Array(value)
        isSeen[index] = true
        if let known = oldest[topic] { oldest[topic] = min(known, index) }
        if decision.topic == topic, decision.value == SHA256Digest(of: value) {
            compared += 1
        } else {
            note(Difference(id: id, topic: topic, kind: .unequal(stored: value)))
        }
    }

    /// Searches for decisions without a matching record.
    mutating func finish() {
        for index in isSeen.indices where !isSeen[index] {
            let decision = decided[index]
            let isCompacted =
                Self.compacting.contains(decision.topic)
                && (newest[TopicKey(topic: decision.topic, key: decision.key)] ?? 0) > index
            if isCompacted || index < oldest[decision.topic] ?? 0 {
                compacted += 1
            } else if let entry = reached[decision.topic], decision.id.entryNumber >= entry {
                // Decisions of the entry itself are included: a transaction may begin between two of its records.
                unseen += 1
            } else {
                note(Difference(id: decision.id, topic: decision.topic, kind: .missing))
            }
        }
    }

    private mutating func note(_ difference: Difference) {
        if let first, !difference.comes(before: first) { return }
        first = difference
    }
}

extension DecisionComparison.Difference {
    /// Whether this difference precedes another one: ordered by entry, then an unexpected record before a missing one,
    /// then by index.
    fileprivate func comes(before other: Self) -> Bool {
        let (a, b) = (id, other.id)
        if a.entryNumber != b.entryNumber { return a.entryNumber < b.entryNumber }
        if isMissing != other.isMissing { return other.isMissing }
        return a.index < b.index
    }

    private var isMissing: Bool {
        if case .missing = kind { true } else { false }
    }
}
