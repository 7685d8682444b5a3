public import Events
public import Flywheel
internal import Intake
internal import JSON
public import Processes
public import StreamRuntime
internal import Vocabulary

/// Samples of a file as predictions without a model: a pool to query before there is a model, or a backlog.
public struct SamplePool {
    /// A sample's record, and the line on which it occurs first.
    public struct Entry: Sendable {
        public let line: Int
        public let record: RecordImport.Record
    }

    /// The accepted samples, in the order of the file, each sample once.
    public private(set) var entries: [Entry] = []
    /// All faults, sorted by line.
    public private(set) var faults: [ImportFault]
    /// Number of rows whose sample occurred before.
    public private(set) var repeated = 0

    /// - Parameters:
    ///   - file: The file whose rows are samples.
    ///   - configuration: The project's configuration.
    ///   - state: The project's state, as far as it is known: an embedding outside its space is a fault.
    ///   - now: Milliseconds since 1970.
    /// - Throws: `EngineError` if the configuration is not valid for a project.
    public init(
        _ file: ImportFile,
        _ configuration: ProjectConfiguration,
        state: ProjectState? = nil,
        now: @escaping () -> Int64 = WallClock.now
    ) throws {
        faults = file.faults
        let space = ImportSpace(of: file, configuration, state)
        let door = try DoorCheck([configuration], now: now)
        var seen: Set<SampleID> = []
        for row in file.rows {
            guard seen.insert(row.sample.id).inserted else {
                repeated += 1
                continue
            }
            if let fault = space.fault(of: row.sample) {
                faults.append(ImportFault(line: row.line, fault, unit: file.unit))
                continue
            }
            let event = PredictionEvent(
                project: configuration.project,
                sample: row.sample,
                model: nil,
                output: nil,
                predictedAt: nil
            )
            var writer = JSONWriter()
            event.write(to: &writer, question: configuration.question)
            let bytes = writer.bytes
            switch bytes.withUnsafeBytes({ door.check($0, on: .predictions) }) {
            case .taken:
                entries.append(Entry(line: row.line, record: .init(id: row.sample.id.rawValue, value: bytes)))
            case .refused(let rejection): faults.append(ImportFault(line: row.line, "\(rejection)", unit: file.unit))
            }
        }
        faults.sort { ($0.line, $0.text) < ($1.line, $1.text) }
    }
}

extension RecordImport {
    /// Sends samples to the topic `predictions`.
    public static func samples(
        transport: any StreamTransport,
        topics: TopicNames,
        project: String,
        progress: String?
    ) -> RecordImport {
        RecordImport(
            transport: transport,
            topics: topics,
            topic: .predictions,
            project: project,
            type: "io.flywheel.sample.imported.v1",
            progress: progress
        )
    }
}
