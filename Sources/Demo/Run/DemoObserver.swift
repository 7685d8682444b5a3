internal import DatasetFiles
internal import Events
internal import JSON
internal import KafkaClient
internal import Learner
internal import Loop
internal import Operations
internal import S3
internal import StreamRuntime
internal import Vocabulary

/// Observes a run only through its topics, and maintains the data that the page shows.
final class DemoObserver {
    var snapshot: DemoSnapshot
    private let scenario: DigitsScenario
    private let images: [String: DigitImage]
    private let reader: KafkaReader
    private let status: StatusView
    private let names: [String]
    private let parser = JSONParser(maximumDepth: 64, maximumSize: 16 << 20)
    private let began: Int64
    private var tasks: [String: [String: LabelingTask]] = [:]
    private var seenTasks: [String: Set<String>] = [:]
    private var versions: [String: [Int: SealedVersion]] = [:]
    private var accuracies: [String: Double] = [:]
    /// Number of votes of the labels accepted so far, by project; `votesAt` holds the numbers at each version.
    private var votes: [String: Int] = [:]
    private var votesAt: [String: [Int: Int]] = [:]
    private var heldOut: FeatureMatrix
    /// Client that reads models in buckets; nil where none is used.
    private let buckets: S3Client?

    private static let topics: [Topic] = [
        .labelingTasks, .datasetLog, .datasetVersions, .modelReleases, .notices, .deadLetters,
    ]

    init(
        kafka: KafkaProperties,
        transport: any StreamTransport,
        topics: TopicNames,
        scenario: DigitsScenario,
        snapshot: DemoSnapshot,
        began: Int64,
        buckets: S3Client? = nil
    ) throws {
        self.buckets = buckets
        self.scenario = scenario
        self.snapshot = snapshot
        self.began = began
        names = Self.topics.map { topics[$0] }
        var images: [String: DigitImage] = [:]
        for image in scenario.streamed { images[image.id] = image }
        self.images = images
        var values: [Double] = []
        for image in scenario.heldOut { for feature in image.features { values.append(Double(feature)) } }
        heldOut = try FeatureMatrix(values: values, columnCount: 64)
        status = try StatusView(transport: transport, topics: topics)
        reader = try KafkaReader(properties: kafka, topics: names)
        var positions: [KafkaTopicPartition: Int64] = [:]
        for name in names {
            for partition in try reader.partitions(of: name) { positions[KafkaTopicPartition(name, partition)] = 0 }
        }
        try reader.start(positions)
    }

    func close() {
        reader.close()
        status.close()
    }

    /// Reads the records that the topics have received since the last update.
    func update(now: Int64) throws {
        snapshot.elapsed = Double(now - began) / 1_000
        while true {
            let outcome = try reader.poll(maximum: 2_000, timeoutMilliseconds: 0)
            if outcome == .idle { break }
            guard outcome == .records else { continue }
            for record in reader.records { observe(record) }
        }
        showTasks()
    }

    /// Reads the state of the loop: budget, phases, annotators.
    func updateStatus() throws {
        var errors: [String: (sum: Double, answers: Int)] = [:]
        for summary in try status.summaries() {
            view(summary.project) { view in
                view.champion = summary.champion?.version.rawValue
                view.challenger = summary.challenger?.version.rawValue
                view.votes = summary.votesTotal
                view.votesBudget = summary.votesBudget
                view.labels = summary.labels
                view.auditLabels = summary.testLabels
                view.trainings = summary.studies
                view.bottleneck = summary.bottleneck?.name
                view.phases = summary.phases.map {
                    .init(name: $0.name, count: Int($0.count), meanSeconds: $0.meanSeconds)
                }
            }
            for annotator in summary.annotators {
                guard let error = annotator.estimatedError else { continue }
                errors[annotator.id, default: (0, 0)].sum += error * Double(annotator.answers)
                errors[annotator.id, default: (0, 0)].answers += annotator.answers
            }
        }
        snapshot.annotators = SimulatedAnnotator.crew.map { annotator in
            let seen = errors[annotator.id]
            return .init(
                id: annotator.id,
                trueError: annotator.error,
                estimatedError: seen.flatMap { $0.answers > 0 ? $0.sum / Double($0.answers) : nil },
                answers: seen?.answers ?? 0
            )
        }
    }

    // MARK: - Records

    private func view(_ project: String, _ change: (inout DemoSnapshot.ProjectView) -> Void) {
        if project == snapshot.active.name { change(&snapshot.active) }
        if project == snapshot.random.name { change(&snapshot.random) }
    }

    private func observe(_ record: KafkaRecord) {
        guard record.value.baseAddress != nil, let json = try? parser.parse(record.value), let object = json.objectView,
            let project = try? object.string("project")
        else { return }
        let at = Double(record.timestamp - began) / 1_000
        switch Self.topics[record.topic] {
        case .labelingTasks: if let task = try? LabelingTask(json: json) { observe(task, project) }
        case .datasetLog:
            switch try? DatasetLogRecord(json: json) {
            case .accepted(let fact, _): votes[project, default: 0] += fact.consensus.votes.count
            case .cut(let cut): votesAt[project, default: [:]][cut.versionNumber] = votes[project] ?? 0
            case .changed, nil: break
            }
        case .datasetVersions:
            if let version = try? SealedVersion(json: json) {
                versions[project, default: [:]][version.versionNumber] = version
                let count = versions[project]?.count ?? 0
                view(project) { $0.datasetVersions = count }
            }
        case .modelReleases: if let release = try? ModelRelease(json: json) { observe(release, project, at) }
        case .deadLetters: view(project) { $0.deadLetters += 1 }
        default: break
        }
    }

    private func observe(_ task: LabelingTask, _ project: String) {
        if case .open = task.state {
            tasks[project, default: [:]][task.id.rawValue] = task
        } else {
            tasks[project]?[task.id.rawValue] = nil
        }
        seenTasks[project, default: []].insert(task.id.rawValue)
        let count = seenTasks[project]?.count ?? 0
        view(project) { $0.tasks = count }
    }

    private func showTasks() {
        for name in [snapshot.active.name, snapshot.random.name] {
            let open = (tasks[name] ?? [:]).values.sorted {
                ($0.purpose.rawValue, $1.priority, $0.id) < ($1.purpose.rawValue, $0.priority, $1.id)
            }
            let queried = open.prefix(14).map { task in
                DemoSnapshot.QueriedSample(
                    id: task.sample.id.rawValue,
                    pixels: images[task.sample.id.rawValue]?.pixels ?? [],
                    purpose: task.purpose.rawValue,
                    strategy: task.reason.strategy,
                    score: task.reason.score,
                    scoredBy: task.reason.scoredBy?.rawValue,
                    predicted: task.reason.predicted?.classIndex.map { DigitsScenario.classes[$0.rawValue] },
                    votes: task.votes,
                    votesWanted: task.votesWanted
                )
            }
            view(name) { $0.queriedSamples = Array(queried) }
        }
    }

    // MARK: - Releases

    private func observe(_ release: ModelRelease, _ project: String, _ at: Double) {
        if release.cause == .first || release.cause == .shadow {
            let model = release.cause == .first ? release.champion : release.challenger ?? release.champion
            evaluate(model, project, at)
        }
        let accuracy = accuracies["\(project)/\(release.champion.version)"]
        let newest = at * 1_000 + Double(began) - Double(release.champion.newestSampleAt.milliseconds)
        view(project) { view in
            view.champion = release.champion.version.rawValue
            view.challenger = release.challenger?.version.rawValue
            switch release.cause {
            case .first, .promoted, .provisional, .live:
                view.promotions += 1
                view.predictionToRelease.append(newest / 1_000)
            case .rolledBack, .command, .canaryRolledBack: view.rollbacks += 1
            // The demo's projects begin without a model.
            case .shadow, .registered, .canary, .assignment, .suppression: break
            }
            view.releases.append(
                .init(
                    at: at,
                    cause: release.cause.rawValue,
                    champion: release.champion.version.rawValue,
                    challenger: release.challenger?.version.rawValue,
                    replaced: release.replaced?.rawValue,
                    evidence: release.evidence.words,
                    accuracy: accuracy
                )
            )
        }
        guard release.cause != .shadow else { return }
        let isRollback = release.cause == .rolledBack || release.cause == .command
        snapshot.events.append(
            .init(
                at: at,
                kind: isRollback ? .rolledBack : .promoted,
                project: project,
                text: isRollback
                    ? "\(release.replaced?.rawValue ?? "?") rolled back to \(release.champion.version): \(release.evidence.words)"
                    : "\(release.champion.version) released: \(release.evidence.words)"
            )
        )
    }

    /// Evaluates a model when a cycle of the flywheel is complete, which means that labels have become a released
    /// model. Its accuracy is measured on images that no topic contains.
    private func evaluate(_ model: ReleasedModel, _ project: String, _ at: Double) {
        guard let bytes = try? ArtifactFile.read(model.artifact, buckets),
            let loaded = try? SoftmaxRegression(bytes: bytes),
            let version = versions[project]?[model.datasetVersionNumber]
        else { return }
        let accuracy = loaded.accuracy(on: heldOut, labels: scenario.heldOut.map(\.digit))
        accuracies["\(project)/\(model.version)"] = accuracy
        let votes = votesAt[project]?[model.datasetVersionNumber] ?? 0
        view(project) { view in
            view.cycles += 1
            view.finalAccuracy = accuracy
            view.curve.append(
                .init(labels: version.training, accuracy: accuracy, modelVersion: model.version.rawValue, at: at)
            )
            if accuracy >= 0.9, view.labelsTo90 == nil {
                view.labelsTo90 = version.training
                view.humanLabelsTo90 = version.training + version.test
                view.votesTo90 = votes
            }
        }
    }
}

extension Evidence {
    /// The evidence in words, for people.
    var words: String {
        switch self {
        case .none: "nothing to compare with yet"
        case .paired(let labels, let challengerOnly, let championOnly, let logE, let threshold):
            "on \(labels) audit labels the challenger alone was right \(challengerOnly) times, the champion alone \(championOnly): log e-value \(Self.rounded(logE)), needed \(Self.rounded(threshold))"
        case .judged(let evidence):
            "on \(evidence.all.labels) audit labels the challengers were right \(evidence.all.wins) times where the champion was not, and wrong \(evidence.all.losses) times where it was right: log e-value \(Self.rounded(evidence.logE)), needed \(Self.rounded(evidence.threshold))"
        case .provisional(let labels, let challengerOnly, let championOnly):
            "it leads on the \(labels) audit labels known so far, \(challengerOnly) to \(championOnly): too few to prove anything"
        case .feedback(let negative, let total, let expectedRate, let statistic, let threshold):
            "\(negative) of \(total) feedbacks negative, \(Self.rounded(expectedRate * 100)) % expected: statistic \(Self.rounded(statistic)), alarm at \(Self.rounded(threshold))"
        case .compared(let voices):
            "at the same time \(voices.negative) of \(voices.total) voices reject it, and \(voices.otherNegative) of \(voices.otherTotal) reject \(voices.other): log e-value \(Self.rounded(voices.logE)), needed \(Self.rounded(voices.threshold))"
        case .baked(let labels):
            "on \(labels.labels) audit labels of its rollout \(labels.other) agreed better with \(labels.otherBetter) and it with \(labels.canaryBetter): log e-value \(Self.rounded(labels.logE)), needed \(Self.rounded(labels.threshold))"
        case .suspected(let verdict):
            "few buckets of users reject it, and of \(verdict.labels) audit labels it had \(Self.rounded(verdict.right)) right, where \(verdict.leastRight) were needed"
        case .rollout(let steps): "\(steps.count) steps so far, \(steps.reduce(0) { $0 + $1.voices }) voices"
        case .command(_, let by, let reason, _): "\(by) requested it: \(reason)"
        }
    }

    private static func rounded(_ value: Double) -> Double { (value * 10).rounded() / 10 + 0 }
}
