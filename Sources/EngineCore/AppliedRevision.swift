package import Events
package import Flywheel
internal import JSON
package import StreamRuntime

/// Revision of a project that the loop has applied last.
package enum AppliedRevision {
    /// Reads it from `state`.
    ///
    /// - Returns: The revision; nil if the loop has none of that name.
    /// - Throws: `StreamError` or `EngineError` if `state` cannot be read to its end; `EngineError` if a newer build
    ///   wrote the revision.
    /// - Complexity: O(records of `state`).
    package static func read(
        _ name: String,
        transport: any StreamTransport,
        topics: TopicNames
    ) throws -> ProjectConfiguration? {
        let scan = try TopicScan(transport: transport, topic: topics[.state])
        defer { scan.close() }
        let key = Array("\(name)/\(StoredSpellings.table)/".utf8)
        var found: [UInt8]?
        let ends = try scan.settledEnds(scan.partitions())
        guard !ends.values.contains(where: \.isHeldBack) else {
            throw EngineError(
                "read the revision of \(name) in \(topics[.state])",
                "a transaction is open there",
                remedy: "try again; kafka-transactions.sh find-hanging names one that does not end"
            )
        }
        for (partition, end) in ends.sorted(by: { $0.key < $1.key }) {
            try scan.forEach(partition, until: end.offset) { record, _, _ in
                guard record.key.starts(with: key) else { return }
                found = record.value.baseAddress == nil ? nil : Array(record.value)
            }
        }
        guard let found else { return nil }
        do {
            return try JSONParser().withDocument(of: found) { try ProjectConfiguration(json: $0) }
        } catch {
            throw EngineError(
                "read the revision of \(name) in \(topics[.state])",
                "\(error)",
                remedy: "upgrade this flywheel, or use the one that wrote it"
            )
        }
    }
}
