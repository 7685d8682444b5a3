public import Events
internal import Flywheel
internal import Hashing
internal import JSON
public import StreamRuntime
internal import Tables
internal import Vocabulary

/// Decides a journal again and compares with what stands on the topics.
public struct Replay {
    /// How one project's replay came out.
    public struct Report: Hashable, Sendable {
        public let project: String
        /// Entries applied again.
        public var entries: UInt64 = 0
        /// Decisions that followed from them.
        public var decisions = 0
        /// Decisions found on the topics and equal byte for byte.
        public var compared = 0
        /// Decisions no longer on their topic, compacted or expired; the chain digests of the ticks vouch for them.
        public var compacted = 0
        /// Ticks whose digest was compared.
        public var ticksChecked = 0
        /// The digest after the last entry, in hexadecimal.
        public var chain = ""
        /// Set of a project that is paused: what follows its last applied entry is not replayed either.
        public var pause: ProjectPause?
        /// The first thing that differs; nil when all is equal.
        public var firstDifference: String?

        /// Whether nothing differs; also true of a journal without entries.
        public var isEqual: Bool { firstDifference == nil }
    }

    private struct Expected {
        let topic: Topic
        let key: String
        let value: [UInt8]
        let entryNumber: UInt64
        let order: Int
    }

    private let transport: any StreamTransport
    private let topics: TopicNames

    /// Kept for thirty days.
    private static let expiring: [Topic] = [.trainingRequests, .notices]

    static let decisionTopics: [Topic] = [
        .labelingTasks, .datasetLog, .trainingRequests, .modelReleases, .notices,
    ]

    public init(transport: any StreamTransport, topics: TopicNames) {
        self.transport = transport
        self.topics = topics
    }

    /// Replays a project from the first entry of its journal.
    ///
    /// - Parameters:
    ///   - name: The project, which need not be configured any more.
    ///   - partition: The project's.
    /// - Returns: What was replayed and compared, with the first difference if there is one.
    /// - Throws: When a topic cannot be read; a difference is no error.
    /// - Complexity: O(entries); memory O(decisions).
    public func verify(project name: String, partition: Int32) throws -> Report {
        var report = Report(project: name)
        var expected: [String: Expected] = [:]
        // Of each entry, the first one's first.
        var chains: [SHA256Digest] = []
        var project = LoopProject(project: ProjectID(name))
        let parser = JSONParser(maximumDepth: 64, maximumSize: 16 << 20)
        report.pause = try PauseView(transport: transport, topics: topics).pause(of: name, partition: partition)
        let end = report.pause?.next ?? .max
        let scan = try TopicScan(transport: transport, topic: topics[.journal])
        defer { scan.close() }
        try scan.forEach(partition) { record, _, _ in
            guard record.offset < end, record.key.elementsEqual(name.utf8),
                let entry = try? JournalEntry(json: parser.parse(record.value))
            else { return }
            if case .tick(let mark) = entry.body, report.firstDifference == nil {
                report.ticksChecked += 1
                let known = mark.entryNumber > 0 && mark.entryNumber <= UInt64(chains.count)
                if known, chains[Int(mark.entryNumber) - 1].hex != mark.digest {
                    report.firstDifference =
                        "the decisions up to entry \(mark.entryNumber) differ: the journal's tick at offset \(record.offset) says \(mark.digest), replay gives \(chains[Int(mark.entryNumber) - 1])"
                }
            }
            let decisions = project.apply(entry, appendedAt: StreamTime(milliseconds: record.timestamp))
            project.commit()
            let number = project.state.position.value.entryNumber
            chains.append(project.chain.digest)
            for decision in decisions {
                report.decisions += 1
                guard let topic = decision.topic, topic != .deadLetters else { continue }
                expected[decision.id] = Expected(
                    topic: topic,
                    key: decision.key,
                    value: decision.value,
                    entryNumber: number,
                    order: report.decisions
                )
            }
        }
        report.entries = project.state.position.value.entryNumber
        report.chain = project.chain.digest.hex
        try compare(name, partition, expected, appliedUpTo: report.entries, &report)
        return report
    }

    /// Compares with the topics. Of several differences the one of the earliest entry is named.
    private func compare(
        _ name: String,
        _ partition: Int32,
        _ expected: [String: Expected],
        appliedUpTo last: UInt64,
        _ report: inout Report
    ) throws {
        var seen = Set<String>()
        var newest: [String: Int] = [:]
        var differences: [(order: Int, text: String)] = []
        // What expires does so from the front: nothing is excused behind the oldest decision that is still there.
        var oldest: [Topic: Int] = [:]
        for topic in Self.decisionTopics {
            let scan = try TopicScan(transport: transport, topic: topics[topic])
            defer { scan.close() }
            if Self.expiring.contains(topic), try scan.firstOffset(partition) > 0 { oldest[topic] = .max }
            try scan.forEach(partition) { record, batch, index in
                guard record.value.baseAddress != nil, let id = Self.decisionID(batch.headers(at: index)),
                    Self.belongs(id, to: name)
                else { return }
                guard let decision = expected[id] else {
                    if Self.entryNumber(id) <= last {
                        let order = Int(clamping: Self.entryNumber(id)) * 1_000
                        differences.append(
                            (order, "decision \(id) on \(topic.rawValue) does not follow from the journal")
                        )
                    }
                    return
                }
                seen.insert(id)
                if let known = oldest[topic] { oldest[topic] = min(known, decision.order) }
                newest["\(topic.rawValue)/\(decision.key)"] = max(
                    newest["\(topic.rawValue)/\(decision.key)"] ?? 0,
                    decision.order
                )
                if decision.topic == topic, decision.value.elementsEqual(record.value) {
                    report.compared += 1
                } else {
                    differences.append(
                        (
                            Int(clamping: decision.entryNumber) * 1_000,
                            "decision \(id) (entry \(decision.entryNumber)) on \(topic.rawValue) differs: stored \(Self.excerpt(Array(record.value), decision.value)), replay gives \(Self.excerpt(decision.value, Array(record.value)))"
                        )
                    )
                }
            }
        }
        for (id, decision) in expected where !seen.contains(id) {
            let isCompacted =
                [.labelingTasks, .modelReleases].contains(decision.topic)
                && (newest["\(decision.topic.rawValue)/\(decision.key)"] ?? 0) > decision.order
            if isCompacted || decision.order < oldest[decision.topic] ?? 0 {
                report.compacted += 1
            } else {
                differences.append(
                    (
                        Int(clamping: decision.entryNumber) * 1_000 + 1,
                        "decision \(id) (entry \(decision.entryNumber)) is missing on \(decision.topic.rawValue)"
                    )
                )
            }
        }
        let first = differences.min { ($0.order, $0.text) < ($1.order, $1.text) }
        if let first { report.firstDifference = first.text }
    }

    private static func decisionID(_ headers: [RecordHeader]) -> String? {
        for header in headers where header.name == "ce_id" {
            return header.value.map { String(decoding: $0, as: UTF8.self) }
        }
        return nil
    }

    /// Ids are `project-entry-ordinal`; a project's name may hold dashes itself.
    private static func belongs(_ id: String, to project: String) -> Bool {
        guard id.hasPrefix(project + "-") else { return false }
        let rest = id.dropFirst(project.count + 1).split(separator: "-", omittingEmptySubsequences: false)
        return rest.count == 2 && rest.allSatisfy { UInt64($0) != nil }
    }

    private static func entryNumber(_ id: String) -> UInt64 {
        let parts = id.split(separator: "-")
        return parts.count >= 2 ? UInt64(parts[parts.count - 2]) ?? 0 : 0
    }

    /// The surroundings of the first byte that differs.
    private static func excerpt(_ bytes: [UInt8], _ other: [UInt8]) -> String {
        var position = 0
        while position < bytes.count, position < other.count, bytes[position] == other[position] { position += 1 }
        let slice = bytes[max(0, position - 30)..<min(bytes.count, position + 50)]
        return "…\(String(decoding: slice, as: UTF8.self))…"
    }
}
