import Foundation
import Processes
import Testing

/// The cases of `deploy/broker` that contact no broker.
@Suite("The script that starts and stops a broker")
struct BrokerScriptTests {
    private static let script = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "deploy/broker").path

    @Test(
        "A broker started in a folder is stopped, whatever the value of FLYWHEEL_BOOTSTRAP is",
        arguments: ["stop", "kill"],
        ["", "x:1"]
    )
    func stop(command: String, bootstrap: String) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "broker-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        // The script identifies its process by the folder among the arguments.
        let broker = try ChildProcess("sh", ["-c", "while :; do sleep 0.05; done", folder], output: .null)
        defer { broker.kill() }
        try "\(broker.pid)\n".write(toFile: folder + "/pid", atomically: true, encoding: .utf8)
        let run = try ChildProcess.run(Self.script, [command, folder], environment: ["FLYWHEEL_BOOTSTRAP": bootstrap])
        #expect(run.status == .exited(0), "\(run.errorText)")
        #expect(broker.wait(timeout: .seconds(5)) == .signaled(command == "stop" ? SIGTERM : SIGKILL))
        #expect(!FileManager.default.fileExists(atPath: folder + "/pid"))
    }

    @Test("A cluster given by address is not stopped, and the script reports this")
    func foreign() throws {
        let folder = NSTemporaryDirectory() + "broker-\(UUID().uuidString)"
        let run = try ChildProcess.run(Self.script, ["stop", folder], environment: ["FLYWHEEL_BOOTSTRAP": "x:1"])
        #expect(run.status == .exited(0) && run.errorText.contains("not ours to end"), "\(run.errorText)")
        let start = try ChildProcess.run(Self.script, ["start", folder], environment: ["FLYWHEEL_BOOTSTRAP": "x:1"])
        #expect(start.outputText == "x:1\n")
    }
}
