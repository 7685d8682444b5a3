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
