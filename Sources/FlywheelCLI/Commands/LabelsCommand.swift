import Arguments
import Events
import Flywheel
import Foundation
import Imports
import JSON
import KafkaTransport
internal import Kinds
import Processes
import Telemetry
import Vocabulary
internal import Worker

/// `flywheel labels`.
enum LabelsCommand {
    /// - Returns: Whether there were no faults, or faulty rows were to be left out.
    static func importLabels(_ arguments: ParsedArguments) throws -> Bool {
        let path = try arguments.requiredPositional("file")
        let project = try arguments.requiredString("project")
        let bytes = try InputFile.contents(of: path)
        let format = try ImportOptions.format(arguments, bytes, path)
        let file = ImportFile(bytes, format, try ImportOptions.labelFields(arguments), isLabelled: true)
        let source = try ImportOptions.source(arguments, path)
        let rate = try arguments.int("rate", in: 1...100_000) ?? 500
        let worker = try WorkerFile.connected(arguments)
        let transport = KafkaStreamTransport(properties: worker.kafka)
        let target = try ImportTarget(transport: transport, topics: worker.topics, project: project)
        let merge = try LabelMerge(
            file,
            target.configuration,
            state: target.state,
            source: source,
            isValidation: arguments.flag("validation"),
            renames: try ImportOptions.renames(arguments)
        )
        ImportOptions.showFaults(merge.faults)
        let split = arguments.flag("validation") ? "validation" : "training"
        var summary = "\(ImportOptions.count(merge.labels.count, "label")) for \(split) of source \(source)"
        if merge.known > 0 { summary += ", \(merge.known) known already" }
        if file.unlabelled > 0 { summary += ", \(ImportOptions.count(file.unlabelled, "row")) without a label" }
        if !merge.faults.isEmpty { summary += ", \(ImportOptions.count(merge.faults.count, "fault"))" }
        Terminal.show(ForeignText.line(summary, limit: 400))
        for (index, count) in merge.counts.enumerated() where count > 0 {
            Terminal.show(
                "  \(count)  \(ForeignText.line(target.configuration.question.classes[index], limit: 128))"
            )
        }
        guard ImportOptions.maySend(merge.faults, arguments) else { return false }
        guard !arguments.flag("dry-run") else {
            Terminal.show("nothing was sent (--dry-run)")
            return true
        }
        let records = merge.labels.map(\.record)
        let sender = RecordImport.labels(
            transport: transport,
            topics: worker.topics,
            project: project,
            progress: ImportOptions.progress(arguments, path)
        )
        try ImportOptions.send(records, by: sender, rate: rate)
        if !records.isEmpty {
            Terminal.show(
                "flywheel status shows the labels as they are accepted; flywheel dead-letters list shows those that are refused"
            )
        }
        return true
    }
}

/// Options shared by the commands that import files.
enum ImportOptions {
    static let fields: [OptionSpecification] = [
        .option("format", "FORMAT", help: "csv, jsonl, label-studio or ground-truth (default: detected from the file)"),
        .option("id", "NAME", help: "column or member with the sample's id", defaultValue: "id"),
        .option("uri", "NAME", help: "column or member with the content's URI", defaultValue: "uri"),
        .option("text", "NAME", help: "column or member with a text as content", defaultValue: "text"),
        .option(
            "group",
            "NAME",
            help: "column or member with the group; all samples of a group are on one side of the split",
            defaultValue: "group"
        ),
        .option(
            "embedding",
            "NAME",
            help: "column or member with the numbers of the embedding",
            defaultValue: "embedding"
        ),
        .repeated("metadata", "NAME", help: "column or member to copy to the sample's metadata"),
    ]

    static let sending: [OptionSpecification] = [
        .option(
            "progress",
            "FILE",
            help: "file that keeps the progress; empty for none (default: the file's name and .flywheel-progress)"
        ),
        .option("rate", "N", help: "maximum number of records per second", defaultValue: "500"),
        .flag("skip-faulty", help: "leave out faulty rows, and send the rest"),
        .flag("dry-run", help: "check everything, and send nothing"),
    ]

    /// Whether the correct records may be sent; otherwise prints the remedy.
    static func maySend(_ faults: [ImportFault], _ arguments: ParsedArguments) -> Bool {
        if faults.contains(where: \.endsFile) {
            let skips =
                arguments.flag("skip-faulty") ? " (--skip-faulty cannot tell which rows to leave out)" : ""
            Terminal.complain("nothing was sent: correct the file or the options\(skips)")
            return false
        }
        guard faults.isEmpty || arguments.flag("skip-faulty") else {
            Terminal.complain("nothing was sent: correct the file, or leave faulty rows out with --skip-faulty")
            return false
        }
        return true
    }

    static func fields(_ arguments: ParsedArguments) throws -> ImportFields {
        var fields = ImportFields()
        fields.id = arguments.string("id") ?? fields.id
        fields.uri = arguments.string("uri") ?? fields.uri
        fields.text = arguments.string("text") ?? fields.text
        fields.group = arguments.string("group") ?? fields.group
        fields.embedding = arguments.string("embedding") ?? fields.embedding
        fields.metadata = arguments.strings("metadata")
        fields.given = given([.id, .uri, .text, .group, .embedding], arguments)
        return fields
    }

    static func labelFields(_ arguments: ParsedArguments) throws -> ImportFields {
        var fields = try fields(arguments)
        fields.label = arguments.string("label") ?? fields.label
        fields.annotator = arguments.string("annotator") ?? fields.annotator
        fields.attribute = arguments.string("label-attribute")
        fields.given.formUnion(given([.label, .annotator], arguments))
        return fields
    }

    private static func given(
        _ options: Set<ImportFields.Option>,
        _ arguments: ParsedArguments
    ) -> Set<ImportFields.Option> {
        options.filter { arguments.isGiven($0.rawValue) }
    }

    /// A number and its noun, with a plural s unless the number is 1.
    static func count(_ number: Int, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }

    static func format(_ arguments: ParsedArguments, _ bytes: [UInt8], _ path: String) throws -> ImportFormat {
        guard let name = arguments.string("format") else { return ImportFile.format(of: bytes, name: path) }
        guard let format = ImportFormat(rawValue: name) else {
            let known = ImportFormat.allCases.map(\.rawValue).joined(separator: ", ")
            throw arguments.failure("--format: expected one of \(known), found \"\(name)\"")
        }
        return format
    }

    static func source(_ arguments: ParsedArguments, _ path: String) throws -> String {
        let name = arguments.string("source") ?? URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent
        guard (1...ImportOrigin.longestSource).contains(name.utf8.count), ForeignText.isPlain(name) else {
            throw arguments.failure(
                "--source: expected 1 to \(ImportOrigin.longestSource) bytes without control characters, \(found(name))"
            )
        }
        return name
    }

    static func renames(_ arguments: ParsedArguments) throws -> [String: String] {
        var renames: [String: String] = [:]
        for text in arguments.strings("rename") {
            let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, !parts[0].isEmpty, renames[String(parts[0])] == nil else {
                throw arguments.failure("--rename: expected OLD=NEW, each OLD once, found \"\(text)\"")
            }
            renames[String(parts[0])] = String(parts[1])
        }
        return renames
    }

    static func progress(_ arguments: ParsedArguments, _ path: String) -> String? {
        let given = arguments.string("progress") ?? "\(path).flywheel-progress"
        return given.isEmpty ? nil : given
    }

    /// Prints the faults, by line; at most the first hundred of them.
    static func showFaults(_ faults: [ImportFault]) {
        for fault in faults.prefix(100) { Terminal.complain(ForeignText.line("\(fault)", limit: 600)) }
        if faults.count > 100 { Terminal.complain("and \(faults.count - 100) more") }
    }

    /// Sends the records, and prints the progress. SIGINT and SIGTERM end it between two transactions; a second signal
    /// ends it at once.
    static func send(_ records: [RecordImport.Record], by sender: RecordImport, rate: Int) throws {
        var reported = 0
        let tell = { (sent: Int) in
            guard sent == records.count || sent - reported >= 5_000 else { return }
            reported = sent
            Terminal.show("\(sent) of \(records.count) sent")
        }
        let stop = StopFlag()
        let trap = SignalTrap { signal in
            if stop.isRaised { exit(128 + signal) }
            stop.raise()
        }
        defer { trap.cancel() }
        let before = try sender.send(records, rate: rate, isStopped: { stop.isRaised }, reportProgress: tell)
        if before == records.count, before > 0 { Terminal.show("all \(before) were sent already") }
    }
}
