internal import Tables
public import Vocabulary

/// Selection of the samples whose labels are worth an annotator's time.
extension AcquisitionState {
    /// Adds a candidate to the sources that it belongs to. A candidate of the audit sample is added to that source
    /// only, so that no test label is ever a training label.
    ///
    /// - Parameters:
    ///   - candidate: Candidate; it belongs to the audit sample if it has an audit probability.
    ///   - modelVersionNumber: The dataset version number of the model that scored it, 0 for none or an unknown one.
    ///   - context: Context at the entry that contains it.
    /// - Complexity: O(1) on average, O(*poolCapacity*) for the first after a batch, or if a table of triggers is full.
    public mutating func receive(_ candidate: Candidate, modelVersionNumber: Int, _ context: SelectionContext) {
        let id = candidate.sample.id
        if let purpose = accounts.queried[id] {
            guard purpose == .audit else { return }
            accounts.confidentErrors.observe(
                candidate,
                modelVersionNumber: modelVersionNumber,
                context.policy,
                classes: context.classes
            )
            return
        }
        let isAudited = candidate.auditProbability != nil
        guard isFree(candidate.sample, isAudited ? .audit : .acquisition, context.policy) else { return }
        if accounts.schedule.value.waitingSince == nil { accounts.schedule.value.waitingSince = context.time }
        let pooled = PooledCandidate(candidate: candidate, modelVersionNumber: modelVersionNumber)
        if isAudited {
            pool.remove(id)
            audit.receive(pooled, context)
        }
        // The sample was drawn for the audit sample under a cut-off that has been lowered since: it stays there.
        let isInAudit = audit.candidates[id] != nil
        if !isAudited, !isInAudit, !candidate.isBelowThreshold { pool.receive(pooled, &accounts, context) }
        if isInAudit {
            triggers.remove(id)
        } else if !candidate.triggers.isEmpty || !candidate.pendingTriggers.isEmpty {
            triggers.receive(pooled, context)
        }
    }

    /// Applies the feedback of a user: triggers may have waited for it.
    ///
    /// - Complexity: O(*poolCapacity*) if a trigger fires and the table is full, else O(1).
    public mutating func receive(_ feedback: Feedback, _ context: SelectionContext) {
        triggers.receive(feedback, context)
    }

    /// Chooses the next batch, if one is due, and reserves its votes.
    ///
    /// - Returns: Distinct samples, the audit sample's last; empty when no batch is due.
    public mutating func selectBatch(_ context: SelectionContext) -> [Selection] {
        accounts.ledger.value.advance(to: context.time, budget: context.policy.budget)
        accounts.settleAudits(context.policy)
        guard context.hasRoom(), hasCandidates(context) else {
            accounts.schedule.value.waitingSince = nil
            return []
        }
        // The maximum wait begins when a batch becomes possible: the model trained on the last batch may still be in
        // training.
        if accounts.schedule.value.waitingSince == nil { accounts.schedule.value.waitingSince = context.time }
        var check = QuotaCheck()
        writeSources(&check, context)
        guard isReady(context) else { return [] }
        accounts.makeRoomForSlices(context)
        accounts.confidentErrors.settle(context.policy)
        var shares = BatchShares(room(context))
        writeSources(&shares, context)
        let batch = claim(shares.batch, context).map { triggers.addTriggers(to: $0).costing(context.policy.voteCost) }
        reserve(batch, context)
        guard !batch.isEmpty else { return [] }
        accounts.schedule.value.lastBatchAt = context.time
        accounts.schedule.value.lastBatchVersionNumber = context.newestVersionNumber
        count(batch, context.policy)
        let isPossible = context.hasRoom(after: batch.count) && hasCandidates(context)
        accounts.schedule.value.waitingSince = isPossible ? context.time : nil
        return batch
    }

    /// Time at which a batch may become due without a further candidate.
    ///
    /// - Returns: Nil if only a further entry can make a batch due.
    public func nextDeadline(_ context: SelectionContext) -> StreamTime? {
        guard let waiting = accounts.schedule.value.waitingSince, hasCandidates(context), context.hasRoom()
        else { return nil }
        if isExhausted(context) {
            // If no window's budget can ever cover a task, there is no deadline.
            let policy = context.policy
            let most = policy.budget.mostTasks(votes: context.votesPerTask, cost: policy.voteCost)
            return most == 0 ? nil : accounts.windowEnd(policy)
        }
        var queryTime = EarliestQueryTime(room(context))
        readSources(&queryTime, context)
        switch queryTime.earliest {
        case .afterMaximumWait: return waiting.advanced(byMilliseconds: maximumWait(context))
        case .at(let time): return time
        case .never: return nil
        }
    }

    /// Whether the batch need not wait any longer: a source is ready, or the maximum wait is over.
    private func isReady(_ context: SelectionContext) -> Bool {
        let since = accounts.schedule.value.waitingSince ?? context.time
        if context.time.milliseconds(since: since) >= maximumWait(context) { return true }
        var ready = AnyReady(room(context))
        readSources(&ready, context)
        return ready.isFound
    }

    /// Longest time, in milliseconds, that a batch waits for a source to become ready. If the newest model has scored
    /// as many candidates as are wanted, the wait serves only a wider choice, which a pool that receives few new
    /// samples never gets; it is then divided by `scoredDivisor`.
    func maximumWait(_ context: SelectionContext) -> Int64 {
        let policy = context.policy
        guard policy.edition >= 2, pool.isScored(context, accounts) else { return policy.maximumWait }
        return policy.maximumWait / Self.scoredDivisor
    }

    /// Divisor of `maximumWait` if a batch waits only for a wider choice.
    private static let scoredDivisor: Int64 = 4

    func hasCandidates(_ context: SelectionContext) -> Bool {
        var candidates = AnyCandidates()
        readSources(&candidates, context)
        return candidates.isFound
    }

    func room(_ context: SelectionContext) -> BatchRoom {
        var room = BatchRoom(accounts, context)
        readSources(&room, context)
        room.reserve(for: audit, accounts, context)
        return room
    }

    // MARK: - Accounts

    /// Whether no sample that was queried or imported before blocks a sample: a copy of its content, or a member of its
    /// group on another side. Always true in edition 1.
    private func isFree(_ sample: Sample, _ purpose: TaskPurpose, _ policy: AcquisitionPolicy) -> Bool {
        policy.edition < 2 || sides.obstacle(sample, purpose) == nil
    }

    /// Removes from a batch, and from all sources, samples whose content or group an earlier sample, of the batch or
    /// before it, has already claimed.
    private mutating func claim(_ batch: [Selection], _ context: SelectionContext) -> [Selection] {
        guard context.policy.edition >= 2 else { return batch }
        var claimed: [Selection] = []
        for selection in batch {
            // A label that is used neither for training nor for testing cannot be on a wrong side.
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

    /// Reserves the votes of a batch; a sample that the budget does not cover remains in the batch, and may be queried
    /// again.
    private mutating func reserve(_ batch: [Selection], _ context: SelectionContext) {
        let policy = context.policy
        for selection in batch {
            guard accounts.ledger.value.reserve(context.votesPerTask, cost: policy.voteCost, of: policy.budget) else {
                break
            }
            if selection.purpose == .audit, let pooled = audit.candidates[selection.sample.id] {
                accounts.confidentErrors.note(pooled, policy, classes: context.classes)
            }
            var removal = SampleRemoval(sample: selection.sample.id)
            writeSources(&removal, context)
            accounts.queried[selection.sample.id] = selection.purpose
        }
    }

    private mutating func count(_ batch: [Selection], _ policy: AcquisitionPolicy) {
        for selection in batch {
            guard selection.purpose.split == .training else {
                if selection.purpose == .audit { accounts.countAudit(policy) }
                continue
            }
            if policy.sharesByWindow { accounts.schedule.value.auditOwed += policy.auditRatio }
            pool.storeSketch(of: selection.sample, index: accounts.schedule.value.trainingSamples, policy)
            accounts.schedule.value.acquisitionTasks += 1
        }
        pool.setAsideCopies(of: batch.filter { $0.purpose.split == .training }.map(\.sample), policy)
    }
}
