internal import Foundation
public import Processes

/// The demo: one run of all stages of the flywheel for each seed.
public struct Demo {
    private let options: DemoOptions
    private let stop: StopFlag

    /// When `stop` is raised, the run ends and everything that it started is stopped.
    public init(options: DemoOptions, stop: StopFlag) {
        self.options = options
        self.stop = stop
    }

    /// Runs all seeds and returns the JSON object of their figures.
    public func run() throws -> String {
        let progress = DemoProgress()
        try FileManager.default.createDirectory(atPath: options.folder, withIntermediateDirectories: true)
        let report = URL(fileURLWithPath: options.folder).standardizedFileURL.path
        progress.note(
            options.seeds.count == 1 ? "report: \(report)/report.html" : "reports: \(report)/seed-*/report.html"
        )
        try writeFirstPages()
        let bootstrap = options.bootstrap ?? ProcessInfo.processInfo.environment["FLYWHEEL_BOOTSTRAP"]
        let broker = try BrokerScript(
            bootstrap: bootstrap,
            kind: options.brokerKind,
            folder: "\(options.folder)/broker"
        )
        defer {
            progress.clear()
            broker.stop()
        }
        progress.note("broker: \(broker.kind) at \(broker.bootstrap)")
        var outcomes: [DemoOutcome] = []
        for seed in options.seeds where !stop.isRaised {
            // A broker that the demo starts is empty; on a shared one each run has its own topics.
            let isAlone = bootstrap == nil && options.seeds.count == 1
            let prefix = isAlone ? "flywheel." : "flywheel-demo-\(WallClock.now())-\(seed)."
            let run = try DemoRun(
                options: options,
                seed: seed,
                broker: broker,
                prefix: prefix,
                stop: stop,
                progress: progress
            )
            let outcome = try run.run()
            outcomes.append(outcome)
            if !stop.isRaised { progress.note(outcome.summary) }
        }
        let json = DemoOutcome.json(broker: broker.kind, outcomes)
        try Data((json + "\n").utf8).write(to: URL(fileURLWithPath: "\(options.folder)/report.json"), options: .atomic)
        progress.note("report: \(report)/\(options.seeds.count == 1 ? "report.html" : "seed-*/report.html")")
        return json
    }

    /// Writes a page that can be opened at once, before the broker is ready.
    private func writeFirstPages() throws {
        for seed in options.seeds {
            let folder = options.seeds.count > 1 ? "\(options.folder)/seed-\(seed)" : options.folder
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            // Files of an earlier run are removed: they would be mistaken for files of this run.
            for name in ["logs", "state", "datasets", "models"] {
                try? FileManager.default.removeItem(atPath: "\(folder)/\(name)")
            }
            var snapshot = DemoSnapshot()
            snapshot.seed = seed
            snapshot.duration = options.length
            try Data(ReportPage(snapshot).html.utf8)
                .write(to: URL(fileURLWithPath: "\(folder)/report.html"), options: .atomic)
        }
    }
}
