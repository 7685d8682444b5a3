import Arguments
import EngineCore
import Events
import Flywheel
import Foundation
import Intake
import JSON
internal import Kinds
import ProjectFiles
import Telemetry
import Vocabulary

/// `flywheel check`.
enum CheckCommand {
    private static let topics: [String: Topic] = [
        "prediction": .predictions, "feedback": .feedback, "annotation": .annotations,
        "training-result": .trainingResults, "import": .imports,
    ]

    /// - Returns: Whether every record would be accepted.
    static func run(_ arguments: ParsedArguments) throws -> Bool {
        let kind = try arguments.requiredPositional("kind")
        guard let topic = topics[kind] else {
            let known = topics.keys.sorted().joined(separator: ", ")
            throw arguments.failure("kind: expected one of \(known), found '\(kind)'")
        }
        let classes = try arguments.int("initial-classes", in: 2...10_000)
        var projects: [ProjectConfiguration] = []
        for file in arguments.strings("project") {
            let project = try ProjectFile.read(InputFile.contents(of: file), file: file)
            guard !projects.contains(where: { $0.project == project.project }) else {
                throw arguments.failure("project \(project.project) is in two files")
            }
            let initial = min(classes ?? .max, project.question.extent)
            projects.append(project.numbered(revision: 1, partition: 0, initialClasses: initial))
        }
        let file = try arguments.requiredPositional("file")
        let handle = try InputFile.open(file)
        defer { if file != "-" { try? handle.close() } }
        var report = CheckReport(isJSON: arguments.flag("json"), isQuiet: arguments.flag("quiet"))
        let door = try DoorCheck(projects)
        var lines = LineReader(handle, limit: DoorCheck.recordLimit + 1)
        while let line = try lines.next() {
            let isBlank = line.bytes.allSatisfy { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }
            if isBlank, line.size == line.bytes.count {
                report.skipEmptyLine()
            } else if line.size > DoorCheck.recordLimit {
                report.add(DoorCheck.verdict(ofSize: line.size))
            } else {
                report.add(line.bytes.withUnsafeBytes { door.check($0, on: topic) })
            }
        }
        report.end()
        return report.refused.isEmpty
    }
}

/// Prints the verdicts as they arrive, and their totals.
private struct CheckReport {
    let isJSON: Bool
    let isQuiet: Bool
    private var line = 0
    private var empty = 0
    private var accepted = 0
    private var remarked = 0
    /// Number of refused records, by reason code.
    private(set) var refused: [String: Int] = [:]

    init(isJSON: Bool, isQuiet: Bool) {
        self.isJSON = isJSON
        self.isQuiet = isQuiet
    }

    /// Skips an empty line, which is not a record.
    mutating func skipEmptyLine() {
        line += 1
        empty += 1
    }

    mutating func add(_ verdict: DoorCheck.Verdict) {
        line += 1
        switch verdict {
        case .taken(let remarks):
            accepted += 1
            if !remarks.all.isEmpty { remarked += 1 }
            guard !isQuiet || !remarks.all.isEmpty else { return }
            if isJSON { return showJSON("ok", nil, remarks) }
            let texts = remarks.all.map { " (\($0))" }.joined()
            Terminal.show(ForeignText.line("\(line): ok\(texts)", limit: RecordLimits.reason))
        case .refused(let rejection):
            refused[rejection.code.rawValue, default: 0] += 1
            if isJSON { return showJSON("refused", rejection, Remarks()) }
            Terminal.show(ForeignText.line("\(line): refused \(rejection)", limit: RecordLimits.reason))
        }
    }

    private func showJSON(_ verdict: String, _ rejection: RecordRejection?, _ remarks: Remarks) {
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("line", line)
            writer.member("verdict", verdict)
            writer.member("code", ifPresent: rejection?.code.rawValue)
            writer.member("text", ifPresent: rejection?.text)
            guard !remarks.all.isEmpty else { return }
            writer.array("remarks") { writer in
                for remark in remarks.all {
                    writer.object { writer in
                        writer.member("member", remark.member)
                        writer.member("text", remark.text)
                    }
                }
            }
        }
        Terminal.show(writer.text)
    }

    func end() {
        let total = refused.values.reduce(0, +)
        let codes = refused.keys.sorted()
        guard isJSON else {
            let reasons = codes.map { "\($0) \(refused[$0] ?? 0)" }.joined(separator: ", ")
            Terminal.show(
                "\(counted(accepted + total, "record", "records")): \(accepted) would be accepted, \(remarked) of them with remarks; \(total) refused"
                    + (total > 0 ? " (\(reasons))" : "")
                    + (empty > 0 ? "; \(counted(empty, "empty line", "empty lines")) skipped" : "")
            )
            return
        }
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("records", accepted + total)
            writer.member("taken", accepted)
            writer.member("remarked", remarked)
            writer.member("empty_lines", empty)
            writer.object("refused") { writer in
                for code in codes {
                    writer.key(named: code)
                    writer.value(refused[code] ?? 0)
                }
            }
        }
        Terminal.show(writer.text)
    }
}
