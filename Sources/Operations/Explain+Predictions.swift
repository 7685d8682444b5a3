internal import Acquisition
internal import EngineCore
internal import Events
internal import Flywheel
internal import Hashing
internal import Intake
internal import JSON
internal import Kinds
internal import Strategies
internal import StreamRuntime
internal import Vocabulary

/// Reading of predictions and thresholds: the predictions of a sample that is no candidate are scored again.
extension Explain {
    /// Margin in milliseconds: tallies are searched from this long before the first prediction or candidate.
    private static let slack: Int64 = 60_000

    func readPredictions(
        _ sample: SampleID,
        _ configuration: ProjectConfiguration,
        since: Int64,
        into explanation: inout Explanation
    ) throws {
        explanation.searched.since = since
        var found: [FoundPrediction] = []
        let parser = Self.makeParser()
        let search = TextSearch(sample.rawValue)
        let scan = try TopicScan(transport: transport, topic: topics[.predictions])
        defer { scan.close() }
        let partitions = try scan.partitions()
        let ends = try Self.settledEnds(scan, partitions, of: .predictions, &explanation.heldBack)
        for partition in partitions {
            let start = try scan.firstOffset(partition, since: since)
            try scan.forEach(partition, from: start, until: ends[partition]?.offset) { record, _, _ in
                explanation.searched.predictions += 1
                guard search.mayOccur(in: record.value),
                    let event = Self.prediction(in: record, of: sample, under: configuration, parser: parser)
                else { return }
                found.append(
                    FoundPrediction(
                        topicPartition: TopicPartition(topics[.predictions], partition),
                        offset: record.offset,
                        time: record.timestamp,
                        event: event
                    )
                )
                // Bounds the memory: a sample usually has only a few predictions.
                if found.count > 2 * Explanation.predictionLimit { found.removeFirst(Explanation.predictionLimit) }
            }
        }
        guard !found.isEmpty else { return }
        found.sort { ($0.time, $0.topicPartition, $0.offset) > ($1.time, $1.topicPartition, $1.offset) }
        found = Array(found.prefix(Explanation.predictionLimit))
        let oldest = (found.map(\.time).min() ?? since).subtracting(Self.slack)
        let tallies = try StoredTally.read(
            from: transport,
            topics: topics,
            under: configuration,
            since: oldest,
            heldBack: &explanation.heldBack
        ) { tally in
            found.contains { tally.covers($0.topicPartition, $0.offset) }
        }
        let space = explanation.space
        explanation.predictions = found.map { judge($0, tallies: tallies, under: configuration, space: space) }
    }

    /// The sample's prediction in a record, or the reason why Intake refuses it; nil if the record is about another
    /// sample or project.
    private static func prediction(
        in record: RecordView,
        of sample: SampleID,
        under configuration: ProjectConfiguration,
        parser: JSONParser
    ) -> Result<PredictionEvent, RecordRejection>? {
        guard let data = try? Envelope(parser.parse(record.value)).data,
            (try? data.string("project")) == configuration.project.rawValue,
            (try? data.object("sample").string("id")) == sample.rawValue
        else { return nil }
        do throws(RecordRejection) {
            let (size, limit) = (record.value.count, IntakeProcessor.recordLimit)
            guard size <= limit else {
                throw RecordRejection(.tooLarge, "expected at most \(limit) bytes, found \(size)")
            }
            let event = try PredictionEvent(
                data,
                project: configuration.project,
                question: configuration.question,
                initialClasses: configuration.shortestOutput
            )
            try event.checkNames()
            return .success(event)
        } catch {
            return .failure(error)
        }
    }

    private func judge(
        _ found: FoundPrediction,
        tallies: [StoredTally],
        under configuration: ProjectConfiguration,
        space: EmbeddingSpace?
    ) -> Explanation.Prediction {
        let time = StreamTime(milliseconds: found.time)
        let event: PredictionEvent
        switch found.event.flatMap({ Self.checkSpace($0, space) }) {
        case .success(let checked): event = checked
        case .failure(let rejection):
            return Explanation.Prediction(
                partition: found.topicPartition.partition,
                offset: found.offset,
                time: time,
                model: nil,
                score: nil,
                threshold: nil,
                verdict: .refused(rejection.text),
                limitedTriggers: []
            )
        }
        let draws = StableHash(project: configuration.project.rawValue, purpose: "random", salt: salt)
        let score = event.score(configuration, random: salt.isEmpty ? nil : draws)
        let version = event.model?.version.rawValue
        let covering = tallies.filter { $0.covers(found.topicPartition, found.offset) }
        let tally = covering.last { $0.version == version && $0.role == event.model?.role.rawValue }
        let verdict: Explanation.Prediction.Verdict
        if let tally {
            verdict = score.map { $0 < tally.threshold } ?? false ? .below : .heldBack
        } else {
            verdict = covering.isEmpty ? .uncounted : .amongOthers
        }
        return Explanation.Prediction(
            partition: found.topicPartition.partition,
            offset: found.offset,
            time: time,
            model: event.model,
            score: score,
            threshold: tally?.threshold,
            verdict: verdict,
            limitedTriggers: covering.isEmpty ? [] : metTriggers(event, score, configuration)
        )
    }

    /// Refuses a prediction outside the space, as Intake does once it knows the space. The current space stands in for
    /// the space that Intake knew at that time.
    private static func checkSpace(_ event: PredictionEvent, _ space: EmbeddingSpace?) -> Result<
        PredictionEvent, RecordRejection
    > {
        space?.fault(of: event.sample).map { .failure(RecordRejection(.wrongSpace, $0)) } ?? .success(event)
    }

    /// The triggers whose conditions a prediction meets by itself; if its score is not known, the triggers that hold
    /// for every score.
    private func metTriggers(_ event: PredictionEvent, _ score: Double?, _ configuration: ProjectConfiguration)
        -> [String]
    {
        let classes = configuration.question.extent
        return configuration.acquisition.triggers.filter { trigger in
            let program = TriggerProgram(trigger, project: configuration.project)
            return (score.map { [$0] } ?? trigger.condition.scoresToTry).allSatisfy { score in
                program.judge(
                    TriggerFacts(event.output, score: score, role: event.model?.role, classes: classes),
                    sample: event.sample,
                    output: event.output,
                    version: event.model?.version,
                    classes: classes
                ) == .holds
            }
        }.map(\.name)
    }

    // MARK: - Thresholds of candidates

    /// Sets, for each candidate, the threshold that was in force when it was admitted, if a tally still records it.
    func readThresholds(_ configuration: ProjectConfiguration, into explanation: inout Explanation) throws {
        guard let first = explanation.appearances.first?.time.milliseconds else { return }
        // A candidate's entry and its tally belong to one transaction, so they are appended at nearly the same time.
        let appearances = explanation.appearances
        let tallies = try StoredTally.read(
            from: transport,
            topics: topics,
            under: configuration,
            since: first.subtracting(Self.slack),
            heldBack: &explanation.heldBack
        ) { tally in
            appearances.contains { $0.time.milliseconds.distance(from: tally.time) <= Self.slack }
        }
        for index in explanation.appearances.indices {
            let appearance = explanation.appearances[index]
            let model = appearance.candidate.model
            let nearest = tallies.filter {
                $0.version == model?.version.rawValue && $0.role == model?.role.rawValue
            }.min {
                $0.time.distance(from: appearance.time.milliseconds)
                    < $1.time.distance(from: appearance.time.milliseconds)
            }
            explanation.appearances[index].threshold = nearest?.threshold
        }
    }
}

extension TriggerCondition {
    /// Scores chosen so that at least one lies in every interval that the conditions distinguish, and one on every end
    /// of an interval.
    fileprivate var scoresToTry: [Double] {
        var ends: Set<Double> = [0, 1]
        for case .score(let bounds) in flattened { ends.formUnion([bounds.above, bounds.below].compactMap { $0 }) }
        let sorted = ends.sorted()
        return sorted + zip(sorted, sorted.dropFirst()).map { ($0 + $1) / 2 }
    }
}

private struct FoundPrediction {
    let topicPartition: TopicPartition
    let offset: Int64
    /// Milliseconds since 1970.
    let time: Int64
    let event: Result<PredictionEvent, RecordRejection>
}

/// A record of `tallies`: what one transaction of Intake counted of one model in one role.
private struct StoredTally {
    let version: String?
    let role: String?
    let threshold: Double
    /// Milliseconds since 1970.
    let time: Int64
    private let inputs: [(topicPartition: TopicPartition, offsets: ClosedRange<Int64>)]

    /// Whether the transaction read a record.
    func covers(_ topicPartition: TopicPartition, _ offset: Int64) -> Bool {
        inputs.contains { $0.topicPartition == topicPartition && $0.offsets.contains(offset) }
    }

    private init(json: JSONValue, time: Int64) throws(JSONError) {
        let object = try json.object()
        version = try object.optionalString("model_version")
        role = try object.optionalString("role")
        threshold = try object.double("threshold")
        self.time = time
        inputs = try object.decode("inputs") { (element) throws(JSONError) in
            let input = try element.object()
            let (from, to) = (try input.int64("from"), try input.int64("to"))
            let topicPartition = TopicPartition(
                try input.string("topic"),
                Int32(try input.int("partition", in: 0...Int(Int32.max)))
            )
            return (topicPartition, from...max(from, to))
        }
    }

    /// Reads the tallies of a project that were written since a time and match `isWanted`, in the order of the topic.
    static func read(
        from transport: any StreamTransport,
        topics: TopicNames,
        under configuration: ProjectConfiguration,
        since: Int64,
        heldBack: inout [Topic],
        where isWanted: (StoredTally) -> Bool
    ) throws -> [StoredTally] {
        var tallies: [StoredTally] = []
        let parser = Explain.makeParser()
        let name = Array(configuration.project.rawValue.utf8)
        let scan = try TopicScan(transport: transport, topic: topics[.tallies])
        defer { scan.close() }
        let start = try scan.firstOffset(configuration.partition, since: since)
        let ends = try Explain.settledEnds(scan, [configuration.partition], of: .tallies, &heldBack)
        let end = ends[configuration.partition]?.offset
        try scan.forEach(configuration.partition, from: start, until: end) { record, _, _ in
            guard record.key.elementsEqual(name),
                let tally = try? StoredTally(json: parser.parse(record.value), time: record.timestamp), isWanted(tally)
            else { return }
            tallies.append(tally)
        }
        return tallies
    }
}
