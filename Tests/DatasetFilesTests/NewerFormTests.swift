import DatasetFiles
import EngineCore
import Events
import Foundation
import Hashing
import JSON
import Materializer
import PipelineTesting
import Storage
import StreamRuntime
import StreamTesting
import Testing
import Vocabulary

/// A change that a newer build could have made to a file of a version.
struct NewerForm: Sendable, CustomTestStringConvertible {
    let old: String
    let new: String
    /// Text that the refusal contains.
    let named: String
    var isInSegment = false

    static let all = [
        NewerForm(old: #""format_version":1"#, new: #""format_version":3"#, named: #"format_version: "3" is unknown"#),
        NewerForm(
            old: #""label_schema":{"kind":"choice""#,
            new: #""label_schema":{"kind":"boxes""#,
            named: #"label_schema.kind: "boxes""#
        ),
        NewerForm(old: #""segments":["#, new: #""pages":[{"path":"p"}],"segments":["#, named: "pages: "),
        NewerForm(old: #""segments":["#, new: #""tombstones":[3],"segments":["#, named: "tombstones: "),
        NewerForm(old: #"{"split":"#, new: #"{"kind":"page","split":"#, named: #"segments[0].kind: "page" is unknown"#),
        NewerForm(
            old: #"{"sample":"#,
            new: #"{"kind":"label_retracted","sample":"#,
            named: #"kind: "label_retracted" is unknown"#,
            isInSegment: true
        ),
        NewerForm(
            old: #""label":{"kind":"choice""#,
            new: #""label":{"kind":"spans""#,
            named: #"label.kind: "spans" is unknown"#,
            isInSegment: true
        ),
    ]

    var testDescription: String { named }

    func applied(to bytes: [UInt8]) throws -> [UInt8] {
        let text = String(decoding: bytes, as: UTF8.self)
        let range = try #require(text.range(of: old))
        return Array(text.replacingCharacters(in: range, with: new).utf8)
    }
}

@Suite("Every reader refuses a form of a newer build by name")
struct NewerFormTests {
    private let source: Pipeline

    init() throws {
        source = try Pipeline(seed: 2)
        for _ in 0..<14 { try source.round() }
    }

    /// Replaces the first version by one that a newer build could have written, with all digests correct.
    ///
    /// - Returns: The manifest, and the file that the refusal must name.
    private func rewrite(_ store: DatasetStore, _ form: NewerForm) throws -> (manifest: ArtifactReference, file: String)
    {
        let project = Scenario.project
        let old = try #require(try store.manifest(project, versionNumber: 1))
        var text = try store.objects.read("\(project)/versions/\(old.id)/manifest.json")
        var file = ""
        if form.isInSegment {
            let segment = try #require(old.segments.first)
            let bytes = try form.applied(to: store.objects.read("\(project)/segments/\(segment.sha256).jsonl"))
            let digest = SHA256Digest(of: bytes).hex
            file = "segments/\(digest).jsonl"
            try store.objects.put(bytes, as: "\(project)/\(file)")
            text = Array(
                String(decoding: text, as: UTF8.self).replacing(segment.sha256, with: digest)
                    .replacing(#""size":\#(segment.size),"#, with: #""size":\#(bytes.count),"#).utf8
            )
        } else {
            text = try form.applied(to: text)
        }
        let id = SHA256Digest(of: text).hex
        let name = "\(project)/versions/\(id)/manifest.json"
        try store.objects.put(text, as: name)
        try store.objects.write(Array(id.utf8), to: "\(project)/ordinals/1")
        let reference = ArtifactReference(
            uri: try store.objects.uri(of: name).description,
            size: Int64(text.count),
            sha256: id
        )
        return (reference, file.isEmpty ? "versions/\(id)/manifest.json" : file)
    }

    @Test("Verify names the file and the unknown form", arguments: NewerForm.all)
    func verify(form: NewerForm) throws {
        let id = try #require(try source.store.manifest(Scenario.project, versionNumber: 1)?.id)
        #expect(try source.store.verify(Scenario.project, id: id) == [])
        let (manifest, file) = try rewrite(source.store, form)
        let name = DatasetVersionID(try #require(manifest.sha256))
        guard !form.isInSegment else {
            let problems = try source.store.verify(Scenario.project, id: name)
            #expect(problems.count == 1)
            for part in [form.named, file, "line 1: ", "a newer build wrote it", "upgrade"] {
                #expect(problems.first?.contains(part) == true, "\(problems)")
            }
            return
        }
        let error = #expect(throws: EngineError.self) { try source.store.verify(Scenario.project, id: name) }
        for part in [form.named, file, "a newer build wrote it", "upgrade"] {
            #expect(error?.description.contains(part) == true, "\(String(describing: error))")
        }
    }

    @Test(
        "The built-in trainer fails every repeat and states the reason",
        arguments: NewerForm.all
    )
    func trainer(form: NewerForm) throws {
        let pipeline = try Pipeline()
        let (manifest, file) = try rewrite(source.store, form)
        let known = try #require(try source.decoded(.datasetVersions) { try SealedVersion(json: $0) }.first)
        let request = TrainingRequest(
            id: RequestID("r1"),
            dataset: SealedVersion(
                id: known.id,
                versionNumber: 1,
                parent: nil,
                semanticVersion: "1.0.0",
                manifest: manifest,
                training: known.training,
                validation: known.validation,
                test: known.test
            ),
            modelVersion: ModelVersion("v1"),
            trials: [Hyperparameters()],
            repeats: 2,
            deadline: StreamTime(milliseconds: pipeline.clock.now + 60_000),
            priority: 0,
            warmStart: nil
        )
        try pipeline.send(.trainingRequests, Wire.bytes { request.write(to: &$0, project: Scenario.project) })
        try pipeline.makeTrainer().settle()
        let results = try pipeline.decoded(.trainingResults) { try TrainingResult(json: $0) }
        #expect(results.count == 2)
        for result in results {
            guard case .failed(let reason) = result.outcome else {
                Issue.record("trained on it")
                continue
            }
            for part in [form.named, file, "a newer build wrote it"] { #expect(reason.contains(part), "\(reason)") }
        }
    }

    @Test(
        "The materializer seals no version upon it and stops the partition",
        arguments: NewerForm.all.filter { !$0.isInSegment }
    )
    func materializer(form: NewerForm) throws {
        let facts = source.cluster.committed(source.topics[.datasetLog], Scenario.partition).map(\.value)
        let cut = try #require(
            facts.firstIndex { String(decoding: $0 ?? [], as: UTF8.self).contains(#""kind":"version_cut""#) }
        )
        let pipeline = try Pipeline()
        for fact in facts[...cut] { try pipeline.send(.datasetLog, fact, partition: Scenario.partition) }
        let runner = try pipeline.makeMaterializer()
        try runner.settle()
        _ = try rewrite(pipeline.store, form)
        for fact in facts[(cut + 1)...] { try pipeline.send(.datasetLog, fact, partition: Scenario.partition) }
        try runner.settle()
        let processor = try #require(runner.processor as? MaterializerProcessor)
        let stop = try #require(processor.stops.first)
        for part in [form.named, "manifest.json", "a newer build wrote it", "version 2 of project"] {
            #expect(stop.text.contains(part), "\(stop.text)")
        }
        #expect(try pipeline.decoded(.datasetVersions) { try SealedVersion(json: $0) }.count == 1)
        #expect(try pipeline.store.manifest(Scenario.project, versionNumber: 2) == nil)
    }
}
