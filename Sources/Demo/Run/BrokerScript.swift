internal import Foundation
internal import Processes

/// The broker of the demo: either started and stopped by `deploy/broker`, or already running.
struct BrokerScript {
    let bootstrap: String
    let kind: String
    private let script: String?
    private let folder: String

    var isNoida: Bool { kind.hasPrefix("noida") }

    /// Starts a broker with its data in `folder`, or uses the one that is named.
    init(bootstrap: String?, kind known: String?, folder: String) throws {
        self.folder = folder
        if let bootstrap {
            self.bootstrap = bootstrap
            kind = known ?? "a broker at \(bootstrap)"
            script = nil
            return
        }
        guard let script = Self.find() else {
            throw DemoError(
                "there is no deploy/broker beside the program or in a folder above this one; name a running broker with --bootstrap"
            )
        }
        let started = try ChildProcess.run(script, ["start", folder], timeout: .seconds(120))
        let line = started.outputText.trimmingCharacters(in: .whitespacesAndNewlines)
        guard started.status.isSuccess, !line.isEmpty else {
            throw DemoError("the broker did not start: \(started.errorText.suffix(2_000))")
        }
        self.bootstrap = line
        self.script = script
        let kind = try ChildProcess.run(script, ["kind", folder])
        self.kind = kind.outputText.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    func stop() {
        guard let script else { return }
        _ = try? ChildProcess.run(script, ["stop", folder], timeout: .seconds(60))
        try? FileManager.default.removeItem(atPath: folder)
    }

    private static func find() -> String? {
        let starts = [FileManager.default.currentDirectoryPath, Bundle.main.bundlePath]
        for start in starts {
            var folder = URL(fileURLWithPath: start).standardizedFileURL
            for _ in 0..<8 {
                let candidate = folder.appendingPathComponent("deploy/broker").path
                if FileManager.default.isExecutableFile(atPath: candidate) { return candidate }
                folder.deleteLastPathComponent()
            }
        }
        return nil
    }
}
