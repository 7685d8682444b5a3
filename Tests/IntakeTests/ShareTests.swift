import Acquisition
import Events
import Flywheel
import PipelineTesting
import Strategies
import StreamRuntime
import StreamTesting
import Testing
import Vocabulary

@testable import EngineCore
@testable import Intake

@Suite("A worker's share of the traffic")
struct ShareTests {
    @Test("Existing thresholds and limits follow the assigned and revoked partitions")
    func rebalance() throws {
        let trigger = Trigger(name: "all", condition: .role(.champion), perHour: 400)
        let pipeline = try Pipeline(configuration: TriggerScenario.configuration([trigger], cutoff: 0))
        let processor = IntakeProcessor(
            topics: pipeline.topics,
            directory: try ProjectDirectory(transport: pipeline.cluster, topics: pipeline.topics),
            salt: [1],
            tokens: TokenKeys(salt: [1]),
            worker: "w",
            partitionCount: 4,
            now: { pipeline.clock.now }
        )
        func partitions(_ range: Range<Int32>) -> [TopicPartition] {
            range.map { TopicPartition(pipeline.topics[.predictions], $0) }
        }
        _ = try processor.assigned(partitions(0..<4), committed: [:])
        var transaction = PendingTransaction()
        try processor.process(
            RecordBatch(),
            topics: IntakeProcessor.inputs.map { pipeline.topics[$0] },
            into: &transaction
        )
        let project = try #require(processor.projects[Scenario.project.rawValue])
        var version = "v1"
        let found = version.withUTF8 {
            project.pointee.stream(UnsafeRawBufferPointer($0), in: 1, share: processor.share)
        }
        let index = try #require(found)
        func target(_ index: Int) -> Double { project.pointee.withStream(index) { $0.threshold.target } }
        let (fullTarget, unseen) = (target(index), target(IntakeProject.unseen))
        #expect(fullTarget > 0 && unseen == fullTarget)
        processor.unassigned(partitions(1..<4))
        #expect(target(index) == fullTarget / 4 && target(IntakeProject.unseen) == fullTarget / 4 && target(0) == 0)
        // A tenth of a quarter of the hourly rate is available at once.
        var fired = 0
        for number in 0..<100 {
            var id = "s\(number)"
            let facts = TriggerFacts(top: 0, confidence: 0.9, margin: 0.8, score: 0.2, role: .champion)
            let outcome = id.withUTF8 { id in
                ContiguousArray<UInt64>([0]).withUnsafeBufferPointer { names in
                    project.pointee.triggers?.judge(
                        facts,
                        nameConditions: names,
                        sample: UnsafeRawBufferPointer(id),
                        unnamed: 0,
                        passes: false,
                        at: 1
                    )
                }
            }
            if outcome?.isEmpty == false { fired += 1 }
        }
        #expect((5...10).contains(fired), "\(fired)")
        _ = try processor.assigned(partitions(1..<3), committed: [:])
        #expect(target(index) == fullTarget * 3 / 4)
    }

    @Test("A rebalance that first revokes all partitions does not reduce the tokens that a limit holds")
    func allRevoked() throws {
        let trigger = Trigger(name: "all", condition: .role(.champion), perHour: 400)
        let pipeline = try Pipeline(configuration: TriggerScenario.configuration([trigger], cutoff: 0))
        let intake = try pipeline.makeIntake()
        try pipeline.send(.predictions, Wire.prediction(pipeline.scenario.next()))
        try intake.settle()
        let processor = try #require(intake.processor as? IntakeProcessor)
        let project = try #require(processor.projects[Scenario.project.rawValue])
        let all = (0..<Int32(pipeline.cluster.partitionCount(of: pipeline.topics[.predictions]))).map {
            TopicPartition(pipeline.topics[.predictions], $0)
        }
        let target = project.pointee.withStream(IntakeProject.unseen) { $0.threshold.target }
        processor.unassigned(all)
        #expect(project.pointee.withStream(IntakeProject.unseen) { $0.threshold.target } == target)
        _ = try processor.assigned(all, committed: [:])
        #expect(project.pointee.withStream(IntakeProject.unseen) { $0.threshold.target } == target)
    }
}
