internal import StreamRuntime

/// A transactional producer over `InMemoryCluster`.
final class InMemoryProducer: TransactionalProducer {
    private let cluster: InMemoryCluster
    private let id: String
    private var epoch: Int?
    private var transaction: Int?
    private var isLastCommitted = false

    init(cluster: InMemoryCluster, transactionalID: String) {
        self.cluster = cluster
        id = transactionalID
    }

    func initializeTransactions() throws(StreamError) {
        let (id, time) = (id, cluster.clock.now)
        epoch = try cluster.locked { (state) throws(StreamError) in state.initialize(id, at: time) }
        transaction = nil
    }

    func begin() throws(StreamError) {
        let (id, time, epoch) = (id, cluster.clock.now, try checkedEpoch("begin a transaction"))
        guard transaction == nil else { throw misuse("begin a transaction", "one is open") }
        transaction = try cluster.locked { (state) throws(StreamError) in
            try state.check(id, epoch, "begin a transaction")
            return state.begin(id, at: time)
        }
        isLastCommitted = false
    }

    func send(_ records: [OutputRecord]) throws(StreamError) {
        let (id, time, epoch) = (id, cluster.clock.now, try checkedEpoch("write"))
        guard let transaction else { throw misuse("write", "no transaction is open") }
        try cluster.locked { (state) throws(StreamError) in
            try state.check(id, epoch, "write")
            for record in records {
                do throws(StreamError) {
                    try state.append(record, to: transaction, at: time)
                } catch {
                    // As with Kafka: the failure of a delivery surfaces in the commit.
                    state.refuse(transaction, error)
                }
            }
        }
    }

    func sendOffsets(_ offsets: [TopicPartition: GroupOffset], of consumer: any GroupConsumer) throws(StreamError) {
        let operation = "add offsets to the transaction"
        let (id, epoch) = (id, try checkedEpoch(operation))
        guard let transaction else { throw misuse(operation, "no transaction is open") }
        guard let consumer = consumer as? InMemoryConsumer else {
            throw StreamError(
                .fatal,
                operation: operation,
                code: "_INVALID_ARG",
                reason: "the consumer is of another transport"
            )
        }
        guard !offsets.isEmpty else { return }
        let (group, member, generation) = (consumer.group, consumer.member, consumer.generation)
        try cluster.locked { (state) throws(StreamError) in
            try state.check(id, epoch, operation)
            let known = state.groups[group]
            var code: String?
            if let member, known?.fenced.contains(member) ?? false {
                code = "FENCED_INSTANCE_ID"
            } else if member.flatMap({ known?[$0] }) == nil {
                code = "UNKNOWN_MEMBER_ID"
            } else if known?.generation != generation {
                code = "ILLEGAL_GENERATION"
            }
            if let code {
                let error = StreamError(
                    .abortTransaction,
                    operation: operation,
                    code: code,
                    reason: "the group has gone on without this member"
                )
                state.refuse(transaction, error)
                throw error
            }
            state.add(offsets, of: group, to: transaction)
        }
    }

    func commit() throws(StreamError) {
        let operation = "commit the transaction"
        let (id, time, epoch) = (id, cluster.clock.now, try checkedEpoch(operation))
        guard let transaction else {
            // A repeated call, after the response to the first was lost.
            if isLastCommitted { return }
            throw misuse(operation, "no transaction is open")
        }
        try cluster.locked { (state) throws(StreamError) in
            try state.check(id, epoch, operation)
            if let refusal = state.transactions[transaction]?.refusal { throw refusal }
            state.finish(transaction, isCommitted: true, at: time)
        }
        self.transaction = nil
        isLastCommitted = true
    }

    func abort() throws(StreamError) {
        let (id, time, epoch) = (id, cluster.clock.now, try checkedEpoch("abort the transaction"))
        guard let transaction else { return }
        try cluster.locked { (state) throws(StreamError) in
            try state.check(id, epoch, "abort the transaction")
            state.finish(transaction, isCommitted: false, at: time)
        }
        self.transaction = nil
    }

    /// Closes the producer and leaves its transaction open, like a process that is killed: the next producer with the
    /// id, or the timeout, aborts it.
    func close() { epoch = nil }

    private func checkedEpoch(_ operation: String) throws(StreamError) -> Int {
        guard let epoch else { throw misuse(operation, "the producer is not initialized, or closed") }
        return epoch
    }

    private func misuse(_ operation: String, _ reason: String) -> StreamError {
        StreamError(.fatal, operation: operation, code: "_STATE", reason: reason)
    }
}
