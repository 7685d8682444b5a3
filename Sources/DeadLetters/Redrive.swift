public import EngineCore
public import Events
internal import Intake
public import Processes
public import StreamRuntime

/// Sends refused records back to where they came from: once each, unless told otherwise, and not for ever.
///
/// A record and the mark that it was sent again, a record of `dead-letters` in the partition of its dead letter, are sent in one
/// transaction: a run that is killed leaves both or neither. All runs share one transactional id: a later one fences
/// the earlier, and what the earlier left open is given up before the later looks.
public struct Redrive {
    /// How a dead letter is treated that was sent again already.
    public struct Policy: Hashable, Sendable {
        /// A record is sent again so often at most, over all its letters.
        public var maximumAttempts = 3
        /// Whether a dead letter that was sent again is sent once more.
        public var again = false
        /// Nothing is sent.
        public var isDry = false

        public init() {}
    }

    /// Verdict on a dead letter.
    public enum Verdict: Hashable, Sendable {
        /// To be sent for the time given, counted from 1.
        case send(attempt: Int)
        /// It was sent again already.
        case done(RedriveMark)
        /// It is not sent, and why.
        case refuse(String)
    }

    /// Result of a run.
    public struct Report: Sendable {
        /// Dead letters that the filter meant.
        public var matched = 0
        /// Sent, or to be sent by a run that is not dry.
        public var sent = 0
        /// Left out, since they were sent again already.
        public var done = 0
        /// Not sent, and why; the first hundred by place.
        public var refused: [(place: DeadLetterPosition, reason: String)] = []
        public var refusedCount = 0
    }

    /// Dead letters of one transaction, and their bytes, at most.
    static let limit = (letters: 200, bytes: 4 << 20)

    private let transport: any StreamTransport
    private let topics: TopicNames
    private let by: String
    private let now: () -> Int64
    private let pause: (Int64) -> Void

    /// `by` says on the marks who did this; `now` is in milliseconds since 1970, and `pause` waits so many.
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

    /// Sends every dead letter that the filter means and the policy lets pass.
    ///
    /// Dead letters that come while it runs, those of records it sent among them, are left to another run.
    ///
    /// - Parameters:
    ///   - filter: Which dead letters are meant.
    ///   - policy: How often, and whether at all.
    ///   - told: Called with each dead letter that the filter selects and its outcome, before it is sent.
    ///   - progress: Called with the dead letters sent so far after every transaction.
    /// - Returns: What came of every dead letter that was meant.
    /// - Throws: `StreamError` when a topic cannot be read or written, also when a later run has begun; what was committed
    ///   stays, and another run goes on behind it.
    public func run(
        _ filter: DeadLetterFilter,
        _ policy: Policy = Policy(),
        told: (DeadLetter, Verdict) -> Void = { _, _ in },
        progress: (Int) -> Void = { _ in }
    ) throws -> Report {
        // First of all: what another run left open is not waited for, and what it sends from now on is refused.
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
                report.refuse(refusal.place, refusal.reason)
                report.sent -= 1
            }
            batch.removeAll(keepingCapacity: true)
            bytes = 0
            progress(report.sent)
        }
        try scan.forEachLetter(before: ends) { letter in
            guard filter.matches(letter) else { return }
            report.matched += 1
            let verdict = judge(letter, marks[letter.place] ?? [], policy)
            told(letter, verdict)
            switch verdict {
            case .done: report.done += 1
            case .refuse(let reason): report.refuse(letter.place, reason)
            case .send(let attempt):
                report.sent += 1
                guard !policy.isDry else { return }
                let redriven = redriven(letter, attempt)
                if batch.count >= Self.limit.letters || bytes + redriven.size > Self.limit.bytes { try flush() }
                batch.append(redriven)
                bytes += redriven.size
            }
        }
        try flush()
        return report
    }

    /// Decides whether a dead letter is sent again, given the marks that follow it.
    func judge(_ letter: DeadLetter, _ marks: [RedriveMark], _ policy: Policy) -> Verdict {
        if let mark = marks.last, !policy.again { return .done(mark) }
        // Only what Intake reads: the rest is written by workers alone, in an order of theirs.
        guard IntakeProcessor.inputs.contains(where: { topics[$0] == letter.origin.topic }) else {
            return .refuse("it came from \(letter.origin.topic), which only workers write")
        }
        if letter.isValueCut {
            return .refuse("only a part of its value of \(letter.valueSize) bytes was kept: send the record anew")
        }
        if letter.isKeyCut { return .refuse("only a part of its key was kept: send the record anew") }
        if letter.areHeadersCut { return .refuse("some of its headers were not kept: send the record anew") }
        let attempt = max(letter.attempt, marks.map(\.attempt).max() ?? 0) + 1
        guard attempt <= policy.maximumAttempts else {
            return .refuse(
                "it was sent again \(Self.times(attempt - 1)) and refused each time (\(letter.code)); mend the cause, then raise "
                    + "--max-attempts"
            )
        }
        return .send(attempt: attempt)
    }

    /// A number of times in words.
    public static func times(_ count: Int) -> String { count == 1 ? "once" : "\(count) times" }

    private func redriven(_ letter: DeadLetter, _ attempt: Int) -> Redriven {
        // In front: where headers are cut, the first ones are kept, and only there they are believed.
        var own = letter.headers[...]
        if own.first?.name == DeadLetterHeader.attempt { own = own.dropFirst() }
        if own.first?.name == DeadLetterHeader.letter { own = own.dropFirst() }
        let headers =
            [
                RecordHeader(DeadLetterHeader.attempt, String(attempt)),
                RecordHeader(DeadLetterHeader.letter, letter.place.description),
            ] + own
        return Redriven(
            place: letter.place,
            record: OutputRecord(
                topic: letter.origin.topic,
                partition: letter.origin.partition,
                key: letter.key,
                value: letter.value,
                headers: headers
            ),
            mark: OutputRecord(
                topic: topics[.deadLetters],
                partition: letter.place.partition,
                key: letter.key,
                value: nil,
                headers: [
                    RecordHeader(DeadLetterHeader.marked, letter.place.description),
                    RecordHeader(DeadLetterHeader.markedAttempt, String(attempt)),
                    RecordHeader(DeadLetterHeader.markedTopic, letter.origin.topic),
                    RecordHeader(DeadLetterHeader.markedBy, by),
                    RecordHeader(DeadLetterHeader.at, String(now())),
                ]
            )
        )
    }
}

extension Redrive.Report {
    fileprivate mutating func refuse(_ place: DeadLetterPosition, _ reason: String) {
        refusedCount += 1
        if refused.count < 100 { refused.append((place, reason)) }
    }
}

/// A dead letter's record to be sent, and its mark.
struct Redriven {
    let place: DeadLetterPosition
    let record: OutputRecord
    let mark: OutputRecord

    var size: Int { record.size + mark.size }
}
