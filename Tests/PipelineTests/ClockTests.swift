import Events
import Flywheel
import Intake
import Loop
import Operations
import PipelineTesting
import StreamRuntime
import StreamTesting
import Testing
import Vocabulary

/// A worker's wall clock that differs from the broker's.
@Suite("Clocks that jump")
struct ClockTests {
    private static let year: Int64 = 365 * 86_400_000

    private func ticks(_ pipeline: Pipeline) -> Int {
        pipeline.journal().filter { $0.text.contains(#""kind":"tick""#) }.count
    }

    /// Advances the clock by ten minutes in a pipeline in which something is due tomorrow, with the loop's clock off by
    /// `offset`.
    private func idle(_ offset: @escaping (Int64) -> Int64) throws -> Int {
        let pipeline = try Recording(seed: 1, rounds: 5).pipeline()
        var minute: Int64 = 0
        let loop = try pipeline.makeLoop(wallClock: { pipeline.clock.now + offset(minute) })
        try loop.settle()
        let before = ticks(pipeline)
        for second in 0..<600 as Range<Int64> {
            minute = second / 60
            pipeline.clock.advance(by: 1_000)
            try loop.settle()
        }
        return ticks(pipeline) - before
    }

    @Test("A clock that is ahead, or behind, or jumps both ways, causes no stream of ticks")
    func noBusyTicks() throws {
        let correct = try idle { _ in 0 }
        let ahead = try idle { _ in Self.year }
        let behind = try idle { _ in -Self.year }
        let jumping = try idle { $0 % 2 == 0 ? Self.year : -Self.year }
        #expect(correct > 0 && correct < 60, "\(correct) ticks")
        #expect(ahead <= correct + 60, "\(ahead) ticks")
        #expect(behind <= correct + 60, "\(behind) ticks")
        #expect(jumping <= correct + 60, "\(jumping) ticks")
    }

    @Test("A clock that was ahead and is corrected delays no deadline by more than four minutes")
    func recovers() throws {
        let pipeline = try Recording(seed: 1, rounds: 5).pipeline()
        var offset = Self.year
        let loop = try pipeline.makeLoop(wallClock: { pipeline.clock.now + offset })
        for _ in 0..<300 {
            pipeline.clock.advance(by: 1_000)
            try loop.settle()
        }
        offset = 0
        let view = try StatusView(transport: pipeline.cluster, topics: pipeline.topics)
        defer { view.close() }
        // Open tasks expire twenty seconds after they are opened, so they have long been due.
        for _ in 0..<260 {
            pipeline.clock.advance(by: 1_000)
            try loop.settle()
        }
        let processor = try #require(loop.processor as? LoopProcessor)
        processor.forEachProject { project in
            let deadline = project.state.nextDeadline?.milliseconds ?? .max
            #expect(deadline > pipeline.clock.now - 5_000, "\((pipeline.clock.now - deadline) / 1_000) s late")
        }
    }

    @Test("Intake accepts records, and folds and thresholds work, whichever way its clock jumps")
    func intake() throws {
        var threshold = AdaptiveThreshold(perSecond: 10, burst: 5)
        var admitted = [0, 0, 0]
        for (phase, start) in [Self.year, 2 * Self.year, Self.year].enumerated() {
            for number in 0..<20_000 as Range<Int64> {
                let score = Double((number * 7_919) % 1_000) / 1_000
                if threshold.admits(score, at: start + number * 10) { admitted[phase] += 1 }
            }
        }
        // 200 seconds at ten predictions a second.
        for count in admitted { #expect(count > 500 && count < 5_000, "\(admitted)") }

        let pipeline = try Pipeline(isApplied: false)
        pipeline.clock.advance(by: Self.year)
        try pipeline.send(.predictions, Wire.prediction(pipeline.scenario.next()))
        let intake = try pipeline.makeIntake()
        try intake.settle()
        // The clock jumps back, and a project is added: its records are not refused because of a lookup in the future.
        pipeline.clock.advance(by: -Self.year)
        try pipeline.cluster.append(
            OutputRecord(
                topic: pipeline.topics[.projects],
                partition: 0,
                key: Array("shapes".utf8),
                value: pipeline.configuration.jsonBytes
            )
        )
        for _ in 0..<10 { try pipeline.send(.predictions, Wire.prediction(pipeline.scenario.next())) }
        try intake.settle()
        #expect(pipeline.cluster.committed(pipeline.topics[.deadLetters]).count == 1)
    }
}
