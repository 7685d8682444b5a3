import DatasetFiles
import EngineCore
import Events
import Foundation
import Materializer
import PipelineTesting
import Processes
import Storage
import StreamRuntime
import StreamTesting
import Testing
import Trainer
import Vocabulary

@Suite("A full disk delays work and loses nothing")
struct FullDiskTests {
    private func source() throws -> Pipeline {
        let source = try Pipeline(seed: 2)
        for _ in 0..<10 { try source.round() }
        return source
    }

    /// Advances the clock by `milliseconds` and settles after each half second.
    private func settle(_ runner: ProcessorRunner, _ pipeline: Pipeline, for milliseconds: Int64) throws {
        for _ in 0..<milliseconds / 500 {
            try runner.settle()
            pipeline.clock.advance(by: 500)
        }
        try runner.settle()
    }

    @Test("Materializer tries again with growing pauses, reads nothing more meanwhile, and ends with the same bytes")
    func materializer() throws {
        let source = try source()
        let undisturbed = try Pipeline.prepared([.datasetLog], from: source)
        try undisturbed.makeMaterializer().settle()
        let expected = try undisturbed.store.objects.contents
        let log = source.cluster.committed(source.topics[.datasetLog], Scenario.partition)
        // Full from the beginning, or from a write in the middle of a version.
        for fullAfter in [0, 7, 23, 60] {
            let pipeline = try Pipeline()
            let disk = Disk()
            let runner = try pipeline.makeMaterializer(
                store: DatasetStore(objects: disk.store(pipeline.store.objects.location))
            )
            let processor = try #require(runner.processor as? MaterializerProcessor)
            var reported: [StorageBackoff] = []
            processor.storagePaused = {
                reported.append($0)
                if disk.effects.count > fullAfter + 400 { disk.isFull = false }
            }
            for (number, record) in log.enumerated() {
                if disk.effects.count >= fullAfter { disk.isFull = true }
                try pipeline.cluster.append(
                    OutputRecord(
                        topic: pipeline.topics[.datasetLog],
                        partition: Scenario.partition,
                        key: record.key,
                        value: record.value
                    )
                )
                if number % 3 == 0 { try runner.settle() }
            }
            try settle(runner, pipeline, for: 60_000)
            #expect(processor.backoff.isActive && processor.wantsPause, "\(fullAfter)")
            #expect(processor.backoff.reason?.contains("No space left on device") == true)
            // Number of tries in 60 s with growing pauses of at least 50 ms and at most 10 s.
            #expect((8...40).contains(processor.backoff.attempts), "\(processor.backoff.attempts)")
            #expect(runner.events.contains { if case .paused = $0 { true } else { false } })
            let announced = pipeline.cluster.committed(pipeline.topics[.datasetVersions]).count
            for version in try pipeline.decoded(.datasetVersions, { try SealedVersion(json: $0) }) {
                #expect(try pipeline.store.verify(Scenario.project, id: version.id) == [])
            }
            disk.isFull = false
            try settle(runner, pipeline, for: 12_000)
            #expect(!processor.backoff.isActive && !processor.wantsPause)
            #expect(reported.last?.isActive == false)
            #expect(try pipeline.store.objects.contents == expected, "\(fullAfter)")
            #expect(
                pipeline.cluster.committed(pipeline.topics[.datasetVersions]).count
                    == undisturbed.cluster.committed(undisturbed.topics[.datasetVersions]).count
            )
            #expect(announced < pipeline.cluster.committed(pipeline.topics[.datasetVersions]).count)
            #expect(pipeline.cluster.offsets(of: "materializer") == undisturbed.cluster.offsets(of: "materializer"))
        }
    }

    @Test("Trainer computes a repeat once, stores its model when it can, and reports it once")
    func trainer() throws {
        let source = try source()
        let undisturbed = try Pipeline.prepared([.trainingRequests], from: source)
        try undisturbed.makeTrainer().settle()
        let pipeline = try Pipeline.prepared([.trainingRequests], from: source)
        let disk = Disk()
        disk.isFull = true
        let runner = try pipeline.makeTrainer(artifacts: disk.store(pipeline.artifacts.location))
        let processor = try #require(runner.processor as? TrainerProcessor)
        try settle(runner, pipeline, for: 20_000)
        #expect(processor.backoff.isActive && processor.wantsPause)
        #expect(pipeline.cluster.committed(pipeline.topics[.trainingResults]).isEmpty)
        disk.isFull = false
        try settle(runner, pipeline, for: 12_000)
        #expect(!processor.backoff.isActive && disk.refusals > 5)
        #expect(processor.repeats == undisturbed.cluster.committed(undisturbed.topics[.trainingResults]).count)
        #expect(try pipeline.artifacts.contents == undisturbed.artifacts.contents)
        #expect(
            pipeline.cluster.committed(pipeline.topics[.trainingResults]).count
                == undisturbed.cluster.committed(undisturbed.topics[.trainingResults]).count
        )
    }

    /// A file system of 1 MiB; nil where this process may not mount one.
    private final class SmallDisk {
        let path: String

        init?() {
            path = NSTemporaryDirectory() + "small-disk-\(UUID().uuidString)"
            try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            let mounted = try? ChildProcess.run("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", path])
            guard mounted?.status.isSuccess == true else {
                try? FileManager.default.removeItem(atPath: path)
                return nil
            }
        }

        deinit {
            _ = try? ChildProcess.run("umount", ["-l", path])
            try? FileManager.default.removeItem(atPath: path)
        }
    }

    @Test("On a file system that is really full, Materializer reports the reason and continues once there is space")
    func reallyFull() throws {
        guard let disk = SmallDisk() else {
            print("skipped: a full file system (this process may not mount a tmpfs)")
            return
        }
        let source = try source()
        let undisturbed = try Pipeline.prepared([.datasetLog], from: source)
        try undisturbed.makeMaterializer().settle()
        let pipeline = try Pipeline.prepared([.datasetLog], from: source)
        let objects = try FolderStore(root: disk.path + "/datasets")
        let ballast = disk.path + "/ballast"
        // Usually a disk becomes full with a truncated write.
        _ = FileManager.default.createFile(atPath: ballast, contents: Data(count: 984 << 10))
        let runner = try pipeline.makeMaterializer(store: DatasetStore(objects: objects))
        let processor = try #require(runner.processor as? MaterializerProcessor)
        try settle(runner, pipeline, for: 5_000)
        #expect(
            processor.backoff.reason?.contains("No space left on device") == true,
            "\(String(describing: processor.backoff.reason))"
        )
        for version in try pipeline.decoded(.datasetVersions, { try SealedVersion(json: $0) }) {
            #expect(try DatasetStore(objects: objects).verify(Scenario.project, id: version.id) == [])
        }
        try FileManager.default.removeItem(atPath: ballast)
        try settle(runner, pipeline, for: 12_000)
        #expect(!processor.backoff.isActive, "\(String(describing: processor.backoff.reason))")
        #expect(try objects.contents == undisturbed.store.objects.contents)
        #expect(try objects.removeLeftovers(olderThan: .zero) == 0)
    }
}
