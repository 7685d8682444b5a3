internal import Tables
internal import Vocabulary

/// Traverses the ranking of a pool downwards, as far as required.
struct RankingCursor {
    private var ranks: [PoolSource.Rank]
    private var order: [PoolSource.Rank]
    private var next = 0
    /// Number of ranks looked up; more are looked up as needed.
    private var wanted: Int
    private let excluded: Set<SampleID>
    private let policy: AcquisitionPolicy
    private let time: StreamTime
    /// Visited candidates that are to be set aside.
    private(set) var foundSetAside: [PooledCandidate] = []

    /// - Parameters:
    ///   - pool: Pool; every later call must pass the same one.
    ///   - width: Candidates that a rule considers, and whether they are spread over more.
    ///   - count: Samples wanted.
    ///   - excluded: Candidates that are not visited.
    ///   - policy: The policy in force.
    ///   - time: Time of the entry.
    init(
        _ pool: PoolSource,
        width: (candidates: Int, isSpreadOverAll: Bool),
        count: Int,
        excluding excluded: Set<SampleID>,
        _ policy: AcquisitionPolicy,
        at time: StreamTime
    ) {
        self.excluded = excluded
        self.policy = policy
        self.time = time
        // A few more than are considered: some will be set aside, and ranking all again costs more.
        let reach = width.isSpreadOverAll ? 4 * width.candidates : width.candidates * 5 / 4 + 16
        wanted = min(pool.candidates.count, reach + excluded.count)
        ranks = Self.ranked(pool, wanted, policy, at: time)
        order = excluded.isEmpty ? ranks : ranks.filter { !excluded.contains($0.id) }
        if width.isSpreadOverAll { spread(over: width.candidates, atLeast: 2 * count) }
    }

    /// Moves the candidates at even distances to the front, in order; the others follow, in order.
    private mutating func spread(over limit: Int, atLeast enough: Int) {
        let waiting = Array(order.prefix { $0.setAside == 0 })
        guard !waiting.isEmpty else { return }
        let chosen = PoolSource.spread(waiting, over: limit, atLeast: enough)
        guard chosen.count < order.count else { return }
        let isChosen = Set(chosen.map(\.id))
        order = chosen + order.filter { !isChosen.contains($0.id) }
    }

    /// The next candidate that is not set aside; nil where there is none.
    mutating func nextWaiting(in pool: inout PoolSource) -> PooledCandidate? {
        while let rank = peek(pool), rank.setAside == 0 {
            next += 1
            guard let pooled = pool.candidates[rank.id] else { continue }
            // The candidate was judged when it arrived; more samples have been queried since.
            guard let reason = pool.reason(toSetAside: pooled.candidate.sample, policy) else { return pooled }
            let aside = pooled.settingAside(reason)
            pool.candidates[rank.id] = aside
            foundSetAside.append(aside)
        }
        return nil
    }

    /// The next candidate that is set aside, once all others have been visited.
    mutating func nextSetAside(in pool: PoolSource) -> PooledCandidate? {
        while let rank = peek(pool) {
            next += 1
            if let pooled = pool.candidates[rank.id] { return pooled }
        }
        return nil
    }

    /// Utility of the next candidate, and the version number of the model that scored it; nil if the candidate is set
    /// aside or there is none.
    mutating func bound(in pool: PoolSource) -> (utility: Double, versionNumber: Int)? {
        guard let rank = peek(pool), rank.setAside == 0 else { return nil }
        return (rank.utility, rank.versionNumber)
    }

    private mutating func peek(_ pool: PoolSource) -> PoolSource.Rank? {
        while next >= order.count {
            guard wanted < pool.candidates.count else { return nil }
            // Few pools hold so many similar candidates: they are searched in steps.
            wanted = min(pool.candidates.count, 4 * wanted)
            let more = Self.ranked(pool, wanted, policy, at: time).dropFirst(ranks.count)
            ranks += more
            order += more.filter { !excluded.contains($0.id) }
        }
        return order[next]
    }

    /// - Complexity: O(*n* + *count* log² *count*) on average.
    private static func ranked(
        _ pool: PoolSource,
        _ count: Int,
        _ policy: AcquisitionPolicy,
        at time: StreamTime
    ) -> [PoolSource.Rank] {
        let setsAside = policy.setsAside
        return pool.candidates.smallest(count) { id, pooled in
            PoolSource.Rank(
                setAside: setsAside ? pooled.setAside?.order ?? 0 : 0,
                versionNumber: pooled.modelVersionNumber,
                utility: Utility.value(pooled, policy, at: time),
                id: id
            )
        }
    }
}
