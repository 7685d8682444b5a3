internal import Kinds
internal import Statistics
internal import Tables
public import Vocabulary

/// Evidence: predictions that entered before annotators were queried, and the labels that followed.
extension RolloutState {
    /// Maximum number of audit tasks with a pair whose labels have not entered yet; the labels of tasks opened beyond
    /// it are not evidence.
    public static let openingCapacity = 4_096
    /// Number of pairs above which pairs that no sample needs are removed.
    static let pairCapacity = 64

    /// Fixes the pair of an audit sample, if it has none of the running era and may get one: the champion has predicted
    /// the sample, and there is a challenger that has predicted before. Called for each live prediction of an audit
    /// sample, after `predicted`.
    ///
    /// - Parameters:
    ///   - sample: A sample of the audit draw.
    ///   - version: The model that made the prediction.
    ///   - policy: The revision in force.
    ///   - isWanted: Whether services are to shadow the sample, and the current pair needs another sample.
    ///   - isShown: Whether a service showed the prediction, rather than shadowed with it.
    ///   - time: The time of the entry.
    /// - Returns: The pairing of the sample; nil if models are not judged by eras, or if nothing is stored about the
    ///   sample.
    /// - Complexity: O(1); O(*rowCapacity*) for the first sample of a pair.
    public mutating func pair(
        _ sample: SampleID,
        predictedBy version: ModelVersion,
        policy: RolloutPolicy,
        isWanted: Bool = true,
        isShown: Bool = true,
        at time: StreamTime
    ) -> AuditPairing? {
        guard policy.bound != .challenger, var row = rows[sample] else { return nil }
        let isFixed = row.pair.map { bets[$0.number] != nil } ?? false
        if !isFixed, row.opening == nil, row.label == nil, isWanted, row.prediction(of: version) != nil,
            let number = newPair(by: version, isShown, policy)
        {
            row.pair = RowPair(number: number, fixedAt: time)
            order.set(sample, row, in: &rows)
        }
        return pairing(of: row)
    }

    /// The number of the pair assigned to a sample that a version has predicted; nil if none is assigned.
    private mutating func newPair(by version: ModelVersion, _ isShown: Bool, _ policy: RolloutPolicy) -> Int? {
        // While a model is in rollout, no era is running: the next one begins under the champion that follows.
        if let rollout = progress.value.rollout {
            // The model was promoted by its predictions in shadow; a rollout judges the predictions that it serves.
            return isShown ? bakePair(rollout, by: version, policy) : nil
        }
        let state = roles.value
        guard version == state.champion?.version, policy.predicts || state.challengerLivePredictions > 0,
            !isProvisional(policy)
        else { return nil }
        return currentPair(state)
    }

    /// The number of the pair of the champion and the current challenger, or that of the rollout in progress; nil
    /// before its first sample. The pair of a replaced challenger is no longer current: its waiting samples occupy no
    /// slot of the next challenger's pair.
    public var currentPair: Int? {
        if let rollout = progress.value.rollout { return rollout.bake?.pair }
        guard let challenger = roles.value.challenger, currentBet(challenger) != nil else { return nil }
        return era.value.currentPair
    }

    /// Returns the pairing of a sample, for the code that queries its label.
    func pairing(of row: AuditRow) -> AuditPairing {
        guard let pair = row.pair, let bet = bets[pair.number] else { return AuditPairing(enteredAt: row.since) }
        return AuditPairing(
            enteredAt: row.since,
            pair: pair.number,
            fixedAt: pair.fixedAt,
            stratum: row.stratum(bet),
            awaitedUntil: pair.awaitedUntil
        )
    }

    /// Records that the task of an audit sample opens: the predictions of its two models are fixed.
    ///
    /// - Parameters:
    ///   - sample: The queried sample.
    ///   - isDuel: Whether it is queried because the two models disagree.
    ///   - time: The time of the entry.
    public mutating func opened(_ sample: SampleID, isDuel: Bool, at time: StreamTime) {
        guard var row = rows[sample], row.opening == nil, let pair = row.pair, let bet = bets[pair.number],
            let champion = row.prediction(of: bet.champion), openings.count < Self.openingCapacity
        else { return }
        era.value.opened += 1
        let challenger = row.prediction(of: bet.challenger)
        var ledger = ledger(of: pair.number)
        ledger.counts.settled += 1
        if challenger == nil { ledger.counts.silent += 1 }
        set(ledger, of: pair.number)
        let number = era.value.opened
        openings[number] = AuditOpening(
            sample: sample,
            pair: pair.number,
            champion: champion,
            challenger: challenger,
            isDuel: isDuel,
            openedAt: time
        )
        row.opening = number
        row.isDuel = isDuel
        order.set(sample, row, in: &rows)
    }

    /// Records that the task of an audit sample is closed: its label enters once all tasks opened before it are closed.
    ///
    /// If labels entered in the order of arrival, samples that are labelled quickly would decide.
    ///
    /// - Parameters:
    ///   - sample: The queried sample.
    ///   - label: The label accepted as a test label; nil if there is none.
    ///   - policy: The revision in force.
    /// - Complexity: O(1) for each label that enters, O(*openings*) if the sample's row was evicted.
    public mutating func closed(_ sample: SampleID, label: Label?, policy: RolloutPolicy) {
        guard let number = opening(of: sample), var opening = openings[number], !opening.isClosed else { return }
        opening.isClosed = true
        opening.label = label
        openings[number] = opening
        while let next = openings[era.value.entered + 1], next.isClosed {
            era.value.entered += 1
            openings[era.value.entered] = nil
            enter(next, policy)
        }
    }

    private func opening(of sample: SampleID) -> Int? {
        if let row = rows[sample], let opening = row.opening { return opening }
        // A full table may have evicted the sample's row.
        return openings.reduce(into: Int?.none) { found, number, opening in
            if opening.sample == sample { found = number }
        }
    }

    // MARK: - Bets

    /// Enters the label of a closed task, if there is one.
    private mutating func enter(_ opening: AuditOpening, _ policy: RolloutPolicy) {
        guard let label = opening.label else { return }
        let isBake = progress.value.rollout?.bake?.pair == opening.pair
        guard isBake || era.value.isRunning, var bet = bets[opening.pair] else {
            era.value.counts.ofAnotherEra += 1
            return
        }
        var ledger = ledger(of: opening.pair)
        let challengerAgreement = opening.challenger?.agreement(with: label) ?? 0
        let difference = PairCounts.rounded(challengerAgreement - opening.champion.agreement(with: label))
        if policy.block > 0 {
            let number = opening.openedAt.milliseconds / policy.block
            if ledger.block?.number != number {
                endBlock(&ledger)
                ledger.block = EraBlock(number: number)
            }
            // The end of the last block may have changed the bet; its stake then stays the same for the whole block.
            bet = bets[opening.pair] ?? bet
            ledger.block?.labels += 1
            ledger.block?.bets += bet.stake * difference
        } else {
            endBlock(&ledger)
            bet = bets[opening.pair] ?? bet
            ledger.logCapital += Reproducible.log1p(bet.stake * difference)
        }
        bet.count(difference, inBlock: policy.block > 0)
        bets[opening.pair] = bet
        ledger.count(opening, difference)
        set(ledger, of: opening.pair)
    }

    /// Ends the current block: its labels make one factor of the capital.
    private mutating func endBlock(_ ledger: inout BetLedger) {
        guard let block = ledger.block else { return }
        ledger.block = nil
        guard block.labels > 0 else { return }
        ledger.logCapital += Reproducible.log1p(block.bets / Double(block.labels))
        for (number, row) in bets.sortedRows where row.blockLabels > 0 {
            var bet = row
            bet.endBlock()
            bets[number] = bet
        }
    }

    // MARK: - Eras

    /// Returns the pair of the champion and the current challenger; creates it if it is new, and an era with it if none
    /// is running.
    private mutating func currentPair(_ state: ModelRoles) -> Int? {
        guard let champion = state.champion?.version, let challenger = state.challenger?.version else { return nil }
        if let number = currentPair { return number }
        if !era.value.isRunning {
            era.value.isRunning = true
            era.value.number += 1
        }
        forgetPairs()
        era.value.pairs += 1
        let number = era.value.pairs
        let prior = priorSums(champion, challenger)
        bets[number] = PairBet(
            champion: champion,
            challenger: challenger,
            priorSum: prior.sum,
            priorSquares: prior.squares
        )
        era.value.currentPair = number
        return number
    }

    /// Sums D and D² of `PairBet` over the labels for which the predictions of both models are known, including those
    /// that a trainer reported.
    private func priorSums(_ champion: ModelVersion, _ challenger: ModelVersion) -> (sum: Double, squares: Double) {
        rows.reduce(into: (sum: 0, squares: 0)) { sums, _, row in
            guard let label = row.label, let old = row.prediction(of: champion),
                let new = row.prediction(of: challenger)
            else { return }
            // Multiples of 2⁻²⁰, whose sum does not depend on the order.
            let difference = PairCounts.rounded(new.agreement(with: label) - old.agreement(with: label))
            sums.sum += difference
            sums.squares += PairCounts.rounded(difference * difference)
        }
    }

    /// Removes pairs that no sample needs any more, if there are at least `pairCapacity` pairs.
    mutating func forgetPairs() {
        guard bets.count >= Self.pairCapacity else { return }
        var needed: Set<Int> = rows.reduce(into: []) { needed, _, row in
            if let pair = row.pair, row.label == nil { needed.insert(pair.number) }
        }
        openings.reduce(into: ()) { _, _, opening in needed.insert(opening.pair) }
        for number in bets.sortedKeys where !needed.contains(number) && bets[number]?.blockLabels == 0 {
            bets[number] = nil
        }
    }

    /// Ends the era, if one is running: its pairs and evidence are removed, and the next pair that is fixed begins an
    /// era.
    mutating func endEra() {
        guard era.value.isRunning else { return }
        era.value.isRunning = false
        era.value.logCapital = 0
        era.value.currentPair = nil
        era.value.counts = EraCounts()
        era.value.block = nil
        for number in bets.sortedKeys { bets[number] = nil }
    }

    /// Whether nothing can be proven yet, so that the newest model that leads on the few labels serves: no incumbent
    /// was registered, no era has begun, and fewer than `rollout.provisional` audit labels are known.
    ///
    /// - Complexity: O(*rowCapacity*) before the first era, then O(1).
    public func isProvisional(_ policy: RolloutPolicy) -> Bool {
        guard policy.provisional > 0, era.value.number == 0 else { return false }
        let state = roles.value
        if state.champion?.datasetVersionNumber == 0
            || state.history.contains(where: { $0.model.datasetVersionNumber == 0 })
        {
            return false
        }
        return rows.count { $1.label != nil } < policy.provisional
    }
}

extension AuditRow {
    /// Agreement of the predictions by the models of its pair; `unknown` where one is missing.
    func stratum(_ bet: PairBet) -> AuditStratum {
        guard let new = prediction(of: bet.challenger), let old = prediction(of: bet.champion) else { return .unknown }
        return new.agreement(with: old) < 1 ? .disagree : .agree
    }
}
