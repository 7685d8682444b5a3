import EngineCore
import Events
import StreamRuntime
import StreamTesting
import Testing
import Trainer
import Vocabulary

@Suite("A study is taken up at its first unfinished repeat")
struct StudyResumeTests {
    private func source() throws -> Plant {
        let source = try Plant(seed: 2)
        for _ in 0..<10 { try source.round() }
        return source
    }

    private func results(_ plant: Plant) throws -> [String] {
        try plant.decoded(.trainingResults) { json in
            let result = try TrainingResult(json: json)
            return "\(result.request)/\(result.trial)/\(result.repetition)"
        }
    }

    private func stage(_ runner: StageRunner) throws -> TrainerStage { try #require(runner.stage as? TrainerStage) }

    @Test("Whatever it fails at, a result that stands is not computed again, not even by another worker")
    func resume() throws {
        let source = try source()
        let undisturbed = try Plant.prepared([.trainingRequests], from: source)
        let counting = FaultPlan()
        try undisturbed.makeTrainer(counting, budget: 0).settle()
        let expected = try results(undisturbed)
        #expect(expected.count >= 4)
        var resumed = 0
        for step in FaultPlan.steps(counting.effects, [.crash, .fatal, .abortable]) {
            let plant = try Plant.prepared([.trainingRequests], from: source)
            let plan = FaultPlan(step)
            let first = try plant.makeTrainer(plan, budget: 0)
            do {
                try first.settle()
                // It has cured itself: the one repeat whose outcome was not known may have been computed twice.
                #expect(try stage(first).repeats <= Int64(expected.count + 1), "\(step)")
            } catch {
                first.task.abandon()
                let isElsewhere = step.number % 2 == 1
                if isElsewhere { plant.cluster.expireMember("w1", of: "trainer") }
                // Transactions of a worker that is gone end by their timeout.
                plant.clock.advance(by: 10_001)
                let standing = try results(plant).count
                let second = try plant.makeTrainer(instance: isElsewhere ? "w2" : "w1", budget: 0)
                try stage(second).resumed = { _, _ in resumed += 1 }
                try second.settle()
                #expect(try stage(second).repeats == Int64(expected.count - standing), "\(step)")
            }
            #expect(try results(plant) == expected, "\(step)")
        }
        #expect(resumed > 0)
    }

    @Test("Results of a trainer of somebody else count as finished, others are left alone")
    func foreign() throws {
        let source = try source()
        let plant = try Plant.prepared([.trainingRequests], from: source)
        let request = try #require(try plant.decoded(.trainingRequests) { try TrainingRequest(json: $0) }.first)
        let topic = plant.topics[.trainingRequests]
        let token = TokenKeys.plant.token(on: topic, of: World.project, for: request.id.rawValue)
        func send(_ id: String, _ trial: Int, _ repetition: Int) throws {
            let text =
                #"{"project":"shapes","request":"\#(id)","trial":\#(trial),"repeat":\#(repetition),"status":"failed","error":"no","token":"\#(token.reveal())"}"#
            try plant.send(.trainingResults, Array(text.utf8), partition: 1)
        }
        try send("shapes-0-0", 0, 0)
        try send(request.id.rawValue, 0, 1)
        try plant.send(.trainingResults, [0xFE])
        let before = 3
        let all = try plant.decoded(.trainingRequests) { try TrainingRequest(json: $0) }
        let wanted = all.reduce(0) { $0 + $1.trials.count * $1.repeats }
        let runner = try plant.makeTrainer()
        try runner.settle()
        #expect(try stage(runner).repeats == Int64(wanted - 1))
        #expect(plant.cluster.committed(plant.topics[.trainingResults]).count == before + wanted - 1)
    }

    @Test("With sixteen studies in hand nothing more is fetched, and the offset stays at the oldest")
    func backPressure() throws {
        let source = try source()
        let plant = try Plant.prepared([.trainingRequests], from: source)
        let place = TopicPartition(plant.topics[.trainingRequests], World.partition)
        let requests = plant.cluster.committed(plant.topics[.trainingRequests])
        for _ in 0..<16 {
            let (value, headers) = (requests[0].value, requests[0].headers)
            try plant.send(.trainingRequests, value, headers: headers, partition: World.partition)
        }
        let runner = try plant.makeTrainer(budget: 0)
        while try results(plant).isEmpty { try runner.task.cycle() }
        #expect(plant.cluster.offsets(of: "trainer")[place] == 0)
        #expect(runner.stage.isFull)
        try runner.task.cycle()
        #expect(runner.events.contains { if case .paused = $0 { true } else { false } })
        try runner.settle()
        #expect(
            plant.cluster.offsets(of: "trainer")[place]
                == Int64(requests.count + 16)
        )
        #expect(runner.events.contains { if case .resumed = $0 { true } else { false } })
    }
}
