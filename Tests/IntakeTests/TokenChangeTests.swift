import Datasets
import DeadLetters
import EngineCore
import Events
import Flywheel
import Foundation
import Intake
import JSON
import Operations
import PipelineTesting
import StreamRuntime
import StreamTesting
import Testing
import Trainer
import Vocabulary

@Suite("Tokens where secrets, revisions and builds change")
struct TokenChangeTests {
    // MARK: - Secrets that change

    @Test("With two secrets both are accepted and the first makes tokens; dead letters of an old one can be redriven")
    func rotation() throws {
        let (old, new) = ("the old secret, long enough", "the new secret, long enough")
        let pipeline = try Pipeline(
            configuration: Forgery.configurationRequiringTokens(),
            tokens: TokenKeys(secrets: [old])
        )
        try pipeline.serve(8)
        try pipeline.settle()
        pipeline.clock.advance(by: 1_500)
        try pipeline.settle()
        let (task, token) = try #require(try pipeline.offeredTasks().first)
        let id = task.id.rawValue
        let subject = (pipeline.topics[.labelingTasks], Scenario.project, id)
        #expect(TokenKeys(secrets: [old]).token(on: subject.0, of: subject.1, for: subject.2) == token)
        let both = TokenKeys(secrets: [new, old])
        #expect(both.token(on: subject.0, of: subject.1, for: subject.2) != token)
        // First the opposite order: at no time does a worker make tokens that another one does not accept.
        for (number, keys) in [TokenKeys(secrets: [old, new]), both].enumerated() {
            let intake = try pipeline.makeIntake(tokens: keys)
            for (annotator, key) in [("old", old), ("new", new)] {
                let token = TokenKeys(secrets: [key]).token(on: subject.0, of: subject.1, for: subject.2)
                try pipeline.send(.annotations, Forgery.answer(id, token, by: "\(annotator)\(number)"))
            }
            try intake.settle()
            #expect(try Forgery.counts(intake).forwarded == 2 && Forgery.counts(intake).dead.isEmpty)
        }
        // The old secret was dropped too early.
        try pipeline.send(.annotations, Forgery.answer(id, token, by: "late"))
        let strict = try pipeline.makeIntake(tokens: TokenKeys(secrets: [new]))
        try strict.settle()
        #expect(Forgery.deadLetters(pipeline) == ["bad_token"])
        let redrive = Redrive(
            transport: pipeline.cluster,
            topics: pipeline.topics,
            by: "test",
            now: { pipeline.clock.now },
            pause: { pipeline.clock.advance(by: $0) }
        )
        #expect(try redrive.run(DeadLetterFilter()).sent == 1)
        let mended = try pipeline.makeIntake(tokens: both)
        try mended.settle()
        #expect(try Forgery.counts(mended).forwarded == 1)
    }

    @Test("Secrets derived from a salt can be named beside another one")
    func derivedIsNamed() {
        let derived = TokenKeys(salt: [9, 8, 7])
        let named = TokenKeys(secrets: ["the new secret, long enough", TokenKeys.secret(from: [9, 8, 7])])
        let token = derived.token(on: "t", of: Scenario.project, for: "x")
        #expect(named.accepts(token, on: "t", of: Scenario.project, for: "x"))
        #expect(!TokenKeys(salt: [9, 8]).accepts(token, on: "t", of: Scenario.project, for: "x"))
    }

    // MARK: - Revisions

    /// Applies a configuration; returns the name of the outcome and the revision in force.
    private func apply(
        _ isRequired: Bool?,
        votes: Int = 400,
        to pipeline: Pipeline
    ) throws -> (outcome: String, revision: ProjectConfiguration) {
        let file = Scenario.configuration(votes: votes).numbered(revision: 1, partition: 0, requireTokens: isRequired)
        switch try ProjectApply(transport: pipeline.cluster, topics: pipeline.topics).apply(file, partitions: 2) {
        case .created(let revision): return ("created", revision)
        case .revised(let revision, _): return ("revised", revision)
        case .unchanged(let revision): return ("unchanged", revision)
        case .rewritten(let revision, _): return ("rewritten", revision)
        }
    }

    @Test("A first revision requires tokens, and a later one keeps its predecessor's setting, unless the file sets it")
    func firstRevision() throws {
        let pipeline = try Pipeline(isApplied: false)
        let first = try apply(nil, to: pipeline)
        #expect(first.outcome == "created" && first.revision.requireTokens == true)
        #expect(try apply(nil, to: pipeline).outcome == "unchanged")
        let second = try apply(nil, votes: 401, to: pipeline)
        #expect(second.outcome == "revised" && second.revision.requireTokens == true)
        let third = try apply(false, votes: 401, to: pipeline)
        #expect(third.outcome == "revised" && third.revision.requireTokens == false)
        #expect(try apply(nil, votes: 401, to: pipeline).outcome == "unchanged")

        // A revision of an older build, followed by the same file applied by this build.
        let old = try Pipeline(configuration: Scenario.configuration())
        #expect(!String(decoding: Scenario.configuration().jsonBytes, as: UTF8.self).contains("require_tokens"))
        let known = try apply(nil, to: old)
        #expect(known.outcome == "unchanged" && !known.revision.requiresTokens)
        let later = try apply(nil, votes: 401, to: old)
        #expect(later.outcome == "revised" && later.revision.requireTokens == nil)
        let strict = try apply(true, votes: 401, to: old)
        #expect(strict.outcome == "revised" && strict.revision.requiresTokens)

        let none = try Pipeline(isApplied: false)
        #expect(try apply(false, to: none).revision.requireTokens == false)
    }

    @Test("A first revision has format 2, and a later one keeps its predecessor's format, unless the file sets it")
    func format() throws {
        func apply(_ format: Int?, votes: Int = 400, to pipeline: Pipeline) throws -> (isNew: Bool, format: Int?) {
            let file = Scenario.configuration(votes: votes).numbered(revision: 1, partition: 0, format: format)
            return
                switch try ProjectApply(transport: pipeline.cluster, topics: pipeline.topics).apply(file, partitions: 2)
            {
            case .created(let revision), .revised(let revision, _), .rewritten(let revision, _):
                (true, revision.datasets.format)
            case .unchanged(let revision): (false, revision.datasets.format)
            }
        }
        let pipeline = try Pipeline(isApplied: false)
        #expect(try apply(nil, to: pipeline) == (true, 2))
        #expect(try apply(nil, to: pipeline) == (false, 2))
        #expect(try apply(nil, votes: 401, to: pipeline) == (true, 2))
        #expect(try apply(1, votes: 401, to: pipeline) == (true, 1))
        #expect(try apply(nil, votes: 402, to: pipeline) == (true, 1))
        // A revision of an older build has no format, and gets none when its file is applied again.
        let old = try Pipeline(configuration: Scenario.configuration())
        #expect(!String(decoding: Scenario.configuration().jsonBytes, as: UTF8.self).contains("format"))
        #expect(try apply(nil, to: old) == (false, nil))
        #expect(try apply(nil, votes: 401, to: old) == (true, nil))
        #expect(try apply(2, votes: 401, to: old) == (true, 2))
        let none = try Pipeline(isApplied: false)
        #expect(try apply(1, to: none) == (true, 1))
    }

    @Test("In an older project an answer without a token counts until the project requires tokens")
    func upgrade() throws {
        let pipeline = try Pipeline(configuration: Scenario.configuration())
        try pipeline.serve(8)
        try pipeline.settle()
        pipeline.clock.advance(by: 1_500)
        try pipeline.settle()
        let tasks = try pipeline.offeredTasks().map(\.task)
        let (first, second) = (try #require(tasks.first), try #require(tasks.last))
        #expect(first.id != second.id)
        try pipeline.send(.annotations, Forgery.answer(first.id.rawValue, nil))
        try pipeline.settle()
        #expect(Forgery.deadLetters(pipeline).isEmpty)
        let strict = Scenario.configuration().numbered(revision: 2, partition: Scenario.partition, requireTokens: true)
        let key = Array(Scenario.project.rawValue.utf8)
        try pipeline.cluster.append(
            OutputRecord(topic: pipeline.topics[.projects], partition: 0, key: key, value: strict.jsonBytes)
        )
        pipeline.clock.advance(by: 60_000)
        try pipeline.send(.annotations, Forgery.answer(second.id.rawValue, nil))
        try pipeline.settle()
        #expect(Forgery.deadLetters(pipeline) == ["missing_token"])
    }

    // MARK: - The trainer

    @Test("A request of an older build has no token, and its results need none")
    func olderRequest() throws {
        let source = try Pipeline(seed: 2)
        for _ in 0..<10 { try source.round() }
        let pipeline = try Pipeline()
        for record in source.cluster.committed(source.topics[.trainingRequests], Scenario.partition) {
            let bare = (record.value ?? []).withUnsafeBytes { RequestToken.removed(from: $0) }
            try pipeline.send(.trainingRequests, bare, headers: record.headers, partition: Scenario.partition)
        }
        let requests = try pipeline.decoded(.trainingRequests) { try TrainingRequest(json: $0) }
        try pipeline.send(.trainingResults, Forgery.result(try #require(requests.first).id.rawValue, 0, nil))
        let runner = try pipeline.makeTrainer()
        try runner.settle()
        let wanted = requests.reduce(0) { $0 + $1.trials.count * $1.repeats }
        #expect(try #require(runner.processor as? TrainerProcessor).repeats == Int64(wanted - 1))
        for record in pipeline.cluster.committed(pipeline.topics[.trainingResults]) {
            #expect(!String(decoding: record.value ?? [], as: UTF8.self).contains("token"))
        }
    }

    @Test("A result without the request's token does not keep the trainer from computing the repeat")
    func trainer() throws {
        let source = try Pipeline(seed: 2, configuration: Forgery.configurationRequiringTokens())
        for _ in 0..<10 { try source.round() }
        let pipeline = try Pipeline.prepared([.trainingRequests], from: source)
        let requests = try pipeline.decoded(.trainingRequests) { json in
            (try TrainingRequest(json: json), try RequestToken(of: json.object()))
        }
        let (request, token) = try #require(requests.first)
        try pipeline.send(.trainingResults, Forgery.result(request.id.rawValue, 0, nil))
        try pipeline.send(.trainingResults, Forgery.result(request.id.rawValue, 0, String(repeating: "b", count: 32)))
        try pipeline.send(.trainingResults, Forgery.result(request.id.rawValue, 1, try #require(token).reveal()))
        let runner = try pipeline.makeTrainer()
        try runner.settle()
        let wanted = requests.reduce(0) { $0 + $1.0.trials.count * $1.0.repeats }
        #expect(try #require(runner.processor as? TrainerProcessor).repeats == Int64(wanted - 1))
        // Intake accepts the results that the trainer itself reports.
        let strict = try Pipeline(configuration: Forgery.configurationRequiringTokens())
        for record in pipeline.cluster.committed(pipeline.topics[.trainingResults]).dropFirst(3) {
            try strict.send(.trainingResults, record.value)
        }
        let intake = try strict.makeIntake()
        try intake.settle()
        #expect(try Forgery.counts(intake).forwarded == Int64(wanted - 1) && Forgery.counts(intake).dead.isEmpty)
    }
}
