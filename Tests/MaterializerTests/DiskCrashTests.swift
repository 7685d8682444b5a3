import DatasetFiles
import Events
import Flywheel
import JSON
import PipelineTesting
import Storage
import StreamRuntime
import StreamTesting
import Testing
import Vocabulary

@Suite("Materializer and Trainer are killed at every write")
struct DiskCrashTests {
    /// Expects that every visible version of a store is whole, whatever happened to its writer.
    private func expectIntactVersions(_ store: DatasetStore, _ crash: Disk.Crash) throws {
        for versionNumber in try store.versionNumbers(Scenario.project) {
            let manifest = try #require(try store.manifest(Scenario.project, versionNumber: versionNumber), "\(crash)")
            #expect(try store.verify(Scenario.project, id: manifest.id) == [], "\(crash)")
        }
    }

    @Test("Materializer leaves the same bytes, and a version that is only partly written is never visible")
    func materializer() throws {
        let source = try Pipeline(seed: 2)
        for _ in 0..<10 { try source.round() }
        let undisturbed = try Pipeline.prepared([.datasetLog], from: source)
        let disk = Disk()
        try undisturbed.makeMaterializer(store: DatasetStore(objects: disk.store(undisturbed.store.objects.location)))
            .settle()
        let expected = try undisturbed.store.objects.contents
        let announced = try undisturbed.decoded(.datasetVersions) { try SealedVersion(json: $0).id }
        #expect(announced.count > 2)
        #expect(Set(disk.effects.map(\.kind)).isSuperset(of: [.makeFolder, .create, .append, .synchronize, .rename]))
        for crash in disk.crashes {
            let pipeline = try Pipeline.prepared([.datasetLog], from: source)
            let disk = Disk(crash: crash)
            let plan = FaultPlan()
            let first = Result {
                let store = DatasetStore(objects: try disk.store(pipeline.store.objects.location))
                try pipeline.makeMaterializer(plan, store: store).settle()
            }
            #expect(disk.hasCrashed, "\(crash): \(disk.effects.count)")
            #expect(throws: (any Error).self, "\(crash)") { try first.get() }
            try expectIntactVersions(pipeline.store, crash)
            try pipeline.makeMaterializer().settle()
            #expect(try pipeline.store.objects.contents == expected, "\(crash)")
            #expect(try pipeline.decoded(.datasetVersions) { try SealedVersion(json: $0).id } == announced, "\(crash)")
            _ = try pipeline.store.objects.removeLeftovers(olderThan: .zero)
            #expect(try pipeline.store.objects.removeLeftovers(olderThan: .zero) == 0, "\(crash)")
        }
    }

    private func results(_ pipeline: Pipeline) throws -> [String] {
        try pipeline.decoded(.trainingResults) { json in
            let result = try TrainingResult(json: json)
            guard case .finished(let artifact, let score, _, _) = result.outcome else { return "failed" }
            return "\(result.request)/\(result.trial)/\(result.repetition) \(artifact.sha256 ?? "") \(score ?? -1)"
        }
    }

    @Test("Trainer leaves the same models and one result for each repeat")
    func trainer() throws {
        let source = try Pipeline(seed: 2)
        for _ in 0..<6 { try source.round() }
        let undisturbed = try Pipeline.prepared([.trainingRequests], from: source)
        let disk = Disk()
        try undisturbed.makeTrainer(artifacts: disk.store(undisturbed.artifacts.location), budget: 0).settle()
        let expected = try (undisturbed.artifacts.contents, results(undisturbed))
        #expect(expected.1.count >= 2 && !expected.1.contains("failed"))
        for crash in disk.crashes {
            let pipeline = try Pipeline.prepared([.trainingRequests], from: source)
            let disk = Disk(crash: crash)
            let first = Result {
                try pipeline.makeTrainer(artifacts: disk.store(pipeline.artifacts.location), budget: 0).settle()
            }
            #expect(throws: (any Error).self, "\(crash)") { try first.get() }
            try pipeline.makeTrainer(budget: 0).settle()
            #expect(try pipeline.artifacts.contents == expected.0, "\(crash)")
            #expect(try results(pipeline) == expected.1, "\(crash)")
        }
    }
}
