import DatasetFiles
import Events
import Flywheel
import JSON
import PipelineTesting
import StreamRuntime
import StreamTesting
import Testing
import Vocabulary

@Suite("Materializer and Trainer fail at every effect")
struct EffectCrashTests {
    @Test("Every version is announced once and verifies, wherever Materializer fails")
    func materializer() throws {
        let source = try Pipeline(seed: 2)
        for _ in 0..<10 { try source.round() }
        let undisturbed = try Pipeline.prepared([.datasetLog], from: source)
        let baselinePlan = try settle(undisturbed, group: "materializer", nil) { plan, instance in
            try undisturbed.makeMaterializer(plan, instance: instance)
        }
        func versions(_ pipeline: Pipeline) throws -> [String] {
            try pipeline.decoded(.datasetVersions) { try SealedVersion(json: $0) }
                .map { "\($0.versionNumber) \($0.id) \($0.training)+\($0.test)" }
        }
        let expected = try versions(undisturbed)
        #expect(expected.count > 2)
        #expect(expected == (try versions(source)))
        for step in FaultPlan.steps(baselinePlan.effects) {
            let pipeline = try Pipeline.prepared([.datasetLog], from: source)
            let plan = try settle(
                pipeline,
                group: "materializer",
                step,
                successor: step.number % 2 == 1 ? .another : .itself
            ) {
                plan,
                instance in
                try pipeline.makeMaterializer(plan, instance: instance)
            }
            #expect(plan.hasStruck, "\(step)")
            #expect(try versions(pipeline) == expected, "\(step)")
            for version in try pipeline.decoded(.datasetVersions, { try SealedVersion(json: $0) }) {
                #expect(try pipeline.store.verify(Scenario.project, id: version.id) == [], "\(step)")
            }
        }
    }

    @Test("A Materializer on a new disk builds the same versions from the log")
    func newDisk() throws {
        let source = try Pipeline(seed: 2)
        for _ in 0..<10 { try source.round() }
        let pipeline = try Pipeline.prepared([.datasetLog], from: source)
        for (topicPartition, offset) in source.cluster.offsets(of: "materializer") {
            pipeline.cluster.setOffset(offset, of: topicPartition, group: "materializer")
        }
        try pipeline.makeMaterializer().settle()
        #expect(try pipeline.store.versionNumbers(Scenario.project) == source.store.versionNumbers(Scenario.project))
        for versionNumber in try pipeline.store.versionNumbers(Scenario.project) {
            let (a, b) = (
                try pipeline.store.manifest(Scenario.project, versionNumber: versionNumber),
                try source.store.manifest(Scenario.project, versionNumber: versionNumber)
            )
            #expect(a?.id == b?.id)
        }
    }

    @Test("Every repeat has one result, the same bytes each time, wherever Trainer fails")
    func trainer() throws {
        let source = try Pipeline(seed: 2)
        for _ in 0..<8 { try source.round() }
        func results(_ pipeline: Pipeline) throws -> [String] {
            try pipeline.decoded(.trainingResults) { json in
                let result = try TrainingResult(json: json)
                guard case .finished(let artifact, let score, _, _) = result.outcome else { return "failed" }
                return "\(result.request)/\(result.trial)/\(result.repetition) \(artifact.sha256 ?? "") \(score ?? -1)"
            }
        }
        // Only the first request: later ones start from the previous model, whose file names the source's folder.
        let undisturbed = try Pipeline.prepared([.trainingRequests], from: source)
        let baselinePlan = try settle(undisturbed, group: "trainer", nil) { plan, instance in
            try undisturbed.makeTrainer(plan, instance: instance)
        }
        let expected = try results(undisturbed)
        #expect(expected.count >= 2 && !expected.contains("failed"))
        // An unanswered commit is left out: it is waited for until the request's deadline has passed.
        for step in FaultPlan.steps(baselinePlan.effects) where step.fault != .unanswered {
            let pipeline = try Pipeline.prepared([.trainingRequests], from: source)
            let plan = try settle(
                pipeline,
                group: "trainer",
                step,
                successor: step.number % 2 == 1 ? .another : .itself
            ) {
                plan,
                instance in
                try pipeline.makeTrainer(plan, instance: instance)
            }
            #expect(plan.hasStruck, "\(step)")
            #expect(try results(pipeline) == expected, "\(step)")
        }
    }
}
