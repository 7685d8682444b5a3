import Arguments
import Engine
import Events
internal import Flywheel
import Foundation
import JSON
import KafkaTransport
import Processes
import Storage
import StreamRuntime
import Vocabulary

/// `flywheel status`.
enum StatusCommand {
    static func run(_ arguments: ParsedArguments) throws -> Bool {
        let worker = try WorkerFile.configuration(arguments)
        let view = try StatusView(transport: KafkaStreamTransport(properties: worker.kafka), topics: worker.topics)
        defer { view.close() }
        let administration = try TopicAdministration(properties: worker.kafka, topics: worker.topics)
        defer { administration.close() }
        let stop = StopFlag()
        let trap = SignalTrap([SIGINT, SIGTERM]) { _ in stop.raise() }
        defer { trap.cancel() }
        repeat {
            let report = StatusReport(
                projects: try view.summaries(),
                lag: try lag(administration, worker),
                deadLetters: try administration.count(of: .deadLetters)
            )
            if arguments.flag("watch"), !arguments.flag("json") { print("\u{1B}[H\u{1B}[2J", terminator: "") }
            print(arguments.flag("json") ? report.json : report.text)
            guard arguments.flag("watch") else { break }
            var left = 20
            while left > 0, !stop.isRaised {
                WallClock.pause(100)
                left -= 1
            }
        } while !stop.isRaised
        return true
    }

    /// Records that a role has not read yet, over all its topics.
    private static func lag(_ administration: TopicAdministration, _ worker: WorkerConfiguration) throws -> [(
        String, Int64
    )] {
        try [(Role.intake, IntakeStage.inputs), (.loop, LoopStage.inputs), (.materializer, MaterializerStage.inputs)]
            .map {
                role,
                topics in
                let lags = try administration.lag(
                    group: "\(worker.topics.prefix)\(role.rawValue)",
                    topics: topics.map { worker.topics[$0] }
                )
                return (role.rawValue, lags.values.reduce(0, +))
            }
    }
}

/// What `flywheel status` says.
struct StatusReport {
    let projects: [ProjectSummary]
    let lag: [(String, Int64)]
    let deadLetters: Int64

    var text: String {
        var lines: [String] = []
        for project in projects {
            lines.append("\(project.project)")
            let challenger = project.challenger.map { ", challenger \($0.version)" } ?? ""
            lines.append(
                "  champion     \(project.champion?.version.rawValue ?? "none yet")\(challenger)\(project.isHeld ? ", held" : "")"
            )
            if !project.quarantined.isEmpty {
                lines.append("  quarantined  \(project.quarantined.joined(separator: ", "))")
            }
            lines.append(
                "  budget       \(project.votesLeft) of \(project.votesBudget) votes left in the window, \(project.votesReserved) reserved, \(project.votesTotal) spent in all"
            )
            lines.append("  tasks        \(project.openTasks) open, \(project.candidates) candidates")
            lines.append(
                "  labels       \(project.labels): \(project.trainingLabels) training, \(project.testLabels) test; \(project.versions) versions, \(project.studies) studies"
            )
            lines.append(
                "  feedback     \(project.feedbackNegative) of \(project.feedbackTotal) negative since the champion's release"
            )
            let stages = project.stages.map { "\($0.name) \(rounded($0.meanSeconds)) s" }.joined(separator: ", ")
            if !stages.isEmpty {
                lines.append("  stages       \(stages); bottleneck \(project.bottleneck?.name ?? "-")")
            }
            let refusals = project.refusals.map { "\($0.code) \($0.count)" }.joined(separator: ", ")
            if !refusals.isEmpty { lines.append("  refused      \(refusals)") }
        }
        if projects.isEmpty { lines.append("no project has an entry yet") }
        lines.append("lag            " + lag.map { "\($0.0) \($0.1)" }.joined(separator: ", "))
        lines.append("dead letters   \(deadLetters)")
        return lines.joined(separator: "\n")
    }

    private func rounded(_ value: Double) -> Double { (value * 100).rounded() / 100 }

    var json: String {
        var writer = JSONWriter()
        writer.object { writer in
            writer.array("projects") { writer in
                for project in projects { write(project, to: &writer) }
            }
            writer.object("lag") { writer in
                for (role, count) in lag {
                    writer.key(named: role)
                    writer.value(count)
                }
            }
            writer.member("dead_letters", deadLetters)
        }
        return writer.text
    }

    private func write(_ project: ProjectSummary, to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("project", project.project)
            writer.member("entry_number", project.entryNumber)
            writer.member("chain", project.chain)
            writer.member("champion", ifPresent: project.champion?.version.rawValue)
            writer.member("challenger", ifPresent: project.challenger?.version.rawValue)
            writer.member("held", project.isHeld)
            writer.array("quarantined", of: project.quarantined)
            writer.object("votes") { writer in
                writer.member("budget", project.votesBudget)
                writer.member("spent", project.votesSpent)
                writer.member("reserved", project.votesReserved)
                writer.member("left", project.votesLeft)
                writer.member("total", project.votesTotal)
            }
            writer.member("open_tasks", project.openTasks)
            writer.member("candidates", project.candidates)
            writer.object("labels") { writer in
                writer.member("training", project.trainingLabels)
                writer.member("test", project.testLabels)
            }
            writer.member("versions", project.versions)
            writer.member("studies", project.studies)
            writer.member("bottleneck", ifPresent: project.bottleneck?.name)
            writer.array("stages") { writer in
                for stage in project.stages {
                    writer.object { writer in
                        writer.member("stage", stage.name)
                        writer.member("count", stage.count)
                        writer.member("mean_s", stage.meanSeconds)
                        writer.member("last_s", stage.lastSeconds)
                    }
                }
            }
            writer.object("refused") { writer in
                for (code, count) in project.refusals {
                    writer.key(named: code)
                    writer.value(count)
                }
            }
            writer.array("annotators") { writer in
                for annotator in project.annotators {
                    writer.object { writer in
                        writer.member("id", annotator.id)
                        writer.member("answers", annotator.answers)
                        writer.member("estimated_error", ifPresent: annotator.estimatedError)
                    }
                }
            }
        }
    }
}

/// `flywheel replay`.
enum ReplayCommand {
    static func run(_ arguments: ParsedArguments) throws -> Bool {
        let worker = try WorkerFile.configuration(arguments)
        let projects = try ProjectCommand.read(arguments).filter {
            arguments.string("project").map($0.project.rawValue.elementsEqual) ?? true
        }
        guard !projects.isEmpty else {
            throw EngineError("replay", "there is no such project", remedy: "see flywheel project list")
        }
        let replay = Replay(transport: KafkaStreamTransport(properties: worker.kafka), topics: worker.topics)
        var isEqual = true
        for project in projects {
            let report = try replay.verify(project: project.project.rawValue, partition: project.partition)
            isEqual = isEqual && report.isEqual
            print(arguments.flag("json") ? json(report) : text(report, verifies: arguments.flag("verify")))
        }
        return isEqual || !arguments.flag("verify")
    }

    private static func text(_ report: Replay.Report, verifies: Bool) -> String {
        var text = "\(report.project): \(report.entries) entries, \(report.decisions) decisions, chain \(report.chain)"
        guard verifies else { return text }
        text +=
            "\n  \(report.compared) equal byte for byte, \(report.compacted) compacted away, \(report.ticksChecked) ticks checked"
        if let difference = report.firstDifference { text += "\n  DIFFERS: \(difference)" } else { text += "\n  equal" }
        return text
    }

    private static func json(_ report: Replay.Report) -> String {
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("project", report.project)
            writer.member("entries", report.entries)
            writer.member("decisions", report.decisions)
            writer.member("compared", report.compared)
            writer.member("compacted", report.compacted)
            writer.member("ticks_checked", report.ticksChecked)
            writer.member("chain", report.chain)
            writer.member("equal", report.isEqual)
            writer.member("first_difference", ifPresent: report.firstDifference)
        }
        return writer.text
    }
}

/// `flywheel dead-letters`.
enum DeadLettersCommand {
    static func list(_ arguments: ParsedArguments) throws -> Bool {
        let worker = try WorkerFile.configuration(arguments)
        let limit = try arguments.int("limit", in: 1...1_000_000) ?? 100
        let scan = try TopicScan(
            transport: KafkaStreamTransport(properties: worker.kafka),
            topic: worker.topics[.deadLetters]
        )
        defer { scan.close() }
        var rows: [(time: Int64, headers: [String: String], place: String, size: Int)] = []
        for partition in try scan.partitions() {
            try scan.forEach(partition) { record, batch, index in
                var headers: [String: String] = [:]
                for header in batch.headers(at: index) {
                    headers[header.name] = header.value.map { String(decoding: $0, as: UTF8.self) } ?? ""
                }
                rows.append((record.timestamp, headers, "\(record.partition)/\(record.offset)", record.value.count))
            }
        }
        rows.sort { ($0.time, $0.place) < ($1.time, $1.place) }
        for row in rows.suffix(limit) {
            let from =
                "\(row.headers["__connect.errors.topic"] ?? "?")[\(row.headers["__connect.errors.partition"] ?? "?")] offset \(row.headers["__connect.errors.offset"] ?? "?")"
            let (code, text) = (row.headers["flywheel.reason.code"] ?? "?", row.headers["flywheel.reason.text"] ?? "")
            guard arguments.flag("json") else {
                print(
                    "\(RFC3339.text(milliseconds: row.time))  \(row.place)  \(code)  \(from)  \(row.size) bytes  \(text)"
                )
                continue
            }
            var writer = JSONWriter()
            writer.object { writer in
                writer.member("at", RFC3339.text(milliseconds: row.time))
                writer.member("place", row.place)
                writer.member("code", code)
                writer.member("text", text)
                writer.member("from", from)
                writer.member("bytes", row.size)
            }
            print(writer.text)
        }
        if rows.isEmpty, !arguments.flag("json") { print("no dead letters") }
        return true
    }
}

/// `flywheel dataset`.
enum DatasetCommand {
    static func log(_ arguments: ParsedArguments) throws -> Bool {
        let worker = try WorkerFile.configuration(arguments)
        let name = try arguments.requiredString("project")
        let scan = try TopicScan(
            transport: KafkaStreamTransport(properties: worker.kafka),
            topic: worker.topics[.datasetVersions]
        )
        defer { scan.close() }
        let parser = JSONParser()
        var versions: [Int: SealedVersion] = [:]
        for partition in try scan.partitions() {
            try scan.forEach(partition) { record, _, _ in
                guard let json = try? parser.parse(record.value), (try? json.object().string("project")) == name,
                    let version = try? SealedVersion(json: json)
                else { return }
                versions[version.ordinal] = version
            }
        }
        for ordinal in versions.keys.sorted() {
            guard let version = versions[ordinal] else { continue }
            if arguments.flag("json") {
                print(String(decoding: version.jsonBytes, as: UTF8.self))
            } else {
                print(
                    "\(ordinal)  \(version.semanticVersion)  \(version.id)  \(version.training) training  \(version.test) test  \(version.manifest.uri)"
                )
            }
        }
        if versions.isEmpty, !arguments.flag("json") { print("no version of \(name) is sealed yet") }
        return true
    }

    static func show(_ arguments: ParsedArguments) throws -> Bool {
        let (store, project) = try store(arguments)
        guard let manifest = try manifest(arguments.positional("version"), store, project) else {
            throw EngineError("show the version", "it is not in the store", remedy: "name the store with --store")
        }
        print(String(decoding: manifest.jsonBytes, as: UTF8.self))
        return true
    }

    static func verify(_ arguments: ParsedArguments) throws -> Bool {
        let (store, project) = try store(arguments)
        let ids: [DatasetVersionID]
        if let version = arguments.positional("version") {
            guard let manifest = try manifest(version, store, project) else {
                throw EngineError(
                    "verify version \(version)",
                    "it is not in the store",
                    remedy: "name the store with --store"
                )
            }
            ids = [manifest.id]
        } else {
            ids = try store.ordinals(project).compactMap { try store.manifest(project, ordinal: $0)?.id }
        }
        guard !ids.isEmpty else {
            throw EngineError(
                "verify \(project)",
                "no version of it is in the store",
                remedy: "name the store with --store"
            )
        }
        var problems = 0
        for id in ids {
            for problem in try store.verify(project, id: id) {
                print("\(id): \(problem)")
                problems += 1
            }
        }
        print(problems == 0 ? "\(ids.count) versions are whole" : "\(problems) problems in \(ids.count) versions")
        return problems == 0
    }

    private static func store(_ arguments: ParsedArguments) throws -> (DatasetStore, ProjectID) {
        let configured = try arguments.string("config").map { try WorkerFile.read($0).storePath }
        let path = arguments.string("store") ?? configured ?? "flywheel-data/datasets"
        guard FileManager.default.fileExists(atPath: path) else {
            throw EngineError("open the store", "there is no folder \(path)", remedy: "name the store with --store")
        }
        return (
            DatasetStore(objects: try ObjectStore(root: WorkerFile.absolute(path))),
            ProjectID(try arguments.requiredString("project"))
        )
    }

    private static func manifest(_ version: String?, _ store: DatasetStore, _ project: ProjectID) throws
        -> DatasetManifest?
    {
        guard let version else {
            return try store.ordinals(project).last.flatMap { try store.manifest(project, ordinal: $0) }
        }
        if let ordinal = Int(version) { return try store.manifest(project, ordinal: ordinal) }
        return try store.manifest(project, id: DatasetVersionID(version))
    }
}
