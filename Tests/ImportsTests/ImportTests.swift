import Events
import Flywheel
import Foundation
import JSON
import PipelineTesting
import StreamRuntime
import StreamTesting
import Tables
import Testing
import Vocabulary

@testable import DatasetFiles
@testable import EngineCore
@testable import Imports
@testable import Loop
@testable import Operations

@Suite("Imported labels, from the file to the version")
struct ImportTests {
    private func file(_ pipeline: Pipeline, _ count: Int, from first: Int = 0) -> (ImportFile, [String: Int]) {
        var lines: [String] = []
        var truth: [String: Int] = [:]
        for _ in 0..<count {
            let sample = pipeline.scenario.next()
            let kind = pipeline.scenario.truth[sample.id.rawValue] ?? 0
            let numbers = (sample.embedding ?? []).map { "\($0)" }.joined(separator: ",")
            lines.append("{\"id\":\"\(sample.id)\",\"label\":\"\(Scenario.classes[kind])\",\"embedding\":[\(numbers)]}")
            truth[sample.id.rawValue] = kind
        }
        return (
            ImportFile(Array(lines.joined(separator: "\n").utf8), .jsonLines, ImportFields(), isLabelled: true), truth
        )
    }

    private func send(
        _ pipeline: Pipeline,
        _ file: ImportFile,
        isValidation: Bool = false,
        source: String = "legacy",
        progress: String? = nil
    ) throws -> (merge: LabelMerge, alreadySent: Int) {
        let target = try ImportTarget(
            transport: pipeline.cluster,
            topics: pipeline.topics,
            project: Scenario.project.rawValue
        )
        let merge = try LabelMerge(
            file,
            target.configuration,
            state: target.state,
            source: source,
            isValidation: isValidation,
            now: { pipeline.clock.now }
        )
        let sender = RecordImport.labels(
            transport: pipeline.cluster,
            topics: pipeline.topics,
            project: Scenario.project.rawValue,
            progress: progress
        )
        let alreadySent = try sender.send(
            merge.labels.map(\.record),
            rate: 1_000,
            now: { pipeline.clock.now },
            pause: { pipeline.clock.advance(by: $0) }
        )
        return (merge, alreadySent)
    }

    private func facts(_ pipeline: Pipeline) throws -> [LabelFact] {
        try pipeline.decoded(.datasetLog) { try DatasetLogRecord(json: $0) }.compactMap {
            if case .accepted(let fact, _) = $0 { fact } else { nil }
        }
    }

    @Test("Imported labels make version 1 and a model before any task; validation labels have their own segment")
    func versionOne() throws {
        let pipeline = try Pipeline(seed: 1)
        let (training, truth) = file(pipeline, 60)
        let (validation, _) = file(pipeline, 20)
        _ = try send(pipeline, training)
        _ = try send(pipeline, validation, isValidation: true, source: "holdout")
        try pipeline.settle()
        pipeline.clock.advance(by: 6_000)
        for _ in 0..<3 {
            try pipeline.settle()
            pipeline.clock.advance(by: 1_500)
        }
        let facts = try facts(pipeline)
        #expect(facts.count == 80 && facts.filter { $0.split == .validation }.count == 20)
        for fact in facts where fact.split == .training {
            #expect(truth[fact.consensus.sample.id.rawValue] == fact.consensus.label.classIndex?.rawValue)
        }
        let versions = try pipeline.decoded(.datasetVersions) { try SealedVersion(json: $0) }
        #expect(versions.map(\.training) == [60] && versions.map(\.validation) == [20] && versions.map(\.test) == [0])
        for version in versions { #expect(try pipeline.store.verify(Scenario.project, id: version.id) == []) }
        #expect(try pipeline.releases().map(\.cause) == [.first])
        #expect(try pipeline.tasks().isEmpty)
        let results = try pipeline.decoded(.trainingResults) { try TrainingResult(json: $0) }
        #expect(results.allSatisfy { $0.validation?.items == 20 && ($0.validation?.value ?? 0) > 0.7 })
        let notices = try pipeline.decoded(.notices) { try Notice(json: $0) }
        #expect(notices.contains { $0.kind == .studyFinished && $0.text.contains("on 20 validation labels") })
        let report = try Replay(transport: pipeline.cluster, topics: pipeline.topics)
            .verify(project: Scenario.project.rawValue, partition: Scenario.partition)
        #expect(report.isEqual, "\(report.firstDifference ?? "")")
    }

    @Test("Every label of a file sent twice, or half and then whole, is accepted once; known labels are not sent again")
    func once() throws {
        let pipeline = try Pipeline(seed: 2)
        let (all, _) = file(pipeline, 700)
        let note = "\(pipeline.root)-note"
        defer { try? FileManager.default.removeItem(atPath: note) }
        #expect(try send(pipeline, all, progress: note).alreadySent == 0)
        // Intake has read none of them yet: the progress note records that all were sent.
        #expect(try send(pipeline, all, progress: note).alreadySent == 700)
        // Without the note they are sent again, and recognized by source and id.
        #expect(try send(pipeline, all).alreadySent == 0)
        #expect(pipeline.cluster.committed(pipeline.topics[.imports]).count == 1_400)
        for _ in 0..<40 { try pipeline.settle() }
        #expect(try facts(pipeline).count == 700)
        var refused: Int64 = 0
        pipeline.loopProcessor?.forEachProject { refused += $0.state.refusals["duplicate"] ?? 0 }
        #expect(refused == 700)
        let later = try send(pipeline, all)
        #expect(later.merge.known == 700 && later.merge.labels.isEmpty)
    }

    /// Before: a run after an interrupted one, or after all labels were known, stopped at the note of the first run.
    @Test("The rest of a file is sent after its old progress note; the note of another project is refused")
    func foreignNote() throws {
        let pipeline = try Pipeline(seed: 2)
        let note = "\(pipeline.root)-note"
        defer { try? FileManager.default.removeItem(atPath: note) }
        let (first, _) = file(pipeline, 5)
        _ = try send(pipeline, first, progress: note)
        for _ in 0..<10 { try pipeline.settle() }
        let again = try send(pipeline, first, progress: note)
        #expect(again.alreadySent == 0 && again.merge.known == 5 && again.merge.labels.isEmpty)
        let more = try send(pipeline, file(pipeline, 6).0, progress: note)
        #expect(more.alreadySent == 0 && !more.merge.labels.isEmpty)
        let text = try String(contentsOfFile: note, encoding: .utf8).replacing("\"shapes\"", with: "\"dogs\"")
        try text.write(toFile: note, atomically: true, encoding: .utf8)
        #expect(throws: EngineError.self) { try send(pipeline, file(pipeline, 8).0, progress: note) }
        // A note that cannot be read is not treated as a missing one.
        let count = pipeline.cluster.committed(pipeline.topics[.imports]).count
        #expect(throws: EngineError.self) { try send(pipeline, file(pipeline, 9).0, progress: pipeline.root) }
        #expect(pipeline.cluster.committed(pipeline.topics[.imports]).count == count)
    }

    @Test(
        "Conflicts with the project are reported by line; others' records are checked in Intake and in the loop"
    )
    func refused() throws {
        let pipeline = try Pipeline(seed: 3)
        func json(_ id: String, _ members: String) -> [UInt8] {
            Array(#"{"project":"shapes","source":"s","id":"\#(id)","sample":{"id":"\#(id)"},\#(members)}"#.utf8)
        }
        try pipeline.send(.imports, json("a", #""label":{"kind":"choice","class":"circle"}"#))
        try pipeline.send(.imports, json("b", #""label":{"kind":"choice","class":"hexagon"}"#))
        try pipeline.send(.imports, json("c", #""votes":[]"#))
        try pipeline.send(.imports, json("d", #""label":{"kind":"choice","class":"circle"},"split":"test""#))
        try pipeline.send(.imports, json("e", #""label":{"kind":"boxes"}"#))
        try pipeline.settle()
        var other = Array(#"{"project":"shapes","source":"t","id":"z","sample":{"id":"a"},"#.utf8)
        other += Array(#""label":{"kind":"choice","class":"star"}}"#.utf8)
        try pipeline.send(.imports, other)
        try pipeline.settle()
        let deadLetters = pipeline.cluster.committed(pipeline.topics[.deadLetters]).map {
            $0.header("flywheel.reason.code") ?? ""
        }
        #expect(deadLetters == ["unknown_class", "schema", "schema", "unknown_kind", "label_conflict"])
        let deadLetter = pipeline.cluster.committed(pipeline.topics[.deadLetters]).last
        #expect(deadLetter?.value == other)
        let target = try ImportTarget(
            transport: pipeline.cluster,
            topics: pipeline.topics,
            project: Scenario.project.rawValue
        )
        let text = #"{"id":"a","label":"star"}"#
        let merge = try LabelMerge(
            ImportFile(Array(text.utf8), .jsonLines, ImportFields(), isLabelled: true),
            target.configuration,
            state: target.state,
            source: "s",
            isValidation: false,
            now: { pipeline.clock.now }
        )
        #expect(
            merge.faults.map(\.description) == [
                "line 1: sample a has label \"circle\" in the project, here it is \"star\""
            ]
        )
    }

    @Test("Samples with imported labels are never queried, however often predictions of them arrive")
    func neverQueried() throws {
        let pipeline = try Pipeline(seed: 4)
        let (labels, truth) = file(pipeline, 40)
        _ = try send(pipeline, labels)
        try pipeline.settle()
        for row in labels.rows {
            try pipeline.send(.predictions, Wire.prediction(row.sample, [0.4, 0.3, 0.3], version: "theirs"))
        }
        for _ in 0..<4 { try pipeline.round(serving: 10) }
        let queried = Set(try pipeline.tasks().map(\.sample.id.rawValue))
        #expect(!queried.isEmpty && queried.isDisjoint(with: truth.keys))
    }

    @Test(
        "A published pool has each sample once; without a model all are candidates, queried while votes remain"
    )
    func pool() throws {
        let pipeline = try Pipeline(seed: 5)
        var lines = ["key,place"]
        for number in 0..<30 { lines.append("img-\(number),s3://pool/\(number).png") }
        lines += ["img-3,s3://pool/again.png", ",s3://pool/nameless.png"]
        var fields = ImportFields()
        (fields.id, fields.uri) = ("key", "place")
        let bytes = Array(lines.joined(separator: "\n").utf8)
        let file = ImportFile(bytes, ImportFile.format(of: bytes, name: "pool.csv"), fields, isLabelled: false)
        let target = try ImportTarget(
            transport: pipeline.cluster,
            topics: pipeline.topics,
            project: Scenario.project.rawValue
        )
        let pool = try SamplePool(file, target.configuration, now: { pipeline.clock.now })
        #expect(pool.entries.count == 30 && pool.repeated == 1 && pool.faults.map(\.line) == [33])
        let sender = RecordImport.samples(
            transport: pipeline.cluster,
            topics: pipeline.topics,
            project: Scenario.project.rawValue,
            progress: nil
        )
        let began = pipeline.clock.now
        let pause: (Int64) -> Void = { pipeline.clock.advance(by: $0) }
        _ = try sender.send(pool.entries.map(\.record), rate: 10, now: { pipeline.clock.now }, pause: pause)
        // Ten records a second: the last ten are sent after two seconds.
        #expect(pipeline.clock.now - began == 2_000)
        for _ in 0..<8 {
            try pipeline.settle()
            pipeline.clock.advance(by: 2_000)
        }
        let queried = try pipeline.tasks()
        #expect(!queried.isEmpty && queried.allSatisfy { $0.sample.id.rawValue.hasPrefix("img-") })
        #expect(
            queried.contains {
                if case .uri(let uri)? = $0.sample.content { uri.hasPrefix("s3://pool/") } else { false }
            }
        )
    }

    @Test("A folder of images is read by relative paths, as file URIs, without hidden files and non-images")
    func folder() throws {
        let root = FileManager.default.temporaryDirectory.appendingPathComponent("pool-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: root) }
        try FileManager.default.createDirectory(
            at: root.appendingPathComponent("cats"),
            withIntermediateDirectories: true
        )
        for name in ["b.PNG", "cats/a b.jpg", "notes.txt", ".hidden.png"] {
            try Data([1]).write(to: root.appendingPathComponent(name))
        }
        let file = try ImportFile(folder: root.path)
        #expect(file.rows.map(\.sample.id.rawValue) == ["b.PNG", "cats/a b.jpg"])
        guard case .uri(let uri)? = file.rows.last?.sample.content else {
            Issue.record("no URI")
            return
        }
        #expect(uri.hasPrefix("file:///") && uri.hasSuffix("/cats/a%20b.jpg"))
        #expect(throws: EngineError.self) { try ImportFile(folder: root.path + "/none") }
    }
}
