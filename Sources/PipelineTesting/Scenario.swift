internal import Acquisition
internal import Datasets
package import Events
package import Flywheel
package import JSON
internal import Labeling
internal import Rollout
package import Statistics
internal import Training
package import Vocabulary

/// Three classes of points in the plane, generated from a seed: the data that a product service would receive.
package struct Scenario {
    package static let project = ProjectID("shapes")
    package static let classes = ["circle", "square", "star"]
    package static let partition: Int32 = 1
    package static let schema = LabelSchema(question: "What is it?", classes: classes)

    package private(set) var generator: SplitMix64
    package private(set) var truth: [String: Int] = [:]
    package private(set) var points: [String: [Float]] = [:]
    private var count = 0

    package init(seed: UInt64) { generator = SplitMix64(seed: seed) }

    /// The next sample of the stream.
    package mutating func next() -> Sample {
        let kind = generator.next(below: 3)
        let centres: [(Double, Double)] = [(0, 0), (4, 0), (2, 3)]
        let x = centres[kind].0 + 0.8 * generator.nextNormal()
        let y = centres[kind].1 + 0.8 * generator.nextNormal()
        let id = "s\(count)"
        count += 1
        truth[id] = kind
        points[id] = [Float(x), Float(y)]
        return Sample(id: SampleID(id), content: .uri("memory:\(id)"), embedding: points[id])
    }

    /// Answer for a sample by an annotator who errs one time in ten.
    package mutating func answer(_ sample: String) -> Int {
        let right = truth[sample] ?? 0
        return generator.next(below: 10) == 0 ? (right + 1) % 3 : right
    }

    package mutating func chance(_ part: Double) -> Bool { generator.nextUnit() < part }

    /// A small project whose cycle completes within a minute.
    package static func configuration(votes: Int = 400, window: Int64 = 86_400_000) -> ProjectConfiguration {
        ProjectConfiguration(
            project: project,
            revision: 1,
            partition: partition,
            schema: schema,
            acquisition: AcquisitionPolicy(
                batchSize: 6,
                preselection: 2,
                poolCapacity: 40,
                openTaskLimit: 12,
                auditShare: 0.3,
                auditCutoff: 0.3,
                votes: votes,
                window: window,
                oversample: 100_000,
                maximumWait: 1_000
            ),
            labeling: LabelingPolicy(minimumVotes: 1, maximumVotes: 3, confidence: 0.9, lifetime: 20_000),
            datasets: DatasetPolicy(cutEvery: 6, cutAfter: 30_000),
            training: TrainingPolicy(newLabels: 6, repeats: 2, deadline: 60_000),
            rollout: RolloutPolicy(
                alpha: 0.3,
                minimumShadow: 1,
                calibration: 10,
                bound: .challenger,
                userBuckets: 65_536
            )
        )
    }
}

/// Bytes of events, as external services write them.
package enum Wire {
    package static func bytes(_ write: (inout JSONWriter) -> Void) -> [UInt8] {
        var writer = JSONWriter()
        write(&writer)
        return writer.bytes
    }

    package static func prediction(
        _ sample: Sample,
        _ probabilities: [Double]? = nil,
        version: String = "v1",
        role: ModelRole = .champion,
        at time: Int64? = nil
    ) -> [UInt8] {
        let entries = probabilities?.enumerated().map {
            ClassDistribution.Entry(label: ClassIndex($0.offset), probability: $0.element)
        }
        let event = PredictionEvent(
            project: Scenario.project,
            sample: sample,
            model: entries.map { _ in ModelReference(name: "linear", version: ModelVersion(version), role: role) },
            output: entries.flatMap { ClassDistribution($0) }.map(Output.choice),
            predictedAt: time
        )
        return bytes { event.write(to: &$0, question: .choice(Scenario.schema)) }
    }

    package static func annotation(
        _ task: String,
        _ annotator: String,
        _ outcome: Annotation.Outcome,
        token: RequestToken? = nil
    ) -> [UInt8] {
        let annotation = Annotation(task: TaskID(task), annotator: AnnotatorID(annotator), outcome: outcome)
        let event = AnnotationEvent(project: Scenario.project, annotation: annotation, answeredAt: nil, token: token)
        return bytes { event.write(to: &$0, question: .choice(Scenario.schema)) }
    }

    package static func feedback(
        _ id: String,
        on sample: String,
        by version: String,
        user: String,
        _ verdict: Feedback.Verdict
    ) -> [UInt8] {
        let event = FeedbackEvent(
            project: Scenario.project,
            id: id,
            source: "shop",
            sample: SampleID(sample),
            modelVersion: ModelVersion(version),
            user: user,
            verdict: verdict,
            answer: nil,
            givenAt: nil
        )
        return bytes { event.write(to: &$0, question: .choice(Scenario.schema)) }
    }

    package static func command(_ id: String, _ action: Command.Action) -> [UInt8] {
        let command = Command(id: id, action: action, by: "olga", reason: "test")
        return bytes { CommandEvent(project: Scenario.project, command: command).write(to: &$0) }
    }
}
