public import StreamRuntime

/// A transport whose clients fail according to a plan. All clients of one transport belong to one process: they crash
/// together.
public struct FaultyTransport: StreamTransport {
    private let transport: any StreamTransport
    /// Counts the effects, and determines where to fail.
    public let plan: FaultPlan

    /// A transport that forwards every call except those that the plan makes fail.
    public init(_ transport: any StreamTransport, _ plan: FaultPlan) {
        self.transport = transport
        self.plan = plan
    }

    /// A member that fails as planned.
    public func makeConsumer(
        group: String,
        instance: String,
        topics: [String]
    ) throws(StreamError) -> any GroupConsumer {
        try plan.checkAlive("make a consumer")
        return FaultyConsumer(try transport.makeConsumer(group: group, instance: instance, topics: topics), plan)
    }

    /// A producer that fails as planned.
    public func makeProducer(transactionalID: String) throws(StreamError) -> any TransactionalProducer {
        try plan.checkAlive("make a producer")
        return FaultyProducer(try transport.makeProducer(transactionalID: transactionalID), plan)
    }

    /// A reader that fails as planned.
    public func makeReader(topics: [String]) throws(StreamError) -> any LogReader {
        try plan.checkAlive("make a reader")
        return FaultyReader(try transport.makeReader(topics: topics), plan)
    }

    /// The id of the underlying cluster.
    public func clusterID() throws(StreamError) -> String { try transport.clusterID() }

    /// The offsets of the group in the underlying cluster.
    public func groupOffsets(
        _ group: String,
        _ partitions: [TopicPartition]
    ) throws(StreamError) -> [TopicPartition: GroupOffset] { try transport.groupOffsets(group, partitions) }
}

extension FaultPlan {
    /// Performs `whole`, unless the plan makes it fail before, halfway or after.
    func perform<R>(
        _ operation: Operation,
        half: () throws(StreamError) -> Void = {},
        _ whole: () throws(StreamError) -> R
    ) throws(StreamError) -> R {
        try checkAlive(operation.rawValue)
        guard let step = reach(operation) else { return try whole() }
        switch step.moment {
        case .before: break
        case .halfway: try half()
        case .after: _ = try whole()
        }
        throw strike(step, operation)
    }
}

private final class FaultyProducer: TransactionalProducer {
    private let producer: any TransactionalProducer
    private let plan: FaultPlan
    /// Error of every call since a fault, except of the one that remedies it; nil without a fault.
    private var stickyError: StreamError?

    init(_ producer: any TransactionalProducer, _ plan: FaultPlan) {
        self.producer = producer
        self.plan = plan
    }

    func initializeTransactions() throws(StreamError) {
        try step(.initialize) { () throws(StreamError) in try producer.initializeTransactions() }
    }

    func begin() throws(StreamError) { try step(.begin) { () throws(StreamError) in try producer.begin() } }

    func send(_ records: [OutputRecord]) throws(StreamError) {
        try step(.send, half: { () throws(StreamError) in try producer.send(Array(records.prefix(records.count / 2))) })
        {
            () throws(StreamError) in try producer.send(records)
        }
    }

    func sendOffsets(_ offsets: [TopicPartition: GroupOffset], of consumer: any GroupConsumer) throws(StreamError) {
        let real = (consumer as? FaultyConsumer)?.consumer ?? consumer
        try step(.sendOffsets) { () throws(StreamError) in try producer.sendOffsets(offsets, of: real) }
    }

    func commit() throws(StreamError) { try step(.commit) { () throws(StreamError) in try producer.commit() } }

    func abort() throws(StreamError) {
        if stickyError?.disposition == .abortTransaction { stickyError = nil }
        try step(.abort) { () throws(StreamError) in try producer.abort() }
    }

    func close() { if !plan.isCrashed { producer.close() } }

    private func step(
        _ operation: FaultPlan.Operation,
        half: () throws(StreamError) -> Void = {},
        _ whole: () throws(StreamError) -> Void
    ) throws(StreamError) {
        if let stickyError { throw stickyError }
        do throws(StreamError) {
            try plan.perform(operation, half: half, whole)
        } catch {
            if error.disposition != .retry || error.code == FaultPlan.unanswered { stickyError = error }
            throw error
        }
    }
}

private final class FaultyConsumer: GroupConsumer {
    let consumer: any GroupConsumer
    private let plan: FaultPlan

    init(_ consumer: any GroupConsumer, _ plan: FaultPlan) {
        self.consumer = consumer
        self.plan = plan
    }

    var topics: [String] { consumer.topics }

    func poll(
        into batch: RecordBatch,
        maximum: Int,
        timeoutMilliseconds: Int
    ) throws(StreamError) -> PollOutcome {
        try plan.checkAlive("poll")
        return try consumer.poll(into: batch, maximum: maximum, timeoutMilliseconds: timeoutMilliseconds)
    }

    func assign(_ positions: [TopicPartition: Int64]) throws(StreamError) {
        try plan.perform(.assign) { () throws(StreamError) in try consumer.assign(positions) }
    }

    func unassign(_ partitions: [TopicPartition]) throws(StreamError) {
        try plan.checkAlive("unassign")
        try consumer.unassign(partitions)
    }

    func committed(_ partitions: [TopicPartition]) throws(StreamError) -> [TopicPartition: GroupOffset] {
        try plan.perform(.committedOffsets) { () throws(StreamError) in try consumer.committed(partitions) }
    }

    func watermarks(_ partition: TopicPartition) throws(StreamError) -> (low: Int64, high: Int64) {
        try plan.checkAlive("watermarks")
        return try consumer.watermarks(partition)
    }

    func seek(_ positions: [TopicPartition: Int64]) throws(StreamError) {
        try plan.checkAlive("seek")
        try consumer.seek(positions)
    }

    func pause(_ partitions: [TopicPartition]) throws(StreamError) { try consumer.pause(partitions) }
    func resume(_ partitions: [TopicPartition]) throws(StreamError) { try consumer.resume(partitions) }

    func close() { if !plan.isCrashed { consumer.close() } }
}

private final class FaultyReader: LogReader {
    private let reader: any LogReader
    private let plan: FaultPlan

    init(_ reader: any LogReader, _ plan: FaultPlan) {
        self.reader = reader
        self.plan = plan
    }

    var topics: [String] { reader.topics }

    func partitions(of topic: String) throws(StreamError) -> [Int32] { try reader.partitions(of: topic) }

    func start(_ positions: [TopicPartition: Int64]) throws(StreamError) {
        try plan.perform(.read) { () throws(StreamError) in try reader.start(positions) }
    }

    func poll(into batch: RecordBatch, maximum: Int, timeoutMilliseconds: Int) throws(StreamError) -> ReadOutcome {
        try plan.checkAlive("read")
        let outcome = try reader.poll(into: batch, maximum: maximum, timeoutMilliseconds: timeoutMilliseconds)
        if case .records = outcome { try plan.perform(.read) { () throws(StreamError) in } }
        return outcome
    }

    func watermarks(_ partition: TopicPartition) throws(StreamError) -> (low: Int64, high: Int64) {
        try plan.checkAlive("watermarks")
        return try reader.watermarks(partition)
    }

    func ends(of partitions: [TopicPartition], stable: Bool) throws(StreamError) -> [TopicPartition: Int64] {
        try plan.checkAlive("ends")
        return try reader.ends(of: partitions, stable: stable)
    }

    func firstOffset(_ partition: TopicPartition, since time: Int64) throws(StreamError) -> Int64 {
        try plan.checkAlive("look up a time")
        return try reader.firstOffset(partition, since: time)
    }

    func close() { reader.close() }
}
