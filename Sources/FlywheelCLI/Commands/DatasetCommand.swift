import Arguments
import DatasetFiles
import EngineCore
import Events
internal import Flywheel
import Foundation
import JSON
import KafkaTransport
import Processes
import Storage
import StreamRuntime
import Telemetry
import Vocabulary
import Worker

/// `flywheel dataset`.
enum DatasetCommand {
    static func log(_ arguments: ParsedArguments) throws -> Bool {
        if arguments.flag("changes") { return try LabelChangeCommand.log(arguments) }
        let worker = try WorkerFile.connected(arguments)
        let name = try arguments.requiredString("project")
        let scan = try TopicScan(
            transport: KafkaStreamTransport(properties: worker.kafka),
            topic: worker.topics[.datasetVersions]
        )
        defer { scan.close() }
        let parser = JSONParser()
        var versions: [Int: SealedVersion] = [:]
        let ends = try scan.settledEnds(scan.partitions())
        if ends.values.contains(where: \.isHeldBack) {
            Terminal.complain(openTransaction(on: worker.topics[.datasetVersions]))
        }
        for (partition, end) in ends.sorted(by: { $0.key < $1.key }) {
            try scan.forEach(partition, until: end.offset) { record, _, _ in
                guard let json = try? parser.parse(record.value), (try? json.object().string("project")) == name,
                    let version = try? SealedVersion(json: json)
                else { return }
                versions[version.versionNumber] = version
            }
        }
        for versionNumber in versions.keys.sorted() {
            guard let version = versions[versionNumber] else { continue }
            if arguments.flag("json") {
                Terminal.show(String(decoding: version.jsonBytes, as: UTF8.self))
            } else {
                Terminal.show(
                    "\(versionNumber)  \(ForeignText.line(version.semanticVersion))  \(version.id)  \(version.training) training  \(version.validation) validation  \(version.test) test  \(ForeignText.line(version.manifest.uri))"
                )
            }
        }
        guard versions.isEmpty else { return true }
        try ProjectCommand.require(name, to: "list dataset versions", worker)
        if !arguments.flag("json") { Terminal.show("no version of \(name) is sealed yet") }
        return true
    }

    static func show(_ arguments: ParsedArguments) throws -> Bool {
        let (store, project) = try store(arguments)
        guard let manifest = try manifest(arguments.positional("version"), store, project) else {
            throw unknown("show", arguments: arguments, store: store, project: project)
        }
        Terminal.show(String(decoding: manifest.jsonBytes, as: UTF8.self))
        return true
    }

    static func verify(_ arguments: ParsedArguments) throws -> Bool {
        let (store, project) = try store(arguments)
        var ids: [DatasetVersionID] = []
        var collected: [(versionNumber: Int, id: DatasetVersionID)] = []
        var problems = 0
        if let version = arguments.positional("version") {
            if let id = try id(version, store, project), try store.isCollected(project, id) {
                Terminal.show("\(id): collected, its files were removed by flywheel dataset gc")
                return true
            }
            guard let manifest = try manifest(version, store, project) else {
                throw unknown("verify", arguments: arguments, store: store, project: project)
            }
            ids = [manifest.id]
            for text in try store.verify(project, id: manifest.id) {
                Terminal.show("\(manifest.id): \(ForeignText.line(text))")
                problems += 1
            }
        } else {
            // Versions share most of their files: each is read once.
            let verified = try store.verify(project)
            ids = verified.versions
            let collectedIDs = try store.collected(project)
            for versionNumber in try store.versionNumbers(project) {
                guard let id = try store.id(project, versionNumber: versionNumber), collectedIDs.contains(id) else {
                    continue
                }
                collected.append((versionNumber, id))
            }
            for problem in verified.problems { showProblem(problem) }
            problems = verified.problems.count
        }
        guard !ids.isEmpty || problems > 0 || !collected.isEmpty else {
            throw EngineError(
                "verify \(project)",
                "no version of it is in the store \(store.objects.location)",
                remedy: remedy(arguments)
            )
        }
        // Each version is based on the one before: the newest contains every sample that an earlier version had in two
        // splits.
        if let newest = ids.last, problems == 0 { showOverlap(try store.overlap(project, id: newest), of: newest) }
        for (versionNumber, id) in collected {
            Terminal.show(
                "version \(versionNumber), \(id): collected, its files were removed by flywheel dataset gc"
            )
        }
        Terminal.show(
            problems == 0
                ? "\(counted(ids.count, "version is", "versions are")) intact"
                : "\(counted(problems, "problem", "problems")) in \(counted(ids.count, "version", "versions"))"
        )
        return problems == 0
    }

    /// Writes a version's labels as few plain files, and prints their location.
    static func pack(_ arguments: ParsedArguments) throws -> Bool {
        let (store, project) = try store(arguments)
        guard let manifest = try manifest(arguments.positional("version"), store, project) else {
            throw unknown("pack", arguments: arguments, store: store, project: project)
        }
        let (pack, name) = try store.pack(project, id: manifest.id)
        let records = pack.files.reduce(0) { $0.adding($1.records) }
        Terminal.show(
            "\(counted(records, "label", "labels")) of version \(manifest.versionNumber) in \(counted(pack.files.count, "file", "files")), listed in \(try store.objects.uri(of: name))"
        )
        return true
    }

    /// Returns the error for a version that is not in the store.
    private static func unknown(
        _ verb: String,
        arguments: ParsedArguments,
        store: DatasetStore,
        project: ProjectID
    ) -> EngineError {
        let version = arguments.positional("version").map { "version \(ForeignText.line($0, limit: 80))" }
        return EngineError(
            "\(verb) \(version ?? "the newest version") of \(ForeignText.line(project.rawValue, limit: 80))",
            "it is not in the store \(store.objects.location)",
            remedy: remedy(arguments)
        )
    }

    /// Returns the remedy if something is not in the store; it suggests `--store` only if that option was not given.
    private static func remedy(_ arguments: ParsedArguments) -> String {
        let list = "flywheel dataset log lists the versions of a project, and where they are"
        return arguments.string("store") == nil ? "name the store with --store; \(list)" : list
    }

    private static func showProblem(_ problem: VersionProblem) {
        let name = problem.version?.rawValue ?? "version \(problem.versionNumber ?? 0)"
        Terminal.show("\(name): \(ForeignText.line(problem.text, limit: 1_000))")
    }

    /// Reports contents and groups with labels of several splits; not a fault of the store: the labels are as given.
    private static func showOverlap(_ overlap: SplitOverlap, of id: DatasetVersionID) {
        guard !overlap.isEmpty else { return }
        let samples = overlap.samples.map { ForeignText.line($0, limit: 64) }.joined(separator: ", ")
        Terminal.show(
            "\(id): \(overlap.contents) contents and \(overlap.groups) groups have labels of several splits, among them samples \(samples): scores on them are too high"
        )
    }

    static func store(_ arguments: ParsedArguments) throws -> (DatasetStore, ProjectID) {
        // If --store names another store, only the connection to buckets is read from the file.
        let worker = try WorkerFile.parsed(arguments, for: .store)
        let location = WorkerFile.location(arguments.string("store") ?? worker.storePath)
        if case .folder(let path) = try StoreLocation(location), !FileManager.default.fileExists(atPath: path) {
            throw EngineError("open the store", "there is no folder \(path)", remedy: "name the store with --store")
        }
        return (
            DatasetStore(objects: try StoreLocation(location).open(worker.s3)),
            ProjectID(try arguments.requiredString("project"))
        )
    }

    private static func manifest(_ version: String?, _ store: DatasetStore, _ project: ProjectID) throws
        -> DatasetManifest?
    {
        guard let version else {
            return try store.versionNumbers(project).last.flatMap { try store.manifest(project, versionNumber: $0) }
        }
        guard let id = try id(version, store, project) else { return nil }
        guard try !store.isCollected(project, id) else {
            throw EngineError(
                "read version \(ForeignText.line(version, limit: 80))",
                "it was collected by flywheel dataset gc, and its files were removed",
                remedy: "choose a version that was kept; flywheel dataset verify lists those that were collected"
            )
        }
        return try store.manifest(project, id: id)
    }

    /// The id for a version number or an id on the command line; nil for a version number that was never stored.
    private static func id(_ version: String, _ store: DatasetStore, _ project: ProjectID) throws -> DatasetVersionID? {
        try Int(version).map { try store.id(project, versionNumber: $0) } ?? DatasetVersionID(version)
    }
}
