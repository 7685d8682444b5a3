import Arguments
import DatasetFiles
import Events
import Foundation
import JSON
import KafkaTransport
import Operations
import Storage
import Telemetry
import Vocabulary
import Worker

/// `flywheel dataset gc`.
enum DatasetCollectionCommand {
    static func run(_ arguments: ParsedArguments) throws -> Bool {
        let worker = try WorkerFile.connected(arguments)
        let (store, project) = try DatasetCommand.store(arguments)
        let transport = KafkaStreamTransport(properties: worker.kafka)
        // The loop of this cluster does not know which versions another cluster's loop needs.
        try FolderOwner(cluster: transport.clusterID(), prefix: worker.topics.prefix).check(store.objects)
        let needs = try VersionNeeds.read(project, transport: transport, topics: worker.topics)
        let now = Int64(Date().timeIntervalSince1970)
        let collection = try store.collection(project, needs, now: now)
        let isDry = arguments.flag("dry-run")
        if arguments.flag("json") {
            var writer = JSONWriter()
            collection.write(to: &writer)
            Terminal.show(String(decoding: writer.bytes, as: UTF8.self))
        } else {
            show(collection, isDry: isDry)
        }
        guard !isDry else { return true }
        try store.carryOut(collection)
        let leftovers = try store.objects.removeLeftovers()
        if !arguments.flag("json") {
            Terminal.show(
                "\(counted(collection.collected.count, "version was", "versions were")) collected, \(counted(collection.removed.count, "object", "objects")) of \(collection.bytes) bytes and \(counted(leftovers, "unfinished write", "unfinished writes")) removed"
            )
        }
        return true
    }

    private static func show(_ collection: VersionCollection, isDry: Bool) {
        for version in collection.kept {
            let reasons = version.reasons.map { ForeignText.line($0, limit: 200) }.joined(separator: ", ")
            Terminal.show("keep     version \(version.versionNumber)  \(version.id)  \(reasons)")
        }
        for version in collection.collected {
            Terminal.show("collect  version \(version.versionNumber)  \(version.id)")
        }
        for object in collection.spared { show("keep", object) }
        for object in collection.removed { show("remove", object) }
        guard isDry else { return }
        Terminal.show(
            "\(counted(collection.collected.count, "version", "versions")) would be collected, \(counted(collection.removed.count, "object", "objects")) of \(collection.bytes) bytes would be removed"
        )
    }

    private static func show(_ verb: String, _ object: VersionCollection.Object) {
        let name = ForeignText.line(object.name, limit: 300)
        let padding = String(repeating: " ", count: 9 - verb.count)
        Terminal.show("\(verb)\(padding)\(name)  \(object.size) bytes  \(object.reason)")
    }
}
