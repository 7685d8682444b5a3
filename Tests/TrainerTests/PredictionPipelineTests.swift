import Acquisition
import EngineCore
import Events
import Flywheel
import JSON
import Operations
import PipelineTesting
import Rollout
import StreamRuntime
import StreamTesting
import Testing
import Trainer
import Training
import Vocabulary

/// Services that cannot shadow: requests for predictions, their answers, and the results.
@Suite("Trainers predict in place of services")
struct PredictionPipelineTests {
    private static func configuration() -> ProjectConfiguration {
        let usual = Scenario.configuration(votes: 4_000)
        var (acquisition, rollout) = (usual.acquisition, usual.rollout)
        (acquisition.auditShare, acquisition.auditFirst, acquisition.openTaskLimit) = (0.5, 60, 40)
        (rollout.bound, rollout.provisional, rollout.predict) = (.share, 0, true)
        (rollout.alpha, rollout.minimumShadow, rollout.shadowWait) = (0.5, 3, 20_000)
        return ProjectConfiguration(
            project: usual.project,
            revision: 1,
            partition: usual.partition,
            schema: usual.schema,
            acquisition: acquisition,
            labeling: usual.labeling,
            datasets: usual.datasets,
            training: usual.training,
            rollout: rollout
        )
    }

    private func pipeline(rounds: Int, seed: UInt64 = 1) throws -> Pipeline {
        let pipeline = try Pipeline(seed: seed, configuration: Self.configuration())
        pipeline.runsChallenger = false
        for _ in 0..<rounds { try pipeline.round(serving: 12, time: 2_500) }
        return pipeline
    }

    private func requests(_ pipeline: Pipeline) throws -> [PredictionRequest] {
        try pipeline.decoded(.trainingRequests) { json in
            try json.object().optional("kind") == nil ? nil : try PredictionRequest(json: json)
        }.compactMap { $0 }
    }

    /// Ids of the answered requests, in the order of their answers.
    private func answered(_ pipeline: Pipeline) throws -> [String] {
        try pipeline.decoded(.trainingResults) { json in
            let object = try json.object()
            return PredictedEvent.matches(object) ? try object.string("request") : nil
        }.compactMap { $0 }
    }

    @Test("Without services that shadow, each request is answered once and applied, and the replay is equal")
    func cycle() throws {
        let pipeline = try pipeline(rounds: 30)
        let requests = try requests(pipeline)
        #expect(requests.count > 3)
        let answered = try answered(pipeline)
        #expect(answered.sorted() == requests.map(\.id.rawValue).sorted())
        // The journal has every answer, and none was refused.
        let entries = pipeline.journal().compactMap { $0.value }
        var predicted = 0
        for entry in entries {
            let body = try JSONParser().withDocument(of: entry) { try JournalEntry(json: $0) }.body
            if case .predicted(let labels) = body {
                predicted += 1
                #expect(labels.error == nil && labels.answers.allSatisfy { $0.champion != nil && $0.challenger != nil })
            }
        }
        #expect(predicted == requests.count)
        let codes = pipeline.cluster.committed(pipeline.topics[.deadLetters]).map { $0.header("flywheel.reason.code") }
        #expect(!codes.contains("contradicts_request") && !codes.contains("unknown_request"))
        for request in requests {
            let audited = request.candidates.count { sample in
                pipeline.configuration.acquisition.auditCutoff > 0 && isAudited(sample, pipeline)
            }
            #expect(audited * 2 <= request.candidates.count)
        }
        let report = try Replay(transport: pipeline.cluster, topics: pipeline.topics)
            .verify(project: Scenario.project.rawValue, partition: Scenario.partition)
        #expect(report.isEqual, "\(report.firstDifference ?? "")")
    }

    private func isAudited(_ sample: Sample, _ pipeline: Pipeline) -> Bool {
        pipeline.journal().contains { record in
            guard let value = record.value,
                case .candidate(let candidate)? = try? JSONParser().withDocument(
                    of: value,
                    { try JournalEntry(json: $0) }
                ).body
            else { return false }
            return candidate.sample.id == sample.id && candidate.auditProbability != nil
        }
    }

    @Test("Wherever a trainer fails, each request is answered once, and each repeat of a study reported once")
    func resume() throws {
        let source = try pipeline(rounds: 12, seed: 2)
        #expect(try requests(source).count > 1)
        let undisturbed = try Pipeline.prepared([.trainingRequests], from: source)
        let counting = FaultPlan()
        try undisturbed.makeTrainer(counting, budget: 0).settle()
        let expected = try answered(undisturbed)
        let results = undisturbed.cluster.committed(undisturbed.topics[.trainingResults]).count
        #expect(expected.count > 1 && results > expected.count)
        for step in FaultPlan.steps(counting.effects, [.crash, .fatal, .abortable]) {
            let pipeline = try Pipeline.prepared([.trainingRequests], from: source)
            let first = try pipeline.makeTrainer(FaultPlan(step), budget: 0)
            do {
                try first.settle()
            } catch {
                first.task.abandon()
                let isElsewhere = step.number % 2 == 1
                if isElsewhere { pipeline.cluster.expireMember("w1", of: "trainer") }
                pipeline.clock.advance(by: 10_001)
                try pipeline.makeTrainer(instance: isElsewhere ? "w2" : "w1", budget: 0).settle()
            }
            #expect(try answered(pipeline).sorted() == expected.sorted(), "\(step)")
            #expect(pipeline.cluster.committed(pipeline.topics[.trainingResults]).count == results, "\(step)")
        }
    }

    @Test("A request that is late or of an unknown kind is skipped; a lost model gives an answer without predictions")
    func skipped() throws {
        let source = try pipeline(rounds: 12, seed: 2)
        let request = try #require(try requests(source).first)
        func run(_ text: [UInt8], at time: Int64 = 0) throws -> (pipeline: Pipeline, faults: [String], answers: Int) {
            let pipeline = try Pipeline()
            pipeline.clock.advance(by: time)
            try pipeline.send(.trainingRequests, text, partition: Scenario.partition)
            let runner = try pipeline.makeTrainer()
            var faults: [String] = []
            (runner.processor as? TrainerProcessor)?.failed = { faults.append($0) }
            try runner.settle()
            let topicPartition = TopicPartition(pipeline.topics[.trainingRequests], Scenario.partition)
            #expect(pipeline.cluster.offsets(of: "trainer")[topicPartition] == 1)
            return (pipeline, faults, pipeline.cluster.committed(pipeline.topics[.trainingResults]).count)
        }
        var writer = JSONWriter()
        request.write(to: &writer, project: Scenario.project)
        let text = String(decoding: writer.bytes, as: UTF8.self)
        #expect(try run(Array(text.utf8)).answers == 1)
        let late = try run(Array(text.utf8), at: 10_000_000)
        #expect(late.answers == 0 && late.faults == [])
        let odd = try run(Array(text.replacing(#""kind":"predict""#, with: #""kind":"explain""#).utf8))
        #expect(odd.answers == 0 && odd.faults.count == 1 && odd.faults[0].contains("explain"))
        let lost = try run(Array(text.replacing(request.challenger.artifact.uri, with: "file:///nowhere/x").utf8))
        #expect(lost.answers == 1 && lost.faults.first?.contains("cannot be loaded") == true)
        let predicted = try lost.pipeline.decoded(.trainingResults) { json in
            try PredictedEvent(json.object(), project: Scenario.project, question: .choice(Scenario.schema)).labels
        }
        #expect(predicted.first?.answers.count == request.candidates.count)
        #expect(predicted.first?.answers.allSatisfy { $0.challenger == nil && $0.champion != nil } == true)
        #expect(predicted.first?.error?.contains("cannot be loaded") == true)
    }

    @Test("Intake refuses an answer with a wrong token, class or form, and the loop one to an unknown request")
    func refusals() throws {
        let pipeline = try pipeline(rounds: 12, seed: 2)
        let request = try #require(try requests(pipeline).last)
        let topic = pipeline.topics[.trainingRequests]
        func send(_ id: String, _ answers: String, token: Bool = true) throws -> String? {
            let right = TokenKeys.pipeline.token(on: topic, of: Scenario.project, for: id).reveal()
            let given = token ? right : String(repeating: "0", count: 32)
            let text = #"{"project":"shapes","kind":"predicted","request":"\#(id)",\#(answers)"token":"\#(given)"}"#
            let deadLetters = pipeline.topics[.deadLetters]
            let before = pipeline.cluster.committed(deadLetters).count
            try pipeline.send(.trainingResults, Array(text.utf8))
            try pipeline.settle()
            let after = pipeline.cluster.committed(deadLetters)
            return after.count > before ? after.last?.header("flywheel.reason.code") : nil
        }
        let none = #""answers":[],"#
        #expect(try send(request.id.rawValue, none, token: false) == "bad_token")
        #expect(try send(request.id.rawValue, "") == "schema")
        let sample = request.candidates[0].id
        let odd = #""answers":[{"sample":"\#(sample)","challenger":{"kind":"choice","class":"blob"}}],"#
        #expect(try send(request.id.rawValue, odd) == "unknown_class")
        #expect(try send("shapes-0-0", none) == "unknown_request")
        // The request was already answered, so this answer counts as a duplicate, without a dead letter.
        #expect(try send(request.id.rawValue, none) == nil)
    }
}
