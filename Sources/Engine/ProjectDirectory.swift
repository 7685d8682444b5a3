public import Events
public import Flywheel
internal import JSON
public import StreamRuntime
internal import Vocabulary

/// The projects and their newest revisions, read whole from the `projects` topic and kept current. Used on one thread.
public final class ProjectDirectory {
    private let reader: any LogReader
    private let topic: String
    private let parser = JSONParser()
    private let batch = RecordBatch()
    private var isStarted = false
    /// The next offset to read, transaction markers passed.
    private var position: Int64 = 0
    /// By project name.
    public private(set) var projects: [String: ProjectConfiguration] = [:]
    /// Counts every change of `projects`.
    public private(set) var generation = 0
    /// Records that could not be read, by offset.
    public private(set) var faults: [String] = []

    public init(transport: any StreamTransport, topics: TopicNames) throws(StreamError) {
        topic = topics[.projects]
        reader = try transport.makeReader(topics: [topic])
    }

    /// The newest revision read so far; nil of a project not heard of yet.
    public subscript(name: String) -> ProjectConfiguration? { projects[name] }

    /// Takes in what has come since, without waiting.
    public func refresh() throws(StreamError) {
        try start()
        while true {
            switch try reader.poll(into: batch, maximum: 1_000, timeoutMilliseconds: 0) {
            case .records: take()
            case .endOfPartition(_, let offset): position = max(position, offset)
            case .idle: return
            }
        }
    }

    /// Reads to the end that the topic has now: before a project is called unknown.
    ///
    /// - Parameter patience: Milliseconds without progress before it gives up.
    /// - Throws: `StreamError` with the disposition `retry` when the end was not reached.
    public func readToEnd(patience: Int64 = 10_000) throws(StreamError) {
        try start()
        let high = try reader.watermarks(TopicPartition(topic, 0)).high
        guard position < high else { return }
        var idle: Int64 = 0
        while idle < patience {
            switch try reader.poll(into: batch, maximum: 1_000, timeoutMilliseconds: 50) {
            case .records: take()
            case .endOfPartition(_, let offset): position = max(position, offset)
            case .idle: idle += 50
            }
            if position >= high { return }
        }
        throw StreamError(.retry, operation: "read topic \(topic) to its end", code: "_TIMED_OUT", reason: "no answer")
    }

    public func close() { reader.close() }

    private func start() throws(StreamError) {
        guard !isStarted else { return }
        try reader.start([TopicPartition(topic, 0): 0])
        isStarted = true
    }

    private func take() {
        for record in batch.records {
            position = max(position, record.offset + 1)
            guard record.value.baseAddress != nil else {
                projects[String(decoding: record.key, as: UTF8.self)] = nil
                generation += 1
                continue
            }
            do {
                let configuration = try ProjectConfiguration(json: parser.parse(record.value))
                let known = projects[configuration.project.rawValue]
                if known.map({ $0.revision < configuration.revision }) ?? true {
                    projects[configuration.project.rawValue] = configuration
                    generation += 1
                }
            } catch {
                if faults.count < 100 { faults.append("offset \(record.offset): \(error)") }
            }
        }
    }
}
