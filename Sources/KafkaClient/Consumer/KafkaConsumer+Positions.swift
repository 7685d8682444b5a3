import Crdkafka

extension KafkaConsumer {
    /// The group's committed next offsets; partitions without one are left out.
    ///
    /// Waits for the end of an open transaction that contains offsets of the group, thirty seconds at most.
    public func committedOffsets(
        _ partitions: [KafkaTopicPartition]
    ) throws(KafkaError) -> [KafkaTopicPartition: Int64] { try committed(partitions).mapValues(\.next) }

    /// The group's committed next offsets and their metadata; partitions without an offset are left out.
    ///
    /// Waits for the end of an open transaction that contains offsets of the group, thirty seconds at most.
    public func committed(
        _ partitions: [KafkaTopicPartition]
    ) throws(KafkaError) -> [KafkaTopicPartition: KafkaGroupOffset] {
        guard !partitions.isEmpty else { return [:] }
        let operation = "read the group's committed offsets"
        let deadline = Deadline(milliseconds: 30_000)
        while true {
            let list = PartitionList(partitions)
            // Requests stable offsets, since the client is read_committed.
            let error = rd_kafka_committed(handle.client, list.pointer, deadline.slice(atMost: 10_000))
            let failure =
                error == RD_KAFKA_RESP_ERR_NO_ERROR
                ? list.firstError(operation: operation, except: RD_KAFKA_RESP_ERR_NO_ERROR)
                : KafkaError(error, operation: operation)
            guard let failure else { return list.groupOffsets() }
            guard failure.disposition == .retry, !deadline.hasPassed else {
                throw failure.lacking(.init(.read, .group, group))
            }
            Pause.milliseconds(50)
        }
    }

    /// Moves assigned partitions to next offsets; nothing fetched before is delivered afterwards.
    ///
    /// The call raises each partition's version, and librdkafka drops messages with an older version when they are
    /// removed from the queue; records below the new position are dropped here.
    public func seek(_ positions: [KafkaTopicPartition: Int64]) throws(KafkaError) {
        guard !positions.isEmpty else { return }
        fetcher.release()
        fetcher.discardEndsAndErrors()
        let operation = "move to another offset"
        let deadline = Deadline(milliseconds: 10_000)
        while true {
            let list = PartitionList(positions)
            if let error = rd_kafka_seek_partitions(handle.client, list.pointer, deadline.slice(atMost: 5000)) {
                let failure = KafkaError(consuming: error, operation: operation)
                guard failure.code == "_TIMED_OUT", !deadline.hasPassed else { throw failure }
                continue
            }
            // A partition whose fetcher is still about to start cannot be moved yet.
            if let failure = list.firstError(operation: operation, except: RD_KAFKA_RESP_ERR_NO_ERROR) {
                guard failure.code == "_STATE" || failure.disposition == .retry, !deadline.hasPassed else {
                    throw failure
                }
                Pause.milliseconds(5)
                continue
            }
            fetcher.positions.move(positions)
            return
        }
    }

    /// Stops fetching. Records of these partitions that wait locally are fetched again after `resume`.
    public func pause(_ partitions: [KafkaTopicPartition]) throws(KafkaError) {
        guard !partitions.isEmpty else { return }
        fetcher.release()
        let list = PartitionList(partitions)
        let error = rd_kafka_pause_partitions(handle.client, list.pointer)
        guard error == RD_KAFKA_RESP_ERR_NO_ERROR else { throw KafkaError(error, operation: "pause partitions") }
    }

    /// Continues fetching after the last record that was delivered.
    public func resume(_ partitions: [KafkaTopicPartition]) throws(KafkaError) {
        guard !partitions.isEmpty else { return }
        let list = PartitionList(partitions)
        let error = rd_kafka_resume_partitions(handle.client, list.pointer)
        guard error == RD_KAFKA_RESP_ERR_NO_ERROR else { throw KafkaError(error, operation: "resume partitions") }
        // The position in librdkafka may be off by a batch (2.0.2), the one kept here is exact. The seek also wakes the
        // broker's thread, which would otherwise notice the change within a second.
        let wanted = Set(partitions)
        try seek(fetcher.positions.next.filter { wanted.contains($0.key) })
    }

    /// The next offset of each assigned partition, as far as records were delivered.
    public var positions: [KafkaTopicPartition: Int64] { fetcher.positions.next }
}
