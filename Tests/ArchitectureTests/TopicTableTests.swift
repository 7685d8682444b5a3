import Events
import Testing

@Suite struct TopicTableTests {
    /// The rows of the table whose header begins with the given cells, without header and rule.
    static func table(_ header: [String]) throws -> [[String]] {
        let lines = try Repository.text("docs/reference/events.md").split(
            separator: "\n",
            omittingEmptySubsequences: false
        )
        let rows = lines.map { line in
            line.hasPrefix("|")
                ? line.dropFirst().split(separator: "|", omittingEmptySubsequences: false).map { $0.trimmed } : []
        }
        guard let start = rows.firstIndex(where: { $0.starts(with: header) }) else { return [] }
        return Array(rows[(start + 2)...].prefix { !$0.isEmpty })
    }

    /// Texts between backquotes, in order.
    static func quoted(_ text: String) -> [String] {
        text.split(separator: "`", omittingEmptySubsequences: false).enumerated().filter { $0.offset % 2 == 1 }
            .map { String($0.element) }
    }

    @Test("The reference lists every topic once, in the order of the catalogue, with its schema")
    func names() throws {
        let rows = try Self.table(["Topic", "Key", "Written by", "Read by", "Value"])
        #expect(rows.compactMap { Self.quoted($0[0]).first } == Topic.allCases.map(\.rawValue))
        for row in rows {
            let link = row[4].split(separator: "(").last?.split(separator: ")").first.map { String($0) } ?? ""
            #expect(link.hasPrefix("../../schemas/"), "\(row[0]) links \(link)")
            #expect(throws: Never.self) { try Repository.text(String(link.dropFirst("../../".count))) }
        }
    }

    @Test("The reference describes the creation of each topic as the catalogue performs it", arguments: Topic.allCases)
    func creation(topic: Topic) throws {
        let rows = try Self.table(["Topic", "Partitions", "Cleanup", "Kept", "Also"])
        let matching = rows.filter { Self.quoted($0[0]).contains(topic.rawValue) }
        #expect(matching.count == 1, "\(topic.rawValue) stands in \(matching.count) rows")
        guard let row = matching.first else { return }
        var properties = Dictionary(uniqueKeysWithValues: topic.configuration.map { ($0.name, $0.value) })

        let partitions =
            switch topic.partitioning {
            case .traffic: "as traffic needs"
            case .project: topic == .journal ? "as configured" : "as `journal`"
            case .single: "1"
            }
        #expect(row[1] == partitions)
        #expect(row[2] == properties.removeValue(forKey: "cleanup.policy"))

        let retention = properties.removeValue(forKey: "retention.ms")
        let kept: String =
            switch retention.flatMap({ Int64($0) }) {
            case nil: "latest of a key"
            case -1: "for ever"
            case let milliseconds?: "\(milliseconds / 86_400_000) days"
            }
        #expect(row[3] == kept)
        // Every further property is named by its Kafka name or, for the retention of tombstones, in words.
        for (name, value) in properties {
            switch name {
            case "delete.retention.ms": #expect(row[4].contains("tombstones \((Int64(value) ?? 0) / 86_400_000) days"))
            case "min.compaction.lag.ms":
                #expect(row[4].contains("`\(name)` of \((Int64(value) ?? 0) / 86_400_000) days"))
            default: #expect(row[4].contains("`\(name)=\(value)`"))
            }
        }
        if properties.isEmpty { #expect(row[4].isEmpty) }
    }
}

extension Substring {
    fileprivate var trimmed: String {
        var text = self
        while text.first == " " { text.removeFirst() }
        while text.last == " " { text.removeLast() }
        return String(text)
    }
}
