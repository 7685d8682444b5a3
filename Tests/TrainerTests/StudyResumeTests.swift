import EngineCore
import Events
import PipelineTesting
import StreamRuntime
import StreamTesting
import Testing
import Trainer
import Vocabulary

@Suite("A study is resumed at its first unfinished repeat")
struct StudyResumeTests {
    private func source() throws -> Pipeline {
        let source = try Pipeline(seed: 2)
        for _ in 0..<10 { try source.round() }
        return source
    }

    private func results(_ pipeline: Pipeline) throws -> [String] {
        try pipeline.decoded(.trainingResults) { json in
            let result = try TrainingResult(json: json)
            return "\(result.request)/\(result.trial)/\(result.repetition)"
        }
    }

    private func processor(_ runner: ProcessorRunner) throws -> TrainerProcessor {
        try #require(runner.processor as? TrainerProcessor)
    }

    @Test("After any failure, a committed result is not computed again, not even by another worker")
    func resume() throws {
        let source = try source()
        let undisturbed = try Pipeline.prepared([.trainingRequests], from: source)
        let counting = FaultPlan()
        try undisturbed.makeTrainer(counting, budget: 0).settle()
        let expected = try results(undisturbed)
        #expect(expected.count >= 4)
        var resumed = 0
        for step in FaultPlan.steps(counting.effects, [.crash, .fatal, .abortable]) {
            let pipeline = try Pipeline.prepared([.trainingRequests], from: source)
            let plan = FaultPlan(step)
            let first = try pipeline.makeTrainer(plan, budget: 0)
            do {
                try first.settle()
                // The trainer has recovered: the one repeat whose outcome was unknown may have been computed twice.
                #expect(try processor(first).repeats <= Int64(expected.count + 1), "\(step)")
            } catch {
                first.task.abandon()
                let isElsewhere = step.number % 2 == 1
                if isElsewhere { pipeline.cluster.expireMember("w1", of: "trainer") }
                // Transactions of a dead worker are aborted by their timeout.
                pipeline.clock.advance(by: 10_001)
                let committedCount = try results(pipeline).count
                let second = try pipeline.makeTrainer(instance: isElsewhere ? "w2" : "w1", budget: 0)
                try processor(second).resumed = { _, _ in resumed += 1 }
                try second.settle()
                #expect(try processor(second).repeats == Int64(expected.count - committedCount), "\(step)")
            }
            #expect(try results(pipeline) == expected, "\(step)")
        }
        #expect(resumed > 0)
    }

    @Test("Results of another trainer count as finished, unrelated ones are ignored")
    func foreign() throws {
        let source = try source()
        let pipeline = try Pipeline.prepared([.trainingRequests], from: source)
        let request = try #require(try pipeline.decoded(.trainingRequests) { try TrainingRequest(json: $0) }.first)
        let topic = pipeline.topics[.trainingRequests]
        let token = TokenKeys.pipeline.token(on: topic, of: Scenario.project, for: request.id.rawValue)
        func send(_ id: String, _ trial: Int, _ repetition: Int) throws {
            let text =
                #"{"project":"shapes","request":"\#(id)","trial":\#(trial),"repeat":\#(repetition),"status":"failed","error":"no","token":"\#(token.reveal())"}"#
            try pipeline.send(.trainingResults, Array(text.utf8), partition: 1)
        }
        try send("shapes-0-0", 0, 0)
        try send(request.id.rawValue, 0, 1)
        try pipeline.send(.trainingResults, [0xFE])
        let before = 3
        let all = try pipeline.decoded(.trainingRequests) { try TrainingRequest(json: $0) }
        let wanted = all.reduce(0) { $0 + $1.trials.count * $1.repeats }
        let runner = try pipeline.makeTrainer()
        try runner.settle()
        #expect(try processor(runner).repeats == Int64(wanted - 1))
        #expect(pipeline.cluster.committed(pipeline.topics[.trainingResults]).count == before + wanted - 1)
    }

    @Test("With sixteen pending studies nothing more is fetched, and the offset stays at the oldest one")
    func backPressure() throws {
        let source = try source()
        let pipeline = try Pipeline.prepared([.trainingRequests], from: source)
        let topicPartition = TopicPartition(pipeline.topics[.trainingRequests], Scenario.partition)
        let requests = pipeline.cluster.committed(pipeline.topics[.trainingRequests])
        for _ in 0..<16 {
            let (value, headers) = (requests[0].value, requests[0].headers)
            try pipeline.send(.trainingRequests, value, headers: headers, partition: Scenario.partition)
        }
        let runner = try pipeline.makeTrainer(budget: 0)
        while try results(pipeline).isEmpty { try runner.task.cycle() }
        #expect(pipeline.cluster.offsets(of: "trainer")[topicPartition] == 0)
        #expect(runner.processor.wantsPause)
        try runner.task.cycle()
        #expect(runner.events.contains { if case .paused = $0 { true } else { false } })
        try runner.settle()
        #expect(
            pipeline.cluster.offsets(of: "trainer")[topicPartition]
                == Int64(requests.count + 16)
        )
        #expect(runner.events.contains { if case .resumed = $0 { true } else { false } })
    }
}
