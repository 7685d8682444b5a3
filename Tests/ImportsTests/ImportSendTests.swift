import Events
import PipelineTesting
import StreamRuntime
import StreamTesting
import Testing
import Vocabulary

@testable import EngineCore
@testable import Imports

@Suite("An import that ends before all is sent")
struct ImportSendTests {
    private func send(_ pipeline: Pipeline, isStopped: () -> Bool) throws -> Int {
        let records = (0..<30).map { RecordImport.Record(id: "r\($0)", value: Array("{}".utf8)) }
        return try RecordImport.samples(
            transport: pipeline.cluster,
            topics: pipeline.topics,
            project: Scenario.project.rawValue,
            progress: "\(pipeline.root)-check"
        ).send(
            records,
            rate: 10,
            now: { pipeline.clock.now },
            pause: { pipeline.clock.advance(by: $0) },
            isStopped: isStopped
        )
    }

    @Test("A stopped import reports its progress, and resumes from there")
    func stopped() throws {
        let pipeline = try Pipeline(seed: 8)
        var checks = 0
        let error = #expect(throws: EngineError.self) {
            try send(pipeline) {
                checks += 1
                return checks > 2
            }
        }
        #expect(
            error?.description
                == "could not send all of it: it was stopped after 20 of 30 records; run the same command again: it continues from there"
        )
        #expect(try send(pipeline) { false } == 20)
        #expect(pipeline.cluster.committed(pipeline.topics[.predictions]).count == 30)
    }

    /// Before: "could not begin a transaction: … (_FENCED)".
    @Test("An import that another import has replaced reports it")
    func fenced() throws {
        let pipeline = try Pipeline(seed: 9)
        var checks = 0
        let error = #expect(throws: EngineError.self) {
            try send(pipeline) {
                checks += 1
                if checks == 2 {
                    let other = try? pipeline.cluster.makeProducer(
                        transactionalID: "\(pipeline.topics.prefix)import.\(Scenario.project.rawValue)"
                    )
                    try? other?.initializeTransactions()
                }
                return false
            }
        }
        let text = error?.description ?? ""
        #expect(text.contains("another import into shapes was started meanwhile") && text.contains("10 of 30 records"))
        #expect(try send(pipeline) { false } == 10)
    }
}
