/// The commit cycle of one role: poll, process, commit; on one thread, without pauses between the steps.
///
///     running --revoked--> drain (commit) --> revoke --> joining
///     running --lost-----> discard --------> revoke --> joining
///     commit --abortable-> abort, discard, seek to the committed offsets --> running
///     commit --fatal-----> new producer; the committed offsets show whether the transaction was committed --> running
///
/// `TaskPhase` has the legal transitions. A transaction is open only while it is committed: everything that it contains
/// is in memory before it opens.
public final class StreamTask {
    let transport: any StreamTransport
    let processor: any Processor
    let policy: CommitPolicy
    let transactionalID: String
    let environment: StreamTaskEnvironment
    /// Attribute committed with every offset, which must agree with that of the other members; nil for none.
    let agreement: OffsetAttribute?
    /// Words in the metadata of the offsets found that do not belong to this task, by partition; they are written
    /// again.
    var foreignWords: [TopicPartition: [String]] = [:]
    let consumer: any GroupConsumer
    var producer: (any TransactionalProducer)?
    let batch = RecordBatch()
    /// Part of the batch that was processed last.
    var part: RecordBatch
    var transaction = PendingTransaction()
    var transactionBegan: Int64?
    /// Offsets of the group, as far as this task committed or read them.
    var committed: [TopicPartition: Int64] = [:]
    /// Positions to seek to after an abort: usually the group's offsets, but a processor may have begun before them.
    var rewindPositions: [TopicPartition: Int64] = [:]
    var owned: Set<TopicPartition> = []
    var phase = TaskPhase.joining
    var isUnreachable = false
    /// Error because of which transactions are aborted, if a permission is missing; nil again after the next commit.
    var permissionError: StreamError?
    /// Whether fetching is paused; nil if it is not known what the client has paused.
    var isFetchPaused: Bool? = false
    /// Suspicious records after a death, and the slices that they are processed in.
    var detector = PoisonDetector()
    /// Partitions that this process lost for a known reason.
    var explained: Set<TopicPartition>
    /// Offset metadata that the next transaction stores beside that of the records read.
    var pendingMarks: [TopicPartition: OffsetMetadata] = [:]
    /// The only record of the pending transaction, if one is processed alone.
    var soleRecord: (partition: TopicPartition, offset: Int64)?
    /// Ends of the pending transaction's suspicious records, by partition.
    var reached: [TopicPartition: Int64] = [:]
    /// Whether the pending transaction contains no polled records.
    var isBetweenTransactions = false
    /// Number of consecutive transactions that failed.
    var failures = 0
    /// Time since which there has been work that no transaction has committed, in milliseconds since 1970; nil while
    /// there is none. A role's next run inherits it from the run before.
    public var unsettledSince: Int64?
    /// Time since which an answer of the group about the assigned partitions is due, in milliseconds since 1970: from
    /// the beginning, and from the time of their revocation. Nil once the group has answered, even if it assigned none.
    public internal(set) var waitsSince: Int64?
    /// Time since which no record has been received although a broker answers.
    private var idleSince: Int64?
    private var pollFailures = 0
    private var pollWait = RetryWait(0)

    /// A member of `group` that has not joined yet. `explained` are partitions that an earlier task of this process
    /// owned when it failed for a reason outside of the records: no death is counted there. `agreement` is the
    /// attribute in which all members of the group must agree: a partition whose last owner had another value ends the
    /// task with `OffsetDisagreement`.
    public init(
        transport: any StreamTransport,
        processor: any Processor,
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
        self.processor = processor
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

    /// Polls once, and commits if a commit is due. Throws errors from which the task cannot recover; the caller must
    /// then close it.
    public func cycle() throws {
        try updatePause()
        guard try workBetweenTransactions() else { return }
        let outcome = try poll()
        noteSilence(outcome == .idle)
        switch outcome {
        case .idle: if pollFailures == 0 { detector.quiet(at: environment.now()) } else { detector.disturbed() }
        case .records: guard try processBatch() else { return }
        case .assigned(let partitions): try assign(partitions)
        case .revoked(let partitions):
            try drain(partitions)
            try revoke(partitions, lost: false)
        case .lost(let partitions):
            discard()
            try revoke(partitions, lost: true)
        }
        reportConnectivity()
        try checkMembership()
        guard !owned.isEmpty else { return }
        let now = environment.now()
        try processor.punctuate(now: now, into: &transaction)
        if isCommitDue(now) { try commit() }
    }

    /// Commits the pending transaction, marks the partitions as drained, and leaves the group.
    public func close() {
        if phase != .closed { try? drain(assignment) }
        phase.become(.closed)
        consumer.close()
        producer?.close()
        producer = nil
    }

    /// Leaves the group without committing; the effect of a fault on a worker.
    public func abandon() {
        phase.become(.closed)
        consumer.close()
        producer?.close()
        producer = nil
    }

    /// Milliseconds without a record after which nothing remains to be done: aborted records are received again at
    /// once.
    private static let silence: Int64 = 10_000

    /// Notes whether a poll was idle. After `silence`, no work counts as unsettled: another member may have done the
    /// work that an earlier run left undone.
    private func noteSilence(_ isIdle: Bool) {
        guard isIdle, pollFailures == 0, transaction.isEmpty, consumer.connectivityError == nil, !owned.isEmpty else {
            idleSince = nil
            return
        }
        let now = environment.now()
        let since = min(idleSince ?? now, now)
        idleSince = since
        if now - since >= Self.silence { unsettledSince = nil }
    }

    /// Maximum wait for an answer of the group, in milliseconds: members that died leave the group in less time, and a
    /// member that the group has forgotten would wait for ever.
    public static let membershipWait: Int64 = 120_000

    /// Checks that the group answers within `membershipWait`.
    ///
    /// - Throws: `StreamError` if it has not: a new member of the same name then joins the group again.
    private func checkMembership() throws(StreamError) {
        guard let since = waitsSince else { return }
        let now = environment.now()
        // While no broker answers, the group cannot answer either. Time does not count if the clock has moved back.
        guard consumer.connectivityError == nil, pollFailures == 0, now >= since else {
            waitsSince = now
            return
        }
        guard now - since >= Self.membershipWait else { return }
        throw StreamError(
            .retry,
            operation: "join the group",
            code: "_TIMED_OUT",
            reason: "it has sent no assignment for \((now - since) / 1_000) s; joining it again"
        )
    }

    /// Notes that there is work in process that must be committed.
    func noteWork() {
        if unsettledSince == nil { unsettledSince = environment.now() }
    }

    // MARK: - Processing

    /// Polls the consumer; for a while, a retriable error counts as nothing to read.
    private func poll() throws(StreamError) -> PollOutcome {
        do throws(StreamError) {
            let outcome = try consumer.poll(into: batch, maximum: policy.batchSize, timeoutMilliseconds: pollTimeout())
            pollFailures = 0
            return outcome
        } catch {
            if pollFailures == 0 { pollWait = RetryWait(environment.now()) }
            guard error.disposition == .retry, pollWait.hasTimeLeft(at: environment.now()) else { throw error }
            pollFailures += 1
            environment.observe(.retrying(error, attempt: pollFailures))
            pause(pollFailures)
            return .idle
        }
    }

    /// Processes the batch, as a whole unless something in it is suspicious.
    ///
    /// - Returns: False if a transaction was aborted: the consumer has sought back, and the rest of the batch is polled again.
    private func processBatch() throws -> Bool {
        part = batch
        guard processor.quarantinesRecords, !detector.isCalm else { return try process(batch, nil) }
        detector.disturbed()
        let began = environment.now()
        defer { soleRecord = nil }
        var slice = detector.slice(batch.records, of: Array(batch.records.indices), topics: consumer.topics)
        let needed = detector.marks(before: slice, owned: owned)
        if slice.isSeparate || !needed.isEmpty {
            // Records processed before are committed first, with the metadata that must be known before this slice.
            pendingMarks.merge(needed) { $1 }
            guard try commit() else { return false }
        }
        detector.begin()
        while true {
            soleRecord = slice.record
            part = batch.part(slice.indices)
            guard try process(part, slice.record) else { return false }
            if slice.isSeparate { for record in part.records { mark(record) } }
            let now = environment.now()
            let isLate = now - began >= Self.slicesWait || now < began || environment.isStopping()
            var next: PoisonDetector.Slice?
            if !slice.rest.isEmpty, !isLate {
                let following = detector.slice(batch.records, of: slice.rest, topics: consumer.topics)
                pendingMarks.merge(detector.marks(before: following, owned: owned)) { $1 }
                next = following
            }
            if slice.isSeparate || !slice.rest.isEmpty {
                guard try commit() else { return false }
                detector.committed(slice)
            }
            guard let following = next else {
                if !slice.rest.isEmpty { try seek(toRest: slice.rest) }
                return true
            }
            slice = following
        }
    }

    /// Maximum time for slices of one batch, in milliseconds; after it, rebalances, stop requests and timers are
    /// handled.
    private static let slicesWait: Int64 = 1_000

    /// Seeks back to the records of the batch that were not processed.
    private func seek(toRest rest: [Int]) throws {
        var positions: [TopicPartition: Int64] = [:]
        for index in rest {
            let record = batch.records[index]
            let partition = TopicPartition(consumer.topics[record.topic], record.partition)
            if positions[partition] == nil { positions[partition] = record.offset }
        }
        try consumer.seek(positions)
    }

    /// Processes one slice; a record that has failed too often is quarantined instead.
    private func process(_ part: RecordBatch, _ record: (partition: TopicPartition, offset: Int64)?) throws -> Bool {
        do {
            if let record, let quarantine = detector.verdict(record.partition, record.offset) {
                environment.observe(.quarantining(record.partition, record.offset, quarantine))
                if transactionBegan == nil { transactionBegan = environment.now() }
                noteWork()
                transaction.records += 1
                try processor.quarantine(part, topics: consumer.topics, because: quarantine, into: &transaction)
            } else {
                try deliver(part)
            }
            return true
        } catch {
            guard processor.isAboutRecord(error) else { throw error }
            try processorFailed("\(error)")
            return false
        }
    }

    private func deliver(_ batch: RecordBatch) throws {
        if transactionBegan == nil { transactionBegan = environment.now() }
        noteWork()
        transaction.records += batch.records.count
        try processor.process(batch, topics: consumer.topics, into: &transaction)
    }

    /// Marks a record as processed: it is no longer in process, even if its offset is committed later.
    private func mark(_ record: RecordView) {
        let partition = TopicPartition(consumer.topics[record.topic], record.partition)
        reached[partition] = record.offset + 1
        guard transaction.positions[partition] == nil else { return }
        pendingMarks[partition] = detector.mark(of: partition, at: record.offset + 1)
    }

    /// Lets the processor work through what it has stored, in transactions without polled records.
    ///
    /// - Returns: False if a transaction was aborted, and the processor is to be called again before anything is polled.
    private func workBetweenTransactions() throws -> Bool {
        guard transaction.isEmpty, transactionBegan == nil, !owned.isEmpty else { return true }
        isBetweenTransactions = true
        defer { isBetweenTransactions = false }
        let began = environment.now()
        while true {
            var wantsMore = false
            do {
                wantsMore = try processor.betweenTransactions(into: &transaction)
            } catch {
                guard processor.isAboutRecord(error) else { throw error }
                try processorFailed("\(error)")
                return failures > PoisonDetector.maximumFailures
            }
            guard !transaction.isEmpty else { return true }
            guard try commit() else { return failures > PoisonDetector.maximumFailures }
            let now = environment.now()
            guard wantsMore, now >= began, now - began < 10 * Self.slicesWait else { return true }
        }
    }

    /// Waits before the next attempt: longer after each, jittered, up to two seconds.
    func pause(_ attempt: Int) {
        let pause = Double(min(2_000, 20 << min(attempt, 7)))
        environment.pause(Int64(pause * (0.5 + 0.5 * environment.jitter())))
    }

    private func pollTimeout() -> Int {
        guard let began = transactionBegan else { return Int(min(policy.interval, 100)) }
        return Int(max(0, min(policy.interval, began + policy.interval - environment.now())))
    }

    private func isCommitDue(_ now: Int64) -> Bool {
        guard let began = transactionBegan else { return !transaction.isEmpty }
        // If the clock has moved back, the interval counts as elapsed.
        return now - began >= policy.interval || now < began || transaction.records >= policy.maximumRecords
            || transaction.bytes >= policy.maximumBytes
    }

    func beginNextTransaction() {
        transaction = PendingTransaction()
        transactionBegan = nil
        pendingMarks.removeAll(keepingCapacity: true)
        reached.removeAll(keepingCapacity: true)
    }
}
