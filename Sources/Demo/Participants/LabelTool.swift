internal import Events
internal import JSON
public import KafkaClient
public import Processes
internal import Statistics
internal import Vocabulary

/// One simulated annotator.
public struct SimulatedAnnotator: Hashable, Sendable {
    public let id: String
    /// The share of wrong answers, in `0...1`.
    public let error: Double

    /// Five annotators, in ascending order of their errors.
    public static let crew = [
        SimulatedAnnotator(id: "a1", error: 0.02), SimulatedAnnotator(id: "a2", error: 0.05),
        SimulatedAnnotator(id: "a3", error: 0.10), SimulatedAnnotator(id: "a4", error: 0.15),
        SimulatedAnnotator(id: "a5", error: 0.25),
    ]
}

/// A label tool with simulated annotators. They use only the content of a task, take a random time for an answer, and
/// sometimes skip a task, answer twice or answer late.
public final class LabelTool {
    /// Options of the label tool.
    public struct Options: Sendable {
        public var kafka: KafkaProperties
        /// Prefix of the topic names.
        public var prefix: String
        /// Seed of the annotators and their errors.
        public var seed: UInt64
        /// Mean time for an answer, in milliseconds.
        public var meanAnswerTime: Double
        /// Whether the true classes are permuted per sample, so that nothing can be learnt.
        public var isTruthPermuted: Bool
        /// Path of the file in which it records its actions; nil for none.
        public var ledger: String?

        public init(
            kafka: KafkaProperties,
            prefix: String,
            seed: UInt64,
            meanAnswerTime: Double,
            isTruthPermuted: Bool = false,
            ledger: String? = nil
        ) {
            self.kafka = kafka
            self.prefix = prefix
            self.seed = seed
            self.meanAnswerTime = meanAnswerTime
            self.isTruthPermuted = isTruthPermuted
            self.ledger = ledger
        }
    }

    private struct Annotator {
        let profile: SimulatedAnnotator
        var generator: SplitMix64
        /// The current task, and the time at which its answer is ready; nil if there is none.
        var work: (task: String, readyAt: Int64)?
    }

    private struct OfferedTask {
        let project: String
        let token: RequestToken?
        let text: String
        let classes: [String]
        var votesWanted: Int
        var offered: Set<String> = []
        var skipped = 0
    }

    private let options: Options
    private let truth: [String: Int]
    private let producer: KafkaProducer
    private let tasks: KafkaReader
    private let ledger: ParticipantLog
    private let stop: StopFlag
    private let parser = JSONParser(maximumDepth: 64, maximumSize: 4 << 20)
    private var annotators: [Annotator]
    private var open: [String: OfferedTask] = [:]
    /// Tasks in the order of arrival.
    private var order: [String] = []
    /// Answers that are sent late, with the time of sending.
    private var late: [(at: Int64, bytes: [UInt8])] = []

    public init(options: Options, stop: StopFlag) throws {
        self.options = options
        self.stop = stop
        var truth: [String: Int] = [:]
        for image in try DigitsScenario.load() {
            var draw = SplitMix64(seed: options.seed ^ 0x7065_726d)
            for pixel in image.pixels { draw = SplitMix64(seed: draw.next() ^ UInt64(pixel)) }
            truth[image.text] = options.isTruthPermuted ? draw.next(below: 10) : image.digit
        }
        self.truth = truth
        producer = try KafkaProducer(properties: options.kafka)
        tasks = try KafkaReader(properties: options.kafka, topics: [options.prefix + "labeling-tasks"])
        ledger = ParticipantLog(path: options.ledger)
        annotators = SimulatedAnnotator.crew.enumerated().map { position, annotator in
            Annotator(profile: annotator, generator: SplitMix64(seed: options.seed &* 31 &+ UInt64(position)))
        }
    }

    /// Runs until `stop` is raised.
    public func run() throws {
        let topic = options.prefix + "labeling-tasks"
        var positions: [KafkaTopicPartition: Int64] = [:]
        for partition in try tasks.partitions(of: topic) { positions[KafkaTopicPartition(topic, partition)] = 0 }
        try tasks.start(positions)
        while !stop.isRaised {
            if try tasks.poll(maximum: 500, timeoutMilliseconds: 20) == .records { readTasks() }
            let now = WallClock.now()
            for index in annotators.indices { try advance(index, now) }
            try sendLate(now)
        }
        _ = try producer.flush(timeoutMilliseconds: 3_000)
        producer.close()
        tasks.close()
    }

    // MARK: - Tasks

    private func readTasks() {
        for record in tasks.records {
            guard let json = try? parser.parse(record.value), let object = try? json.object(),
                let project = try? object.string("project"),
                let task = try? LabelingTask(json: json)
            else { continue }
            let id = task.id.rawValue
            guard case .open = task.state else {
                open[id] = nil
                continue
            }
            guard open[id] == nil else {
                open[id]?.votesWanted = task.votesWanted
                continue
            }
            guard case .inline(_, let text) = task.sample.content else { continue }
            open[id] = OfferedTask(
                project: project,
                token: try? RequestToken(of: object),
                text: text,
                classes: task.classes,
                votesWanted: task.votesWanted
            )
            order.append(id)
        }
        order.removeAll { open[$0] == nil }
    }

    private func advance(_ index: Int, _ now: Int64) throws {
        if let work = annotators[index].work {
            guard now >= work.readyAt else { return }
            annotators[index].work = nil
            try answer(work.task, index, now)
        }
        let annotator = annotators[index].profile.id
        for id in order {
            guard let task = open[id], !task.offered.contains(annotator),
                task.offered.count - task.skipped < task.votesWanted
            else { continue }
            open[id]?.offered.insert(annotator)
            // The time for an answer varies: exponential around the mean, never less than a third of it.
            let wait =
                options.meanAnswerTime * (0.33 - 0.67 * Reproducible.log(1 - annotators[index].generator.nextUnit()))
            annotators[index].work = (id, now + Int64(min(wait, options.meanAnswerTime * 5)))
            return
        }
    }

    // MARK: - Answers

    private func answer(_ id: String, _ index: Int, _ now: Int64) throws {
        guard let task = open[id] else { return }
        var generator = SplitMix64(seed: annotators[index].generator.next())
        let annotator = annotators[index].profile
        let bytes: [UInt8]
        if generator.nextUnit() < 0.02 {
            open[id]?.skipped += 1
            bytes = event(for: task, id: id, annotator: annotator.id, outcome: "skip", name: nil)
        } else {
            let right = truth[task.text] ?? 0
            var given = right
            if generator.nextUnit() < annotator.error {
                given = (right + 1 + generator.next(below: task.classes.count - 1)) % task.classes.count
            }
            bytes = event(for: task, id: id, annotator: annotator.id, outcome: "answer", name: task.classes[given])
        }
        if generator.nextUnit() < 0.01 {
            // The annotator is absent before the answer is sent; another annotator is asked meanwhile.
            open[id]?.skipped += 1
            late.append((now + 6_000, bytes))
            return
        }
        try send(bytes)
        if generator.nextUnit() < 0.02 { try send(bytes) }
    }

    private func sendLate(_ now: Int64) throws {
        for answer in late where answer.at <= now { try send(answer.bytes) }
        late.removeAll { $0.at <= now }
    }

    private func event(for task: OfferedTask, id: String, annotator: String, outcome: String, name: String?)
        -> [UInt8]
    {
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("project", task.project)
            writer.member("task", id)
            writer.member("token", ifPresent: task.token)
            writer.member("annotator", annotator)
            writer.member("outcome", outcome)
            if let name {
                writer.object("answer") { writer in
                    writer.member("kind", "choice")
                    writer.member("class", name)
                }
            }
            writer.member("answered_at_ms", WallClock.now())
        }
        return writer.bytes
    }

    private func send(_ bytes: [UInt8]) throws {
        try producer.send(KafkaOutputRecord(topic: options.prefix + "annotations", key: nil, value: bytes))
        ledger.write("sent")
    }
}
