public import EngineCore
public import Events
internal import Intake
public import Processes
public import StreamRuntime

/// Sends refused records back to their origin: once each, unless specified otherwise, and a limited number of times.
///
/// A record and the mark that it was sent again, a record of `dead-letters` in the partition of its dead letter, are
/// sent in one transaction: a run that is killed writes both or neither. All runs share one transactional id: a later
/// run fences the earlier one, and the open transaction of the earlier run is aborted before the later run reads.
public struct Redrive {
    /// Policy on repeated attempts, and whether anything is sent.
    public struct Policy: Hashable, Sendable {
        /// Maximum number of times that a record is sent again, over all its dead letters.
        public var maximumAttempts = 3
        /// Whether a dead letter that was sent again is sent once more.
        public var again = false
        /// Whether nothing is sent.
        public var isDry = false

        public init() {}
    }

    /// Verdict on a dead letter.
    public enum Verdict: Hashable, Sendable {
        /// It is sent; `attempt` is the number of the attempt, from 1.
        case send(attempt: Int)
        /// It was sent again already.
        case done(RedriveMark)
        /// It is not sent, for the given reason.
        case refuse(String)
    }

    /// Result of a run.
    public struct Report: Sendable {
        /// Dead letters that match the filter.
        public var matched = 0
        /// Number of dead letters sent, or, in a dry run, that would be sent.
        public var sent = 0
        /// Number of dead letters left out because they were sent again already.
        public var done = 0
        /// Dead letters that were not sent, and the reasons; the first hundred by position.
        public var refused: [(position: DeadLetterPosition, reason: String)] = []
        public var refusedCount = 0
    }

    /// Maximum number of dead letters in one transaction, and of their bytes.
    static let limit = (deadLetters: 200, bytes: 4 << 20)

    private let transport: any StreamTransport
    private let topics: TopicNames
    private let by: String
    private let now: () -> Int64
    private let pause: (Int64) -> Void

    /// `by` names the author in the marks; `now` is in milliseconds since 1970, and `pause` waits for a number of
    /// milliseconds.
    public init(
        transport: any StreamTransport,
        topics: TopicNames,
        by: String,
        now: @escaping () -> Int64 = WallClock.now,
        pause: @escaping (Int64) -> Void = WallClock.pause
    ) {
        self.transport = transport
        self.topics = topics
        self.by = by
        self.now = now
        self.pause = pause
    }

    /// Sends every dead letter that matches the filter and that the policy allows.
    ///
    /// Dead letters that are written while it runs, including dead letters of records that it sent, are processed by
    /// another run.
    ///
    /// - Parameters:
    ///   - filter: Selection of dead letters.
    ///   - policy: Policy on how often dead letters are sent, and whether at all.
    ///   - judged: Called with each dead letter that the filter selects and its outcome, before it is sent.
    ///   - progress: Called with the dead letters sent so far after every transaction.
    /// - Returns: The outcome for every dead letter that matches.
    /// - Throws: `StreamError` when a topic cannot be read or written, also when a later run has begun; committed
    ///   transactions are kept, and another run continues after them.
    public func run(
        _ filter: DeadLetterFilter,
        _ policy: Policy = Policy(),
        judged: (DeadLetter, Verdict) -> Void = { _, _ in },
        progress: (Int) -> Void = { _ in }
    ) throws -> Report {
        // The sender comes first: it aborts another run's open transaction, and that run's further records are refused.
        let sender = policy.isDry ? nil : try RedriveSender(transport, "\(topics.prefix)redrive", pause)
        defer { sender?.close() }
        let scan = try DeadLetterScan(transport: transport, topics: topics)
        defer { scan.close() }
        let (marks, ends) = try scan.marks()
        var report = Report()
        var batch: [Redriven] = []
        var bytes = 0
        func flush() throws {
            guard let sender, !batch.isEmpty else { return }
            for refusal in try sender.send(batch) {
                report.refuse(refusal.position, refusal.reason)
                report.sent -= 1
            }
            batch.removeAll(keepingCapacity: true)
            bytes = 0
            progress(report.sent)
        }
        try scan.forEachDeadLetter(before: ends) { deadLetter in
            guard filter.matches(deadLetter) else { return }
            report.matched += 1
            let verdict = judge(deadLetter, marks[deadLetter.position] ?? [], policy)
            judged(deadLetter, verdict)
            switch verdict {
            case .done: report.done += 1
            case .refuse(let reason): report.refuse(deadLetter.position, reason)
            case .send(let attempt):
                report.sent += 1
                guard !policy.isDry else { return }
                let redriven = redriven(deadLetter, attempt)
                if batch.count >= Self.limit.deadLetters || bytes + redriven.size > Self.limit.bytes { try flush() }
                batch.append(redriven)
                bytes += redriven.size
            }
        }
        try flush()
        return report
    }

    /// Decides whether a dead letter is sent again, given the marks that follow it.
    func judge(_ deadLetter: DeadLetter, _ marks: [RedriveMark], _ policy: Policy) -> Verdict {
        if let mark = marks.last, !policy.again { return .done(mark) }
        // Only records of topics that Intake reads: all other topics are written only by workers, in their own order.
        guard IntakeProcessor.inputs.contains(where: { topics[$0] == deadLetter.origin.topic }) else {
            return .refuse("it came from \(deadLetter.origin.topic), which only workers write")
        }
        if deadLetter.isValueCut {
            return .refuse("only a part of its value of \(deadLetter.valueSize) bytes was kept: send the record anew")
        }
        if deadLetter.isKeyCut { return .refuse("only a part of its key was kept: send the record anew") }
        if deadLetter.areHeadersCut { return .refuse("some of its headers were not kept: send the record anew") }
        let attempt = max(deadLetter.attempt, marks.map(\.attempt).max() ?? 0) + 1
        guard attempt <= policy.maximumAttempts else {
            return .refuse(
                "it was sent again \(Self.times(attempt - 1)) and refused each time (\(deadLetter.code)); correct the cause, then raise "
                    + "--max-attempts"
            )
        }
        return .send(attempt: attempt)
    }

    /// A number of times in words.
    public static func times(_ count: Int) -> String { count == 1 ? "once" : "\(count) times" }

    private func redriven(_ deadLetter: DeadLetter, _ attempt: Int) -> Redriven {
        // These headers are the first: if headers are cut, the first ones are kept, and they are accepted only there.
        var original = deadLetter.headers[...]
        if original.first?.name == DeadLetterHeader.attempt { original = original.dropFirst() }
        if original.first?.name == DeadLetterHeader.deadLetter { original = original.dropFirst() }
        let headers =
            [
                RecordHeader(DeadLetterHeader.attempt, String(attempt)),
                RecordHeader(DeadLetterHeader.deadLetter, deadLetter.position.description),
            ] + original
        return Redriven(
            position: deadLetter.position,
            record: OutputRecord(
                topic: deadLetter.origin.topic,
                partition: deadLetter.origin.partition,
                key: deadLetter.key,
                value: deadLetter.value,
                headers: headers
            ),
            mark: OutputRecord(
                topic: topics[.deadLetters],
                partition: deadLetter.position.partition,
                key: deadLetter.key,
                value: nil,
                headers: [
                    RecordHeader(DeadLetterHeader.redrivenDeadLetter, deadLetter.position.description),
                    RecordHeader(DeadLetterHeader.redrivenAttempt, String(attempt)),
                    RecordHeader(DeadLetterHeader.redrivenTopic, deadLetter.origin.topic),
                    RecordHeader(DeadLetterHeader.redrivenBy, by),
                    RecordHeader(DeadLetterHeader.at, String(now())),
                ]
            )
        )
    }
}

extension Redrive.Report {
    fileprivate mutating func refuse(_ position: DeadLetterPosition, _ reason: String) {
        refusedCount += 1
        if refused.count < 100 { refused.append((position, reason)) }
    }
}

/// A dead letter's record to be sent, and its mark.
struct Redriven {
    let position: DeadLetterPosition
    let record: OutputRecord
    let mark: OutputRecord

    var size: Int { record.size + mark.size }
}
