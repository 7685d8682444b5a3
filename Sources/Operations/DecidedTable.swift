internal import Events
internal import Flywheel
internal import Hashing
internal import Tables

/// The id of a decision: `PROJECT-ENTRY-INDEX`.
struct DecisionID: Hashable, Comparable {
    let entryNumber: UInt64
    let index: UInt64

    /// Parses an id; nil if the text is not an id of the project. The project's name may itself contain dashes.
    init?(_ text: String, of project: String) {
        guard text.hasPrefix(project + "-") else { return nil }
        let parts = text.dropFirst(project.count + 1).split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, let entryNumber = UInt64(parts[0]), let index = UInt64(parts[1]) else { return nil }
        self.entryNumber = entryNumber
        self.index = index
    }

    /// The id as text.
    func text(of project: String) -> String { "\(project)-\(entryNumber)-\(index)" }

    static func < (a: Self, b: Self) -> Bool { (a.entryNumber, a.index) < (b.entryNumber, b.index) }
}

/// Decisions of a replay, without their bytes: a year of a busy project has a million decisions.
struct DecidedTable {
    /// One decision.
    struct Row {
        let id: DecisionID
        let topic: Topic
        /// A hash of the record's key.
        let key: UInt64
        let value: SHA256Digest
    }

    private var rows: ContiguousArray<Row> = []

    /// Returns the hash that represents the key of a record.
    static func hash(_ key: UnsafeRawBufferPointer) -> UInt64 {
        StableHash.hash(prefix: UnsafeRawBufferPointer(start: nil, count: 0), key: key)
    }

    var count: Int { rows.count }

    subscript(index: Int) -> Row { rows[index] }

    /// Adds the decisions of a project's next entry; decisions for no topic, or for the dead letters, are not compared.
    mutating func append(_ decisions: [EncodedDecision], of project: String) {
        let start = rows.count
        for decision in decisions {
            guard let topic = decision.topic, topic != .deadLetters, let id = DecisionID(decision.id, of: project)
            else { continue }
            var name = decision.key
            let key = name.withUTF8 { Self.hash(UnsafeRawBufferPointer($0)) }
            rows.append(Row(id: id, topic: topic, key: key, value: SHA256Digest(of: decision.value)))
        }
        rows[start...].sort { $0.id < $1.id }
    }

    /// The index of a decision.
    ///
    /// - Complexity: O(log *n*).
    func find(_ id: DecisionID) -> Int? {
        let index = rows.partitioningIndex { !($0.id < id) }
        return index < rows.count && rows[index].id == id ? index : nil
    }
}

/// Digests of the entries that later ticks may name: a tick names the same entry as the tick before it, or a later one.
struct ChainDigests {
    enum Outcome {
        case equal
        /// The tick names entry 0, or an entry before the one that an earlier tick named.
        case unknown
        /// The digests differ. The value is the entry's own digest in hexadecimal; nil if the entry has not arrived.
        case differs(String?)
    }

    private var first: UInt64 = 1
    private var digests: [SHA256Digest] = []

    /// Adds the digest of the next entry.
    mutating func append(_ digest: SHA256Digest) { digests.append(digest) }

    /// Compares the digest in a tick with the digest of the entry that the tick names.
    mutating func check(_ tick: ChainMark) -> Outcome {
        guard tick.entryNumber >= first else { return .unknown }
        let index = tick.entryNumber - first
        guard index < UInt64(digests.count) else { return .differs(nil) }
        let digest = digests[Int(index)]
        digests.removeFirst(Int(index))
        first = tick.entryNumber
        return digest.hex == tick.digest ? .equal : .differs(digest.hex)
    }
}
