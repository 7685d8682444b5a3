internal import EngineCore
public import Events
internal import Foundation
internal import Hashing
internal import JSON
public import Processes
public import StreamRuntime
internal import Vocabulary

/// Sends records of a file to an input topic, in transactions of some hundreds, and notes its progress beside the file:
/// a second run continues at the end of the first one.
///
/// Records that are sent twice, because a run ended between a transaction and its note, are recognized by their ids.
public struct RecordImport {
    /// Maximum number of records in a transaction.
    static let sliceSize = 500

    /// One record: its value, and the id in its headers.
    public struct Record: Sendable {
        public let id: String
        public let value: [UInt8]

        public init(id: String, value: [UInt8]) {
            self.id = id
            self.value = value
        }
    }

    private let transport: any StreamTransport
    private let topics: TopicNames
    private let topic: Topic
    private let project: String
    private let type: String
    /// The path of the progress file; nil for none.
    private let progress: String?
    private let leavesOutKnown: Bool

    /// - Parameters:
    ///   - transport: Connection to the cluster.
    ///   - topics: Names in use.
    ///   - topic: The topic to which the records are written.
    ///   - project: The project of the records.
    ///   - type: The `ce_type` of the records.
    ///   - progress: The path of the progress file; nil for none.
    ///   - leavesOutKnown: Whether the records exclude those that the project knows: then a later run has fewer
    ///     records, and a progress file with a larger number has no meaning.
    public init(
        transport: any StreamTransport,
        topics: TopicNames,
        topic: Topic,
        project: String,
        type: String,
        progress: String?,
        leavesOutKnown: Bool = false
    ) {
        self.leavesOutKnown = leavesOutKnown
        self.transport = transport
        self.topics = topics
        self.topic = topic
        self.project = project
        self.type = type
        self.progress = progress
    }

    /// Sends the records that are not sent yet.
    ///
    /// - Parameters:
    ///   - records: In an order that is the same in every run.
    ///   - rate: Maximum records per second; at least 1.
    ///   - now: Milliseconds since 1970.
    ///   - pause: Waits for the given number of milliseconds.
    ///   - isStopped: Called between two transactions: whether to end before all records are sent.
    ///   - reportProgress: Called after each transaction with the number of records sent so far, also by earlier runs.
    /// - Returns: The number of records that earlier runs had sent.
    /// - Throws: `EngineError` if the progress file is of other records, if it was stopped, or another import into the
    ///   project has begun; `StreamError` from the cluster.
    public func send(
        _ records: [Record],
        rate: Int,
        now: () -> Int64 = WallClock.now,
        pause: (Int64) -> Void = { WallClock.pause($0) },
        isStopped: () -> Bool = { false },
        reportProgress: (Int) -> Void = { _ in }
    ) throws -> Int {
        guard !records.isEmpty else { return 0 }
        let digest = digest(of: records)
        let before = try sent(of: digest)
        guard before < records.count else { return before }
        var position = before
        do {
            try send(
                records,
                from: &position,
                digest: digest,
                rate: rate,
                now: now,
                pause: pause,
                isStopped: isStopped,
                reportProgress: reportProgress
            )
        } catch let error as StreamError where error.isFenced {
            throw EngineError(
                "send all of it",
                "another import into \(project) was started meanwhile, of this file or of another one, and only one can run at a time (\(error.code)); \(position) of \(records.count) records were sent",
                remedy: "once that one has ended, run this one again: it continues where it stopped"
            )
        }
        return before
    }

    private func send(
        _ records: [Record],
        from position: inout Int,
        digest: String,
        rate: Int,
        now: () -> Int64,
        pause: (Int64) -> Void,
        isStopped: () -> Bool,
        reportProgress: (Int) -> Void
    ) throws {
        let before = position
        let producer = try transport.makeProducer(transactionalID: "\(topics.prefix)import.\(project)")
        defer { producer.close() }
        try producer.initializeTransactions()
        let began = now()
        while position < records.count {
            guard !isStopped() else {
                throw EngineError(
                    "send all of it",
                    "it was stopped after \(position) of \(records.count) records",
                    remedy: "run the same command again: it continues from there"
                )
            }
            let end = min(records.count, position + min(Self.sliceSize, max(1, rate)))
            let time = now()
            try producer.begin()
            try producer.send(records[position..<end].map { output($0, at: time) })
            try producer.commit()
            position = end
            try note(position, of: records.count, digest)
            reportProgress(position)
            guard position < records.count else { break }
            // Computed from the rate since the beginning, so that slow commits are compensated.
            let due = began + Int64(position - before) * 1_000 / Int64(max(1, rate))
            if due > now() { pause(min(60_000, due - now())) }
        }
    }

    private func output(_ record: Record, at time: Int64) -> OutputRecord {
        OutputRecord(
            topic: topics[topic],
            key: Array(record.id.utf8),
            value: record.value,
            headers: CloudEventHeaders(
                id: record.id,
                source: "flywheel/\(project)/import",
                type: type,
                time: time,
                correlation: nil,
                causation: nil
            ).recordHeaders
        )
    }

    // MARK: - Note

    private func digest(of records: [Record]) -> String {
        var bytes: [UInt8] = []
        for record in records { bytes += Array(SHA256Digest(of: record.value).hex.utf8) }
        return SHA256Digest(of: bytes).hex
    }

    private func sent(of digest: String) throws -> Int {
        guard let progress, FileManager.default.fileExists(atPath: progress) else { return 0 }
        guard let data = FileManager.default.contents(atPath: progress) else {
            throw EngineError("read \(progress)", "it is not a readable file", remedy: "inspect it")
        }
        let cluster = try transport.clusterID()
        do {
            return try JSONParser().withDocument(of: [UInt8](data)) { json in
                let note = try json.object()
                let isSameTarget =
                    try note.string("project") == project && note.string("topic") == topics[topic]
                    && note.string("cluster") == cluster
                let isOfTheseRecords = try note.string("digest") == digest
                if isSameTarget, !isOfTheseRecords, leavesOutKnown { return 0 }
                guard isSameTarget, isOfTheseRecords else {
                    throw EngineError(
                        "continue an import",
                        "\(progress) is the progress file of other records, another project or another cluster",
                        remedy:
                            "if the file or the options have changed on purpose, delete it: a record that is sent again changes nothing"
                    )
                }
                return try note.int("sent", in: 0...Int(1 << 40))
            }
        } catch let error as JSONError {
            throw EngineError("read \(progress)", "it is not a progress file: \(error)", remedy: "delete it")
        }
    }

    private func note(_ sent: Int, of count: Int, _ digest: String) throws {
        guard let progress else { return }
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("project", project)
            writer.member("topic", topics[topic])
            writer.member("cluster", (try? transport.clusterID()) ?? "")
            writer.member("digest", digest)
            writer.member("records", count)
            writer.member("sent", sent)
        }
        do {
            try Data(writer.bytes + [0x0A]).write(to: URL(fileURLWithPath: progress), options: .atomic)
        } catch {
            throw EngineError(
                "write the progress of the import to \(progress)",
                "\(error.localizedDescription)",
                remedy:
                    "\(sent) of \(count) records are sent; run it again with --progress and a path that can be written"
            )
        }
    }
}
