internal import EngineCore
internal import Events
internal import Flywheel
internal import Hashing
public import StreamRuntime
internal import Tables
internal import Vocabulary

/// Determines when a project's next tick is written: once its deadline is reached, at most once a second.
///
/// The broker's time decides whether the deadline is reached. If this worker's clock is ahead of it, a tick changes
/// nothing; then the next tick for the same deadline waits twice as long, up to four minutes, so that a clock that
/// jumps does not fill the journal.
struct TickTimer {
    private var lastAt: Int64 = 0
    private var lastDeadline: Int64 = .min
    private var futileTicks = 0

    /// Returns whether to write a tick now, and records it if so.
    mutating func fires(at now: Int64, deadline: Int64) -> Bool {
        guard deadline <= now else { return false }
        let isSame = deadline == lastDeadline
        let pause: Int64 = 1_000 << Int64(isSame ? min(futileTicks, 8) : 0)
        // After a clock was set back, the time since the last tick is unknown.
        guard now - lastAt >= pause || now < lastAt else { return false }
        futileTicks = isSame ? futileTicks + 1 : 0
        (lastAt, lastDeadline) = (now, deadline)
        return true
    }
}

/// Entries that are due by time: ticks, the build that decides, and the sums of tallies.
extension LoopProcessor {
    public func punctuate(now: Int64, into transaction: inout PendingTransaction) throws {
        for number in partitions.keys.sorted() {
            guard let partition = partitions[number] else { continue }
            // A stopped partition makes no more decisions, so nothing in it waits for time to pass.
            if partition.stop == nil {
                for name in partition.projects.keys.sorted() {
                    writeDueEntries(name, number: number, at: now, in: partition, into: &transaction)
                }
            }
            guard partition.tallies.isDue(now), let next = partition.tallies.next else { continue }
            for folded in partition.tallies.fold() {
                let state = partition.projects[folded.project]?.state
                let tallies = folded.tallies.map { $0.markedUnregistered(by: state) }
                let entry = JournalEntry(project: ProjectID(folded.project), body: .tally(tallies))
                append(entry, number, &transaction)
            }
            transaction.advance(TopicPartition(topics[.tallies], number), to: next)
            partition.isTouched = true
        }
    }

    func writeDueEntries(
        _ name: String,
        number: Int32,
        at now: Int64,
        in partition: LoopPartition,
        into transaction: inout PendingTransaction
    ) {
        guard let project = partition.projects[name] else { return }
        // The state of a paused project is old: its timers wait until it is resumed.
        guard project.pause == nil else { return }
        if project.state.position.value.build != Build.version, !partition.reportedBuilds.contains(name) {
            partition.reportedBuilds.insert(name)
            append(
                JournalEntry(project: project.state.project, body: .engine(build: Build.version)),
                number,
                &transaction
            )
            partition.isTouched = true
        }
        guard project.isTickPossible, let deadline = project.state.nextDeadline,
            partition.timers[name, default: TickTimer()].fires(at: now, deadline: deadline.milliseconds)
        else { return }
        let mark = ChainMark(entryNumber: project.state.position.value.entryNumber, digest: project.chain.digest.hex)
        append(JournalEntry(project: project.state.project, body: .tick(mark)), number, &transaction)
        partition.projects[name]?.tickWritten()
        partition.isTouched = true
        pendingCounts.ticks += 1
    }

    func append(_ entry: JournalEntry, _ partition: Int32, _ transaction: inout PendingTransaction) {
        transaction.mustCommit = true
        let time = now()
        let headers = CloudEventHeaders.entry(
            entry,
            id: "\(entry.project)-\(entry.body.kind)-\(time)",
            role: .loop,
            time: time
        )
        transaction.write(
            OutputRecord(
                topic: topics[.journal],
                partition: partition,
                key: Array(entry.project.rawValue.utf8),
                value: entry.jsonBytes,
                headers: headers.recordHeaders
            )
        )
    }
}

extension Tally {
    /// Returns the tally, marked as unregistered where a project's state does not know its version; unchanged
    /// without a state.
    fileprivate func markedUnregistered(by state: ProjectState?) -> Tally {
        guard let modelVersion, let state, !state.isRegistered(modelVersion) else { return self }
        return Tally(
            modelVersion: modelVersion,
            role: role,
            predictions: predictions,
            feedback: feedback,
            negative: negative,
            forwarded: forwarded,
            isUnregistered: true
        )
    }
}
