internal import StreamRuntime

/// Memory of the records of one batch; it is freed with the next batch, so that use of a stale pointer is detected.
final class LentRecords {
    private let bytes: UnsafeMutableRawBufferPointer

    /// Copies records, and fills `batch` with views of the copies.
    init(_ records: [(topic: Int, partition: Int32, record: StoredRecord)], into batch: RecordBatch) {
        var size = 1
        for (_, _, record) in records { size += (record.key?.count ?? 0) + (record.value?.count ?? 0) + 2 }
        bytes = .allocate(byteCount: size, alignment: 16)
        var used = 0
        var views: ContiguousArray<RecordView> = []
        for (topic, partition, record) in records {
            views.append(
                RecordView(
                    topic: topic,
                    partition: partition,
                    offset: record.offset,
                    timestamp: record.timestamp,
                    key: Self.copy(record.key, into: bytes, &used),
                    value: Self.copy(record.value, into: bytes, &used)
                )
            )
        }
        batch.records = views
        let headers = records.map(\.record.headers)
        batch.headerReader = { headers[$0] }
    }

    deinit {
        // The memory is overwritten first, so that a stale view reads invalid data and not the old record.
        bytes.initializeMemory(as: UInt8.self, repeating: 0xDD)
        bytes.deallocate()
    }

    private static func copy(
        _ part: [UInt8]?,
        into bytes: UnsafeMutableRawBufferPointer,
        _ used: inout Int
    ) -> UnsafeRawBufferPointer {
        guard let part else { return UnsafeRawBufferPointer(start: nil, count: 0) }
        let destination = UnsafeMutableRawBufferPointer(rebasing: bytes[used..<used + part.count])
        destination.copyBytes(from: part)
        // An empty part still has an address: it is not null.
        used += part.count + 1
        return UnsafeRawBufferPointer(start: destination.baseAddress ?? bytes.baseAddress, count: part.count)
    }
}
