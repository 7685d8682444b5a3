internal import EngineCore
internal import Events
internal import Flywheel
internal import Foundation
internal import KafkaClient
internal import KafkaTransport
internal import Operations
internal import Processes
internal import Worker

/// One run of the whole flywheel on real data through a real broker: worker, trainer, product service and label tool
/// are separate processes that receive a bootstrap address.
final class DemoRun {
    private let options: DemoOptions
    private let seed: UInt64
    private let broker: BrokerScript
    private let stop: StopFlag
    private let progress: DemoProgress
    private let folder: String
    private let kafka: KafkaProperties
    private let topics: TopicNames
    private var children: [String: ChildProcess] = [:]
    private var workerKills = 0
    /// Location of the run in a bucket, different for each run; nil without a bucket. It is not deleted, because its
    /// contents may belong to others.
    private let bucket: String?

    init(
        options: DemoOptions,
        seed: UInt64,
        broker: BrokerScript,
        prefix: String,
        stop: StopFlag,
        progress: DemoProgress
    ) throws {
        self.options = options
        self.seed = seed
        self.broker = broker
        self.stop = stop
        self.progress = progress
        bucket = options.store.map { "\($0)/run-\(WallClock.now())" }
        folder = options.seeds.count > 1 ? "\(options.folder)/seed-\(seed)" : options.folder
        var kafka = KafkaProperties(bootstrap: broker.bootstrap)
        for (name, value) in Self.extraProperties(broker) { kafka[name] = value }
        self.kafka = kafka
        topics = TopicNames(prefix: prefix)
        try FileManager.default.createDirectory(atPath: "\(folder)/logs", withIntermediateDirectories: true)
    }

    /// Additional Kafka properties: noida-db answers a fetch with all its records, regardless of the requested limit.
    private static func extraProperties(_ broker: BrokerScript) -> [(String, String)] {
        broker.isNoida ? [("receive.message.max.bytes", "1000000000")] : []
    }

    var reportPath: String { URL(fileURLWithPath: "\(folder)/report.html").standardizedFileURL.path }

    func run() throws -> DemoOutcome {
        defer { stopAll() }
        let scenario = try DigitsScenario(seed: seed)
        try prepare()
        if let bucket { progress.note("dataset versions and models: \(bucket)") }
        try startAll()
        let began = WallClock.now()
        var snapshot = DemoSnapshot()
        snapshot.seed = seed
        snapshot.broker = broker.kind
        snapshot.duration = options.length
        snapshot.active.name = DemoProjects.active
        snapshot.random.name = DemoProjects.random
        let transport = KafkaStreamTransport(properties: kafka)
        let observer = try DemoObserver(
            kafka: kafka,
            transport: transport,
            topics: topics,
            scenario: scenario,
            snapshot: snapshot,
            began: began,
            buckets: options.store == nil ? nil : try StoreLocation.client(DemoOptions.buckets)
        )
        defer { observer.close() }
        try watch(observer, began)
        try finish(observer, transport)
        return DemoOutcome(snapshot: observer.snapshot, workerKills: workerKills)
    }

    // MARK: - Setting up

    private func prepare() throws {
        let administration = try TopicAdministration(properties: kafka, topics: topics)
        defer { administration.close() }
        _ = try administration.create(.init(trafficPartitions: 4, projectPartitions: 2))
        let apply = ProjectApply(transport: KafkaStreamTransport(properties: kafka), topics: topics)
        let partitions = try administration.projectPartitions()
        for name in [DemoProjects.active, DemoProjects.random] {
            _ = try apply.apply(DemoProjects.configuration(name, options), partitions: partitions)
        }
    }

    private var connection: [String] {
        var arguments = ["--bootstrap", broker.bootstrap, "--prefix", topics.prefix]
        for (name, value) in Self.extraProperties(broker) { arguments += ["--kafka", "\(name)=\(value)"] }
        return arguments
    }

    /// Prefix of the locations of dataset versions and models.
    private var storeLocation: String { bucket ?? folder }

    private func start(_ name: String, _ arguments: [String]) throws {
        children[name] = try ChildProcess(
            options.executable,
            arguments + connection,
            output: .file("\(folder)/logs/\(name).log", appending: true),
            errors: .file("\(folder)/logs/\(name).log", appending: true)
        )
    }

    private func startWorker() throws {
        try start(
            "worker",
            [
                "run", "--roles", "intake,loop,materializer,console", "--instance", "demo-worker", "--port", "0",
                "--store", "\(storeLocation)/datasets", "--state", "\(folder)/state", "--artifacts",
                "\(storeLocation)/models",
            ]
        )
    }

    private func startAll() throws {
        let projects = [DemoProjects.active, DemoProjects.random].flatMap { ["--project", $0] }
        try startWorker()
        try start(
            "trainer",
            ["run", "--roles", "trainer", "--instance", "demo-trainer", "--artifacts", "\(storeLocation)/models"]
        )
        try start(
            "product",
            [
                "participant", "product", "--seed", "\(seed)", "--rate", "\(options.rate)", "--ledger",
                "\(folder)/logs/product.jsonl",
            ]
                + projects
        )
        try start(
            "label-tool",
            ["participant", "label-tool", "--seed", "\(seed)", "--pace", "\(Int(options.meanAnswerTime))"]
                + (options.isTruthPermuted ? ["--permute-truth"] : [])
        )
    }

    private func stopAll() {
        for name in ["product", "label-tool", "trainer", "worker"] { children[name]?.terminate() }
        for child in children.values { _ = child.stop(grace: .seconds(8)) }
        children.removeAll()
    }

    // MARK: - Watching

    private func watch(_ observer: DemoObserver, _ began: Int64) throws {
        var lastStatusAt: Int64 = 0
        var restartAt: Int64?
        var hasShipped = false
        while !stop.isRaised {
            let now = WallClock.now()
            let elapsed = Double(now - began) / 1_000
            if elapsed >= options.length { break }
            if workerKills == 0, elapsed >= options.length / 2 {
                killWorker(observer, elapsed)
                restartAt = now + 1_000
            }
            if let at = restartAt, now >= at {
                try startWorker()
                restartAt = nil
                observer.snapshot.events.append(
                    .init(at: elapsed, kind: .workerBack, project: nil, text: "the worker is started again")
                )
            }
            if !hasShipped, elapsed >= options.length * 2 / 3 {
                children["product"]?.send(SIGUSR1)
                hasShipped = true
            }
            try observer.update(now: now)
            readLedger(observer, began)
            if now - lastStatusAt >= 3_000 {
                lastStatusAt = now
                try? observer.updateStatus()
                try writePage(observer)
                progress.show(observer.snapshot)
            }
            try checkChildren(except: restartAt == nil ? nil : "worker")
            WallClock.pause(200)
        }
    }

    private func killWorker(_ observer: DemoObserver, _ elapsed: Double) {
        workerKills += 1
        let isGentle = broker.isNoida
        if isGentle { children["worker"]?.terminate() } else { children["worker"]?.kill() }
        _ = children["worker"]?.wait(timeout: .seconds(10))
        observer.snapshot.events.append(
            .init(
                at: elapsed,
                kind: .workerKilled,
                project: nil,
                text: isGentle
                    ? "the worker is stopped with SIGTERM (this broker forgets a producer after an aborted transaction)"
                    : "the worker is killed with SIGKILL"
            )
        )
    }

    private func checkChildren(except name: String?) throws {
        for (child, process) in children where child != name {
            if let status = process.exitStatus {
                throw DemoError("the \(child) ended (\(status)); see \(folder)/logs/\(child).log")
            }
        }
    }

    /// Reads the new entries of the product service's ledger on its deployments.
    private func readLedger(_ observer: DemoObserver, _ began: Int64) {
        guard let data = FileManager.default.contents(atPath: "\(folder)/logs/product.jsonl") else { return }
        for (index, line) in data.split(separator: 0x0A).enumerated() where index >= ledgerLines {
            ledgerLines = index + 1
            guard let entry = ProductLedgerEntry(Array(line)) else { continue }
            let at = Double(entry.at - began) / 1_000
            if entry.event == "broken_shipped" {
                observer.snapshot.events.append(
                    .init(
                        at: at,
                        kind: .brokenShipped,
                        project: entry.project,
                        text: "the product service ships a broken copy of \(entry.version)"
                    )
                )
            }
            guard entry.event == "deployed", entry.replacedBroken, entry.cause == "rolled_back" else { continue }
            if entry.project == DemoProjects.active {
                observer.snapshot.active.brokenRolledBackAfterFeedbacks = entry.feedbacks
            } else {
                observer.snapshot.random.brokenRolledBackAfterFeedbacks = entry.feedbacks
            }
        }
    }

    private var ledgerLines = 0

    // MARK: - Ending

    private func finish(_ observer: DemoObserver, _ transport: KafkaStreamTransport) throws {
        let ended = WallClock.now()
        let elapsed = observer.snapshot.elapsed
        for name in ["product", "label-tool"] {
            children[name]?.terminate()
            _ = children[name]?.stop(grace: .seconds(5))
            children[name] = nil
        }
        guard !stop.isRaised else {
            try writePage(observer)
            return
        }
        progress.note("the stream has ended; waiting for the last decisions")
        while WallClock.now() - ended < 4_000, !stop.isRaised {
            try observer.update(now: WallClock.now())
            WallClock.pause(200)
        }
        stopAll()
        try observer.update(now: WallClock.now())
        readLedger(observer, ended - Int64(elapsed * 1_000))
        try observer.updateStatus()
        observer.snapshot.elapsed = elapsed
        progress.note("replaying both journals")
        observer.snapshot.replayEqual = try replay(observer, transport)
        observer.snapshot.isFinished = true
        try writePage(observer)
    }

    private func replay(_ observer: DemoObserver, _ transport: KafkaStreamTransport) throws -> Bool {
        let directory = try ProjectDirectory(transport: transport, topics: topics)
        defer { directory.close() }
        try directory.readToEnd()
        var isEqual = true
        for name in directory.projects.keys.sorted() {
            guard let configuration = directory[name] else { continue }
            let report = try Replay(transport: transport, topics: topics)
                .verify(project: name, partition: configuration.partition)
            if let difference = report.firstDifference {
                isEqual = false
                progress.note("replay of \(name): \(difference)")
            }
        }
        return isEqual
    }

    private func writePage(_ observer: DemoObserver) throws {
        let html = ReportPage(observer.snapshot).html
        try Data(html.utf8).write(to: URL(fileURLWithPath: "\(folder)/report.html"), options: .atomic)
    }
}
