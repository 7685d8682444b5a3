import Console
import EngineCore
import Events
import KafkaClient
import KafkaTransport
import Telemetry
import Worker

/// Check for everything that prevents a worker from starting, independent of what brokers report. `run` and `config
/// check` both use it, so that one refuses what the other refuses, with the same messages.
enum WorkerCheck {
    /// Maximum length of a topic's name in Kafka, in bytes; names of group members may be as long.
    private static let nameLimit = 249
    /// Bytes reserved after an instance's name: for `-materializer`, and the number of a thread.
    private static let reservedSuffixLength = 24

    /// - Throws: `EngineError` with all faults.
    static func require(_ worker: WorkerConfiguration) throws(EngineError) {
        let found = faults(of: worker)
        guard !found.isEmpty else { return }
        throw EngineError("run a worker", found.joined(separator: "; "))
    }

    /// Returns all faults of a worker's configuration, each beginning with the key that it is about.
    static func faults(of worker: WorkerConfiguration) -> [String] {
        var faults = faultsOfValues(in: worker).map { "\($0.key): \($0.fault)" }
        func note(_ key: String, _ fault: String?) { if let fault { faults.append("\(key): \(fault)") } }
        note("store", fault(of: worker.storePath, .materializer, worker))
        note("artifacts", fault(of: worker.artifactsPath, .trainer, worker))
        for caveat in KafkaCaveat.all(worker.kafka) where caveat.isFatal { note("kafka", caveat.description) }
        // Invalid names have been reported.
        if faults.isEmpty, !Set(worker.roles).isDisjoint(with: Worker.streamRoles) {
            let isTransactional = worker.intakeDelivery == .exactlyOnce || worker.roles != [.intake]
            let fault = ClientCheck.fault(
                worker.kafka,
                group: "\(worker.topics.prefix)loop",
                instance: worker.instance,
                transactionalID: isTransactional ? "\(worker.topics.prefix)loop.\(worker.instance)" : nil
            )
            note("kafka", fault?.reason)
        }
        return faults
    }

    /// Returns faults of single values, each with its key: the reader of a file reports them by line, with its others.
    static func faultsOfValues(in worker: WorkerConfiguration) -> [(key: String, fault: String)] {
        var faults: [(key: String, fault: String)] = []
        func note(_ key: String, _ fault: String?) { if let fault { faults.append((key, fault)) } }
        note("topics.prefix", fault(ofPrefix: worker.topics))
        note("instance", fault(ofInstance: worker.instance))
        for (key, path) in [("store.path", worker.storePath), ("artifacts.path", worker.artifactsPath)] {
            note(key, path.isEmpty ? "expected a path, found nothing" : nil)
        }
        if worker.roles.isEmpty {
            let names = Role.allCases.map(\.rawValue).joined(separator: ", ")
            note("roles", "expected at least one of \(names): a worker without a role does nothing")
        }
        if worker.roles.contains(.console) || worker.healthPort != nil {
            let fault = Console.fault(ofHost: worker.consoleHost)
            note("console.host", fault.map { "\($0), found \"\(ForeignText.line(worker.consoleHost, limit: 64))\"" })
        }
        if worker.roles.contains(.console), let port = worker.healthPort, port == worker.consolePort, port > 0 {
            note("console.health_port", "expected another port than console.port, found \(port) for both")
        }
        return faults
    }

    /// Reason why a role cannot write to its location; contacts no store.
    private static func fault(of location: String, _ role: Role, _ worker: WorkerConfiguration) -> String? {
        do throws(EngineError) {
            guard case .bucket = try StoreLocation(location), worker.roles.contains(role) else { return nil }
            _ = try StoreLocation.client(worker.s3)
            return nil
        } catch {
            return error.reason
        }
    }

    static func fault(ofPrefix topics: TopicNames) -> String? {
        let prefix = topics.prefix
        let isLegal = prefix.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
                true
            default: false
            }
        }
        guard isLegal else {
            return
                "expected letters, digits, full stops, underscores and hyphens, as in names of topics, found \"\(ForeignText.line(prefix, limit: 64))\""
        }
        let longest = Topic.allCases.map { topics[$0].utf8.count }.max() ?? 0
        guard longest > nameLimit else { return nil }
        return "names of topics would have \(longest) bytes; Kafka allows at most \(nameLimit)"
    }

    private static func fault(ofInstance instance: String) -> String? {
        if instance.isEmpty { return "expected a name: workers without one would replace each other" }
        // The instance is also the name of a folder of snapshots.
        guard instance != ".", instance != "..", ForeignText.isPlain(instance) else {
            return
                "expected a name without control, line or direction characters, found \"\(ForeignText.line(instance, limit: 64))\""
        }
        let size = instance.utf8.count
        guard size > nameLimit - reservedSuffixLength else { return nil }
        return "it has \(size) bytes; at most \(nameLimit - reservedSuffixLength) fit into the names of group members"
    }
}
