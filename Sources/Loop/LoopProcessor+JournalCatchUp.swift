internal import Events
internal import Flywheel
internal import JSON
public import StreamRuntime
internal import Vocabulary

extension LoopProcessor {
    public func foundUnclean(_ found: [TopicPartition]) {
        for topicPartition in found where topicPartition.topic == topics[.journal] {
            guard let partition = partitions[topicPartition.partition] else { continue }
            for name in partition.paused {
                guard let pause = partition.projects[name]?.pause, pause.isResuming else { continue }
                // The worker that died there may have had an entry of this project, or of any other, in hand.
                rereading.cautiousRecords[name] = JournalCatchUp.sliceSize
                if pause.isInHand { rereading.died.insert(name) }
            }
        }
    }

    public func betweenTransactions(into transaction: inout PendingTransaction) throws -> Bool {
        guard partitions.values.contains(where: { !$0.paused.isEmpty }) else { return false }
        guard rereading.wait == 0 else {
            rereading.wait -= 1
            return false
        }
        guard let (name, number) = nextResuming(), let partition = partitions[number] else {
            return false
        }
        return try reread(name, number: number, in: partition, into: &transaction)
    }

    public func betweenTransactionsRefused(_ reason: String) {
        // The position in the transaction is not the stored one.
        guard let name = rereading.name,
            let stored = partitions.values.lazy.compactMap({ $0.projects[name] }).first?.storedPause
        else { return }
        rereading.cautiousRecords[name] = JournalCatchUp.sliceSize
        if let known = rereading.refusals[name], known.next == stored.next {
            // A verdict that has been reached is kept even if it cannot be written itself.
            if known.count >= JournalCatchUp.maximumFailures || known.reason == reason {
                rereading.refusals[name]?.count += 1
                return
            }
        }
        rereading.refusals[name] = .init(next: stored.next, count: 1, reason: reason)
    }

    /// The project to read next: a project with an entry in hand stays; otherwise the projects are read in rotation.
    private func nextResuming() -> (name: String, number: Int32)? {
        var all: [(name: String, number: Int32)] = []
        for number in partitions.keys.sorted() {
            guard let partition = partitions[number] else { continue }
            for name in partition.paused.sorted() where partition.projects[name]?.pause?.isResuming ?? false {
                all.append((name, number))
            }
        }
        guard let index = all.firstIndex(where: { $0.name == rereading.name }) else { return all.first }
        let current = all[index]
        let isInHand = partitions[current.number]?.projects[current.name]?.pause?.isInHand ?? false
        return rereading.transactionCount < JournalCatchUp.transactionsPerProject || isInHand
            ? current : all[(index + 1) % all.count]
    }

    /// - Returns: Whether there is an entry in hand, to be read before anything else is.
    private func reread(
        _ name: String,
        number: Int32,
        in partition: LoopPartition,
        into transaction: inout PendingTransaction
    )
        throws
        -> Bool
    {
        guard var pause = partition.projects[name]?.pause else { return false }
        let before = pause
        if rereading.name != name || rereading.transactionCount >= JournalCatchUp.transactionsPerProject {
            if rereading.name != name { rereading.stop() }
            rereading.name = name
            rereading.transactionCount = 0
        }
        rereading.transactionCount += 1
        if rereading.died.contains(name), pause.isInHand {
            // The death is recorded for the next worker before anything is read.
            rereading.recordDeath(of: name)
            beginStreak()
            pause.deaths += 1
            if pause.deaths >= JournalCatchUp.maximumFailures {
                stopRereading(
                    &pause,
                    because: "\(pause.deaths) workers died",
                    of: name,
                    number: number,
                    into: &transaction
                )
            }
        } else if let refused = rereading.refusals[name], refused.next == pause.next,
            refused.count >= JournalCatchUp.maximumFailures
        {
            let isReported = refused.count <= JournalCatchUp.maximumFailures + 1
            stopRereading(
                &pause,
                because: "\(refused.count) times in a row: \(refused.reason)",
                of: name,
                number: number,
                into: &transaction,
                isReported: isReported
            )
        } else if rereading.cautiousRecords[name] ?? 0 > 0, !pause.isInHand {
            pause.isInHand = true
            beginStreak()
        } else {
            switch try readSlice(name, number: number, in: partition, into: &transaction) {
            case .failed: pause.isInHand = false
            case .expired(let low):
                let reason = "its entries before journal offset \(low) are gone"
                stopRereading(&pause, because: reason, of: name, number: number, into: &transaction)
            case .newerForm(let offset, let reason):
                pause.next = max(pause.next, offset)
                stopRereading(&pause, because: reason, of: name, number: number, into: &transaction)
            case .reached(let next) where next >= partition.journalOffset:
                finishRereading(name, number: number, in: partition, into: &transaction)
                return false
            case .reached(let next):
                if next > pause.next { pause.deaths = 0 }
                // If no entry arrived, or entries need no more care, the live stream is processed next.
                if next <= pause.next || rereading.cautiousRecords[name] ?? 0 <= 0 || isStreakLong() {
                    pause.isInHand = false
                }
                pause.next = max(pause.next, next)
            }
        }
        if pause != before || partition.projects[name]?.isTouched ?? false {
            partition.pause(name, pause)
            partition.isTouched = true
            transaction.mustCommit = true
        }
        return pause.isInHand
    }

    private func beginStreak() {
        rereading.streakCount = 0
        rereading.streakStart = now()
    }

    private func isStreakLong() -> Bool {
        rereading.streakCount += 1
        let time = now() - rereading.streakStart
        return rereading.streakCount >= JournalCatchUp.streak || time >= JournalCatchUp.streakTime || time < 0
    }

    // MARK: - Reading

    private enum Progress {
        case reached(Int64)
        /// The first record that the journal still contains is after the position, at this offset.
        case expired(Int64)
        /// Only a newer build can read the entry at this offset.
        case newerForm(Int64, String)
        case failed
    }

    /// Applies the project's entries of the next slice of the journal, or only the next entry.
    private func readSlice(
        _ name: String,
        number: Int32,
        in partition: LoopPartition,
        into transaction: inout PendingTransaction
    )
        throws
        -> Progress
    {
        var next = partition.projects[name]?.pause?.next ?? 0
        let isCautious = rereading.cautiousRecords[name] ?? 0 > 0
        var seen = 0
        while next < partition.journalOffset {
            let outcome: ReadOutcome
            do throws(StreamError) {
                let topicPartition = TopicPartition(topics[.journal], number)
                if let low = try startReader(topicPartition, at: next) { return .expired(low) }
                let maximum = isCautious ? 1 : JournalCatchUp.sliceSize
                outcome =
                    try rereading.reader?.poll(into: rereading.batch, maximum: maximum, timeoutMilliseconds: 20)
                    ?? .idle
                rereading.failures = 0
            } catch {
                rereading.failed()
                rereadingFailed(name, error)
                return .failed
            }
            guard outcome == .records else {
                if case .endOfPartition(_, let offset) = outcome {
                    next = min(max(next, offset), partition.journalOffset)
                    rereading.position = next
                }
                return .reached(next)
            }
            var foundEntry = false
            for (index, record) in rereading.batch.records.enumerated() {
                guard record.offset < partition.journalOffset else { return .reached(partition.journalOffset) }
                guard transaction.bytes < JournalCatchUp.maximumBytes else {
                    // The reader is ahead of us.
                    rereading.position = -1
                    return .reached(next)
                }
                do throws(JSONError) {
                    if try rereadEntry(record, at: index, of: name, in: partition, into: &transaction) {
                        foundEntry = true
                    }
                } catch {
                    // The reader is ahead of us.
                    rereading.position = -1
                    return .newerForm(record.offset, error.reason)
                }
                next = record.offset + 1
            }
            rereading.position = next
            let count = rereading.batch.records.count
            seen += count
            if isCautious { rereading.cautiousRecords[name]? -= count }
            guard isCautious, !foundEntry, seen < JournalCatchUp.sliceSize else { return .reached(next) }
        }
        return .reached(next)
    }

    /// - Returns: The first offset that the journal still contains, if it is after `next`; else nil.
    private func startReader(_ topicPartition: TopicPartition, at next: Int64) throws(StreamError) -> Int64? {
        if rereading.reader == nil { rereading.reader = try transport.makeReader(topics: [topicPartition.topic]) }
        guard rereading.position != next, let reader = rereading.reader else { return nil }
        let low = try reader.watermarks(topicPartition).low
        guard low <= next else { return low }
        try reader.start([topicPartition: next])
        rereading.position = next
        return nil
    }

    /// - Returns: Whether the record may belong to the project.
    private func rereadEntry(
        _ record: RecordView,
        at index: Int,
        of name: String,
        in partition: LoopPartition,
        into transaction: inout PendingTransaction
    ) throws(JSONError) -> Bool {
        // Records of other projects were processed when those projects were read, even if they could not be decoded.
        guard record.key.elementsEqual(name.utf8) else {
            guard projectName(of: record) == nil, let entry = try? JournalEntry(json: parser.parse(record.value)),
                entry.project.rawValue == name
            else { return false }
            apply(entry, from: record, of: name, in: partition, into: &transaction)
            return true
        }
        if let entry = try decode(record, at: index, of: rereading.batch, into: &transaction),
            entry.project.rawValue == name
        {
            apply(entry, from: record, of: name, in: partition, into: &transaction)
        }
        return true
    }

    // MARK: - Its end

    private func finishRereading(
        _ name: String,
        number: Int32,
        in partition: LoopPartition,
        into transaction: inout PendingTransaction
    ) {
        partition.pause(name, nil)
        partition.isTouched = true
        transaction.mustCommit = true
        rereading.ending = name
        pauseChanges.append((name, nil))
        let text = "resumed: every entry of its journal is applied"
        writeNotice(
            name,
            notice: Notice(kind: .projectResumed, text: text),
            id: "resumed-\(now())",
            number: number,
            into: &transaction
        )
    }

    private func stopRereading(
        _ pause: inout ProjectPause,
        because reason: String,
        of name: String,
        number: Int32,
        into transaction: inout PendingTransaction,
        isReported: Bool = true
    ) {
        pause.isResuming = false
        pause.isInHand = false
        pause.deaths = 0
        pause.reason = reason
        rereading.ending = name
        pauseChanges.append((name, pause))
        guard isReported else { return }
        let text = "paused again at journal offset \(pause.next): \(reason)"
        writeNotice(
            name,
            notice: Notice(kind: .projectPaused, text: text),
            id: "paused-again-\(now())",
            number: number,
            into: &transaction
        )
    }
}
