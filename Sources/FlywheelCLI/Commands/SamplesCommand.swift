internal import Acquisition
import Arguments
import Events
import Flywheel
import Foundation
import Imports
import KafkaTransport
import Telemetry
import Vocabulary
internal import Worker

/// `flywheel samples`.
enum SamplesCommand {
    /// - Returns: Whether there were no faults, or faulty rows were to be left out.
    static func importSamples(_ arguments: ParsedArguments) throws -> Bool {
        let path = try arguments.requiredPositional("file")
        let project = try arguments.requiredString("project")
        var isFolder: ObjCBool = false
        let exists = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
        let file: ImportFile
        if exists, isFolder.boolValue {
            file = try ImportFile(folder: path)
        } else {
            let bytes = try InputFile.contents(of: path)
            let format = try ImportOptions.format(arguments, bytes, path)
            file = ImportFile(bytes, format, try ImportOptions.fields(arguments), isLabelled: false)
        }
        let rate = try arguments.int("rate", in: 1...100_000) ?? 500
        let worker = try WorkerFile.connected(arguments)
        let transport = KafkaStreamTransport(properties: worker.kafka)
        let target = try ImportTarget(transport: transport, topics: worker.topics, project: project)
        let pool = try SamplePool(file, target.configuration, state: target.state)
        ImportOptions.showFaults(pool.faults)
        var summary = ImportOptions.count(pool.entries.count, "sample")
        if pool.repeated > 0 { summary += ", \(ImportOptions.count(pool.repeated, "row")) of samples seen before" }
        if !pool.faults.isEmpty { summary += ", \(ImportOptions.count(pool.faults.count, "fault"))" }
        Terminal.show(summary)
        let capacity = target.configuration.acquisition.poolCapacity
        if pool.entries.count > capacity {
            Terminal.show("note: acquisition.pool_capacity is \(capacity): the project keeps at most so many at once")
        }
        guard ImportOptions.maySend(pool.faults, arguments) else { return false }
        guard !arguments.flag("dry-run") else {
            Terminal.show("nothing was sent (--dry-run)")
            return true
        }
        let sender = RecordImport.samples(
            transport: transport,
            topics: worker.topics,
            project: project,
            progress: ImportOptions.progress(arguments, path)
        )
        try ImportOptions.send(pool.entries.map(\.record), by: sender, rate: rate)
        return true
    }
}
