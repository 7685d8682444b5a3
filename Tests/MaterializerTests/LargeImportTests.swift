import Events
import Flywheel
import Labeling
import PipelineTesting
import StreamRuntime
import StreamTesting
import Testing
import Vocabulary

@testable import DatasetFiles

/// Versions with very many labels.
@Suite("Large imports")
struct LargeImportTests {
    /// Seconds that the materializer takes to read `count` labels and seal their version.
    private func seconds(_ count: Int) throws -> Double {
        let pipeline = try Pipeline()
        for number in 0..<count {
            let text =
                "{\"id\":\"r\(number)\",\"project\":\"shapes\",\"source\":\"old\",\"sample\":{\"id\":\"s\(number)\"},\"label\":{\"kind\":\"choice\",\"class\":\"\(Scenario.classes[number % 3])\"}}"
            try pipeline.send(.imports, Array(text.utf8))
        }
        let (intake, loop) = (try pipeline.makeIntake(), try pipeline.makeLoop())
        try intake.settle()
        try loop.settle()
        pipeline.clock.advance(by: 6_000)
        try intake.settle()
        try loop.settle()
        try loop.settle()
        let began = ContinuousClock.now
        try pipeline.makeMaterializer().settle()
        let taken = began.duration(to: .now)
        let manifest = try #require(try pipeline.store.manifest(Scenario.project, versionNumber: 1))
        #expect(manifest.count(of: .training) == count)
        return Double(taken.components.seconds) + Double(taken.components.attoseconds) / 1e18
    }

    /// Before: each label copied all waiting labels, so that 270,000 of them took hours.
    @Test("The materializer's time grows with the labels of a version, not with their square")
    func linear() throws {
        _ = try seconds(100)
        let (few, many) = (try seconds(2_000), try seconds(16_000))
        // Eight times the labels; quadratic growth would take 64 times as long.
        #expect(many < max(few, 0.02) * 24, "\(few) s, \(many) s")
    }
}
