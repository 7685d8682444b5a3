import DatasetFiles
import EngineCore
import Events
import Foundation
import Materializer
import PipelineTesting
import S3
import S3Testing
import Storage
import StreamRuntime
import StreamTesting
import Testing
import Trainer
import Vocabulary

/// A fault of a bucket that a worker may encounter.
struct BucketFault: Sendable, CustomTestStringConvertible {
    let fault: FakeBucket.Fault
    /// Text that the reason of the pause contains; empty if it is not checked.
    let message: String
    var testDescription: String { message }

    static let all = [
        BucketFault(fault: .answer(403, "AccessDenied"), message: "403 AccessDenied"),
        BucketFault(fault: .answer(403, "RequestTimeTooSkewed"), message: "set this machine's clock"),
        BucketFault(fault: .answer(503, "SlowDown"), message: "asks for fewer requests"),
        BucketFault(fault: .answer(500, "InternalError"), message: "an internal error"),
        BucketFault(fault: .answer(404, "NoSuchBucket"), message: "there is no bucket models"),
        BucketFault(fault: .answer(507, "XMinioStorageFull"), message: "full or over its quota"),
        BucketFault(fault: .nothing, message: "closed the connection early"),
        BucketFault(fault: .lostAnswer, message: "closed the connection early"),
        BucketFault(fault: .truncated(after: 3), message: ""),
    ]

    /// Every second fault, alternating between two tests; `make s3` runs all of them in each test.
    static func tried(_ test: Int) -> [BucketFault] {
        Exhaustive.isOn ? all : all.enumerated().filter { $0.offset % 2 == test }.map(\.element)
    }
}

@Suite("A bucket instead of a folder gives the same versions, and its faults pause work without losing any")
struct BucketTests {
    private func client(_ bucket: FakeBucket) throws -> S3Client { try .pipeline(bucket) }

    private func settle(_ runner: ProcessorRunner, _ pipeline: Pipeline, for milliseconds: Int64) throws {
        for _ in 0..<milliseconds / 500 {
            try runner.settle()
            pipeline.clock.advance(by: 500)
        }
        try runner.settle()
    }

    private func objects(_ bucket: FakeBucket, _ folder: String) -> [String: [UInt8]] {
        var found: [String: [UInt8]] = [:]
        for (key, bytes) in bucket.objects where key.hasPrefix("\(folder)/") {
            found[String(key.dropFirst(folder.count + 1))] = bytes
        }
        return found
    }

    @Test("The whole cycle writes the same bytes as in a folder, and events name s3: URIs")
    func cycle() throws {
        let bucket = FakeBucket()
        let (folder, pipeline) = (try Pipeline(seed: 2), try Pipeline(seed: 2, buckets: client(bucket)))
        for _ in 0..<10 {
            try folder.round()
            try pipeline.round()
        }
        let expected = try folder.store.objects.contents
        #expect(try pipeline.store.objects.contents == expected && expected.count > 6)
        #expect(objects(bucket, "datasets") == expected)
        #expect(try objects(bucket, "artifacts") == folder.artifacts.contents)
        let versions = try pipeline.decoded(.datasetVersions) { try SealedVersion(json: $0) }
        #expect(try versions.map(\.id) == folder.decoded(.datasetVersions) { try SealedVersion(json: $0).id })
        for version in versions {
            #expect(version.manifest.uri == "s3://models/datasets/shapes/versions/\(version.id)/manifest.json")
            #expect(try pipeline.store.verify(Scenario.project, id: version.id) == [])
        }
        let releases = try pipeline.releases()
        #expect(try !releases.isEmpty && releases.map(\.champion.version) == folder.releases().map(\.champion.version))
        #expect(releases.allSatisfy { $0.champion.artifact.uri.hasPrefix("s3://models/artifacts/models/") })
        // No object was replaced by a different one.
        let puts = bucket.requests.filter { $0.method == "PUT" }
        #expect(puts.allSatisfy { $0.headers["if-none-match"] == "*" || $0.headers["if-match"] != nil })
    }

    @Test(
        "Errors of the bucket pause Materializer, which then produces the same bytes",
        arguments: BucketFault.tried(0)
    )
    func materializer(fault: BucketFault) throws {
        let source = try Pipeline(seed: 2)
        for _ in 0..<10 { try source.round() }
        let undisturbed = try Pipeline.prepared([.datasetLog], from: source)
        try undisturbed.makeMaterializer().settle()
        // The first requests of a materializer are excluded: those for the progress of each partition, and for what is
        // kept.
        for start in Exhaustive.isOn ? [4, 6, 13] : [[4, 6, 13][fault.message.utf8.count % 3]] {
            let bucket = FakeBucket { number, _ in number >= start ? fault.fault : nil }
            let pipeline = try Pipeline.prepared([.datasetLog], from: source, buckets: client(bucket))
            let runner = try pipeline.makeMaterializer()
            let processor = try #require(runner.processor as? MaterializerProcessor)
            try settle(runner, pipeline, for: 5_000)
            if !fault.message.isEmpty {
                #expect(processor.backoff.isActive && processor.wantsPause, "\(start)")
                #expect(
                    processor.backoff.reason?.contains(fault.message) == true,
                    "\(String(describing: processor.backoff.reason))"
                )
                #expect(processor.backoff.reason?.contains("a-secret") == false)
            }
            bucket.set(nil)
            for version in try pipeline.decoded(.datasetVersions, { try SealedVersion(json: $0) }) {
                #expect(try pipeline.store.verify(Scenario.project, id: version.id) == [])
            }
            try settle(runner, pipeline, for: 12_000)
            #expect(!processor.backoff.isActive && processor.stops.isEmpty, "\(start): \(processor.stops.map(\.text))")
            #expect(try (objects(bucket, "datasets") == undisturbed.store.objects.contents) == true, "\(start)")
            #expect(
                try pipeline.decoded(.datasetVersions) { try SealedVersion(json: $0).id }
                    == undisturbed.decoded(.datasetVersions) { try SealedVersion(json: $0).id }
            )
        }
    }

    @Test("An unreadable parent pauses Materializer: a version is never sealed as if it had none")
    func parent() throws {
        let source = try Pipeline(seed: 2)
        for _ in 0..<14 { try source.round() }
        let undisturbed = try Pipeline.prepared([.datasetLog], from: source)
        try undisturbed.makeMaterializer().settle()
        for fault in [FakeBucket.Fault.answer(404, "NoSuchBucket"), .answer(403, "AccessDenied"), .answer(404, "")] {
            let bucket = FakeBucket { _, request in
                request.path.contains("/ordinals/1") && request.method == "GET" ? fault : nil
            }
            let pipeline = try Pipeline.prepared([.datasetLog], from: source, buckets: client(bucket))
            let runner = try pipeline.makeMaterializer()
            let processor = try #require(runner.processor as? MaterializerProcessor)
            try settle(runner, pipeline, for: 3_000)
            #expect(processor.backoff.isActive && processor.stops.isEmpty, "\(fault): \(processor.stops.map(\.text))")
            bucket.set(nil)
            try settle(runner, pipeline, for: 12_000)
            #expect(try (objects(bucket, "datasets") == undisturbed.store.objects.contents) == true, "\(fault)")
        }
    }

    @Test("Materializer killed at any request, executed or not, produces the same bytes after a restart")
    func crashes() throws {
        let source = try Pipeline(seed: 2)
        for _ in 0..<10 { try source.round() }
        let healthy = FakeBucket()
        let undisturbed = try Pipeline.prepared([.datasetLog], from: source, buckets: client(healthy))
        try undisturbed.makeMaterializer().settle()
        let expected = objects(healthy, "datasets")
        let announced = try undisturbed.decoded(.datasetVersions) { try SealedVersion(json: $0).id }
        #expect(healthy.requests.count > 30)
        let points = healthy.requests.indices.flatMap { number in [false, true].map { (number, $0) } }
        let tried = Exhaustive.some(points, about: 14)
        for (number, isDone) in tried {
            let bucket = FakeBucket { at, _ in at < number ? nil : at == number && isDone ? .lostAnswer : .nothing }
            let pipeline = try Pipeline.prepared([.datasetLog], from: source, buckets: client(bucket))
            // From now on none of its requests is answered, which is equivalent to a crash.
            try? pipeline.makeMaterializer().settle()
            bucket.set(nil)
            for versionNumber in try pipeline.store.versionNumbers(Scenario.project) {
                let manifest = try #require(
                    try pipeline.store.manifest(Scenario.project, versionNumber: versionNumber),
                    "\(number)"
                )
                #expect(try pipeline.store.verify(Scenario.project, id: manifest.id) == [], "\(number)")
            }
            try pipeline.makeMaterializer().settle()
            #expect((objects(bucket, "datasets") == expected) == true, "\(number) \(isDone)")
            #expect(
                try pipeline.decoded(.datasetVersions) { try SealedVersion(json: $0).id } == announced,
                "\(number)"
            )
        }
        print("crash points tried on a bucket: \(tried.count) of \(points.count)")
    }

    @Test("Two materializers that both believe they own the partition produce the same objects")
    func twoMaterializers() throws {
        let source = try Pipeline(seed: 2)
        for _ in 0..<10 { try source.round() }
        let alone = try Pipeline.prepared([.datasetLog], from: source)
        try alone.makeMaterializer().settle()
        let bucket = FakeBucket()
        let pipelines = try (0..<2).map { _ in try Pipeline(buckets: client(bucket)) }
        let runners = try pipelines.map { try $0.makeMaterializer() }
        for (number, record) in source.cluster.committed(source.topics[.datasetLog], Scenario.partition).enumerated() {
            for pipeline in pipelines { try pipeline.send(.datasetLog, record.value, partition: Scenario.partition) }
            // The two materializers are ahead of each other in turn.
            try runners[number / 3 % 2].settle()
            if number % 5 == 0 { for runner in runners { try runner.settle() } }
        }
        for runner in runners { try runner.settle() }
        #expect(try (objects(bucket, "datasets") == alone.store.objects.contents) == true)
        let ids = try alone.decoded(.datasetVersions) { try SealedVersion(json: $0).id }
        for pipeline in pipelines {
            #expect(try pipeline.decoded(.datasetVersions) { try SealedVersion(json: $0).id } == ids)
        }
    }

    @Test(
        "Trainer waits while the bucket does not return a version or store a model",
        arguments: BucketFault.tried(1)
    )
    func trainer(fault: BucketFault) throws {
        let bucket = FakeBucket()
        let source = try Pipeline(seed: 2, buckets: client(bucket))
        for _ in 0..<8 { try source.round() }
        let undisturbed = try Pipeline.prepared([.trainingRequests], from: source, buckets: client(bucket))
        try undisturbed.makeTrainer().settle()
        let expected = bucket.objects
        let results = undisturbed.cluster.committed(undisturbed.topics[.trainingResults]).count
        #expect(results > 0)
        for isReading in [true, false] {
            let pipeline = try Pipeline.prepared([.trainingRequests], from: source, buckets: client(bucket))
            bucket.set { _, request in (request.method == "GET") == isReading ? fault.fault : nil }
            let runner = try pipeline.makeTrainer()
            let processor = try #require(runner.processor as? TrainerProcessor)
            try settle(runner, pipeline, for: 5_000)
            if !fault.message.isEmpty {
                #expect(processor.backoff.isActive && processor.wantsPause, "\(isReading)")
                #expect(pipeline.cluster.committed(pipeline.topics[.trainingResults]).isEmpty, "\(isReading)")
            }
            bucket.set(nil)
            try settle(runner, pipeline, for: 12_000)
            let outcomes = try pipeline.decoded(.trainingResults) { try TrainingResult(json: $0).outcome }
            #expect(outcomes.count == results)
            #expect(outcomes.allSatisfy { if case .finished = $0 { true } else { false } })
            #expect((bucket.objects == expected) == true)
        }
    }

    @Test("A warm-start model whose bucket is missing is awaited for a minute, and then training starts without it")
    func warmStart() throws {
        let bucket = FakeBucket()
        let source = try Pipeline(seed: 2, buckets: client(bucket))
        for _ in 0..<8 { try source.round() }
        let requests = try source.decoded(.trainingRequests) { try TrainingRequest(json: $0) }
        #expect(requests.contains { $0.warmStart != nil })
        let pipeline = try Pipeline.prepared([.trainingRequests], from: source, buckets: client(bucket))
        bucket.set { _, request in
            request.method == "GET" && request.path.contains("/artifacts/") ? .answer(404, "NoSuchBucket") : nil
        }
        let runner = try pipeline.makeTrainer()
        let processor = try #require(runner.processor as? TrainerProcessor)
        try settle(runner, pipeline, for: 30_000)
        #expect(processor.backoff.isActive)
        let waiting = pipeline.cluster.committed(pipeline.topics[.trainingResults]).count
        try settle(runner, pipeline, for: 60_000)
        #expect(pipeline.cluster.committed(pipeline.topics[.trainingResults]).count > waiting)
    }
}
