public import Foundation
public import KafkaClient

/// A broker started through `deploy/broker` in a directory of its own, or the cluster that `FLYWHEEL_TEST_BOOTSTRAP`
/// names.
public final class BrokerProcess: Sendable {
    /// Address of the broker, for `bootstrap.servers`.
    public let bootstrap: String
    /// Kind and version of the broker, as in `Apache Kafka 4.3.0`; the address of a cluster that was not started here.
    public let kind: String
    /// Directory of data and logs; nil if the cluster was not started here.
    public let directory: URL?

    /// Reason why there is no broker.
    public struct Failure: Error, Sendable, CustomStringConvertible {
        /// Message of the script.
        public let description: String
    }

    /// Starts a broker, in a second or less for noida-db, in five for Apache Kafka.
    ///
    /// - Parameter directory: The directory for its data; by default a new temporary directory.
    /// - Throws: `Failure` with the script's output, for example that there is no broker to start.
    public init(directory: URL? = nil) throws {
        let environment = ProcessInfo.processInfo.environment
        if let running = environment["FLYWHEEL_TEST_BOOTSTRAP"] {
            bootstrap = running
            kind = "Kafka cluster at \(running)"
            self.directory = nil
            return
        }
        let location =
            directory
            ?? FileManager.default.temporaryDirectory.appendingPathComponent("broker-\(UUID().uuidString.prefix(8))")
        bootstrap = try Self.script("start", location)
        kind = try Self.script("kind", location)
        self.directory = environment["FLYWHEEL_BOOTSTRAP"] == nil ? location : nil
    }

    /// Whether this is noida-db, which supports less than Kafka does.
    public var isNoida: Bool { kind.hasPrefix("noida") }

    /// Properties that name this broker.
    public var properties: KafkaProperties { KafkaProperties(bootstrap: bootstrap) }

    /// Ends the broker; its data stays, and `restart` brings it back.
    public func stop() throws { if let directory { _ = try Self.script("stop", directory) } }

    /// Ends the broker without warning; its data stays, and `restart` brings it back.
    public func kill() throws { if let directory { _ = try Self.script("kill", directory) } }

    /// Starts the broker again, with its data, on the same port.
    public func restart() throws { if let directory { _ = try Self.script("start", directory) } }

    /// Ends the broker and deletes its data.
    public func remove() {
        guard let directory else { return }
        _ = try? Self.script("kill", directory)
        try? FileManager.default.removeItem(at: directory)
    }

    /// One broker for the whole process, started at its first use and removed when the process ends.
    public static let shared: Result<BrokerProcess, any Error> = {
        let result = Result { try BrokerProcess() }
        atexit { if case .success(let broker) = BrokerProcess.shared { broker.remove() } }
        return result
    }()

    /// The repository that this file belongs to.
    private static var root: URL {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
    }

    private static func script(_ command: String, _ directory: URL) throws -> String {
        let process = Process()
        process.executableURL = root.appendingPathComponent("deploy/broker")
        process.arguments = [command, directory.path]
        let output = Pipe()
        let errors = FileManager.default.temporaryDirectory
            .appendingPathComponent("broker-\(UUID().uuidString).err")
        _ = FileManager.default.createFile(atPath: errors.path, contents: nil)
        defer { try? FileManager.default.removeItem(at: errors) }
        process.standardOutput = output
        process.standardError = try FileHandle(forWritingTo: errors)
        process.standardInput = FileHandle.nullDevice
        try process.run()
        // Reading ends when the script does: the broker that it leaves running writes to its own log.
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            let text = (try? String(contentsOf: errors, encoding: .utf8)) ?? ""
            throw Failure(description: text.trimmingCharacters(in: .whitespacesAndNewlines))
        }
        return String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
