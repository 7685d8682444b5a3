/// Transactions, and what to do when they do not stand.
extension StreamTask {
    /// Commits the turn, if there is anything in it.
    ///
    /// - Returns: Whether it stands; if not, the consumer went back, and what was polled comes again.
    @discardableResult
    func commit() throws -> Bool {
        guard !turn.isEmpty || !notes.isEmpty else {
            // What was taken in asked for nothing.
            if turnBegan != nil { unsettledSince = nil }
            beginNextTurn()
            return true
        }
        let began = environment.now()
        noteWork()
        do {
            try stage.willCommit(into: &turn)
        } catch {
            guard stage.isAboutRecord(error) else { throw error }
            try refuse("\(error)")
            return false
        }
        let offsets = offsetsToCommit()
        do throws(StreamError) {
            try transact(offsets)
        } catch {
            switch error.disposition {
            case .retry, .abortTransaction: return try abort(error, offsets)
            case .fatal: return try restart(error, offsets)
            }
        }
        stands(offsets)
        environment.observe(
            .committed(records: turn.records, outputs: turn.outputs.count, milliseconds: environment.now() - began)
        )
        beginNextTurn()
        return true
    }

    /// Offsets go into every transaction, a timer's too: they carry the group's metadata, which fences a zombie.
    private func offsetsToCommit() -> [TopicPartition: GroupOffset] {
        var positions = turn.positions
        if positions.isEmpty { positions = committed.filter { owned.contains($0.key) } }
        guard stage.isolates else { return positions.mapValues { GroupOffset($0) } }
        var offsets: [TopicPartition: GroupOffset] = [:]
        for (partition, next) in positions {
            let usual = turn.isLeaving ? caution.parting(partition) : caution.mark(of: partition, at: next)
            offsets[partition] = GroupOffset(next, note: note(notes[partition] ?? usual, of: partition))
        }
        for (partition, mark) in notes where offsets[partition] == nil {
            guard let next = committed[partition] ?? base[partition] else { continue }
            offsets[partition] = GroupOffset(next, note: note(mark, of: partition))
        }
        return offsets
    }

    private func note(_ mark: OffsetMetadata, of partition: TopicPartition) -> String {
        var words = [mark.note]
        if turn.isLeaving, mark != .clean { words.append(OffsetAttribute.left.word) }
        if let agreement { words.append(agreement.word) }
        return (words + (foreignWords[partition] ?? [])).joined(separator: " ")
    }

    private func transact(_ offsets: [TopicPartition: GroupOffset]) throws(StreamError) {
        guard let producer else {
            throw StreamError(.fatal, operation: "commit", code: "_STATE", reason: "there is no producer")
        }
        try retrying { () throws(StreamError) in try producer.begin() }
        let outputs = turn.outputs
        try retrying { () throws(StreamError) in try producer.send(outputs) }
        try retrying { () throws(StreamError) in try producer.sendOffsets(offsets, of: self.consumer) }
        try retrying { () throws(StreamError) in try producer.commit() }
    }

    private func stands(_ offsets: [TopicPartition: GroupOffset]) {
        stage.committed()
        failures = 0
        refusal = nil
        unsettledSince = nil
        committed.merge(offsets.mapValues(\.next)) { $1 }
        base.merge(turn.positions) { $1 }
        guard stage.isolates else { return }
        caution.stored(offsets.compactMapValues { OffsetMetadata($0.note) })
        for (partition, next) in turn.positions { caution.passed(partition, to: next) }
        for (partition, next) in reached { caution.passed(partition, to: next) }
    }

    func undo() {
        stage.aborted()
        beginNextTurn()
    }

    /// Gives the transaction up, unless it turns out to stand: where a commit's outcome is unknown an abort is refused.
    ///
    /// - Returns: Whether it stands.
    private func abort(_ cause: StreamError, _ sent: [TopicPartition: GroupOffset]) throws -> Bool {
        environment.observe(.aborted(cause))
        if cause.isForbidden { refusal = cause }
        if cause.isAboutRecord { blame(cause.code, cause.description) }
        do throws(StreamError) {
            if let producer { try retrying { () throws(StreamError) in try producer.abort() } }
        } catch {
            return try restart(error, sent)
        }
        slowDown()
        try rewind()
        return false
    }

    /// The stage could not do its part, before a transaction was open; the same would come of it again.
    func refuse(_ text: String) throws {
        environment.observe(.refused(text))
        blame(text, text)
        slowDown()
        try rewind()
    }

    /// Something in the turn cannot be processed or written: finds out what.
    private func blame(_ kind: String, _ text: String) {
        guard stage.isolates else { return }
        if isBetweenTurns { return stage.betweenTurnsRefused(text) }
        if let alone { return caution.refused(alone.partition, alone.offset, kind: kind, text) }
        var suspicious = turn.positions.filter { committed[$0.key] ?? -1 < $0.value }
        for record in part.records {
            let partition = TopicPartition(consumer.topics[record.topic], record.partition)
            suspicious[partition] = max(suspicious[partition] ?? 0, record.offset + 1)
        }
        caution.refused(suspicious, records: turn.records)
    }

    /// Counts a failure and pauses, with no transaction open: a failed commit will fail again, and must not do so
    /// in a busy loop.
    private func slowDown() {
        failures += 1
        pause(failures)
    }

    /// Replaces the producer. Whether the last transaction stands only the group's offsets can tell: they went with it.
    ///
    /// - Returns: Whether it does.
    private func restart(_ cause: StreamError, _ sent: [TopicPartition: GroupOffset]) throws -> Bool {
        environment.observe(.restarted(cause))
        if cause.isForbidden { refusal = cause }
        producer?.close()
        producer = nil
        producer = try makeProducer()
        slowDown()
        let moved = turn.positions.filter { committed[$0.key] != $0.value }
        let found = try retrying { () throws(StreamError) in try self.consumer.committed(self.assignment) }
        if moved.isEmpty {
            // A transaction of timers alone moves no offset: only the changelog knows.
            beginNextTurn()
            try reload(found)
            return false
        }
        guard moved.allSatisfy({ found[$0.key]?.next == $0.value }) else {
            try rewind()
            return false
        }
        stands(sent)
        beginNextTurn()
        return true
    }

    private func rewind() throws {
        stage.aborted()
        beginNextTurn()
        let found = try retrying { () throws(StreamError) in try self.consumer.committed(self.assignment) }
        if assignment.allSatisfy({ found[$0]?.next == committed[$0] }) {
            try consumer.seek(base)
        } else {
            // Somebody else has committed: what is in memory belongs to no known offset.
            try reload(found)
        }
    }

    /// Tries a call again while its error says so: with growing pauses, jittered, up to a limit.
    func retrying<R>(_ body: () throws(StreamError) -> R) throws(StreamError) -> R {
        var patience = Patience(environment.now())
        var attempt = 0
        while true {
            do throws(StreamError) {
                return try body()
            } catch {
                attempt += 1
                guard error.disposition == .retry, !environment.isStopping(), patience.lasts(at: environment.now())
                else { throw error }
                environment.observe(.retrying(error, attempt: attempt))
                pause(attempt)
            }
        }
    }
}
