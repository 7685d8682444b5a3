import KafkaClient
import PipelineTesting
import Testing

@testable import EngineCore
@testable import Worker

@Suite("Names of a worker's threads")
struct WriterNameTests {
    @Test("Thread names are unique among all workers, whatever the workers are called")
    func unique() {
        var (writers, members) = (Set<String>(), Set<String>())
        var count = 0
        for instance in ["w", "w-2", "w-2-2", "intake", "intake-2", "w-intake", "w-intake-2", "2.w", "2"] {
            let worker = WorkerConfiguration(kafka: KafkaProperties(), instance: instance, intakeThreads: 4)
            for role in Role.allCases {
                for thread in 0..<worker.threads(role) {
                    writers.insert(worker.transactionalID(role, thread: thread))
                    members.insert("\(worker.group(role)) \(worker.member(role, thread: thread))")
                    count += 1
                }
            }
        }
        #expect(writers.count == count && members.count == count)
        let worker = WorkerConfiguration(kafka: KafkaProperties(), instance: "w")
        #expect(worker.transactionalID(.intake, thread: 0) == "flywheel.intake.w")
        #expect(worker.transactionalID(.intake, thread: 1) == "flywheel.intake-2.w")
    }

    @Test("Several Intake threads each prefetch half as much, unless the worker's file sets the amount")
    func fetchedAhead() {
        let name = "queued.max.messages.kbytes"
        func bytes(_ kafka: KafkaProperties, _ threads: Int, _ role: Role) -> String? {
            WorkerConfiguration(kafka: kafka, instance: "w", intakeThreads: threads).properties(role)[name]
        }
        #expect(bytes([:], 1, .intake) == nil && bytes([:], 2, .loop) == nil)
        #expect(bytes([:], 2, .intake) == "16384")
        #expect(bytes([name: "1000"], 2, .intake) == "1000")
    }
}
