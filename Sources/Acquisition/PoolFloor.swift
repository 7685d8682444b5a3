internal import Tables
internal import Vocabulary

/// The least useful candidates of a full pool, known beforehand: the next one to give way is found without a look at all of
/// them.
///
/// A cache, no part of the state: it holds for one revision of the table and is built anew for any other.
struct PoolFloor: Sendable {
    /// Where a candidate stands among the useless, the first to give way least.
    struct Rank: Comparable, Sendable {
        let ordinal: Int
        let score: Double
        let id: SampleID

        init(_ pooled: PooledCandidate) {
            ordinal = pooled.modelOrdinal
            score = pooled.candidate.score
            id = pooled.candidate.sample.id
        }

        static func < (a: Rank, b: Rank) -> Bool {
            if a.ordinal != b.ordinal { return a.ordinal < b.ordinal }
            return a.score != b.score ? a.score < b.score : a.id > b.id
        }
    }

    private static let size = 64
    private var revision: UInt64?
    /// Ascending; every candidate that is not among them stands above them all.
    private var ranks: [Rank] = []

    /// Puts a candidate into a full pool in place of the least useful, if it is more useful than that.
    ///
    /// - Complexity: O(1) on average over many, O(*n*) where the pool was changed by others since.
    mutating func replace(in pool: inout Table<SampleID, PooledCandidate>, with pooled: PooledCandidate) {
        if revision != pool.revision || ranks.isEmpty { build(pool) }
        let rank = Rank(pooled)
        guard let least = ranks.first, least < rank else { return }
        pool[least.id] = nil
        ranks.removeFirst()
        pool[rank.id] = pooled
        insert(rank)
        revision = pool.revision
    }

    /// Puts what a newer model says of a candidate in place of what was known.
    mutating func update(in pool: inout Table<SampleID, PooledCandidate>, with pooled: PooledCandidate) {
        let isCurrent = revision == pool.revision
        let rank = Rank(pooled)
        pool[rank.id] = pooled
        guard isCurrent else { return }
        if let last = ranks.last {
            ranks.removeAll { $0.id == rank.id }
            // What stood above all of them must go on doing so.
            if rank < last { insert(rank) }
        }
        revision = pool.revision
    }

    private mutating func build(_ pool: Table<SampleID, PooledCandidate>) {
        ranks = pool.least(Self.size) { _, pooled in Rank(pooled) }
        revision = pool.revision
    }

    private mutating func insert(_ rank: Rank) {
        guard let last = ranks.last, rank < last else { return }
        let place = ranks.firstIndex { rank < $0 } ?? ranks.count
        ranks.insert(rank, at: place)
        if ranks.count > Self.size { ranks.removeLast() }
    }
}
