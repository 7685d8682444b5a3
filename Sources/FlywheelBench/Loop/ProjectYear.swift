import Acquisition
import Datasets
import Events
import Flywheel
import Foundation
import Hashing
import JSON
import Labeling
import Loop
import Statistics
import Tables
import Training
import Vocabulary

/// Simulated history of a project, entry by entry as its journal would contain it: candidates and tallies arrive,
/// people answer tasks, versions are sealed, studies end. The replay of an entry is timed; the work of the scenario
/// around it is not.
struct ProjectYear {
    private static let second: Int64 = 1_000
    private static let day: Int64 = 86_400_000
    private static let file = ArtifactReference(uri: "memory:year", size: 0, sha256: String(repeating: "0", count: 64))

    private(set) var project: LoopProject
    private(set) var entries = 0
    private(set) var bytes = 0
    private(set) var votes = 0
    private(set) var decisions = 0
    /// Number of entries, and time to read, apply and commit them, by kind of entry.
    private(set) var costs: [String: Cost] = [:]
    /// Time for entries of all kinds, in seconds.
    var seconds: Double { Double(costs.values.reduce(0) { $0 + $1.nanoseconds }) / 1e9 }

    /// Receives each entry's bytes and time of appending.
    var record: ((_ value: [UInt8], _ time: Int64) throws -> Void)?

    struct Cost {
        var entries = 0
        var nanoseconds: Int64 = 0
    }

    private let dailyVotes: Int
    private let parser = JSONParser()
    private var generator = SplitMix64(seed: 5)
    private var time: Int64 = 1_767_225_600_000
    private var samples = 0
    private var model: ModelReference?
    /// Open tasks, oldest first, with the number of answers that each has received.
    private var open: [(task: TaskID, votes: Int)] = []
    private var answeredRequest: RequestID?

    init(dailyVotes: Int) {
        self.dailyVotes = dailyVotes
        project = LoopProject(project: ProjectID("year"))
    }

    mutating func configure() throws {
        let configuration = ProjectConfiguration(
            project: ProjectID("year"),
            revision: 1,
            partition: 0,
            schema: LabelSchema(question: "What is it?", classes: IntakeTraffic.classes),
            acquisition: AcquisitionPolicy(votes: dailyVotes),
            datasets: DatasetPolicy(cutEvery: 100),
            training: TrainingPolicy(newLabels: 100)
        )
        try apply(.configured(configuration))
    }

    /// Simulates one day: a tally every ten seconds, a tick every minute, twenty candidates for each task within the
    /// budget.
    mutating func simulateDay() throws {
        let candidates = Double(dailyVotes) / 3 * 20 / 8_640
        let answers = Double(dailyVotes) / 8_640
        var (owedCandidates, owedAnswers) = (0.0, 0.0)
        for step in 0..<8_640 {
            time += 10 * Self.second
            try apply(.tally(tallies()))
            owedCandidates += candidates
            while owedCandidates >= 1 {
                owedCandidates -= 1
                try apply(.candidate(candidate()))
            }
            owedAnswers += answers
            while owedAnswers >= 1 {
                owedAnswers -= 1
                try answer()
            }
            if step % 6 == 0 {
                let mark = ChainMark(
                    entryNumber: project.state.position.value.entryNumber,
                    digest: project.chain.digest.hex
                )
                try apply(.tick(mark))
            }
            try reportTrainingResults()
        }
    }

    private func tallies() -> [Tally] {
        ["m1", "m2", "m0"].map {
            Tally(
                modelVersion: ModelVersion($0),
                role: .champion,
                predictions: 5_000,
                feedback: 12,
                negative: 1,
                forwarded: 3
            )
        }
    }

    private mutating func candidate() -> Candidate {
        samples += 1
        let first = 0.3 + 0.5 * generator.nextUnit()
        let label = generator.next(below: IntakeTraffic.classes.count)
        let other = (label + 1) % IntakeTraffic.classes.count
        let output = ClassDistribution([
            .init(label: ClassIndex(label), probability: first),
            .init(label: ClassIndex(other), probability: 1 - first),
        ])
        let isAudit = generator.nextUnit() < 0.1
        return Candidate(
            sample: Sample(
                id: SampleID("s-\(samples)"),
                content: .uri("https://example.org/images/\(samples).jpg"),
                embedding: (0..<16).map { _ in Float(generator.nextUnit()) }
            ),
            output: model == nil ? nil : output.map { .choice($0) },
            model: model,
            score: 1 - first,
            auditProbability: isAudit ? 0.1 : nil,
            auditDraw: isAudit ? generator.nextUnit() * 0.1 : 0.5,
            predictedAt: StreamTime(milliseconds: time)
        )
    }

    private mutating func answer() throws {
        guard !open.isEmpty else { return }
        let next = open[0]
        votes += 1
        open[0].votes += 1
        let answer = Annotation.Outcome.answer(.choice(ClassIndex(generator.next(below: 10) == 0 ? 1 : 0)))
        try apply(
            .annotation(
                Annotation(task: next.task, annotator: AnnotatorID("annotator-\(next.votes)"), outcome: answer)
            )
        )
    }

    /// Applies the trainer's results for a request, once.
    private mutating func reportTrainingResults() throws {
        guard let request = project.state.training.progress.value.running?.request, request.id != answeredRequest else {
            return
        }
        answeredRequest = request.id
        for trial in request.trials.indices {
            for repetition in 0..<request.repeats {
                let outcome = TrainingResult.Outcome.finished(
                    artifact: Self.file,
                    score: nil,
                    itemsScored: 0,
                    predictions: nil
                )
                try apply(
                    .trainingResult(
                        TrainingResult(request: request.id, trial: trial, repetition: repetition, outcome: outcome)
                    )
                )
            }
        }
        model = ModelReference(name: "m", version: request.modelVersion)
    }

    /// Applies an entry. The timed part parses its bytes, applies it to the project, and commits.
    private mutating func apply(_ body: JournalEntry.Body) throws {
        let text = JournalEntry(project: project.state.project, body: body).jsonBytes
        try record?(text, time)
        let began = Self.now()
        let entry = try text.withUnsafeBytes { try JournalEntry(json: parser.parse($0)) }
        let newDecisions = project.apply(entry, appendedAt: StreamTime(milliseconds: time))
        project.commit()
        let cost = Self.now() - began
        let kind = body.kind.rawValue
        costs[kind, default: Cost()].nanoseconds += cost
        costs[kind, default: Cost()].entries += 1
        entries += 1
        bytes += text.count
        decisions += newDecisions.count
        for decision in newDecisions { try observe(decision) }
    }

    /// Time in nanoseconds, from a clock that is read without a call of the kernel: an entry costs little more than
    /// such a call.
    private static func now() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    /// Forwards a decision to the simulated people and the materializer.
    private mutating func observe(_ decision: EncodedDecision) throws {
        switch decision.topic {
        case .labelingTasks:
            let task = try decision.value.withUnsafeBytes { try LabelingTask(json: parser.parse($0)) }
            if case .closed = task.state {
                open.removeAll { $0.task == task.id }
            } else if task.votes == 0 {
                open.append((task.id, 0))
            }
        case .datasetLog:
            let object = try decision.value.withUnsafeBytes { try parser.parse($0).object() }
            guard try object.string("kind") == "version_cut" else { return }
            let versionNumber = try object.int("ordinal")
            let counts = try object.object("counts")
            let version = SealedVersion(
                id: DatasetVersionID("year-\(versionNumber)"),
                versionNumber: versionNumber,
                parent: versionNumber > 1 ? DatasetVersionID("year-\(versionNumber - 1)") : nil,
                semanticVersion: "0.\(versionNumber).0",
                manifest: Self.file,
                training: try counts.int("training"),
                validation: try counts.int("validation"),
                test: try counts.int("test")
            )
            try apply(.versionSealed(version))
        default: break
        }
    }
}
