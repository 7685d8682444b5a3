import DatasetFiles
import Events
import Hashing
import JSON
import PipelineTesting
import Statistics
import Storage
import StreamRuntime
import StreamTesting
import Testing
import Vocabulary

/// One label of a version written by hand.
private struct Line {
    var split = Split.training
    var className: String
    /// The embedding as JSON; nil if there is none.
    var embedding: String?
}

/// A version and a request for it, without the rest of the pipeline.
private struct Bench {
    let pipeline: Pipeline
    private var requests = 0

    init() throws { pipeline = try Pipeline() }

    /// Trains on a version of `lines` and returns the results.
    mutating func train(
        _ lines: [Line],
        repeats: Int = 2,
        warmStart: ReleasedModel? = nil
    ) throws -> [TrainingResult] {
        requests += 1
        var segments: [DatasetSegment] = []
        for split in [Split.training, .test] {
            let texts = lines.enumerated().filter { $0.element.split == split }.map { position, line in
                let embedding = line.embedding.map { #","embedding":\#($0)"# } ?? ""
                return
                    #"{"sample":{"id":"s\#(position)"\#(embedding)},"label":{"kind":"choice","class":"\#(line.className)"},"split":"\#(split)"}"#
                    + "\n"
            }
            guard !texts.isEmpty else { continue }
            let bytes = Array(texts.joined().utf8)
            let digest = SHA256Digest(of: bytes).hex
            try pipeline.artifacts.put(bytes, as: "data/\(digest)")
            segments.append(
                DatasetSegment(split: split, path: digest, size: bytes.count, sha256: digest, records: texts.count)
            )
        }
        let manifest = DatasetManifest(
            project: Scenario.project,
            versionNumber: requests,
            sequence: 1,
            parent: nil,
            semanticVersion: "1.0.0",
            classes: Scenario.classes,
            segments: segments
        )
        let bytes = manifest.jsonBytes
        try pipeline.artifacts.put(bytes, as: "data/\(manifest.id)")
        let request = TrainingRequest(
            id: RequestID("r\(requests)"),
            dataset: SealedVersion(
                id: manifest.id,
                versionNumber: requests,
                parent: nil,
                semanticVersion: "1.0.0",
                manifest: ArtifactReference(
                    uri: try pipeline.artifacts.uri(of: "data/\(manifest.id)").description,
                    size: Int64(bytes.count),
                    sha256: manifest.id.rawValue
                ),
                training: manifest.count(of: .training),
                validation: 0,
                test: manifest.count(of: .test)
            ),
            modelVersion: ModelVersion("v\(requests)"),
            trials: [Hyperparameters()],
            repeats: repeats,
            deadline: StreamTime(milliseconds: pipeline.clock.now + 60_000),
            priority: 0,
            warmStart: warmStart
        )
        try pipeline.send(.trainingRequests, Wire.bytes { request.write(to: &$0, project: Scenario.project) })
        try pipeline.makeTrainer().settle()
        return try pipeline.decoded(.trainingResults) { try TrainingResult(json: $0) }.filter {
            $0.request == request.id
        }
    }

    /// Labels of three classes in four dimensions, every sixth of them for the test set.
    static func honest(_ count: Int = 60, seed: UInt64 = 1) -> [Line] {
        var generator = SplitMix64(seed: seed)
        return (0..<count).map { number in
            let kind = number % 3
            let values = (0..<4).map { 0.4 * generator.nextNormal() + ($0 == kind ? 2 : 0) }
            return Line(
                split: number % 6 == 5 ? .test : .training,
                className: Scenario.classes[kind],
                embedding: "[\(values.map { "\(Float($0))" }.joined(separator: ","))]"
            )
        }
    }
}

extension TrainingResult {
    fileprivate var artifact: ArtifactReference? {
        if case .finished(let artifact, _, _, _) = outcome { artifact } else { nil }
    }
    fileprivate var score: Double? { if case .finished(_, let score, _, _) = outcome { score } else { nil } }
    fileprivate var predictions: [Label]? {
        if case .finished(_, _, _, let predictions) = outcome { predictions } else { nil }
    }
}

@Suite("A label that cannot be trained on is left out, and never prevents training on the others")
struct BadLabelTests {
    @Test(
        "Whatever is wrong with a label, the model is that of the version without it",
        arguments: [
            "[1,2]", "[]", "[1,2,3,4,5,6,7,8]", "[3.4e38,-3.4e38,3.4e38,-3.4e38]", "[1e30,0,0,0]", "[1e300,0,0,0]",
            "null",
        ]
    )
    func leftOut(embedding: String) throws {
        var bench = try Bench()
        let honest = Bench.honest()
        let expected = try bench.train(honest)
        #expect(expected.count == 2 && expected.allSatisfy { $0.leftOut == nil })
        let bad = embedding == "null" ? nil : embedding
        var lines = honest
        for position in [0, 20, 41] { lines.insert(Line(className: "star", embedding: bad), at: position) }
        for position in [3, 30] { lines.insert(Line(split: .test, className: "star", embedding: bad), at: position) }
        let results = try bench.train(lines)
        // Other repeats draw their weights with the request's id, which differs.
        #expect(results.first?.artifact?.sha256 == expected.first?.artifact?.sha256)
        #expect(results.first?.score == expected.first?.score)
        for (result, clean) in zip(results, expected) {
            let leftOut = try #require(result.leftOut)
            #expect(leftOut.training == 3 && leftOut.test == 2)
            #expect(leftOut.testPositions == [0, 5])
            #expect(!leftOut.example.isEmpty)
            let answers = try #require(result.predictions)
            #expect(answers.count == 12)
            let used = answers.enumerated().filter { !leftOut.testPositions.contains($0.offset) }.map(\.element)
            if result.repetition == 0 { #expect(used == clean.predictions) }
        }
    }

    @Test("Only labels of a class that the manifest lacks are left out", arguments: ["circles", ""])
    func unknownClass(name: String) throws {
        var bench = try Bench()
        let results = try bench.train(Bench.honest() + [Line(className: name, embedding: "[1,2,3,4]")])
        #expect(results.allSatisfy { $0.leftOut?.training == 1 && $0.artifact != nil })
    }

    @Test(
        "Embeddings of nearly the largest norm give a fit that distinguishes the classes",
        arguments: [2, 30, 900] as [Float]
    )
    func farOut(factor: Float) throws {
        var bench = try Bench()
        let far = (0..<3).map {
            Line(className: Scenario.classes[$0], embedding: "[\(factor),\(-factor),\(factor),\(factor)]")
        }
        let results = try bench.train(Bench.honest() + far)
        #expect(results.allSatisfy { $0.leftOut == nil })
        for result in results { #expect(try #require(result.score, "\(result)") >= 0.8, "factor \(factor)") }
    }

    @Test("If no label is usable, the result reports it with a reason code")
    func nothingLeft() throws {
        var bench = try Bench()
        let results = try bench.train((0..<4).map { _ in Line(className: "star", embedding: nil) })
        #expect(results.map(\.reason) == ["no_usable_labels", "no_usable_labels"])
        #expect(results.allSatisfy { $0.leftOut?.training == 4 })
        let empty = try bench.train([Line(split: .test, className: "star", embedding: "[1]")])
        #expect(empty.map(\.reason) == ["no_usable_labels", "no_usable_labels"])
    }

    @Test("A fit that does not converge produces no model")
    func notConverged() throws {
        var bench = try Bench()
        let lines = (0..<30).map {
            Line(className: Scenario.classes[$0 % 3], embedding: "[\($0 % 2 == 0 ? "" : "-")3.4e38,3.4e38]")
        }
        let results = try bench.train(lines)
        #expect(results.map(\.reason) == ["did_not_converge", "did_not_converge"])
        #expect(results.allSatisfy { $0.artifact == nil })
    }

    @Test("A model that equals its parent byte for byte is not reported as a model")
    func sameAsParent() throws {
        var bench = try Bench()
        let first = try bench.train(Bench.honest())
        let parent = ReleasedModel(
            version: ModelVersion("v1"),
            artifact: try #require(first.first?.artifact),
            datasetVersionNumber: 1,
            newestSampleAt: StreamTime(milliseconds: 1)
        )
        // Only unusable labels were added.
        let same = try bench.train(Bench.honest() + [Line(className: "star", embedding: "[1,2]")], warmStart: parent)
        #expect(same.first?.reason == "same_as_parent")
        #expect(same.first?.leftOut?.training == 1)
        let other = try bench.train(Bench.honest(90, seed: 2), warmStart: parent)
        #expect(other.allSatisfy { $0.artifact != nil })
    }
}

@Suite("Unusable samples that are queried first and labelled by honest annotators")
struct BadSampleTests {
    /// Outcome for samples with given embeddings, and for the studies after them.
    private struct Outcome {
        var finished = 0
        var failed: [String] = []
        var leftOut = 0
        var labelled = 0
        var refused = 0
    }

    private func outcome(_ embeddings: [[Float]?]) throws -> Outcome {
        let pipeline = try Pipeline(seed: 3)
        for _ in 0..<8 { try pipeline.round() }
        let before = try pipeline.decoded(.notices) { try Notice(json: $0) }.count
        for round in 0..<20 {
            // By the scores of the newest model these samples are the most useful ones.
            let release = try #require(try pipeline.releases().last)
            let model = release.challenger ?? release.champion
            for (number, embedding) in embeddings.enumerated() where round < 8 {
                let sample = Sample(id: SampleID("bad\(number)"), content: .uri("memory:bad"), embedding: embedding)
                let role = release.challenger == nil ? ModelRole.champion : .challenger
                let version = model.version.rawValue
                try pipeline.send(
                    .predictions,
                    Wire.prediction(sample, [0.34, 0.33, 0.33], version: version, role: role)
                )
            }
            try pipeline.round()
        }
        var outcome = Outcome()
        for notice in try pipeline.decoded(.notices, { try Notice(json: $0) }).dropFirst(before) {
            if notice.kind == .studyFinished { outcome.finished += 1 }
            if notice.kind == .studyFailed { outcome.failed.append(notice.text) }
            if notice.text.contains("left out") { outcome.leftOut += 1 }
        }
        for case .accepted(let fact, _) in try pipeline.decoded(.datasetLog, { try DatasetLogRecord(json: $0) })
        where fact.consensus.sample.id.rawValue.hasPrefix("bad") {
            outcome.labelled += 1
        }
        outcome.refused = pipeline.cluster.committed(pipeline.topics[.deadLetters]).count {
            $0.header("flywheel.reason.code") == "wrong_space"
        }
        return outcome
    }

    @Test("Samples without an embedding are labelled, and every study still produces a model")
    func noEmbedding() throws {
        let outcome = try outcome([nil, nil, nil])
        #expect(outcome.failed.isEmpty && outcome.finished >= 5, "\(outcome)")
        #expect(outcome.labelled > 0 && outcome.leftOut > 0 && outcome.refused == 0, "\(outcome)")
    }

    @Test(
        "Samples with an embedding outside the space are refused by Intake",
        arguments: [
            [[1, 2, 3, 4]], [[3.4e38, -3.4e38], [-3.4e38, 3.4e38], [3.4e38, 3.4e38]],
        ] as [[[Float]?]]
    )
    func elsewhere(embeddings: [[Float]?]) throws {
        let outcome = try outcome(embeddings)
        #expect(outcome.failed.isEmpty && outcome.finished >= 5, "\(outcome)")
        #expect(outcome.labelled == 0 && outcome.leftOut == 0, "\(outcome)")
        #expect(outcome.refused == 8 * embeddings.count, "\(outcome)")
    }
}
