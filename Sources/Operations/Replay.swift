internal import EngineCore
public import Events
internal import Flywheel
internal import Hashing
internal import JSON
public import Loop
public import StreamRuntime
internal import Tables
internal import Vocabulary

/// Decides a journal again and compares the decisions with those stored on the topics.
public struct Replay {
    /// The result of one project's replay.
    public struct Report: Hashable, Sendable {
        public let project: String
        /// Entries applied again.
        public var entries: UInt64 = 0
        /// Entries that the loop had not reached, because it lags or the project is paused: they are not replayed
        /// either.
        public var waiting: UInt64 = 0
        /// Decisions that followed from the entries.
        public var decisions = 0
        /// Decisions found on the topics and equal byte for byte.
        public var compared = 0
        /// Decisions no longer on their topic, compacted or expired; the chain digests of the ticks vouch for them.
        public var compacted = 0
        /// Ticks whose digest was compared.
        public var ticksChecked = 0
        /// Decisions that may be after an open transaction, where they cannot be read: they were not compared.
        public var unseen = 0
        /// Topics with an open transaction: the records after it were neither replayed nor compared.
        public var heldBack: [String] = []
        /// The digest after the last entry, in hexadecimal.
        public var chain = ""
        /// The builds that decided, each with its first entry, according to the journal; the build before the first of
        /// them is not recorded.
        ///
        /// A worker writes its `engine` entry once it has taken the project over: its decisions before that precede the
        /// entry.
        public var builds: [BuildSpan] = []
        /// The pause of a paused project: entries after its last applied entry are not replayed. Nil if it is not
        /// paused.
        public var pause: ProjectPause?
        /// Description of the first difference; nil if there is none.
        public var firstDifference: String?

        /// Whether nothing differs; also true of a journal without entries.
        public var isEqual: Bool { firstDifference == nil }
    }

    /// The build that decides from an entry on.
    public struct BuildSpan: Hashable, Sendable {
        public let entryNumber: UInt64
        public let build: String
    }

    private let transport: any StreamTransport
    private let topics: TopicNames

    /// Topics whose records expire after thirty days.
    private static let expiring: [Topic] = [.trainingRequests, .notices]

    static let decisionTopics: [Topic] = [
        .labelingTasks, .datasetLog, .trainingRequests, .modelReleases, .releaseLog, .notices,
    ]

    private static let readTopics: [Topic] = [.journal] + decisionTopics

    public init(transport: any StreamTransport, topics: TopicNames) {
        self.transport = transport
        self.topics = topics
    }

    /// Replays a project from the first entry of its journal.
    ///
    /// - Parameters:
    ///   - name: The project, which need not be configured any more.
    ///   - partition: The partition of the project.
    /// - Returns: The numbers replayed and compared, with the first difference if there is one.
    /// - Throws: An error when a topic cannot be read, or the loop has applied an entry that only a newer build can
    ///   read; a difference is no error.
    /// - Complexity: O(*n* log *n*) in entries and decisions; memory of 80 bytes per decision. A difference costs a
    ///   second replay up to it, to show the decision.
    public func verify(project name: String, partition: Int32) throws -> Report {
        var report = Report(project: name)
        let loop = try PauseView(transport: transport, topics: topics).read(name, partition: partition)
        report.pause = loop.pause
        // Read after `state`: the loop's decisions up to its position in `state` are before these ends, or after
        // another producer's transaction.
        let ends = try settledEnds(partition)
        let held = Self.readTopics.filter { ends[topics[$0]]?.isHeldBack ?? false }
        report.heldBack = ((loop.isHeldBack ? [.state] : []) + held).map { topics[$0] }
        let journal = ProjectJournal(
            name: name,
            partition: partition,
            // A position that cannot be read is not the same as no position.
            end: loop.pause?.next ?? loop.next ?? (loop.isHeldBack ? 0 : .max),
            ends: ends
        )
        var decided = DecidedTable()
        var digests = ChainDigests()
        let replayed = try forEachEntry(journal) { step in
            if let build = step.build, build != report.builds.last?.build {
                report.builds.append(BuildSpan(entryNumber: step.entryNumber, build: build))
            }
            if let tick = step.tick, report.firstDifference == nil {
                switch digests.check(tick) {
                case .equal: report.ticksChecked += 1
                case .unknown: break
                case .differs(let found):
                    report.firstDifference =
                        "the decisions up to entry \(tick.entryNumber) differ: the journal's tick at offset \(step.offset) says \(tick.digest), replay gives \(found ?? "no such entry before it")\(Self.buildNote(of: tick.entryNumber, report.builds))"
                }
            }
            digests.append(step.digest)
            report.decisions += step.decisions.count
            decided.append(step.decisions, of: name)
        }
        report.entries = replayed.step?.entryNumber ?? 0
        report.waiting = replayed.waiting
        report.chain = (replayed.step?.digest ?? DecisionChain().digest).hex
        let comparison = try compare(journal, decided, appliedUpTo: report.entries)
        report.compared = comparison.compared
        report.compacted = comparison.compacted
        report.unseen = comparison.unseen
        if let first = comparison.first {
            let buildNote = Self.buildNote(of: first.id.entryNumber, report.builds)
            report.firstDifference = try text(of: first, journal) + buildNote
        }
        return report
    }

    /// The settled ends of a project's topics, by topic name, determined with one wait for all of them.
    private func settledEnds(_ partition: Int32) throws(StreamError) -> [String: SettledEnd] {
        let reader = try transport.makeReader(topics: Self.readTopics.map { topics[$0] })
        defer { reader.close() }
        let ends = try reader.settledEnds(of: Self.readTopics.map { TopicPartition(topics[$0], partition) })
        return ends.reduce(into: [:]) { $0[$1.key.topic] = $1.value }
    }

    /// Describes the build that decided an entry if it was not this build, since the builds may then cause the
    /// difference; empty otherwise.
    private static func buildNote(of entry: UInt64, _ builds: [BuildSpan]) -> String {
        guard let span = builds.last(where: { $0.entryNumber <= entry }), span.build != Build.version else { return "" }
        return "; build \(span.build) decided there, and this is \(Build.version)"
    }

    // MARK: - The journal

    /// An entry that was applied again.
    private struct Step {
        let offset: Int64
        let entryNumber: UInt64
        /// Build that decides from here on, where the entry names one.
        let build: String?
        /// Chain mark of an earlier entry, where this entry is a tick.
        let tick: ChainMark?
        let decisions: [EncodedDecision]
        /// Chain digest after the entry.
        let digest: SHA256Digest
    }

    /// Applies the entries of a project again, until there are no more or `body` throws.
    ///
    /// - Returns: The last entry, and the number of entries that the loop has not reached.
    @discardableResult
    private func forEachEntry(
        _ journal: ProjectJournal,
        _ body: (Step) throws -> Void
    ) throws -> (step: Step?, waiting: UInt64) {
        var project = LoopProject(project: ProjectID(journal.name))
        let parser = JSONParser(maximumDepth: 64, maximumSize: 16 << 20)
        let scan = try TopicScan(transport: transport, topic: topics[.journal])
        defer { scan.close() }
        var last: Step?
        var waiting: UInt64 = 0
        try scan.forEach(journal.partition, until: journal.ends[topics[.journal]]?.offset) { record, _, _ in
            guard record.key.elementsEqual(journal.name.utf8) else { return }
            let isWaiting = record.offset >= journal.end
            let found: JournalEntry?
            do throws(EngineError) {
                found = try record.journalEntry(parser)
            } catch {
                guard isWaiting else { throw error }
                waiting += 1
                return
            }
            guard let entry = found else { return }
            guard !isWaiting else {
                waiting += 1
                return
            }
            var tick: ChainMark?
            if case .tick(let mark) = entry.body { tick = mark }
            var build: String?
            if case .engine(let name) = entry.body { build = name }
            let decisions = project.apply(entry, appendedAt: StreamTime(milliseconds: record.timestamp))
            project.commit()
            let step = Step(
                offset: record.offset,
                entryNumber: project.state.position.value.entryNumber,
                build: build,
                tick: tick,
                decisions: decisions,
                digest: project.chain.digest
            )
            last = step
            try body(step)
        }
        return (last, waiting)
    }

    /// Computes a decision again by replay; nil if its entry does not lead to such a decision.
    private func decision(_ id: DecisionID, _ journal: ProjectJournal) throws -> EncodedDecision? {
        struct Found: Error {}
        var found: EncodedDecision?
        do {
            try forEachEntry(journal) { step in
                guard step.entryNumber == id.entryNumber else { return }
                found = step.decisions.first { DecisionID($0.id, of: journal.name) == id }
                throw Found()
            }
        } catch is Found {}
        return found
    }

    // MARK: - The topics

    private func compare(
        _ journal: ProjectJournal,
        _ decided: consuming DecidedTable,
        appliedUpTo last: UInt64
    ) throws -> DecisionComparison {
        var comparison = DecisionComparison(decided: decided, appliedUpTo: last)
        for topic in Self.decisionTopics {
            let scan = try TopicScan(transport: transport, topic: topics[topic])
            defer { scan.close() }
            if Self.expiring.contains(topic), try scan.firstOffset(journal.partition) > 0 {
                comparison.markExpired(topic)
            }
            let end = journal.ends[topics[topic]]
            if end?.isHeldBack ?? false { comparison.markHeldBack(topic) }
            try scan.forEach(journal.partition, until: end?.offset) { record, batch, index in
                guard record.value.baseAddress != nil, let id = Self.decisionID(batch.headers(at: index)) else {
                    return
                }
                comparison.compare(id, of: journal.name, on: topic, key: record.key, record.value)
            }
        }
        comparison.finish()
        return comparison
    }

    private func text(of difference: DecisionComparison.Difference, _ journal: ProjectJournal) throws -> String {
        let id = difference.id.text(of: journal.name)
        switch difference.kind {
        case .unexpected(let id):
            return "decision \(id) on \(difference.topic.rawValue) does not follow from the journal"
        case .missing:
            return "decision \(id) (entry \(difference.id.entryNumber)) is missing on \(difference.topic.rawValue)"
        case .unequal(let stored):
            let decision = try decision(difference.id, journal)
            let value = decision?.value ?? []
            let belongs =
                decision?.topic == difference.topic ? "" : ", which belongs on \(decision?.topic?.rawValue ?? "none")"
            return
                "decision \(id) (entry \(difference.id.entryNumber)) on \(difference.topic.rawValue) differs\(belongs): stored \(Self.excerpt(stored, value)), replay gives \(Self.excerpt(value, stored))"
        }
    }

    private static func decisionID(_ headers: [RecordHeader]) -> String? {
        for header in headers where header.name == "ce_id" {
            return header.value.map { String(decoding: $0, as: UTF8.self) }
        }
        return nil
    }

    /// The surroundings of the first byte that differs.
    private static func excerpt(_ bytes: [UInt8], _ other: [UInt8]) -> String {
        var position = 0
        while position < bytes.count, position < other.count, bytes[position] == other[position] { position += 1 }
        let slice = bytes[max(0, position - 30)..<min(bytes.count, position + 50)]
        return "…\(String(decoding: slice, as: UTF8.self))…"
    }
}

/// Location of a project's entries.
private struct ProjectJournal {
    let name: String
    let partition: Int32
    /// The first offset that the loop had not reached when its position was read; for a paused project, the offset at
    /// which its entries wait.
    let end: Int64
    /// Settled ends of the topics, by topic name.
    let ends: [String: SettledEnd]
}
