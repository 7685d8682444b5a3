internal import DatasetFiles
internal import EngineCore
package import Events
internal import Flywheel
internal import Foundation
internal import Intake
package import JSON
internal import Learner
internal import Loop
internal import Materializer
internal import S3
internal import Statistics
internal import Storage
internal import StreamRuntime
internal import StreamTesting
internal import Trainer
package import Vocabulary

/// The participants of a pipeline: a product service that predicts, and a label tool with its annotators.
extension Pipeline {
    // MARK: - The product service

    package func serve(_ count: Int) throws {
        let release = try releases().last
        for number in 0..<count {
            let sample = scenario.next()
            let partition = Int32(number % 2)
            guard let release, let embedding = sample.embedding else {
                try send(.predictions, Wire.prediction(sample), partition: partition)
                continue
            }
            // In these pipelines, a canary serves all samples.
            let canary = release.staging?.canary.map {
                ReleasedModel(
                    version: $0.version,
                    artifact: $0.artifact,
                    datasetVersionNumber: 0,
                    newestSampleAt: StreamTime(milliseconds: 0)
                )
            }
            let challenger = runsChallenger ? release.challenger : nil
            for (model, role) in [(canary ?? release.champion, ModelRole.champion), (challenger, .challenger)] {
                guard let model else { continue }
                let probabilities = try load(model).probabilities(of: embedding.map(Double.init))
                let version = model.version.rawValue
                let value = Wire.prediction(sample, probabilities, version: version, role: role, at: clock.now - 5)
                try send(.predictions, value, partition: partition)
                guard role == .champion, scenario.chance(0.5) else { continue }
                let best = probabilities.indices.max { probabilities[$0] < probabilities[$1] }
                let verdict = best == scenario.truth[sample.id.rawValue] ? Feedback.Verdict.confirmation : .rejection
                feedbacks += 1
                let user = "user-\(scenario.generator.state % 17)"
                let id = "f\(feedbacks)"
                try send(.feedback, Wire.feedback(id, on: sample.id.rawValue, by: version, user: user, verdict))
            }
        }
    }

    private func load(_ model: ReleasedModel) throws -> SoftmaxRegression {
        let version = model.version.rawValue
        if let known = models[version] { return known }
        let loaded = try SoftmaxRegression(bytes: ArtifactFile.read(model.artifact, buckets))
        models[version] = loaded
        return loaded
    }

    package func releases() throws -> [ModelRelease] {
        try decoded(.modelReleases) { try ModelRelease(json: $0) }
    }

    package func tasks() throws -> [LabelingTask] {
        try decoded(.labelingTasks) { try LabelingTask(json: $0) }
    }

    /// Tasks with their tokens, as a label tool reads them.
    package func offeredTasks() throws -> [(task: LabelingTask, token: RequestToken?)] {
        try decoded(.labelingTasks) { (try LabelingTask(json: $0), try RequestToken(of: $0.object())) }
    }

    package func decoded<T>(_ topic: Topic, _ decode: (JSONValue) throws -> T) throws -> [T] {
        let parser = JSONParser()
        return try cluster.committed(topics[topic]).map { try parser.withDocument(of: $0.value ?? [], decode) }
    }

    // MARK: - The label tool

    /// Answers the open tasks; some tasks are skipped, some answers are sent twice, some late.
    package func annotate() throws {
        var latest: [TaskID: LabelingTask] = [:]
        var tokens: [TaskID: RequestToken] = [:]
        for (task, token) in try offeredTasks() { (latest[task.id], tokens[task.id]) = (task, token) }
        for id in latest.keys.sorted() {
            guard let task = latest[id], task.state == .open else { continue }
            let given = votes[id.rawValue] ?? 0
            guard given < task.votesWanted, given < 6, !scenario.chance(0.1) else { continue }
            let name = "a\(given)"
            votes[id.rawValue] = given + 1
            let answer = Answer.choice(ClassIndex(scenario.answer(task.sample.id.rawValue)))
            let outcome = scenario.chance(0.05) ? Annotation.Outcome.skip : .answer(answer)
            let value = Wire.annotation(id.rawValue, name, outcome, token: tokens[id])
            try send(.annotations, value, partition: Int32(given % 2))
            if scenario.chance(0.1) { try send(.annotations, value, partition: Int32(given % 2)) }
        }
    }
}
