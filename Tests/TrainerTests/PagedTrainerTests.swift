import Datasets
import Events
import Flywheel
import Foundation
import JSON
import PipelineTesting
import Storage
import StreamRuntime
import StreamTesting
import Testing
import Vocabulary

@testable import DatasetFiles
@testable import Materializer
@testable import Trainer

@Suite("Training on versions of form 2")
struct PagedTrainerTests {
    /// Requests a model of each version in order, and returns the trainer's results and the number of segments that it
    /// read for each version.
    private func train(_ versions: [SealedVersion], _ pipeline: Pipeline) throws -> (models: [String], segments: [Int])
    {
        let runner = try pipeline.makeTrainer()
        let processor = try #require(runner.processor as? TrainerProcessor)
        var segments: [Int] = []
        for (number, version) in versions.enumerated() {
            let request = TrainingRequest(
                id: RequestID("r\(number)"),
                dataset: version,
                modelVersion: ModelVersion("v\(version.versionNumber)"),
                trials: [Hyperparameters()],
                repeats: 1,
                deadline: StreamTime(milliseconds: pipeline.clock.now + 60_000),
                priority: 0,
                warmStart: nil
            )
            try pipeline.send(.trainingRequests, Wire.bytes { request.write(to: &$0, project: Scenario.project) })
            try runner.settle()
            segments.append(processor.cachedRows?.segmentsRead ?? -1)
        }
        let models = try pipeline.decoded(.trainingResults) { json in
            switch try TrainingResult(json: json).outcome {
            case .finished(let artifact, let score, _, let predictions):
                return "\(artifact.sha256 ?? "") \(score ?? -1) \(predictions?.count ?? 0)"
            case .failed(let reason): return "failed: \(reason)"
            }
        }
        return (models, segments)
    }

    @Test("A version that only adds labels is read only where it is new, and gives the same model as a full read")
    func added() throws {
        var versions = try PagedVersions()
        defer { versions.remove() }
        try versions.cut(60)
        try versions.cut(20, times: 3)
        let pipeline = try Pipeline()
        // The last version of the list is an earlier one, which does not add to the one before.
        let (models, segments) = try train(versions.versions + [versions.versions[1]], pipeline)
        #expect(segments[..<4].allSatisfy { (1...3).contains($0) } && segments[4] > 3, "\(segments)")
        #expect(models.count == 5 && models[4] == models[1] && !models.contains { $0.hasPrefix("failed") }, "\(models)")
        for (number, version) in versions.versions.enumerated() {
            let fresh = try train([version], Pipeline())
            #expect(fresh.models == [models[number]])
            #expect(fresh.segments[0] > 3 * number)
        }
    }

    @Test("The form of a version does not affect the model")
    func forms() throws {
        var models: [[String]] = []
        for form in [1, 2] {
            var versions = try PagedVersions(seed: 3)
            defer { versions.remove() }
            try versions.cut(40, form: form, times: 2)
            models.append(try train(versions.versions, Pipeline()).models)
        }
        #expect(models[0] == models[1] && models[0].count == 2)
    }

    @Test("Withdrawn lines are not trained on: the model is that of a version without them")
    func withdrawn() throws {
        let log = FactLog(seed: 6, facts: 160)
        let source = try Pipeline(isApplied: false)
        for record in log.outputs { try source.cluster.append(record) }
        try source.makeMaterializer().settle()
        let sealed = try source.decoded(.datasetVersions) { try SealedVersion(json: $0) }
        let pipeline = try Pipeline()
        let (models, _) = try train(sealed, pipeline)
        #expect(models.count == log.versions.count)
        for (number, labels) in log.versions.enumerated() {
            // The labels in force, sealed as the only version of another store.
            let plain = try PagedVersions()
            defer { plain.remove() }
            var waiting = WaitingLabels.Project(firstOffset: 0)
            for label in labels {
                let embedding = label.embedding.map { values in
                    #","embedding":[\#(values.map(\.description).joined(separator: ","))]"#
                }
                let line = """
                    {"sample":{"id":"\(label.sample)"\(embedding ?? "")},"label":{"kind":"choice","class":"\(label.className)"},\
                    "split":"\(label.split)","sequence":\(label.sequence)}

                    """
                waiting.lines[label.split, default: []].append(
                    .init(sequence: label.sequence, bytes: Array(line.utf8))
                )
            }
            func count(_ split: Split) -> Int { labels.count { $0.split == split } }
            let cut = VersionCut(
                versionNumber: 1,
                sequence: 10_000,
                training: count(.training),
                validation: count(.validation),
                test: count(.test),
                classes: FactLog.classes
            )
            let version = try #require(try VersionSealer(store: plain.store).seal(Scenario.project, cut, waiting))
            let alone = try train([version], Pipeline()).models
            #expect(alone == [models[number]], "\(number)")
        }
    }

    /// The complete content that a study reads from a version.
    private func content(_ version: VersionRows) throws -> [String] {
        let geometry = version.training.geometry(EmbeddingSpace())
        return try [version.training, version.validation, version.test].map { rows in
            let usable = rows.usable(geometry)
            let faults = rows.unusable(geometry).map { rows.fault($0, geometry) { "row \($0)" } ?? "" }
            let matrix = usable.isEmpty ? nil : try rows.matrix(usable, geometry)
            return "\(rows.sequences) \(usable) \(rows.labels(usable)) \(faults) \(String(describing: matrix))"
        }
    }

    @Test(
        "A version that withdraws lines is read only where it is new, and gives the same rows as a full read",
        arguments: 0..<12 as Range<UInt64>
    )
    func withdrawing(seed: UInt64) throws {
        let log = FactLog(seed: seed, facts: 240)
        let pipeline = try Pipeline(isApplied: false)
        for record in log.outputs { try pipeline.cluster.append(record) }
        try pipeline.makeMaterializer().settle()
        var (cached, skip, saved): (VersionRows?, Int, Int) = (nil, 0, 0)
        for versionNumber in 1...log.versions.count {
            // Some versions are skipped.
            skip = (skip + versionNumber + Int(seed)) % 3
            guard skip > 0 || versionNumber == log.versions.count else { continue }
            let manifest = try #require(try pipeline.store.manifest(Scenario.project, versionNumber: versionNumber))
            let fresh = try VersionRows(pipeline.store.reader(of: manifest), cachedRows: nil)
            let next = try VersionRows(pipeline.store.reader(of: manifest), cachedRows: cached.take())
            #expect(try content(next) == content(fresh), "seed \(seed), version \(versionNumber)")
            let withdraws = manifest.pages.contains { $0.tombstones > 0 }
            if withdraws, next.segmentsRead < fresh.segmentsRead { saved += 1 }
            cached = next
        }
        #expect(saved > 0, "seed \(seed): every version was read whole")
    }

    @Test("The whole cycle runs with versions of form 2, with the same decisions as with form 1")
    func cycle() throws {
        func pipeline(_ format: Int) throws -> Pipeline {
            let usual = Scenario.configuration()
            var datasets = usual.datasets
            datasets.format = format
            let pipeline = try Pipeline(
                seed: 2,
                configuration: ProjectConfiguration(
                    project: Scenario.project,
                    revision: 1,
                    partition: Scenario.partition,
                    question: .choice(Scenario.schema),
                    acquisition: usual.acquisition,
                    labeling: usual.labeling,
                    datasets: datasets,
                    training: usual.training,
                    rollout: usual.rollout
                )
            )
            for _ in 0..<10 { try pipeline.round() }
            return pipeline
        }
        let (listed, paged) = (try pipeline(1), try pipeline(2))
        let versions = try paged.decoded(.datasetVersions) { try SealedVersion(json: $0) }
        #expect(versions.count > 2)
        for version in versions {
            let manifest = try #require(try paged.store.manifest(Scenario.project, id: version.id))
            #expect(manifest.formatVersion == 2 && manifest.count(of: .training) == version.training)
        }
        #expect(try paged.store.verify(Scenario.project).problems == [])
        let models = try listed.releases().map(\.champion.artifact.sha256)
        #expect(try !models.isEmpty && paged.releases().map(\.champion.artifact.sha256) == models)
    }

    @Test("A pack holds the lines in force in files of bounded size, and changes no version")
    func packs() throws {
        let log = FactLog(seed: 8, facts: 120)
        let pipeline = try Pipeline(isApplied: false)
        for record in log.outputs { try pipeline.cluster.append(record) }
        try pipeline.makeMaterializer().settle()
        let before = try pipeline.store.objects.contents
        for size in [1, 700, DatasetStore.packFileSize] {
            let versionNumber = size == 1 ? 1 : size == 700 ? log.versions.count / 2 : log.versions.count
            let manifest = try #require(try pipeline.store.manifest(Scenario.project, versionNumber: versionNumber))
            let (pack, name) = try pipeline.store.pack(Scenario.project, id: manifest.id, size: size)
            let labels = log.versions[versionNumber - 1]
            #expect(pack.files.reduce(0) { $0 + $1.records } == labels.count)
            #expect(size > 1 || pack.files.count == labels.count)
            var found: [Int64] = []
            for file in pack.files {
                let folder = name.replacing("pack.json", with: "")
                let bytes = try pipeline.store.objects.read(folder + file.path)
                #expect(bytes.count == file.size && (bytes.count <= max(size, 1) || file.records == 1))
                for line in bytes.split(separator: 0x0A) {
                    let sequence = DatasetLine.sequence(of: Array(line), JSONParser())
                    found.append(try #require(sequence))
                }
            }
            #expect(found.sorted() == labels.map(\.sequence))
            #expect(try pipeline.store.pack(Scenario.project, id: manifest.id, size: size).pack == pack)
        }
        let after = try pipeline.store.objects.contents.filter { !$0.key.contains("/packs/") }
        #expect((after == before) == true)
        #expect(try pipeline.store.verify(Scenario.project).problems == [])
    }
}
