internal import Tables
public import Vocabulary

/// Decides which samples are worth a person's second.
extension AcquisitionState {
    /// Takes a candidate into the sources that it belongs to: of the audit sample into that alone, so that no test label is ever
    /// a training label.
    ///
    /// - Parameters:
    ///   - candidate: Belongs to the audit sample if it has an audit probability.
    ///   - modelOrdinal: The dataset ordinal of the model that scored it, 0 for none or an unknown one.
    ///   - context: The entry that brought it.
    /// - Complexity: O(1) on average, O(*poolCapacity*) for the first after a batch, or where a table of triggers is full.
    public mutating func receive(_ candidate: Candidate, modelOrdinal: Int, _ context: SelectionContext) {
        let id = candidate.sample.id
        if let purpose = accounts.asked[id] {
            guard purpose == .audit else { return }
            accounts.confidentErrors.heard(
                candidate,
                modelOrdinal: modelOrdinal,
                context.policy,
                classes: context.classes
            )
            return
        }
        let isAudited = candidate.auditProbability != nil
        guard isFree(candidate.sample, isAudited ? .audit : .acquisition, context.policy) else { return }
        if accounts.cadence.value.waitingSince == nil { accounts.cadence.value.waitingSince = context.time }
        let pooled = PooledCandidate(candidate: candidate, modelOrdinal: modelOrdinal)
        if isAudited {
            pool.remove(id)
            audit.receive(pooled, context)
        }
        // Drawn for the audit sample once, under a cut-off that has been lowered since: it stays there.
        let isInAudit = audit.candidates[id] != nil
        if !isAudited, !isInAudit, !candidate.isBelowThreshold { pool.receive(pooled, &accounts, context) }
        if isInAudit {
            triggers.remove(id)
        } else if !candidate.triggers.isEmpty || !candidate.awaiting.isEmpty {
            triggers.receive(pooled, context)
        }
    }

    /// Takes in what a user did: triggers may have waited for it.
    ///
    /// - Complexity: O(*poolCapacity*) where a trigger fires and the table is full, else O(1).
    public mutating func heard(_ feedback: Feedback, _ context: SelectionContext) { triggers.heard(feedback, context) }

    /// Chooses the next batch, if one is due, and reserves its votes.
    ///
    /// - Returns: Distinct samples, the audit sample's last; empty when no batch is due.
    public mutating func selectBatch(_ context: SelectionContext) -> [Selection] {
        accounts.ledger.value.advance(to: context.time, budget: context.policy.budget)
        accounts.settleAudits(context.policy)
        guard context.hasRoom(), hasCandidates(context) else {
            accounts.cadence.value.waitingSince = nil
            return []
        }
        // Patience begins when a batch becomes possible: the model that the last one taught may still be in training.
        if accounts.cadence.value.waitingSince == nil { accounts.cadence.value.waitingSince = context.time }
        var lookup = QuotaLookup()
        writeSources(&lookup, context)
        guard isReady(context) else { return [] }
        accounts.makeRoomForSlices(context)
        accounts.confidentErrors.settle(context.policy)
        var shares = BatchShares(room(context))
        writeSources(&shares, context)
        let batch = claim(shares.batch, context).map { triggers.mark($0).costing(context.policy.voteCost) }
        reserve(batch, context)
        guard !batch.isEmpty else { return [] }
        accounts.cadence.value.lastBatchAt = context.time
        accounts.cadence.value.lastBatchOrdinal = context.newestOrdinal
        count(batch, context.policy)
        let isPossible = context.hasRoom(after: batch.count) && hasCandidates(context)
        accounts.cadence.value.waitingSince = isPossible ? context.time : nil
        return batch
    }

    /// When a batch could become due without a further candidate.
    ///
    /// - Returns: Nil where only an entry can bring it about.
    public func nextDeadline(_ context: SelectionContext) -> StreamTime? {
        guard let waiting = accounts.cadence.value.waitingSince, hasCandidates(context), context.hasRoom()
        else { return nil }
        if isExhausted(context) {
            // A budget that never holds a task is not waited for.
            let policy = context.policy
            let most = policy.budget.mostTasks(votes: context.votesPerTask, cost: policy.voteCost)
            return most == 0 ? nil : accounts.windowEnd(policy)
        }
        var asking = EarliestAsking(room(context))
        readSources(&asking, context)
        switch asking.earliest {
        case .afterPatience: return waiting.advanced(byMilliseconds: patience(context))
        case .at(let time): return time
        case .never: return nil
        }
    }

    /// A batch waits for a source that is ready, but not for ever.
    private func isReady(_ context: SelectionContext) -> Bool {
        let since = accounts.cadence.value.waitingSince ?? context.time
        if context.time.milliseconds(since: since) >= patience(context) { return true }
        var ready = AnyReady(room(context))
        readSources(&ready, context)
        return ready.isFound
    }

    /// Milliseconds that a batch waits for a source that is ready. Where the newest model has scored as many as are asked for, it
    /// waits for a wider choice alone, and a pool that few new samples come to never has one.
    func patience(_ context: SelectionContext) -> Int64 {
        let policy = context.policy
        guard policy.edition >= 2, pool.isScored(context, accounts) else { return policy.patience }
        return policy.patience / Self.scoredPatience
    }

    /// Divisor of `patience` where only a wider choice is waited for.
    private static let scoredPatience: Int64 = 4

    func hasCandidates(_ context: SelectionContext) -> Bool {
        var candidates = AnyCandidates()
        readSources(&candidates, context)
        return candidates.isFound
    }

    func room(_ context: SelectionContext) -> BatchRoom {
        var room = BatchRoom(accounts, context)
        readSources(&room, context)
        room.spare(for: audit, accounts, context)
        return room
    }

    // MARK: - Accounts

    /// Whether neither content nor group of a sample speaks against its side. Edition 1 does not look.
    private func isFree(_ sample: Sample, _ purpose: TaskPurpose, _ policy: AcquisitionPolicy) -> Bool {
        policy.edition < 2 || sides.obstacle(sample, purpose) == nil
    }

    /// Leaves out of a batch, and of all sources, what another sample of it or before has come first with.
    private mutating func claim(_ batch: [Selection], _ context: SelectionContext) -> [Selection] {
        guard context.policy.edition >= 2 else { return batch }
        var claimed: [Selection] = []
        for selection in batch {
            // A label that neither trains nor tests can stand on no wrong side.
            guard selection.purpose.split == nil || isFree(selection.sample, selection.purpose, context.policy) else {
                var removal = SampleRemoval(sample: selection.sample.id)
                writeSources(&removal, context)
                continue
            }
            sides.note(selection.sample, selection.purpose)
            claimed.append(selection)
        }
        return claimed
    }

    /// Reserves the votes of a batch; what the budget does not hold stays in the batch, and may be asked for again.
    private mutating func reserve(_ batch: [Selection], _ context: SelectionContext) {
        let policy = context.policy
        for selection in batch {
            guard accounts.ledger.value.reserve(context.votesPerTask, cost: policy.voteCost, of: policy.budget) else {
                break
            }
            if selection.purpose == .audit, let pooled = audit.candidates[selection.sample.id] {
                accounts.confidentErrors.asked(pooled, policy, classes: context.classes)
            }
            var removal = SampleRemoval(sample: selection.sample.id)
            writeSources(&removal, context)
            accounts.asked[selection.sample.id] = selection.purpose
        }
    }

    private mutating func count(_ batch: [Selection], _ policy: AcquisitionPolicy) {
        for selection in batch {
            guard selection.purpose.split == .training else {
                if selection.purpose == .audit { accounts.countAudit(policy) }
                continue
            }
            if policy.sharesByWindow { accounts.cadence.value.auditOwed += policy.auditRatio }
            pool.remember(selection.sample, task: accounts.cadence.value.trainingSamples, policy)
            accounts.cadence.value.acquisitionTasks += 1
        }
        pool.setAsideCopies(of: batch.filter { $0.purpose.split == .training }.map(\.sample), policy)
    }
}
