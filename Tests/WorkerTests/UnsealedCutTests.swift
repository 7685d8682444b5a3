import Events
import PipelineTesting
import StreamRuntime
import StreamTesting
import Telemetry
import Testing
import Vocabulary

@testable import Loop
@testable import Worker

/// The materializer may run elsewhere or nowhere, so the loop reports the cuts that it waits for.
@Suite("Cuts that are not sealed")
struct UnsealedCutTests {
    /// Before: running and ready, without any report of versions that had been unsealed for hours.
    @Test("Versions unsealed for two minutes are reported with project, version and remedy, until they are sealed")
    func nobodySeals() throws {
        let pipeline = try Pipeline()
        let (intake, loop) = (try pipeline.makeIntake(), try pipeline.makeLoop())
        let processor = try #require(loop.processor as? LoopProcessor)
        var unsealed = UnsealedCuts()
        func settle() throws { for runner in [intake, loop, intake, loop] { try runner.settle() } }
        try settle()
        #expect(unsealed.update(processor, time: pipeline.clock.now).allSatisfy { $0.count == 0 && $0.age == 0 })
        var began: Int64?
        for _ in 0..<12 {
            try pipeline.serve(8)
            try settle()
            try pipeline.annotate()
            try settle()
            let readings = unsealed.update(processor, time: pipeline.clock.now)
            if began == nil, readings.contains(where: { $0.count > 0 }) { began = pipeline.clock.now }
            pipeline.clock.advance(by: 1_500)
        }
        let first = try #require(began)
        let cuts = try pipeline.decoded(.datasetLog) { try DatasetLogRecord(json: $0) }
            .filter { if case .cut = $0 { true } else { false } }.count
        try #require(cuts > 1)
        let reading = try #require(
            unsealed.update(processor, time: first + 119_999).first { $0.project == "shapes" }
        )
        #expect(reading.count == cuts)
        #expect((119_999...121_500).contains(reading.age), "\(reading.age)")
        #expect(unsealed.fault(at: first + 119_999) == nil)
        let text = try #require(unsealed.fault(at: first + 120_000))
        #expect(text.hasPrefix("version 1 of project shapes, cut 12"), "\(text)")
        #expect(text.contains("is not sealed, nor are \(cuts - 1) after it: nothing is trained on its labels; check"))
        // Another worker waits two minutes of its own, and still knows since when the cut is unsealed.
        var other = UnsealedCuts()
        #expect(other.update(processor, time: first + 600_000).contains { $0.age >= 600_000 })
        #expect(other.fault(at: first + 600_000) == nil)
        #expect(other.fault(at: first + 720_000)?.contains("cut 72") == true)
        // When a materializer resumes the work, the fault is cleared.
        try pipeline.makeMaterializer().settle()
        try settle()
        #expect(unsealed.update(processor, time: first + 120_000).allSatisfy { $0.count == 0 && $0.age == 0 })
        #expect(unsealed.fault(at: first + 240_000) == nil)
    }

    @Test("A project that moves to another worker leaves no metric behind, and a clock that jumps back causes no fault")
    func moved() throws {
        let pipeline = try Pipeline()
        let (intake, loop) = (try pipeline.makeIntake(), try pipeline.makeLoop())
        func settle() throws { for runner in [intake, loop, intake, loop] { try runner.settle() } }
        for _ in 0..<8 {
            try pipeline.serve(8)
            try settle()
            try pipeline.annotate()
            try settle()
            pipeline.clock.advance(by: 1_500)
        }
        let processor = try #require(loop.processor as? LoopProcessor)
        var unsealed = UnsealedCuts()
        let now = pipeline.clock.now
        let registry = MetricsRegistry()
        let metrics = EngineMetrics(registry: registry)
        for reading in unsealed.update(processor, time: now + 500_000) { metrics.observe(reading) }
        #expect(registry.exposition().contains(#"flywheel_versions_unsealed{project="shapes"} "#))
        #expect(!registry.exposition().contains(#"flywheel_oldest_unsealed_version_seconds{project="shapes"} 0"#))
        _ = unsealed.update(processor, time: now)
        #expect(unsealed.fault(at: now + 119_999) == nil)
        #expect(unsealed.fault(at: now + 120_000) != nil)
        processor.unassigned(loop.task.assignment)
        for reading in unsealed.update(processor, time: now + 1_000) { metrics.observe(reading) }
        #expect(unsealed.fault(at: now + 500_000) == nil)
        #expect(registry.exposition().contains(#"flywheel_oldest_unsealed_version_seconds{project="shapes"} 0"#))
        #expect(unsealed.update(processor, time: now).isEmpty)
    }
}
