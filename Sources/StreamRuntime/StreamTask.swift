/// The commit cycle of one role: poll, process, commit; on one thread, without a pause between.
///
///     running --revoked--> commit --> unassign --> running
///     running --lost-----> undo ----> unassign --> running
///     commit --abortable-> abort, undo, rewind to the committed offsets --> running
///     commit --fatal-----> new producer; the committed offsets say whether the transaction stands --> running
///
/// A transaction is open only while it is committed: everything that goes into it is in memory before it opens.
public final class StreamTask {
    private let transport: any StreamTransport
    private let stage: any StreamStage
    private let policy: CommitPolicy
    private let transactionalID: String
    private let environment: StreamTaskEnvironment
    private let consumer: any GroupConsumer
    private var producer: (any TransactionalProducer)?
    private let batch = RecordBatch()
    private var turn = Turn()
    private var turnBegan: Int64?
    /// What the group's offsets are, as far as we committed or read them.
    private var committed: [TopicPartition: Int64] = [:]
    /// Where to read on after an abort: usually the group's offset, but a stage may have begun before it.
    private var base: [TopicPartition: Int64] = [:]
    private var owned: Set<TopicPartition> = []
    private var isTroubled = false
    /// Whether fetching is paused; nil where a client's idea of that is not known.
    private var isHolding: Bool? = false
    /// Transactions in a row that did not stand, and polls that brought nothing but errors.
    private var failures = 0
    private var pollFailures = 0
    private var pollFailsSince: Int64?

    /// The longest that the same call is tried again before the task gives up, in milliseconds.
    private let patience: Int64 = 60_000

    public init(
        transport: any StreamTransport,
        stage: any StreamStage,
        group: String,
        instance: String,
        transactionalID: String,
        topics: [String],
        policy: CommitPolicy,
        environment: StreamTaskEnvironment
    ) throws(StreamError) {
        self.transport = transport
        self.stage = stage
        self.policy = policy
        self.transactionalID = transactionalID
        self.environment = environment
        consumer = try transport.makeConsumer(group: group, instance: instance, topics: topics)
    }

    /// Partitions owned now, in order.
    public var assignment: [TopicPartition] { owned.sorted() }

    /// Why nothing can be read at the moment; nil as far as is known.
    public var trouble: StreamError? { consumer.trouble }

    /// One poll, and a commit when one is due. Errors that it cannot cure by itself are thrown; the task is closed then.
    public func cycle() throws {
        try hold()
        switch try poll() {
        case .idle: break
        case .records:
            if turnBegan == nil { turnBegan = environment.now() }
            turn.records += batch.records.count
            try stage.process(batch, topics: consumer.topics, into: &turn)
        case .assigned(let partitions): try take(partitions)
        case .revoked(let partitions):
            try commit()
            try give(partitions, lost: false)
        case .lost(let partitions):
            undo()
            try give(partitions, lost: true)
        }
        tellTrouble()
        guard !owned.isEmpty else { return }
        let now = environment.now()
        try stage.turnEnds(now: now, into: &turn)
        if isCommitDue(now) { try commit() }
    }

    /// Commits what is open and leaves the group.
    public func close() {
        try? commit()
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

    private func tellTrouble() {
        let trouble = consumer.trouble
        guard (trouble != nil) != isTroubled else { return }
        isTroubled = trouble != nil
        environment.observe(trouble.map { .unreachable($0) } ?? .reachable)
    }

    /// Stops fetching while the stage has enough to do. Polling goes on, and with it the membership in the group.
    private func hold() throws(StreamError) {
        let isFull = stage.isFull
        guard isFull != isHolding, !owned.isEmpty else { return }
        let partitions = assignment
        if isFull {
            try retrying { () throws(StreamError) in try self.consumer.pause(partitions) }
        } else {
            try retrying { () throws(StreamError) in try self.consumer.resume(partitions) }
        }
        isHolding = isFull
        environment.observe(isFull ? .paused(partitions) : .resumed(partitions))
    }

    // MARK: - Turns

    /// What may pass by itself counts as nothing to read, for a while.
    private func poll() throws(StreamError) -> PollOutcome {
        do throws(StreamError) {
            let outcome = try consumer.poll(into: batch, maximum: policy.batchSize, timeoutMilliseconds: pollTimeout())
            (pollFailures, pollFailsSince) = (0, nil)
            return outcome
        } catch {
            let now = environment.now()
            guard error.disposition == .retry, now - (pollFailsSince ?? now) < patience else { throw error }
            if pollFailsSince == nil { pollFailsSince = now }
            pollFailures += 1
            environment.observe(.retrying(error, attempt: pollFailures))
            pause(pollFailures)
            return .idle
        }
    }

    /// Waits before the next attempt: longer after each, jittered, up to two seconds.
    private func pause(_ attempt: Int) {
        let pause = Double(min(2_000, 20 << min(attempt, 7)))
        environment.pause(Int64(pause * (0.5 + 0.5 * environment.jitter())))
    }

    private func pollTimeout() -> Int {
        guard let began = turnBegan else { return Int(min(policy.interval, 100)) }
        return Int(max(0, min(policy.interval, began + policy.interval - environment.now())))
    }

    private func isCommitDue(_ now: Int64) -> Bool {
        guard let began = turnBegan else { return !turn.isEmpty }
        return now - began >= policy.interval || turn.records >= policy.maximumRecords
            || turn.bytes >= policy.maximumBytes
    }

    private func beginNextTurn() {
        turn = Turn()
        turnBegan = nil
    }

    // MARK: - Assignment

    private func take(_ partitions: [TopicPartition]) throws {
        try commit()
        if producer == nil { producer = try makeProducer() }
        let offsets = try retrying { () throws(StreamError) in try self.consumer.committedOffsets(partitions) }
        let positions = try begin(partitions, offsets)
        committed.merge(offsets) { $1 }
        base.merge(positions) { $1 }
        try consumer.assign(positions)
        owned.formUnion(partitions)
        // A client may remember that a partition was paused before it went and came back.
        if isHolding != false { isHolding = nil }
        environment.observe(.assigned(partitions))
    }

    /// What has expired cannot be read: begins at the first record that is there, and says what was passed over.
    private func clamp(_ positions: [TopicPartition: Int64]) throws(StreamError) -> [TopicPartition: Int64] {
        var clamped = positions
        for (partition, position) in positions {
            let low = try retrying { () throws(StreamError) in try self.consumer.watermarks(partition).low }
            guard position < low else { continue }
            if position > 0 {
                guard stage.toleratesExpiry(of: partition) else {
                    throw StreamError(
                        .fatal,
                        operation: "read \(partition) from offset \(position)",
                        code: "_EXPIRED",
                        reason:
                            "its records before offset \(low) are gone, and nothing may be left out; restore the topic"
                    )
                }
                environment.observe(.expired(partition, from: position, to: low))
            }
            clamped[partition] = low
        }
        return clamped
    }

    /// Where each partition begins: where its stage says, or with its first record.
    private func begin(
        _ partitions: [TopicPartition],
        _ offsets: [TopicPartition: Int64]
    ) throws -> [TopicPartition: Int64] {
        var positions = try stage.assigned(partitions, committed: offsets)
        for partition in partitions where positions[partition] == nil {
            positions[partition] = try retrying { () throws(StreamError) in
                try self.consumer.watermarks(partition).low
            }
        }
        return try clamp(positions)
    }

    private func give(_ partitions: [TopicPartition], lost: Bool) throws {
        stage.unassigned(partitions)
        for partition in partitions {
            committed[partition] = nil
            base[partition] = nil
            owned.remove(partition)
        }
        try consumer.unassign(partitions)
        environment.observe(.unassigned(partitions, lost: lost))
    }

    private func makeProducer() throws(StreamError) -> any TransactionalProducer {
        let producer = try transport.makeProducer(transactionalID: transactionalID)
        try retrying { () throws(StreamError) in try producer.initializeTransactions() }
        return producer
    }

    // MARK: - Committing

    private func commit() throws {
        guard !turn.isEmpty else { return beginNextTurn() }
        let began = environment.now()
        try stage.willCommit(into: &turn)
        do throws(StreamError) {
            try transact()
        } catch {
            switch error.disposition {
            case .retry, .abortTransaction: try abort(error)
            case .fatal: try restart(error)
            }
            return
        }
        stands()
        environment.observe(
            .committed(records: turn.records, outputs: turn.outputs.count, milliseconds: environment.now() - began)
        )
        beginNextTurn()
    }

    private func transact() throws(StreamError) {
        guard let producer else {
            throw StreamError(.fatal, operation: "commit", code: "_STATE", reason: "there is no producer")
        }
        try retrying { () throws(StreamError) in try producer.begin() }
        let outputs = turn.outputs
        try retrying { () throws(StreamError) in try producer.send(outputs) }
        // Offsets go into every transaction, a timer's too: they carry the group's metadata, which fences a zombie.
        var offsets = turn.positions
        if offsets.isEmpty { offsets = committed.filter { owned.contains($0.key) } }
        try retrying { () throws(StreamError) in try producer.sendOffsets(offsets, of: self.consumer) }
        try retrying { () throws(StreamError) in try producer.commit() }
    }

    private func stands() {
        stage.committed()
        failures = 0
        committed.merge(turn.positions) { $1 }
        base.merge(turn.positions) { $1 }
    }

    private func undo() {
        stage.aborted()
        beginNextTurn()
    }

    private func abort(_ cause: StreamError) throws {
        environment.observe(.aborted(cause))
        do throws(StreamError) {
            if let producer { try retrying { () throws(StreamError) in try producer.abort() } }
        } catch {
            try restart(error)
            return
        }
        slowDown()
        try rewind()
    }

    /// What cannot be committed will fail again: not in a busy loop, and with no transaction open meanwhile.
    private func slowDown() {
        failures += 1
        pause(failures)
    }

    /// Replaces the producer. Whether the last transaction stands only the group's offsets can tell: they went with it.
    private func restart(_ cause: StreamError) throws {
        environment.observe(.restarted(cause))
        producer?.close()
        producer = nil
        producer = try makeProducer()
        slowDown()
        let moved = turn.positions.filter { committed[$0.key] != $0.value }
        let offsets = try retrying { () throws(StreamError) in try self.consumer.committedOffsets(self.assignment) }
        if moved.isEmpty {
            // A transaction of timers alone moves no offset: only the changelog knows.
            beginNextTurn()
            try reload(offsets)
        } else if moved.allSatisfy({ offsets[$0.key] == $0.value }) {
            stands()
            beginNextTurn()
        } else {
            try rewind()
        }
    }

    private func rewind() throws {
        stage.aborted()
        beginNextTurn()
        let offsets = try retrying { () throws(StreamError) in try self.consumer.committedOffsets(self.assignment) }
        if assignment.allSatisfy({ offsets[$0] == committed[$0] }) {
            try consumer.seek(base)
        } else {
            // Somebody else has committed: what is in memory belongs to no known offset.
            try reload(offsets)
        }
    }

    /// Restores everything that is owned from what is stored.
    private func reload(_ offsets: [TopicPartition: Int64]) throws {
        let partitions = assignment
        stage.unassigned(partitions)
        base = try begin(partitions, offsets)
        committed = offsets
        try consumer.seek(base)
    }

    /// Tries a call again while its error says so: with growing pauses, jittered, up to a limit.
    private func retrying<R>(_ body: () throws(StreamError) -> R) throws(StreamError) -> R {
        let began = environment.now()
        var attempt = 0
        while true {
            do throws(StreamError) {
                return try body()
            } catch {
                attempt += 1
                guard error.disposition == .retry, environment.now() - began < patience else { throw error }
                environment.observe(.retrying(error, attempt: attempt))
                pause(attempt)
            }
        }
    }
}
