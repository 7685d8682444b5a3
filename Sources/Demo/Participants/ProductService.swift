internal import DatasetFiles
internal import Events
internal import JSON
public import KafkaClient
internal import Learner
public import Processes
internal import Statistics
internal import Vocabulary
internal import Worker

/// A product that recognises digits: it serves the released champion on a stream of images, runs the challenger in
/// shadow, and forwards the feedback of its users. It uses only topics and files, no internals of Flywheel.
public final class ProductService {
    /// Options of the product service.
    public struct Options: Sendable {
        public var kafka: KafkaProperties
        /// Prefix of the topic names.
        public var prefix: String
        public var projects: [String]
        /// Seed of the scenario, users and images included.
        public var seed: UInt64
        /// Images a second and project.
        public var rate: Int
        /// Path of the ledger.
        public var ledger: String?

        public init(
            kafka: KafkaProperties,
            prefix: String,
            projects: [String],
            seed: UInt64,
            rate: Int,
            ledger: String? = nil
        ) {
            self.kafka = kafka
            self.prefix = prefix
            self.projects = projects
            self.seed = seed
            self.rate = rate
            self.ledger = ledger
        }
    }

    /// Deployment of one project: the models that it serves.
    private struct Deployment {
        let project: String
        var champion: (version: String, model: SoftmaxRegression)?
        var challenger: (version: String, model: SoftmaxRegression)?
        /// Number of champions served so far.
        var champions = 0
        var hasShipped = false
        /// The version of which a broken copy was deployed; nil if there is none.
        var broken: String?
        var feedbackSinceBroken = 0
        var order: [Int] = []
        var position = 0
        var generator: SplitMix64
    }

    private let options: Options
    private let scenario: DigitsScenario
    private let producer: KafkaProducer
    private let releases: KafkaReader
    private let ledger: ParticipantLog
    private let parser = JSONParser(maximumDepth: 64, maximumSize: 4 << 20)
    private var deployments: [Deployment]
    /// Client that reads models in buckets; nil where the environment does not configure one.
    private let buckets = try? StoreLocation.client(DemoOptions.buckets)
    private var feedbackNumber = 0
    private let stop: StopFlag
    private let shipBroken: StopFlag

    /// Creates the service. `shipBroken` is raised when the next deployment is to be a broken copy of the released
    /// model.
    public init(options: Options, stop: StopFlag, shipBroken: StopFlag) throws {
        self.options = options
        self.stop = stop
        self.shipBroken = shipBroken
        scenario = try DigitsScenario(seed: options.seed)
        producer = try KafkaProducer(properties: options.kafka)
        releases = try KafkaReader(properties: options.kafka, topics: [options.prefix + "model-releases"])
        ledger = ParticipantLog(path: options.ledger)
        // Both projects see the same users and the same order of images.
        deployments = options.projects.map {
            Deployment(project: $0, generator: SplitMix64(seed: options.seed ^ 0x70_72_6f_64))
        }
    }

    /// Runs until `stop` is raised.
    public func run() throws {
        var positions: [KafkaTopicPartition: Int64] = [:]
        let topic = options.prefix + "model-releases"
        for partition in try releases.partitions(of: topic) { positions[KafkaTopicPartition(topic, partition)] = 0 }
        try releases.start(positions)
        let began = WallClock.now()
        var served: Int64 = 0
        while !stop.isRaised {
            try loadReleases()
            if shipBroken.isRaised { ship() }
            let due = (WallClock.now() - began) * Int64(options.rate) / 1_000
            while served < due, !stop.isRaised {
                for index in deployments.indices { try serve(index) }
                served += 1
            }
            WallClock.pause(10)
        }
        _ = try producer.flush(timeoutMilliseconds: 3_000)
        producer.close()
        releases.close()
    }

    // MARK: - Releases

    private func loadReleases() throws {
        while try releases.poll(maximum: 100, timeoutMilliseconds: 0) == .records {
            for record in releases.records {
                guard let json = try? parser.parse(record.value), let project = try? json.object().string("project"),
                    let release = try? ModelRelease(json: json),
                    let index = deployments.firstIndex(where: { $0.project == project })
                else { continue }
                deploy(release, index)
            }
        }
    }

    private func deploy(_ release: ModelRelease, _ index: Int) {
        let known = [deployments[index].champion, deployments[index].challenger].compactMap { $0 }
        func load(_ model: ReleasedModel?) -> (version: String, model: SoftmaxRegression)? {
            guard let model else { return nil }
            if let same = known.first(where: { $0.version == model.version.rawValue }) { return same }
            guard let bytes = try? ArtifactFile.read(model.artifact, buckets),
                let loaded = try? SoftmaxRegression(bytes: bytes)
            else {
                ledger.write("unreadable_artifact") { $0.member("version", model.version.rawValue) }
                return nil
            }
            return (model.version.rawValue, loaded)
        }
        let before = deployments[index].champion?.version
        deployments[index].champion = load(release.champion) ?? deployments[index].champion
        deployments[index].challenger = load(release.challenger)
        let now = deployments[index].champion?.version
        guard before != now else { return }
        deployments[index].champions += 1
        let feedbacks = deployments[index].feedbackSinceBroken
        ledger.write("deployed") { [deployments] writer in
            writer.member("project", deployments[index].project)
            writer.member("version", now ?? "")
            writer.member("cause", release.cause.rawValue)
            writer.member("replaced_broken", before != nil && before == deployments[index].broken)
            writer.member("feedbacks_since_broken", feedbacks)
            writer.member("at_ms", WallClock.now())
        }
        if before == deployments[index].broken { deployments[index].broken = nil }
    }

    /// Simulates a faulty deployment: the released version with its classes shifted by one. It happens once for each
    /// project, and not before there is a champion to which a rollback can return.
    private func ship() {
        for index in deployments.indices where !deployments[index].hasShipped && deployments[index].champions > 1 {
            deployments[index].hasShipped = true
            deployments[index].broken = deployments[index].champion?.version
            deployments[index].feedbackSinceBroken = 0
            ledger.write("broken_shipped") { [deployments] writer in
                writer.member("project", deployments[index].project)
                writer.member("version", deployments[index].broken ?? "")
                writer.member("at_ms", WallClock.now())
            }
        }
    }

    // MARK: - Serving

    private func serve(_ index: Int) throws {
        let image = nextImage(index)
        let features = image.features.map { Double($0) }
        guard let champion = deployments[index].champion else {
            try publish(image, at: index, version: nil, probabilities: nil, role: .champion)
            return
        }
        var probabilities = champion.model.probabilities(of: features)
        if deployments[index].broken == champion.version {
            probabilities = Array(probabilities[1...]) + [probabilities[0]]
        }
        try publish(image, at: index, version: champion.version, probabilities: probabilities, role: .champion)
        if let challenger = deployments[index].challenger {
            try publish(
                image,
                at: index,
                version: challenger.version,
                probabilities: challenger.model.probabilities(of: features),
                role: .challenger
            )
        }
        try react(to: image, at: index, version: champion.version, probabilities: probabilities)
    }

    private func nextImage(_ index: Int) -> DigitImage {
        if deployments[index].position >= deployments[index].order.count {
            deployments[index].order = SeededSampling.permutation(
                of: scenario.streamed.count,
                using: &deployments[index].generator
            )
            deployments[index].position = 0
        }
        let image = scenario.streamed[deployments[index].order[deployments[index].position]]
        deployments[index].position += 1
        return image
    }

    private func publish(
        _ image: DigitImage,
        at index: Int,
        version: String?,
        probabilities: [Double]?,
        role: ModelRole
    ) throws {
        var output: ClassDistribution?
        if let probabilities {
            var entries: [ClassDistribution.Entry] = []
            for (label, probability) in probabilities.enumerated() {
                entries.append(.init(label: ClassIndex(label), probability: probability))
            }
            output = ClassDistribution(entries)
        }
        let event = PredictionEvent(
            project: ProjectID(deployments[index].project),
            sample: Sample(
                id: SampleID(image.id),
                content: .inline(mediaType: "application/json", text: image.text),
                embedding: image.features
            ),
            model: version.map { ModelReference(name: "digits", version: ModelVersion($0), role: role) },
            output: output.map { .choice($0) },
            predictedAt: WallClock.now()
        )
        var writer = JSONWriter(capacity: 1_024)
        event.write(to: &writer, question: Self.question)
        try send("predictions", key: image.id, writer.bytes)
    }

    static let question = Question.choice(LabelSchema(question: "", classes: DigitsScenario.classes))

    /// Simulates feedback: users report wrong answers more often than right ones, and a few of their reports are wrong.
    private func react(to image: DigitImage, at index: Int, version: String, probabilities: [Double]) throws {
        var predicted = 0
        for label in probabilities.indices where probabilities[label] > probabilities[predicted] { predicted = label }
        let isRight = predicted == image.digit
        var draw = SplitMix64(seed: deployments[index].generator.next())
        guard draw.nextUnit() < (isRight ? 0.1 : 0.3) else { return }
        let isHonest = draw.nextUnit() < 0.98
        let verdict: Feedback.Verdict =
            isRight == isHonest ? .confirmation : (draw.nextUnit() < 0.5 ? .correction : .rejection)
        feedbackNumber += 1
        if deployments[index].broken == version { deployments[index].feedbackSinceBroken += 1 }
        let event = FeedbackEvent(
            project: ProjectID(deployments[index].project),
            id: "f-\(feedbackNumber)",
            source: "digits-app",
            sample: SampleID(image.id),
            modelVersion: ModelVersion(version),
            user: "user-\(draw.next(below: 50_000))",
            verdict: verdict,
            answer: verdict == .correction ? .choice(ClassIndex(image.digit)) : nil,
            givenAt: WallClock.now()
        )
        var writer = JSONWriter()
        event.write(to: &writer, question: Self.question)
        try send("feedback", key: image.id, writer.bytes)
    }

    private func send(_ topic: String, key: String, _ value: [UInt8]) throws {
        try producer.send(KafkaOutputRecord(topic: options.prefix + topic, key: Array(key.utf8), value: value))
    }
}
