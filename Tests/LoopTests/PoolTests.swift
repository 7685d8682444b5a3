import Acquisition
import DatasetFiles
import Datasets
import Events
import Flywheel
import JSON
import Labeling
import Learner
import Loop
import PipelineTesting
import Statistics
import StreamRuntime
import StreamTesting
import Tables
import Testing
import Vocabulary

/// A service whose samples are a pool, each published once or repeatedly.
private final class PoolPipeline {
    let pipeline: Pipeline
    private(set) var samples: [Sample] = []
    private var models: [ModelVersion: SoftmaxRegression] = [:]
    private var next = 0
    private var tasks: [TaskID: LabelingTask] = [:]
    private var tokens: [TaskID: RequestToken?] = [:]
    private var votes: [TaskID: Int] = [:]
    private var tasksRead = 0

    /// A project that keeps the default of everything that `change` does not set.
    init(
        _ count: Int,
        seed: UInt64 = 1,
        readsState: Bool = true,
        _ change: (inout AcquisitionPolicy) -> Void = { _ in }
    ) throws {
        var policy = AcquisitionPolicy()
        change(&policy)
        let configuration = ProjectConfiguration(
            project: Scenario.project,
            revision: 1,
            partition: Scenario.partition,
            question: .choice(Scenario.schema),
            acquisition: policy,
            labeling: LabelingPolicy(),
            datasets: DatasetPolicy(),
            training: Scenario.configuration().training,
            rollout: Scenario.configuration().rollout
        )
        pipeline = try Pipeline(seed: seed, configuration: configuration)
        pipeline.readsState = readsState
        for _ in 0..<count { samples.append(pipeline.scenario.next()) }
    }

    func shuffle(seed: UInt64) {
        var generator = SplitMix64(seed: seed)
        SeededSampling.shuffle(&samples, using: &generator)
    }

    /// Publishes the next samples, with the predictions of the current models.
    func publish(_ count: Int) throws {
        let release = try pipeline.releases().last
        for _ in 0..<count {
            let sample = samples[next % samples.count]
            let partition = Int32(next % 2)
            next += 1
            guard let release, let embedding = sample.embedding else {
                try pipeline.send(.predictions, Wire.prediction(sample), partition: partition)
                continue
            }
            for (model, role) in [(release.champion, ModelRole.champion), (release.challenger, .challenger)] {
                guard let model else { continue }
                let loaded = try models[model.version] ?? SoftmaxRegression(bytes: ArtifactFile.read(model.artifact))
                models[model.version] = loaded
                let output = loaded.probabilities(of: embedding.map(Double.init))
                let value = Wire.prediction(sample, output, version: model.version.rawValue, role: role)
                try pipeline.send(.predictions, value, partition: partition)
            }
        }
    }

    /// All open tasks are answered at once, without skips.
    private func answer() throws {
        let records = pipeline.cluster.committed(pipeline.topics[.labelingTasks])
        let parser = JSONParser()
        for record in records.dropFirst(tasksRead) {
            let (task, token) = try parser.withDocument(of: record.value ?? []) {
                (try LabelingTask(json: $0), try RequestToken(of: $0.object()))
            }
            (tasks[task.id], tokens[task.id]) = (task, token)
        }
        tasksRead = records.count
        for id in tasks.keys.sorted() {
            guard let task = tasks[id], task.state == .open, votes[id, default: 0] < task.votesWanted else { continue }
            let answer = Annotation.Outcome.answer(
                .choice(ClassIndex(pipeline.scenario.answer(task.sample.id.rawValue)))
            )
            let name = "a\(votes[id, default: 0])"
            votes[id, default: 0] += 1
            try pipeline.send(.annotations, Wire.annotation(id.rawValue, name, answer, token: tokens[id] ?? nil))
        }
    }

    /// Advances the clock by `milliseconds`, while annotators answer.
    func advance(_ milliseconds: Int64) throws {
        try pipeline.settle()
        try answer()
        try pipeline.settle()
        pipeline.clock.advance(by: milliseconds)
        try pipeline.settle()
    }

    var queried: [TaskPurpose: Int] {
        var purposes: [SampleID: TaskPurpose] = [:]
        for task in tasks.values { purposes[task.sample.id] = task.purpose }
        return counted(purposes.values)
    }

    var candidates: [Candidate] {
        get throws {
            try pipeline.decoded(.journal) { try JournalEntry(json: $0) }.compactMap {
                if case .candidate(let candidate) = $0.body { candidate } else { nil }
            }
        }
    }

    var acquisition: AcquisitionState? {
        var found: AcquisitionState?
        pipeline.loopProcessor?.forEachProject { found = $0.state.acquisition }
        return found
    }

    /// Number of samples that the loop has received, queried or not.
    var known: Int {
        guard let acquisition else { return 0 }
        var ids = Set(acquisition.pool.candidates.sortedKeys)
        ids.formUnion(acquisition.audit.candidates.sortedKeys)
        ids.formUnion(acquisition.accounts.queried.sortedKeys)
        return ids.count
    }
}

@Suite("Pools, and samples that are served repeatedly")
struct PoolTests {
    /// Before: 67 were queried, 862 of 1,000 votes remained, and no more followed. In edition 1, where a batch waits
    /// for the whole `maximumWait` of 10 s when few samples of the pool are left, 200 are queried in two minutes, and
    /// all eventually.
    @Test("300 samples served repeatedly at 20 a second are all queried within two minutes, and none for the test set")
    func servedRepeatedly() throws {
        let pool = try PoolPipeline(300) { $0.auditShare = 0 }
        var seconds = 0.0
        while seconds < 120, pool.queried[.acquisition] ?? 0 < 300 {
            try pool.publish(10)
            try pool.advance(500)
            seconds += 0.5
        }
        let queried = pool.queried
        #expect(queried == [.acquisition: 300])
        // Predictions of samples that have already been queried produce no candidates.
        let before = try pool.candidates.count
        for _ in 0..<4 {
            try pool.publish(100)
            try pool.advance(5_000)
        }
        #expect(try pool.candidates.count == before)
        print("round and round: \(queried) after \(seconds) s, \(before) candidates")
    }

    /// Before: of 200 samples 7 were queried for training and 17 for audit, and 976 of 1,000 votes remained. Now all
    /// 200 are known, and queried after 188 s (a batch each ten seconds, since no sample is published again for a newer
    /// model to score); of 700 samples 566 are known: the pool's 500, and 66 of the audit sample.
    @Test(
        "A pool that is published once is received completely, and queried while votes remain",
        arguments: [(200, 200, 0), (200, 4, 3_000), (700, 700, 0)]
    )
    func once(count: Int, atOnce: Int, pause: Int64) throws {
        let pool = try PoolPipeline(count, seed: 2)
        pool.shuffle(seed: UInt64(atOnce))
        for _ in 0..<(count / atOnce) {
            try pool.publish(atOnce)
            try pool.advance(pause)
        }
        try pool.advance(0)
        let capacity = pool.pipeline.configuration.acquisition.poolCapacity
        let known = pool.known
        #expect(known >= min(count, capacity))
        var seconds = Double(count / atOnce) * Double(pause) / 1_000
        while seconds < 600, pool.queried.values.reduce(0, +) < 200 {
            try pool.advance(2_000)
            seconds += 2
        }
        let queried = pool.queried
        #expect(queried.values.reduce(0, +) >= 200)
        print("once, \(count) by \(atOnce): \(known) known, \(queried) asked after \(seconds) s")
    }
}
