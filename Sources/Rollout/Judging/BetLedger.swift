internal import Tables
internal import Vocabulary

/// State of the bets of an era, or of a rollout.
struct BetLedger {
    var logCapital: Double
    var counts: EraCounts
    var block: EraBlock?
}

extension RolloutState {
    /// Returns the ledger that a pair's labels enter: that of the rollout in progress for the rollout's own pair, else
    /// the era's.
    ///
    /// - Parameter pair: The number of the pair.
    /// - Returns: The current state of the ledger.
    func ledger(of pair: Int) -> BetLedger {
        if let bake = progress.value.rollout?.bake, bake.pair == pair {
            return BetLedger(logCapital: bake.logCapital, counts: bake.counts, block: bake.block)
        }
        let era = era.value
        return BetLedger(logCapital: era.logCapital, counts: era.counts, block: era.block)
    }

    mutating func set(_ ledger: BetLedger, of pair: Int) {
        if progress.value.rollout?.bake?.pair == pair {
            progress.value.rollout?.bake = BakeEvidence(
                pair: pair,
                logCapital: ledger.logCapital,
                counts: ledger.counts,
                block: ledger.block
            )
            return
        }
        var changed = era.value
        (changed.logCapital, changed.counts, changed.block) = (ledger.logCapital, ledger.counts, ledger.block)
        era.value = changed
    }
}

extension BetLedger {
    /// Counts the label of a task whose pair belongs to this ledger.
    mutating func count(_ opening: AuditOpening, _ difference: Double) {
        counts.labels += 1
        if difference > 0 { counts.wins += 1 }
        if difference < 0 { counts.losses += 1 }
        if opening.isDuel { counts.duels += 1 }
        counts.firstOpenedAt = counts.firstOpenedAt ?? opening.openedAt
        counts.lastOpenedAt = opening.openedAt
    }
}
