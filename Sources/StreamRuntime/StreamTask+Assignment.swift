/// Assignment and revocation of partitions.
extension StreamTask {
    /// Adds partitions that the group has assigned: reads their offsets and metadata, restores their state, and seeks.
    func assign(_ partitions: [TopicPartition]) throws {
        try commit()
        if producer == nil { producer = try makeProducer() }
        let found = try retrying { () throws(StreamError) in try self.consumer.committed(partitions) }
        try readWords(partitions, found)
        let offsets = found.mapValues(\.next)
        if found.isEmpty, try isGroupNew() { try processor.foundNoOffsets() }
        let positions = try begin(partitions, offsets)
        committed.merge(offsets) { $1 }
        rewindPositions.merge(positions) { $1 }
        if processor.quarantinesRecords { try inspect(partitions, found) }
        try consumer.assign(positions)
        owned.formUnion(partitions)
        phase.become(.running)
        // A client may remember that a partition was paused before it was revoked and assigned again.
        if isFetchPaused != false { isFetchPaused = nil }
        explained.removeAll()
        waitsSince = nil
        environment.observe(.assigned(partitions))
    }

    /// Reads the attributes in the metadata of the offsets found: refuses a disagreement, and keeps foreign words
    /// to write them again.
    ///
    /// - Throws: `OffsetDisagreement`.
    private func readWords(_ partitions: [TopicPartition], _ found: [TopicPartition: GroupOffset]) throws {
        guard processor.quarantinesRecords else { return }
        for partition in partitions.sorted() {
            let metadata = found[partition]?.metadata ?? ""
            if let agreement, let disagreement = OffsetDisagreement(metadata, of: partition, own: agreement) {
                throw disagreement
            }
            let own = [OffsetAttribute.released.name] + (agreement.map { [$0.name] } ?? [])
            foreignWords[partition] = OffsetAttribute.words(in: metadata, except: own)
        }
    }

    /// Whether the group has no offset of any partition, including partitions of other members.
    private func isGroupNew() throws(StreamError) -> Bool {
        let reader = try transport.makeReader(topics: consumer.topics)
        defer { reader.close() }
        var topicPartitions: [TopicPartition] = []
        for topic in consumer.topics {
            topicPartitions += try reader.partitions(of: topic).map { TopicPartition(topic, $0) }
        }
        return try retrying { () throws(StreamError) in try self.consumer.committed(topicPartitions) }.isEmpty
    }

    /// Determines from the metadata how the last owners of the partitions ended, and marks the records with which they
    /// died as suspicious.
    private func inspect(_ partitions: [TopicPartition], _ found: [TopicPartition: GroupOffset]) throws {
        var unclean: [TopicPartition] = []
        var died: [TopicPartition] = []
        for partition in partitions {
            var high: Int64 = 0
            let mark = found[partition].map { OffsetMetadata($0.metadata) ?? .open }
            if let mark, mark != .clean {
                high = try retrying { () throws(StreamError) in try self.consumer.watermarks(partition).high }
                let wasReleased =
                    OffsetAttribute.value(of: OffsetAttribute.released.name, in: found[partition]?.metadata ?? "")
                    != nil
                if !explained.contains(partition) { unclean.append(partition) }
                if !explained.contains(partition), !wasReleased { died.append(partition) }
            }
            detector.add(
                partition,
                found[partition],
                high: high,
                maximumRecords: policy.maximumRecords + policy.batchSize,
                isExplained: explained.contains(partition)
            )
        }
        guard !unclean.isEmpty else { return }
        processor.foundUnclean(unclean)
        guard !died.isEmpty else { return }
        environment.observe(.foundUnclean(died))
    }

    /// Moves each position whose records have expired to the first record that is still there, and reports the
    /// skipped range; fatal for a partition that tolerates no expiry.
    private func clamp(_ positions: [TopicPartition: Int64]) throws(StreamError) -> [TopicPartition: Int64] {
        var clamped = positions
        for (partition, position) in positions {
            let low = try retrying { () throws(StreamError) in try self.consumer.watermarks(partition).low }
            guard position < low else { continue }
            if position > 0 {
                guard processor.toleratesExpiry(of: partition) else {
                    throw StreamError(
                        .fatal,
                        operation: "read \(partition) from offset \(position)",
                        code: "_EXPIRED",
                        reason:
                            "its records before offset \(low) are gone, and none may be skipped; restore the topic"
                    )
                }
                environment.observe(.expired(partition, from: position, to: low))
            }
            clamped[partition] = low
        }
        return clamped
    }

    /// Positions at which to begin reading the partitions: those of the processor, else the first record of the
    /// partition.
    private func begin(
        _ partitions: [TopicPartition],
        _ offsets: [TopicPartition: Int64]
    ) throws -> [TopicPartition: Int64] {
        var positions = try processor.assigned(partitions, committed: offsets)
        for partition in partitions where positions[partition] == nil {
            positions[partition] = try retrying { () throws(StreamError) in
                try self.consumer.watermarks(partition).low
            }
        }
        return try clamp(positions)
    }

    /// Commits the pending transaction, and marks the partitions as left in order.
    func drain(_ partitions: [TopicPartition]) throws {
        pendingMarks.merge(detector.releaseMarks(partitions)) { $1 }
        transaction.isLeaving = true
        defer { transaction.isLeaving = false }
        try commit()
    }

    /// Releases partitions that the group has revoked, or that were lost.
    func revoke(_ partitions: [TopicPartition], lost: Bool) throws {
        processor.unassigned(partitions)
        for partition in partitions {
            committed[partition] = nil
            rewindPositions[partition] = nil
            foreignWords[partition] = nil
            detector.remove(partition)
            owned.remove(partition)
        }
        if owned.isEmpty {
            unsettledSince = nil
            phase.become(.joining)
        }
        waitsSince = environment.now()
        try consumer.unassign(partitions)
        environment.observe(.unassigned(partitions, lost: lost))
    }

    /// Restores the state of all owned partitions from stored data.
    func reload(_ offsets: [TopicPartition: GroupOffset]) throws {
        let partitions = assignment
        processor.unassigned(partitions)
        rewindPositions = try begin(partitions, offsets.mapValues(\.next))
        committed = offsets.mapValues(\.next)
        detector.found(offsets.compactMapValues { OffsetMetadata($0.metadata) })
        try consumer.seek(rewindPositions)
    }

    func makeProducer() throws(StreamError) -> any TransactionalProducer {
        let producer = try transport.makeProducer(transactionalID: transactionalID)
        try retrying { () throws(StreamError) in try producer.initializeTransactions() }
        return producer
    }
}
