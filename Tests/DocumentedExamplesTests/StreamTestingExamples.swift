import StreamRuntime
import StreamTesting
import Testing

@Suite struct StreamTestingExamples {
    @Test("A transaction hides its records until it commits")
    func transaction() throws {
        let cluster = InMemoryCluster()
        cluster.createTopic("numbers")
        let producer = try cluster.makeProducer(transactionalID: "example")
        try producer.initializeTransactions()
        try producer.begin()
        try producer.send([OutputRecord(topic: "numbers", value: [7])])
        let hidden = cluster.committed("numbers")
        try producer.commit()
        let visible = cluster.committed("numbers")
        #expect(hidden.isEmpty)
        #expect(visible.map(\.value) == [[7]])
    }
}
