import Acquisition
import Datasets
import Events
import Flywheel
import JSON
import Labeling
import PipelineTesting
import Rollout
import StreamRuntime
import StreamTesting
import Testing
import Training
import Vocabulary

@testable import DatasetFiles
@testable import Loop
@testable import Operations

/// Test labels that are moved out of the test set, from the decision to the model that was trained on them.
@Suite("Labels moved out of the test set, from the log to the model")
struct MovingLabelTests {
    private static let window = 12

    private static func configuration() -> ProjectConfiguration {
        let usual = Scenario.configuration(votes: 100_000)
        var acquisition = usual.acquisition
        (acquisition.edition, acquisition.auditShare, acquisition.auditCutoff) = (2, 0.8, 0.5)
        (acquisition.batchSize, acquisition.openTaskLimit) = (6, 80)
        return ProjectConfiguration(
            project: usual.project,
            revision: 1,
            partition: usual.partition,
            schema: usual.schema,
            acquisition: acquisition,
            labeling: LabelingPolicy(minimumVotes: 1, maximumVotes: 1, confidence: 0.9, lifetime: 20_000),
            datasets: DatasetPolicy(cutEvery: 6, cutAfter: 30_000, format: 2),
            training: TrainingPolicy(newLabels: 6, trials: [Hyperparameters()], repeats: 1, deadline: 60_000),
            rollout: RolloutPolicy(
                alpha: 0.3,
                minimumShadow: 1,
                calibration: 10,
                provisional: 4,
                shadowWait: 100,
                window: window
            )
        )
    }

    private func facts(_ pipeline: Pipeline) throws -> [DatasetLogRecord] {
        try pipeline.decoded(.datasetLog) { try DatasetLogRecord(json: $0) }
    }

    private func moves(_ pipeline: Pipeline) throws -> [LabelChange] {
        try facts(pipeline).compactMap { fact in
            if case .changed(let change, _, _) = fact, change.by == "rollout.move" { change } else { nil }
        }
    }

    @Test(
        "After moves of labels sides are disjoint, versions MAJOR, a model is trained, and everything is explained"
    )
    func cycle() throws {
        let pipeline = try Pipeline(seed: 5, configuration: Self.configuration())
        var rounds = 0
        while rounds < 60, try moves(pipeline).count < 10 {
            try pipeline.round(serving: 30)
            rounds += 1
        }
        for _ in 0..<6 { try pipeline.round(serving: 30) }
        let changes = try moves(pipeline)
        #expect(changes.count >= 10, "\(changes.count) after \(rounds) rounds")

        // Versions as they are in the store.
        var sides: [Int: [String: Split]] = [:]
        var versions: [String] = []
        for versionNumber in try pipeline.store.versionNumbers(Scenario.project) {
            let manifest = try #require(try pipeline.store.manifest(Scenario.project, versionNumber: versionNumber))
            versions.append(manifest.semanticVersion)
            try pipeline.store.reader(of: manifest).forEachLine { line in
                let object = try line.object.get()
                let sample = try object.object("sample").string("id")
                #expect(sides[versionNumber]?[sample] == nil, "version \(versionNumber): \(sample) stands on two sides")
                sides[versionNumber, default: [:]][sample] = line.split
                guard line.split == .training, let moved = try object.optionalObject("moved") else { return }
                #expect(try moved.string("by") == "rollout.move" && moved.string("from") == "test")
            }
        }
        let problems = try pipeline.store.verify(Scenario.project).problems
        #expect(problems.isEmpty, "\(problems)")
        let cuts = try facts(pipeline).compactMap { if case .cut(let cut) = $0 { cut } else { nil } }
        let first = try #require(cuts.first { $0.sequence > changes[0].sequence })
        #expect(sides[first.versionNumber]?[changes[0].sample.rawValue] == .training)
        #expect(sides[first.versionNumber - 1]?[changes[0].sample.rawValue] == .test)
        #expect(
            versions[first.versionNumber - 1] == "2.0.0" && versions[first.versionNumber - 2].hasPrefix("1."),
            "\(versions)"
        )

        // A model of such a version: its trainer predicted all labels of the test set, and no others.
        let requests = try pipeline.decoded(.trainingRequests) { try TrainingRequest(json: $0) }
        let request = try #require(requests.first { $0.dataset.versionNumber >= first.versionNumber })
        let results = try pipeline.decoded(.trainingResults) { try TrainingResult(json: $0) }
        let result = try #require(results.first { $0.request == request.id })
        guard case .finished(_, _, let scored, let predictions) = result.outcome else {
            Issue.record("\(result.outcome)")
            return
        }
        let tested = sides[request.dataset.versionNumber]?.values.count { $0 == .test }
        #expect(scored == tested && predictions?.count == tested && result.leftOut == nil)

        // Scores omit the moved labels, but keep them in windows from the time when they were test labels.
        let (book, _) = try ScoreBook.read("shapes", transport: pipeline.cluster, topics: pipeline.topics)
        let newest = try #require(sides[cuts.count])
        let movedSamples = Set(changes.map(\.sample))
        #expect(
            book.testItems.allSatisfy {
                !movedSamples.contains($0.sample) && newest[$0.sample.rawValue] ?? .test == .test
            }
        )
        #expect(book.anchor.count == ScoreBook.anchorSize)
        let moment = StreamTime(milliseconds: changes[0].at.milliseconds - 1)
        #expect(book.window(until: moment).map(\.sample).contains { movedSamples.contains($0) })

        let explanation = try Explain(transport: pipeline.cluster, topics: pipeline.topics, salt: [1, 2, 3])
            .explain(changes[0].sample, of: pipeline.configuration, since: 0)
        let label = try #require(explanation.label)
        #expect(label.split == .training && label.changes.map(\.text) == ["moved from test to training"])
        let report = try Replay(transport: pipeline.cluster, topics: pipeline.topics)
            .verify(project: Scenario.project.rawValue, partition: Scenario.partition)
        #expect(report.isEqual, "\(report.firstDifference ?? "")")
        let summary = try #require(
            try StatusView(transport: pipeline.cluster, topics: pipeline.topics).summaries().first
        )
        #expect(summary.labels == summary.trainingLabels + summary.testLabels && summary.changedEvidence == 0)
    }
}
