internal import Acquisition
public import Events
internal import Flywheel
internal import JSON
public import StreamRuntime
internal import Vocabulary

/// What the loop has learnt of the spaces that projects' embeddings lie in: one row a project of `state`, read from the topic's
/// beginning and kept current. Used on one thread.
///
/// Nothing waits for it: until a row has been read, the loop refuses by itself what lies elsewhere.
public final class SpaceDirectory {
    private let reader: any LogReader
    private let topic: String
    private let parser = JSONParser()
    private let batch = RecordBatch()
    private var isStarted = false
    /// What ends the key of such a row; the project's name stands before it.
    private static let keyEnd = Array("/\(LearnedSpace.table)/_".utf8)
    /// By project name; only of spaces that are fixed.
    private var spaces: [String: LearnedSpace] = [:]
    /// Counts every change of `spaces`.
    private(set) var generation = 0

    public init(transport: any StreamTransport, topics: TopicNames) throws(StreamError) {
        topic = topics[.state]
        reader = try transport.makeReader(topics: [topic])
    }

    /// Takes in what has come since, without waiting, and of much that has come a part: 16,000 records at most.
    ///
    /// - Throws: What ends the reader; what may pass is tried again with the next call.
    func refresh() throws(StreamError) {
        do throws(StreamError) {
            try follow()
        } catch {
            if error.disposition == .fatal { throw error }
        }
    }

    private func follow() throws(StreamError) {
        if !isStarted {
            var positions: [TopicPartition: Int64] = [:]
            for partition in try reader.partitions(of: topic) { positions[TopicPartition(topic, partition)] = 0 }
            guard !positions.isEmpty else { return }
            try reader.start(positions)
            isStarted = true
        }
        for _ in 0..<16 {
            switch try reader.poll(into: batch, maximum: 1_000, timeoutMilliseconds: 0) {
            case .records: take()
            case .endOfPartition: continue
            case .idle: return
            }
        }
    }

    /// What a revision declares, and of the rest what was learnt under it.
    func space(of configuration: ProjectConfiguration) -> EmbeddingSpace {
        let declared = configuration.embedding ?? EmbeddingSpace()
        return spaces[configuration.project.rawValue].map { declared.completed(by: $0) } ?? declared
    }

    public func close() { reader.close() }

    private func take() {
        for record in batch.records where record.key.count > Self.keyEnd.count {
            let split = record.key.count - Self.keyEnd.count
            guard record.key[split...].elementsEqual(Self.keyEnd) else { continue }
            let name = String(decoding: record.key[..<split], as: UTF8.self)
            // A row of a newer form is none: the door stays open then, and the loop refuses.
            let row =
                record.value.baseAddress == nil ? nil : try? LearnedSpace(json: parser.parse(record.value))
            let space = row.flatMap { $0.space == nil ? nil : $0 }
            guard spaces[name] != space else { continue }
            spaces[name] = space
            generation += 1
        }
    }
}
