import Events
import Flywheel
import Foundation
import Hashing
import JSON
import Storage
import Tables
import Vocabulary

@testable import EngineCore
@testable import Loop

/// Decisions of one build on the golden journals: a folder named for the build.
///
/// - `WORLD.digests`: a line for each entry: its number, the digest of its decisions, that of the rows it changed, the
///   next deadline in milliseconds, and the codes of refusals; after every hundredth entry the digest of the chain.
/// - `WORLD.rows`: rows of `state` after the middle entry, a JSON value per line.
/// - `WORLD.snapshot`: the same data as a worker's snapshot, of some scenarios: it contains the rows once more. Sets of
///   builds up to 0.6.8 have one of each.
struct GoldenSet: Sendable, CustomStringConvertible {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Golden")
    /// Scenarios of which a set also has a snapshot; together they contain all kinds of tables.
    static let withSnapshot: Set = ["changes", "incumbents", "triggers"]
    /// The size limit of a set in bytes.
    static let maximumSize = 2 << 20
    /// The set of the running build.
    static let newest = GoldenSet(build: Build.version)

    let build: String
    var description: String { build }
    var folder: URL { Self.folder.appending(path: build) }

    /// The sets of all builds, by name.
    static var all: [GoldenSet] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return names.filter { $0 != "journals" }.sorted().map { GoldenSet(build: $0) }
    }

    /// The scenarios of the set, ascending.
    var scenarios: [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return names.filter { $0.hasSuffix(".digests") }.map { String($0.dropLast(8)) }.sorted()
    }

    /// Whether the set has a snapshot of a scenario.
    func hasSnapshot(_ scenario: String) -> Bool {
        FileManager.default.fileExists(atPath: file(scenario, "snapshot").path)
    }

    func file(_ scenario: String, _ kind: String) -> URL { folder.appending(path: "\(scenario).\(kind)") }

    func steps(_ scenario: String) throws -> [GoldenStep] {
        try String(contentsOf: file(scenario, "digests"), encoding: .utf8).split(separator: "\n").map {
            GoldenStep(line: String($0))
        }
    }

    /// The size of all files in bytes.
    var size: Int {
        get throws {
            try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: [.fileSizeKey])
                .reduce(0) { $0 + (try $1.resourceValues(forKeys: [.fileSizeKey]).fileSize ?? 0) }
        }
    }
}

/// The digests of one entry of a golden journal, as a line of text.
struct GoldenStep: Hashable, Sendable {
    let line: String

    init(line: String) { self.line = line }

    /// - Parameters:
    ///   - project: After the entry, its changes not committed.
    ///   - decisions: Of the entry.
    init(_ project: LoopProject, _ decisions: [EncodedDecision]) {
        let number = project.state.position.value.entryNumber
        var decided: [UInt8] = []
        for decision in decisions {
            decided += Array("\(decision.topic?.rawValue ?? "")\u{0}\(decision.id)\u{0}\(decision.key)\u{0}".utf8)
            decided += decision.value + [0]
        }
        var rows: [UInt8] = []
        for change in Dump.changes(of: project.state) {
            rows += Array("\(change.table)\u{0}\(change.key)\u{0}".utf8) + (change.value ?? []) + [0]
        }
        let deadline = project.state.nextDeadline.map { String($0.milliseconds) } ?? "-"
        var fields = ["\(number)", Self.digest(decided), Self.digest(rows), deadline]
        if number % 100 == 0 { fields.append("chain=\(project.chain.digest.hex)") }
        fields += decisions.compactMap { $0.refusal.map { "refused=\($0.code.rawValue)" } }
        line = fields.joined(separator: " ")
    }

    private static func digest(_ bytes: [UInt8]) -> String {
        bytes.isEmpty ? "-" : String(SHA256Digest(of: bytes).hex.prefix(16))
    }

    private var fields: [Substring] { line.split(separator: " ") }
    var decisions: Substring { fields[1] }
    var rows: Substring { fields[2] }
    var deadline: Substring { fields[3] }
    var refusals: [Substring] { fields.dropFirst(4).filter { $0.hasPrefix("refused=") } }

    /// Name of the first part that differs from another step, for messages; nil if the steps are equal.
    func difference(from other: GoldenStep) -> String? {
        guard line != other.line else { return nil }
        if decisions != other.decisions { return "decisions" }
        if rows != other.rows { return "changed rows" }
        return deadline == other.deadline ? "chain or refusals" : "next deadline"
    }
}

/// A golden journal: entries with the times at which they were appended, one JSON value per line. It is an input and
/// never changes.
enum GoldenJournal {
    static let folder = GoldenSet.folder.appending(path: "journals")

    static func file(_ scenario: String) -> URL { folder.appending(path: "\(scenario).jsonl") }

    static var scenarios: [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return names.filter { $0.hasSuffix(".jsonl") }.map { String($0.dropLast(6)) }.sorted()
    }

    static func read(_ scenario: String) throws -> [Appended] {
        let parser = JSONParser()
        return try Data(contentsOf: file(scenario)).split(separator: UInt8(ascii: "\n")).map { line in
            try Array(line).withUnsafeBytes { bytes in
                let object = try parser.parse(bytes).object()
                return Appended(
                    entry: try JournalEntry(json: object.required("entry")),
                    at: StreamTime(milliseconds: try object.int64("at"))
                )
            }
        }
    }

    /// The fourth revision of a project is written without the keys that later builds added, so that the meaning of a
    /// record without them is frozen, too.
    static func bytes(_ journal: [Appended]) -> [UInt8] {
        journal.flatMap { appended in
            var entry = String(decoding: appended.entry.jsonBytes, as: UTF8.self)
            if case .configured(let revision) = appended.entry.body, revision.revision == 4 {
                for member in [
                    #""batch":\{[^{}]*\{[^{}]*\}[^{}]*\},?"#, #""exploration_share":[0-9.]+,?"#,
                    #""temperature":[0-9.]+,?"#,
                    #""minimum_shadow":[0-9]+,?"#, #","trigger_share":[0-9.]+"#, #","ageing_by":[0-9.]+"#,
                ] {
                    entry = entry.replacingOccurrences(of: member, with: "", options: .regularExpression)
                }
                entry = entry.replacingOccurrences(of: ",}", with: "}")
            }
            return Array("{\"at\":\(appended.at.milliseconds),\"entry\":\(entry)}\n".utf8)
        }
    }
}

/// A golden journal as decided by this build, with the code of the worker and the replay.
struct GoldenRun {
    private(set) var project = LoopProject(project: ProjectID("pets"))
    private(set) var steps: [GoldenStep] = []
    private(set) var decisions: [EncodedDecision] = []
    /// The project after the middle entry.
    private(set) var middle: LoopProject?

    /// Applies a whole journal, commits each entry by itself, and keeps the project after `count` entries.
    init(_ journal: [Appended], middle count: Int? = nil) {
        for appended in journal {
            apply(appended)
            if steps.count == count { middle = project }
        }
    }

    /// Continues from a restored project.
    init(_ project: LoopProject, then journal: ArraySlice<Appended>) {
        self.project = project
        for appended in journal { apply(appended) }
    }

    private mutating func apply(_ appended: Appended) {
        let decided = project.apply(appended.entry, appendedAt: appended.at)
        steps.append(GoldenStep(project, decided))
        decisions += decided
        project.commit()
    }
}

/// Rows of `state` as a file with one row per line: key and value are separated by a tab, and neither contains control
/// characters.
enum GoldenRows {
    static func bytes(of project: LoopProject) -> [UInt8] {
        var lines: [UInt8] = []
        for row in project.changelogRows(as: "pets") {
            lines += row.key
            lines.append(UInt8(ascii: "\t"))
            lines += row.value
            lines.append(UInt8(ascii: "\n"))
        }
        return lines
    }

    /// Restores rows as a starting worker does.
    static func restore(_ file: URL) throws -> LoopProject {
        var restored = RestoredPartition()
        let parser = StateStore.makeParser()
        for line in try Data(contentsOf: file).split(separator: UInt8(ascii: "\n")) {
            let parts = line.split(separator: UInt8(ascii: "\t")).map { Array($0) }
            try parts[0].withUnsafeBytes { key in
                try parts[1].withUnsafeBytes { try StateStore.restoreRow(key, $0, parser, into: &restored) }
            }
        }
        return restored.projects["pets"] ?? LoopProject(project: ProjectID("pets"))
    }
}

/// The rows of a set in the format of the snapshot that a worker keeps on its disk.
enum GoldenSnapshot {
    private static let topic = "flywheel.state"

    /// Writes the snapshot of a project to a file.
    static func write(_ project: LoopProject, build: String, to file: URL) throws {
        let header = StateSnapshot.Header(
            topic: topic,
            partition: 0,
            stateOffset: Int64(project.rowCount),
            position: PartitionPosition(
                journalOffset: Int64(project.state.position.value.entryNumber),
                clusterID: "golden",
                build: build,
                history: "golden"
            ),
            writtenAt: project.state.position.value.time.milliseconds
        )
        try withTemporaryFolder { store, folder in
            try StateSnapshot(header: header, projects: ["pets": project]).write(to: store)
            let name = StateSnapshot.name(topic: topic, partition: 0)
            try? FileManager.default.removeItem(at: file)
            try FileManager.default.copyItem(at: folder.appending(path: name), to: file)
        }
    }

    /// Reads a snapshot as a worker does, with checks of header and checksum.
    static func restore(_ file: URL) throws -> LoopProject {
        try withTemporaryFolder { store, folder in
            let name = StateSnapshot.name(topic: topic, partition: 0)
            try FileManager.default.copyItem(at: file, to: folder.appending(path: name))
            var restored = RestoredPartition()
            let parser = StateStore.makeParser()
            _ = try StateSnapshot.read(store, topic: topic, partition: 0, check: { _ in }) { key, value in
                try StateStore.restoreRow(key, value, parser, into: &restored)
            }
            return restored.projects["pets"] ?? LoopProject(project: ProjectID("pets"))
        }
    }

    private static func withTemporaryFolder<R>(_ body: (FolderStore, URL) throws -> R) throws -> R {
        let folder = FileManager.default.temporaryDirectory.appending(path: "golden-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        return try body(FolderStore(root: folder.path), folder)
    }
}
