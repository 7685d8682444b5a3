internal import Acquisition
import Arguments
import EngineCore
import Events
import Flywheel
import Foundation
import JSON
import KafkaClient
import KafkaTransport
internal import Kinds
internal import Loop
import Operations
import ProjectFiles
import StreamRuntime
import Telemetry
import Vocabulary
import Worker

/// `flywheel topics`.
enum TopicsCommand {
    static func create(_ arguments: ParsedArguments) throws -> Bool {
        let configuration = try WorkerFile.connected(arguments)
        let administration = try TopicAdministration(properties: configuration.kafka, topics: configuration.topics)
        defer { administration.close() }
        let created = try administration.create(
            .init(
                trafficPartitions: try arguments.int("traffic-partitions", in: 1...10_000) ?? 4,
                projectPartitions: try arguments.int("project-partitions", in: 1...10_000) ?? 4,
                replication: try arguments.int("replication", in: 1...100)
            )
        )
        for topic in created { Terminal.show("created \(topic)") }
        if created.isEmpty { Terminal.show("all topics exist") }
        return true
    }

    static func check(_ arguments: ParsedArguments) throws -> Bool {
        let configuration = try WorkerFile.connected(arguments)
        let administration = try TopicAdministration(properties: configuration.kafka, topics: configuration.topics)
        defer { administration.close() }
        let problems = try administration.check()
        for problem in problems { Terminal.show(problem) }
        if problems.contains(where: { $0.hasSuffix("_AUTHORIZATION_FAILED)") }) {
            Terminal.show(AccessRights.help(.operator, configuration.kafka))
        }
        if problems.isEmpty { Terminal.show("all topics are as required") }
        return problems.isEmpty
    }
}

extension TopicsCommand {
    /// Prints the rights of a party, as command lines of `kafka-acls.sh` or as JSON.
    static func acls(_ arguments: ParsedArguments) throws -> Bool {
        if arguments.flag("table") {
            Terminal.show(AccessRights.table)
            return true
        }
        let names = Party.allCases.map(\.rawValue).joined(separator: ", ")
        guard let name = arguments.string("role") else {
            throw arguments.failure("which role? give --role with one of \(names)")
        }
        guard let party = Party(rawValue: name) else {
            throw arguments.failure("--role: expected one of \(names), found \"\(name)\"")
        }
        guard let principal = arguments.string("principal"), !principal.isEmpty else {
            throw arguments.failure("which principal? give --principal with a name, as in User:\(name)")
        }
        let worker = try WorkerFile.parsed(arguments)
        let access = AccessRights(party, topics: worker.topics, group: arguments.string("group"))
        let full = principal.contains(":") ? principal : "User:\(principal)"
        if arguments.flag("json") {
            Terminal.show(json(access, principal: full))
        } else if access.rights.isEmpty {
            Terminal.show("# \(name) does not contact Kafka, and needs no rights")
        } else {
            let lines = access.commands(
                principal: full,
                bootstrap: worker.kafka["bootstrap.servers"] ?? "HOST:PORT",
                configuration: arguments.string("command-config") ?? "admin.properties"
            )
            for line in lines { Terminal.show(line) }
        }
        return true
    }

    private static func json(_ access: AccessRights, principal: String) -> String {
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("role", access.party.rawValue)
            writer.member("principal", principal)
            writer.array("rights") { writer in
                for right in access.rights {
                    writer.object { writer in
                        writer.member("operation", right.operation.rawValue)
                        writer.member("resource_type", right.kind.rawValue)
                        writer.member("pattern_type", right.isPrefix ? "prefixed" : "literal")
                        writer.member("name", right.name)
                    }
                }
            }
        }
        return writer.text
    }
}

/// `flywheel project`.
enum ProjectCommand {
    static func apply(_ arguments: ParsedArguments) throws -> Bool {
        let file = try arguments.requiredPositional("file")
        let outcome = try apply(file: file, try WorkerFile.connected(arguments))
        if arguments.flag("json") {
            Terminal.show(String(decoding: outcome.configuration.jsonBytes, as: UTF8.self))
        } else {
            Terminal.show(outcome.message)
            for change in outcome.changes { Terminal.show("  \(ForeignText.line(change))") }
            showConflicts(of: outcome.configuration)
            try warnOfKeysWithoutEffect(in: file)
            if outcome.beginsToRequireTokens {
                Terminal.show(
                    "note: tasks and requests that a build before 0.4.0 wrote carry no token; until they close, answers to them are refused (missing_token)"
                )
            }
            if outcome.lowersFormat {
                Terminal.show(
                    "note: datasets.format: once a version of format 2 was cut, or a label was changed, versions keep format 2: format 1 cannot represent changed labels"
                )
            }
            if let note = outcome.whenApplied { Terminal.show(note) }
        }
        return true
    }

    static func apply(file: String, _ worker: WorkerConfiguration) throws -> ProjectApply.Outcome {
        let proposed = try ProjectFile.read(InputFile.contents(of: file), file: file)
        let administration = try TopicAdministration(properties: worker.kafka, topics: worker.topics)
        defer { administration.close() }
        let transport = KafkaStreamTransport(properties: worker.kafka)
        return try ProjectApply(transport: transport, topics: worker.topics)
            .apply(proposed, partitions: try administration.projectPartitions())
    }

    static func list(_ arguments: ParsedArguments) throws -> Bool {
        let projects = try read(try WorkerFile.connected(arguments))
        if arguments.flag("json") {
            var writer = JSONWriter()
            writer.array { writer in for project in projects { writer.value(encoded: project.jsonBytes) } }
            Terminal.show(writer.text)
            return true
        }
        for project in projects {
            Terminal.show(
                "\(project.project)  revision \(project.revision)  partition \(project.partition)  \(project.question.classes.count) classes  \(project.acquisition.function.rawValue)"
            )
        }
        return true
    }

    /// Returns the project with a name.
    ///
    /// - Throws: `EngineError` if `projects` has no such project; `action` states what the project is required for.
    @discardableResult
    static func require(_ name: String, to action: String, _ worker: WorkerConfiguration) throws -> ProjectConfiguration
    {
        guard let project = try read(worker).first(where: { $0.project.rawValue.utf8.elementsEqual(name.utf8) }) else {
            throw EngineError(
                action,
                "there is no project \"\(ForeignText.line(name, limit: 80))\"",
                remedy: "see flywheel project list"
            )
        }
        return project
    }

    static func show(_ arguments: ParsedArguments) throws -> Bool {
        let name = try arguments.requiredPositional("name")
        let project = try require(name, to: "show a project", try WorkerFile.connected(arguments))
        Terminal.show(String(decoding: project.jsonBytes, as: UTF8.self))
        // Programs read the record, so the notes go to standard error.
        let rounded = (project.candidatesPerHour * 10).rounded() / 10
        let pace = rounded == rounded.rounded() && rounded < 1e15 ? "\(Int(rounded))" : "\(rounded)"
        Terminal.complain(
            "note: a window holds \(project.tasksPerWindow) tasks; once a pool is full Intake forwards about \(pace) candidates an hour (votes_per_window × oversample ÷ window)"
        )
        for conflict in project.settingConflicts { Terminal.complain(conflict.note) }
        return true
    }

    static func showConflicts(of project: ProjectConfiguration) {
        for conflict in project.settingConflicts { Terminal.show(conflict.note) }
    }

    static func warnOfKeysWithoutEffect(in file: String) throws {
        for (key, replacement) in ProjectFile.keysWithoutEffect(try InputFile.contents(of: file), file: file) {
            Terminal.show("warning: \(key): \(replacement)")
        }
    }

    static func resume(_ arguments: ParsedArguments) throws -> Bool {
        let name = try arguments.requiredPositional("name")
        let worker = try WorkerFile.connected(arguments)
        let resume = ProjectResume(
            transport: KafkaStreamTransport(properties: worker.kafka),
            topics: worker.topics
        )
        let pause = try resume.send(
            name,
            by: arguments.string("by") ?? NSUserName(),
            reason: arguments.string("reason") ?? ""
        )
        Terminal.show("\(ForeignText.line(name)) will resume from journal offset \(pause.next); see flywheel status")
        return true
    }

    /// Maximum number of faulty records of `projects` that a command lists.
    private static let faultLimit = 10

    static func read(_ worker: WorkerConfiguration) throws -> [ProjectConfiguration] {
        let directory = try ProjectDirectory(
            transport: KafkaStreamTransport(properties: worker.kafka),
            topics: worker.topics
        )
        defer { directory.close() }
        try directory.readToEnd(stable: true)
        if try directory.isHeldBack() { Terminal.complain(openTransaction(on: worker.topics[.projects])) }
        let faults = directory.faults
        // The newest, which as a rule are those that somebody is about to mend.
        for fault in faults.suffix(faultLimit) {
            Terminal.complain("warning: not applied: \(ForeignText.line(fault.text, limit: 4_096))")
        }
        if faults.count > faultLimit {
            Terminal.complain("warning: \(faults.count - faultLimit) more records of projects are not applied")
        }
        return directory.projects.values.sorted { $0.project < $1.project }
    }
}

/// Returns the note of a command that reads no further than the beginning of an open transaction.
func openTransaction(on topic: String) -> String {
    "note: a transaction is open on \(topic): records written since it began are not shown (kafka-transactions.sh find-hanging)"
}

extension SettingConflict {
    var note: String { "note: \(keys.joined(separator: ", ")): \(text)" }
}

extension ProjectApply.Outcome {
    var message: String {
        let name = configuration.project
        return switch self {
        case .unchanged(let known): "\(name) is unchanged at revision \(known.revision)"
        case .created(let new): "\(name) is new: revision 1, partition \(new.partition)"
        case .revised(let new, _): "\(name) is now at revision \(new.revision)"
        case .rewritten(let new, let fault):
            "\(name) is now at revision \(new.revision), with the settings that were in force: its newest record could not be applied (\(ForeignText.line(fault.text, limit: 1_000)))"
        }
    }

    /// Describes when the loop follows the change, and with it the output of `flywheel status`; nil if nothing is new.
    var whenApplied: String? {
        switch self {
        case .unchanged: nil
        case .created: "flywheel status shows the project once its first record has arrived"
        case .revised, .rewritten:
            "the loop applies the revision with the project's next record: until then flywheel status shows the previous settings, the budget among them"
        }
    }

    /// Whether answers without a token counted before.
    var beginsToRequireTokens: Bool {
        guard case .revised(let new, let old) = self else { return false }
        return new.requiresTokens && !old.requiresTokens
    }

    /// The settings that a revision changes.
    var changes: [String] {
        guard case .revised(let new, let old) = self else { return [] }
        let (before, after) = (Self.flattened(old), Self.flattened(new))
        // The reference describes the meaning of a key that one of the two lacks.
        let changed = after.compactMap { entry -> String? in
            let oldValue = before.first { $0.key == entry.key }?.value ?? "not given"
            return oldValue == entry.value || entry.key == "revision"
                ? nil : "\(entry.key): \(oldValue) -> \(entry.value)"
        }
        let removed = before.filter { entry in !after.contains { $0.key == entry.key } }
        return changed + removed.map { "\($0.key): \($0.value) -> not given" }
    }

    private static func flattened(_ configuration: ProjectConfiguration) -> [(key: String, value: String)] {
        var rows: [(key: String, value: String)] = []
        try? JSONParser().withDocument(of: configuration.jsonBytes) { json in
            for member in try json.object() {
                guard let section = member.value.objectView else {
                    rows.append((member.name, text(member.value)))
                    continue
                }
                for inner in section { rows.append(("\(member.name).\(inner.name)", text(inner.value))) }
            }
        }
        return rows
    }

    private static func text(_ value: JSONValue) -> String {
        var writer = JSONWriter()
        writer.value(value)
        return writer.text
    }
}

/// `flywheel config`.
enum ConfigCommand {
    static func check(_ arguments: ParsedArguments) throws -> Bool {
        let file = try arguments.requiredPositional("file")
        let bytes = try InputFile.contents(of: file)
        if ProjectFile.isProject(bytes, file: file) {
            let project = try ProjectFile.read(bytes, file: file)
            Terminal.show("\(file): project \(project.project) is valid")
            for label in project.question.classes {
                guard let fault = ProjectApply.fault(ofClass: label) else { continue }
                Terminal.show(
                    "note: classes: \(fault.reason): project apply refuses it unless the project has it already"
                )
            }
            if let fault = ProjectApply.fault(ofWindow: project) {
                Terminal.show("note: \(fault.reason): project apply refuses it unless the project has it already")
            }
            if let reason = project.sizeFault(isNew: true) {
                Terminal.show("note: \(reason): project apply refuses it")
            }
            ProjectCommand.showConflicts(of: project)
            try ProjectCommand.warnOfKeysWithoutEffect(in: file)
        } else {
            let worker = try WorkerFile.read(file, for: .worker)
            try WorkerCheck.require(worker)
            Terminal.show("\(file): a valid worker file, roles \(worker.roles.map(\.rawValue).joined(separator: ", "))")
            let environment = ProcessInfo.processInfo.environment["FLYWHEEL_SALT"] ?? ""
            if worker.salt.isEmpty, !environment.isEmpty {
                Terminal.show("note: no salt in the file: FLYWHEEL_SALT is used where it is set")
            } else if worker.salt.isEmpty {
                Terminal.show("note: no salt: anybody who knows the samples' ids can compute which are audited")
            }
            if !worker.tokens.isSecret, environment.isEmpty {
                Terminal.show("note: neither salt nor tokens.secret: anybody can compute tokens of tasks and requests")
            }
        }
        return true
    }

    static func reference(_ arguments: ParsedArguments) throws -> Bool {
        if arguments.flag("worker") {
            Terminal.show(try WorkerFile.reference())
            return true
        }
        Terminal.show(arguments.flag("schema") ? ConfigurationReference.schema : ConfigurationReference.page)
        return true
    }
}
