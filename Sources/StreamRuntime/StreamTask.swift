/// The commit cycle of one role: poll, process, commit; on one thread, without a pause between.
///
///     running --revoked--> commit --> unassign --> running
///     running --lost-----> undo ----> unassign --> running
///     commit --abortable-> abort, undo, rewind to the committed offsets --> running
///     commit --fatal-----> new producer; the committed offsets say whether the transaction stands --> running
///
/// A transaction is open only while it is committed: everything that goes into it is in memory before it opens.
public final class StreamTask {
    let transport: any StreamTransport
    let stage: any Processor
    let policy: CommitPolicy
    let transactionalID: String
    let environment: StreamTaskEnvironment
    /// Attribute committed with every offset, which must agree with that of the other members; nil for none.
    let agreement: OffsetAttribute?
    /// Words beside the offsets found that are others', by partition.
    var foreignWords: [TopicPartition: [String]] = [:]
    let consumer: any GroupConsumer
    var producer: (any TransactionalProducer)?
    let batch = RecordBatch()
    /// Part of the batch that was taken in last.
    var part: RecordBatch
    var turn = PendingTransaction()
    var turnBegan: Int64?
    /// Offsets of the group, as far as this task committed or read them.
    var committed: [TopicPartition: Int64] = [:]
    /// Where to read on after an abort: usually the group's offset, but a stage may have begun before it.
    var base: [TopicPartition: Int64] = [:]
    var owned: Set<TopicPartition> = []
    var isTroubled = false
    /// Why transactions do not stand, where a right is lacking; until one stands.
    var refusal: StreamError?
    /// Whether fetching is paused; nil where a client's idea of that is not known.
    var isHolding: Bool? = false
    /// How carefully to take what comes, after a death.
    var caution = PoisonDetector()
    /// Partitions that this process lost for a reason it knows.
    var explained: Set<TopicPartition>
    /// Marks that the next transaction stores beside those of what was read.
    var notes: [TopicPartition: OffsetMetadata] = [:]
    /// The record that makes up the turn, where it is taken alone.
    var alone: (partition: TopicPartition, offset: Int64)?
    /// How far the turn's records reach, where they are suspicious.
    var reached: [TopicPartition: Int64] = [:]
    /// The turn holds nothing that was polled.
    var isBetweenTurns = false
    /// Transactions in a row that did not stand, and polls that brought nothing but errors.
    var failures = 0
    /// Since when something has been taken in that no transaction holds, in milliseconds since 1970; nil while all is settled.
    /// A role's next life takes it over from the life before.
    public var unsettledSince: Int64?
    /// Since when the group owes an answer which partitions are ours, in milliseconds since 1970: from the beginning, and from
    /// the moment they were taken away. Nil once it has answered, be it with none.
    public internal(set) var waitsSince: Int64?
    /// Since when nothing has come although a broker answers.
    private var idleSince: Int64?
    private var pollFailures = 0
    private var pollPatience = Patience(0)

    /// A member of `group` that has joined nothing yet. `explained` are partitions that an earlier task of this process held
    /// when it failed for a reason outside of the records: no death is counted there. `agreement` is what all members of the
    /// group must agree in: a partition whose last owner said otherwise ends the task with `OffsetDisagreement`.
    public init(
        transport: any StreamTransport,
        stage: any Processor,
        group: String,
        instance: String,
        transactionalID: String,
        topics: [String],
        policy: CommitPolicy,
        explained: Set<TopicPartition> = [],
        agreement: OffsetAttribute? = nil,
        environment: StreamTaskEnvironment
    ) throws(StreamError) {
        self.transport = transport
        self.stage = stage
        self.policy = policy
        self.transactionalID = transactionalID
        self.explained = explained
        self.agreement = agreement
        self.environment = environment
        part = batch
        consumer = try transport.makeConsumer(group: group, instance: instance, topics: topics)
        waitsSince = environment.now()
    }

    /// Partitions owned now, in order.
    public var assignment: [TopicPartition] { owned.sorted() }

    /// One poll, and a commit when one is due. Errors that it cannot cure by itself are thrown; the task is closed then.
    public func cycle() throws {
        try hold()
        guard try workBetweenTurns() else { return }
        let outcome = try poll()
        noteSilence(outcome == .idle)
        switch outcome {
        case .idle: if pollFailures == 0 { caution.quiet(at: environment.now()) } else { caution.disturbed() }
        case .records: guard try takeIn() else { return }
        case .assigned(let partitions): try take(partitions)
        case .revoked(let partitions):
            try leave(partitions)
            try give(partitions, lost: false)
        case .lost(let partitions):
            undo()
            try give(partitions, lost: true)
        }
        tellTrouble()
        try checkMembership()
        guard !owned.isEmpty else { return }
        let now = environment.now()
        try stage.punctuate(now: now, into: &turn)
        if isCommitDue(now) { try commit() }
    }

    /// Commits what is open, says so, and leaves the group.
    public func close() {
        try? leave(assignment)
        consumer.close()
        producer?.close()
        producer = nil
    }

    /// Leaves without committing; what a fault does to a worker.
    public func abandon() {
        consumer.close()
        producer?.close()
        producer = nil
    }

    /// How long nothing must come until nothing is left to do, in milliseconds: what did not stand comes again at once.
    private static let silence: Int64 = 10_000

    /// Somebody else may have done what a life before this one left undone.
    private func noteSilence(_ isIdle: Bool) {
        guard isIdle, pollFailures == 0, turn.isEmpty, consumer.connectivityError == nil, !owned.isEmpty else {
            idleSince = nil
            return
        }
        let now = environment.now()
        let since = min(idleSince ?? now, now)
        idleSince = since
        if now - since >= Self.silence { unsettledSince = nil }
    }

    /// How long a group may owe an answer, in milliseconds: members that died are out of it in less, and one that it has
    /// forgotten waits for ever.
    public static let membershipPatience: Int64 = 120_000

    /// - Throws: When the group has not answered for so long: a new member of the same name joins it again.
    private func checkMembership() throws(StreamError) {
        guard let since = waitsSince else { return }
        let now = environment.now()
        // While no broker answers no group can; nor does time count that a clock went back.
        guard consumer.connectivityError == nil, pollFailures == 0, now >= since else {
            waitsSince = now
            return
        }
        guard now - since >= Self.membershipPatience else { return }
        throw StreamError(
            .retry,
            operation: "join the group",
            code: "_TIMED_OUT",
            reason: "it has not said for \((now - since) / 1_000) s which partitions are ours; joining it again"
        )
    }

    /// Something is in hand that must be committed.
    func noteWork() {
        if unsettledSince == nil { unsettledSince = environment.now() }
    }

    // MARK: - Turns

    /// Polls the consumer; for a while, a retriable error counts as nothing to read.
    private func poll() throws(StreamError) -> PollOutcome {
        do throws(StreamError) {
            let outcome = try consumer.poll(into: batch, maximum: policy.batchSize, timeoutMilliseconds: pollTimeout())
            pollFailures = 0
            return outcome
        } catch {
            if pollFailures == 0 { pollPatience = Patience(environment.now()) }
            guard error.disposition == .retry, pollPatience.lasts(at: environment.now()) else { throw error }
            pollFailures += 1
            environment.observe(.retrying(error, attempt: pollFailures))
            pause(pollFailures)
            return .idle
        }
    }

    /// Takes the batch in, as a whole unless something in it is suspicious.
    ///
    /// - Returns: False if a transaction did not stand: the consumer went back, and what is left of the batch comes again.
    private func takeIn() throws -> Bool {
        part = batch
        guard stage.isolates, !caution.isCalm else { return try takeIn(batch, nil) }
        caution.disturbed()
        let began = environment.now()
        defer { alone = nil }
        var slice = caution.slice(batch.records, of: Array(batch.records.indices), topics: consumer.topics)
        let needed = caution.notes(before: slice, owned: owned)
        if slice.isAlone || !needed.isEmpty {
            // What was taken before is committed first, and with it what must be known before this.
            notes.merge(needed) { $1 }
            guard try commit() else { return false }
        }
        caution.begin()
        while true {
            alone = slice.record
            part = batch.part(slice.indices)
            guard try takeIn(part, slice.record) else { return false }
            if slice.isAlone { for record in part.records { pass(record) } }
            let now = environment.now()
            let isLate = now - began >= Self.portionsPatience || now < began || environment.isStopping()
            var next: PoisonDetector.Portion?
            if !slice.rest.isEmpty, !isLate {
                let following = caution.slice(batch.records, of: slice.rest, topics: consumer.topics)
                notes.merge(caution.notes(before: following, owned: owned)) { $1 }
                next = following
            }
            if slice.isAlone || !slice.rest.isEmpty {
                guard try commit() else { return false }
                caution.took(slice)
            }
            guard let following = next else {
                if !slice.rest.isEmpty { try leaveOver(slice.rest) }
                return true
            }
            slice = following
        }
    }

    /// How long portions of one batch are taken before rebalances, the stop and the timers have their turn, in milliseconds.
    private static let portionsPatience: Int64 = 1_000

    /// These come again.
    private func leaveOver(_ rest: [Int]) throws {
        var positions: [TopicPartition: Int64] = [:]
        for index in rest {
            let record = batch.records[index]
            let partition = TopicPartition(consumer.topics[record.topic], record.partition)
            if positions[partition] == nil { positions[partition] = record.offset }
        }
        try consumer.seek(positions)
    }

    /// One portion.
    private func takeIn(_ part: RecordBatch, _ record: (partition: TopicPartition, offset: Int64)?) throws -> Bool {
        do {
            if let record, let isolation = caution.verdict(record.partition, record.offset) {
                environment.observe(.isolating(record.partition, record.offset, isolation))
                if turnBegan == nil { turnBegan = environment.now() }
                noteWork()
                turn.records += 1
                try stage.quarantine(part, topics: consumer.topics, because: isolation, into: &turn)
            } else {
                try process(part)
            }
            return true
        } catch {
            guard stage.isAboutRecord(error) else { throw error }
            try refuse("\(error)")
            return false
        }
    }

    private func process(_ batch: RecordBatch) throws {
        if turnBegan == nil { turnBegan = environment.now() }
        noteWork()
        turn.records += batch.records.count
        try stage.process(batch, topics: consumer.topics, into: &turn)
    }

    /// The record is processed: also where its offset is committed later, it is no longer in hand.
    private func pass(_ record: RecordView) {
        let partition = TopicPartition(consumer.topics[record.topic], record.partition)
        reached[partition] = record.offset + 1
        guard turn.positions[partition] == nil else { return }
        notes[partition] = caution.mark(of: partition, at: record.offset + 1)
    }

    /// Lets the stage work through what it has stored, in transactions without polled records.
    ///
    /// - Returns: False if a transaction did not stand, and the stage should be asked again before anything is polled.
    private func workBetweenTurns() throws -> Bool {
        guard turn.isEmpty, turnBegan == nil, !owned.isEmpty else { return true }
        isBetweenTurns = true
        defer { isBetweenTurns = false }
        let began = environment.now()
        while true {
            var wantsMore = false
            do {
                wantsMore = try stage.betweenTransactions(into: &turn)
            } catch {
                guard stage.isAboutRecord(error) else { throw error }
                try refuse("\(error)")
                return failures > PoisonDetector.patience
            }
            guard !turn.isEmpty else { return true }
            guard try commit() else { return failures > PoisonDetector.patience }
            let now = environment.now()
            guard wantsMore, now >= began, now - began < 10 * Self.portionsPatience else { return true }
        }
    }

    /// Waits before the next attempt: longer after each, jittered, up to two seconds.
    func pause(_ attempt: Int) {
        let pause = Double(min(2_000, 20 << min(attempt, 7)))
        environment.pause(Int64(pause * (0.5 + 0.5 * environment.jitter())))
    }

    private func pollTimeout() -> Int {
        guard let began = turnBegan else { return Int(min(policy.interval, 100)) }
        return Int(max(0, min(policy.interval, began + policy.interval - environment.now())))
    }

    private func isCommitDue(_ now: Int64) -> Bool {
        guard let began = turnBegan else { return !turn.isEmpty }
        // A clock that went back counts as time that has passed.
        return now - began >= policy.interval || now < began || turn.records >= policy.maximumRecords
            || turn.bytes >= policy.maximumBytes
    }

    func beginNextTurn() {
        turn = PendingTransaction()
        turnBegan = nil
        notes.removeAll(keepingCapacity: true)
        reached.removeAll(keepingCapacity: true)
    }
}
