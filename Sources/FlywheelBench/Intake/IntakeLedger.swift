import EngineCore
import Events
import Flywheel
import Foundation
import JSON
import StreamRuntime
import Vocabulary

/// Records sent to Intake, and the output that must follow from them.
struct IntakeLedger: Equatable, Sendable {
    /// Number of valid predictions, by project, model version and role.
    var predictions: [String: Int] = [:]
    /// Number of these predictions that belong to the audit sample.
    var audits = 0
    /// Number of records that are not valid predictions.
    var bad = 0

    var events: Int { predictions.values.reduce(0, +) + bad }

    func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("audits", audits)
            writer.member("bad", bad)
            writer.object("predictions") { writer in
                for (name, count) in predictions.sorted(by: { $0.key < $1.key }) {
                    writer.key(named: name)
                    writer.value(count)
                }
            }
        }
    }

    init() {}

    init(json: JSONValue) throws {
        let object = try json.object()
        audits = try object.int("audits")
        bad = try object.int("bad")
        for member in try object.object("predictions") { predictions[member.name] = try member.value.int() }
    }

    /// Reads the output of a run of Intake.
    ///
    /// - Returns: The ledger of the output: predictions tallied, forwarded for the audit sample, and refused; and the
    ///   total number of journal entries of candidates.
    static func readOutput(_ transport: any StreamTransport, _ topics: TopicNames) throws -> (
        IntakeLedger, forwarded: Int
    ) {
        var ledger = IntakeLedger()
        let parser = JSONParser()
        try scan(transport, topics[.tallies]) { record, _ in
            let object = try parser.parse(record.value).object()
            let version = try object.optionalString("model_version") ?? ""
            let name = "\(try object.string("project"))/\(version)/\(try object.optionalString("role") ?? "")"
            ledger.predictions[name, default: 0] += try object.int("predictions")
        }
        var forwarded = 0
        try scan(transport, topics[.journal]) { record, _ in
            guard case .candidate(let candidate) = try JournalEntry(json: parser.parse(record.value)).body else {
                return
            }
            forwarded += 1
            if candidate.auditProbability != nil { ledger.audits += 1 }
        }
        try scan(transport, topics[.deadLetters]) { _, headers in
            ledger.bad += 1
            for header in headers() where header.name == DeadLetterRecord.leftOutHeader {
                ledger.bad += Int(String(decoding: header.value ?? [], as: UTF8.self)) ?? 0
            }
        }
        return (ledger, forwarded)
    }

    private static func scan(
        _ transport: any StreamTransport,
        _ topic: String,
        _ body: (RecordView, () -> [RecordHeader]) throws -> Void
    ) throws {
        let scan = try TopicScan(transport: transport, topic: topic)
        defer { scan.close() }
        for partition in try scan.partitions() {
            try scan.forEach(partition) { record, batch, index in try body(record) { batch.headers(at: index) } }
        }
    }

    /// Describes the first difference from the records sent, in words; nil if there is none.
    func difference(from sent: IntakeLedger) -> String? {
        if bad != sent.bad { return "\(sent.bad) bad records were sent, \(bad) are dead letters" }
        if audits != sent.audits {
            return "\(sent.audits) samples belong to the audit sample, \(audits) were forwarded"
        }
        for (name, count) in sent.predictions where predictions[name] != count {
            return "\(count) predictions of \(name) were sent, \(predictions[name] ?? 0) were tallied"
        }
        if let extra = predictions.keys.first(where: { sent.predictions[$0] == nil }) {
            return "predictions of \(extra) were tallied, none were sent"
        }
        return nil
    }
}
