/// Transactions, and what follows when they are aborted.
extension StreamTask {
    /// Commits the pending transaction, if there is anything in it.
    ///
    /// - Returns: Whether it was committed; if not, the consumer has sought back, and what was polled is polled again.
    @discardableResult
    func commit() throws -> Bool {
        guard !transaction.isEmpty || !pendingMarks.isEmpty else {
            // The records processed need no commit.
            if transactionBegan != nil { unsettledSince = nil }
            beginNextTransaction()
            return true
        }
        let began = environment.now()
        noteWork()
        do {
            try processor.willCommit(into: &transaction)
        } catch {
            guard processor.isAboutRecord(error) else { throw error }
            try processorFailed("\(error)")
            return false
        }
        let offsets = offsetsToCommit()
        phase.become(.committing)
        defer { phase.become(owned.isEmpty ? .joining : .running) }
        do throws(StreamError) {
            try transact(offsets)
        } catch {
            switch error.disposition {
            case .retry, .abortTransaction: return try abort(error, offsets)
            case .fatal: return try restart(error, offsets)
            }
        }
        settle(offsets)
        environment.observe(
            .committed(
                records: transaction.records,
                outputs: transaction.outputs.count,
                milliseconds: environment.now() - began
            )
        )
        beginNextTransaction()
        return true
    }

    /// Offsets to commit with the transaction. Every transaction contains offsets, even one of timers alone: they carry
    /// the group's metadata, which fences a zombie.
    private func offsetsToCommit() -> [TopicPartition: GroupOffset] {
        var positions = transaction.positions
        if positions.isEmpty { positions = committed.filter { owned.contains($0.key) } }
        guard processor.quarantinesRecords else { return positions.mapValues { GroupOffset($0) } }
        var offsets: [TopicPartition: GroupOffset] = [:]
        for (partition, next) in positions {
            let usual = transaction.isLeaving ? detector.releaseMark(partition) : detector.mark(of: partition, at: next)
            offsets[partition] = GroupOffset(
                next,
                metadata: metadataText(pendingMarks[partition] ?? usual, of: partition)
            )
        }
        for (partition, mark) in pendingMarks where offsets[partition] == nil {
            guard let next = committed[partition] ?? rewindPositions[partition] else { continue }
            offsets[partition] = GroupOffset(next, metadata: metadataText(mark, of: partition))
        }
        return offsets
    }

    private func metadataText(_ mark: OffsetMetadata, of partition: TopicPartition) -> String {
        var words = [mark.text]
        if transaction.isLeaving, mark != .clean { words.append(OffsetAttribute.released.word) }
        if let agreement { words.append(agreement.word) }
        return (words + (foreignWords[partition] ?? [])).joined(separator: " ")
    }

    private func transact(_ offsets: [TopicPartition: GroupOffset]) throws(StreamError) {
        guard let producer else {
            throw StreamError(.fatal, operation: "commit", code: "_STATE", reason: "there is no producer")
        }
        try retrying { () throws(StreamError) in try producer.begin() }
        let outputs = transaction.outputs
        try retrying { () throws(StreamError) in try producer.send(outputs) }
        try retrying { () throws(StreamError) in try producer.sendOffsets(offsets, of: self.consumer) }
        try retrying { () throws(StreamError) in try producer.commit() }
    }

    /// Completes a transaction that was committed: the data in memory is now the state.
    private func settle(_ offsets: [TopicPartition: GroupOffset]) {
        processor.committed()
        failures = 0
        permissionError = nil
        unsettledSince = nil
        committed.merge(offsets.mapValues(\.next)) { $1 }
        rewindPositions.merge(transaction.positions) { $1 }
        guard processor.quarantinesRecords else { return }
        detector.stored(offsets.compactMapValues { OffsetMetadata($0.metadata) })
        for (partition, next) in transaction.positions { detector.processed(partition, to: next) }
        for (partition, next) in reached { detector.processed(partition, to: next) }
    }

    /// Discards the pending transaction.
    func discard() {
        processor.aborted()
        beginNextTransaction()
    }

    /// Aborts the transaction, unless it is found to be committed: if a commit's outcome is unknown, an abort is
    /// refused.
    ///
    /// - Returns: Whether it was committed.
    private func abort(_ cause: StreamError, _ sent: [TopicPartition: GroupOffset]) throws -> Bool {
        environment.observe(.aborted(cause))
        if cause.isForbidden { permissionError = cause }
        if cause.isAboutRecord { attribute(cause.code, cause.description) }
        do throws(StreamError) {
            if let producer { try retrying { () throws(StreamError) in try producer.abort() } }
        } catch {
            return try restart(error, sent)
        }
        slowDown()
        try rewind()
        return false
    }

    /// Handles a failure of the processor before a transaction was open, which would occur again with the same records.
    func processorFailed(_ text: String) throws {
        environment.observe(.refused(text))
        attribute(text, text)
        slowDown()
        try rewind()
    }

    /// Attributes a failure to records of the pending transaction, so that they are processed in ever smaller slices.
    private func attribute(_ kind: String, _ text: String) {
        guard processor.quarantinesRecords else { return }
        if isBetweenTransactions { return processor.betweenTransactionsRefused(text) }
        if let soleRecord { return detector.refused(soleRecord.partition, soleRecord.offset, kind: kind, text) }
        var suspicious = transaction.positions.filter { committed[$0.key] ?? -1 < $0.value }
        for record in part.records {
            let partition = TopicPartition(consumer.topics[record.topic], record.partition)
            suspicious[partition] = max(suspicious[partition] ?? 0, record.offset + 1)
        }
        detector.refused(suspicious, records: transaction.records)
    }

    /// Counts a failure and pauses, with no transaction open: a failed commit will fail again, and must not do so
    /// in a busy loop.
    private func slowDown() {
        failures += 1
        pause(failures)
    }

    /// Replaces the producer. Only the group's offsets show whether the last transaction was committed: they were part
    /// of it.
    ///
    /// - Returns: Whether it was committed.
    private func restart(_ cause: StreamError, _ sent: [TopicPartition: GroupOffset]) throws -> Bool {
        environment.observe(.restarted(cause))
        if cause.isForbidden { permissionError = cause }
        producer?.close()
        producer = nil
        producer = try makeProducer()
        slowDown()
        let moved = transaction.positions.filter { committed[$0.key] != $0.value }
        let found = try retrying { () throws(StreamError) in try self.consumer.committed(self.assignment) }
        if moved.isEmpty {
            // A transaction of timers alone moves no offset: only the changelog shows whether it was committed.
            beginNextTransaction()
            try reload(found)
            return false
        }
        guard moved.allSatisfy({ found[$0.key]?.next == $0.value }) else {
            try rewind()
            return false
        }
        settle(sent)
        beginNextTransaction()
        return true
    }

    /// Discards the pending transaction and seeks back; restores everything if another member has committed meanwhile.
    private func rewind() throws {
        processor.aborted()
        beginNextTransaction()
        let found = try retrying { () throws(StreamError) in try self.consumer.committed(self.assignment) }
        if assignment.allSatisfy({ found[$0]?.next == committed[$0] }) {
            try consumer.seek(rewindPositions)
        } else {
            // Another member has committed: the data in memory corresponds to no known offset.
            try reload(found)
        }
    }

    /// Retries a call while its error allows it: with growing pauses, jittered, up to a limit.
    func retrying<R>(_ body: () throws(StreamError) -> R) throws(StreamError) -> R {
        var wait = RetryWait(environment.now())
        var attempt = 0
        while true {
            do throws(StreamError) {
                return try body()
            } catch {
                attempt += 1
                guard error.disposition == .retry, !environment.isStopping(), wait.hasTimeLeft(at: environment.now())
                else { throw error }
                environment.observe(.retrying(error, attempt: attempt))
                pause(attempt)
            }
        }
    }
}
