import Foundation
import KafkaTesting
import Processes
import Testing

/// A folder, a prefix of topics and the programs started with them. The programs end, and the folder is removed, when
/// the stage is released.
final class Stage {
    let directory: URL
    let bootstrap: String
    let prefix: String
    private var running: [(name: String, process: ChildProcess)] = []

    init() throws {
        let name = "examples-\(UUID().uuidString.prefix(8).lowercased())"
        directory = FileManager.default.temporaryDirectory.appendingPathComponent(name)
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        bootstrap = try BrokerProcess.shared.get().bootstrap
        prefix = "\(name)."
    }

    deinit {
        for (_, process) in running { process.stop(grace: .seconds(2)) }
        try? FileManager.default.removeItem(at: directory)
    }

    func path(_ name: String) -> String { directory.appendingPathComponent(name).path }

    /// Runs a command of `flywheel` to its end.
    func flywheel(_ command: String..., options: [String] = []) throws -> CapturedRun {
        try flywheel(command, options: options)
    }

    /// Runs a command of `flywheel`, given as an array, to its end.
    func flywheel(_ command: [String], options: [String] = []) throws -> CapturedRun {
        let connection = ["--bootstrap", bootstrap, "--prefix", prefix]
        return try ChildProcess.run(Prerequisites.flywheel, command + connection + options, timeout: .seconds(40))
    }

    /// Starts a program whose output is written to a log file with its name.
    func start(_ name: String, _ executable: String, _ arguments: [String]) throws {
        let log = path("\(name).log")
        let process = try ChildProcess(
            executable,
            arguments + ["--bootstrap", bootstrap, "--prefix", prefix],
            output: .file(log),
            errors: .file(log, appending: true)
        )
        running.append((name, process))
    }

    /// Starts one of the examples.
    func startExample(_ name: String, _ arguments: String...) throws {
        let script = Prerequisites.root.appendingPathComponent("docs/examples/\(name).py").path
        try start(name, Prerequisites.python, [script] + arguments)
    }

    func log(of name: String) -> String { (try? String(contentsOfFile: path("\(name).log"), encoding: .utf8)) ?? "" }

    /// Waits until a program has printed a text; returns false if the limit has passed or if any program has ended
    /// before.
    func wait(for text: String, from name: String, atMost limit: Duration) -> Bool {
        let end = ContinuousClock.now + limit
        while ContinuousClock.now < end {
            if log(of: name).contains(text) { return true }
            for (name, process) in running where process.exitStatus != nil {
                Issue.record("\(name) ended by itself: \(log(of: name).suffix(2_000))")
                return false
            }
            Thread.sleep(forTimeInterval: 0.1)
        }
        return false
    }

    /// Stops a program and returns its exit status; nil if it is not running.
    func stop(_ name: String) -> ProcessExit? {
        guard let index = running.firstIndex(where: { $0.name == name }) else { return nil }
        return running.remove(at: index).process.stop(grace: .seconds(15))
    }
}
