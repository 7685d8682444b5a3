import Arguments
import EngineCore
import Events
import Foundation
import JSON
import KafkaTransport
import Operations
import StreamRuntime
import Telemetry
import Vocabulary
import Worker

/// `flywheel dataset revise`, `retract` and `move`.
enum LabelChangeCommand {
    static func revise(_ arguments: ParsedArguments) throws -> Bool {
        let name = try arguments.requiredString("to")
        guard (1...LabelSchema.longestName).contains(name.utf8.count) else {
            throw arguments.failure("--to: expected a class of 1 to \(LabelSchema.longestName) bytes, \(found(name))")
        }
        let sample = try sample(arguments)
        return try send(
            .revise(sample, className: name),
            of: sample,
            newState: "is \(ForeignText.line(name))",
            arguments: arguments
        )
    }

    static func retract(_ arguments: ParsedArguments) throws -> Bool {
        let sample = try sample(arguments)
        return try send(.retract(sample), of: sample, newState: "is retracted", arguments: arguments)
    }

    static func move(_ arguments: ParsedArguments) throws -> Bool {
        let name = try arguments.requiredString("to")
        guard let split = Split(rawValue: name) else {
            throw arguments.failure("--to: expected training, validation or test, \(found(name))")
        }
        let sample = try sample(arguments)
        return try send(.move(sample, to: split), of: sample, newState: "belongs to \(name)", arguments: arguments)
    }

    /// `flywheel dataset log --changes`: the changes as they are in the dataset log.
    static func log(_ arguments: ParsedArguments) throws -> Bool {
        let worker = try WorkerFile.connected(arguments)
        let name = try arguments.requiredString("project")
        let scan = try TopicScan(
            transport: KafkaStreamTransport(properties: worker.kafka),
            topic: worker.topics[.datasetLog]
        )
        defer { scan.close() }
        let ends = try scan.settledEnds(scan.partitions())
        if ends.values.contains(where: \.isHeldBack) {
            Terminal.complain(openTransaction(on: worker.topics[.datasetLog]))
        }
        let parser = JSONParser(maximumDepth: 64, maximumSize: 16 << 20)
        var isFound = false
        var unreadable = 0
        for (partition, end) in ends.sorted(by: { $0.key < $1.key }) {
            try scan.forEach(partition, until: end.offset) { record, _, _ in
                guard let json = try? parser.parse(record.value), (try? json.object().string("project")) == name else {
                    return
                }
                guard let fact = try? DatasetLogRecord(json: json) else {
                    unreadable += 1
                    if unreadable == 1 {
                        Terminal.complain(
                            "the record at \(partition)/\(record.offset) cannot be read: a newer build or another program wrote it; its change is not listed here"
                        )
                    }
                    return
                }
                guard case .changed(let change, let to, let from) = fact else { return }
                isFound = true
                let description = DatasetLabel.Change(change, to, from)
                Terminal.show(
                    arguments.flag("json")
                        ? String(decoding: record.value, as: UTF8.self)
                        : "\(description.sequence)  \(RFC3339.text(milliseconds: description.at.milliseconds))  \(ForeignText.line(change.sample.rawValue))  \(ForeignText.line(description.text))  by \(ForeignText.line(description.by)): \(ForeignText.line(description.reason, limit: 1_100))"
                )
            }
        }
        guard unreadable == 0 else {
            Terminal.complain("\(unreadable) records of \(name) cannot be read")
            return false
        }
        guard !isFound else { return true }
        try ProjectCommand.require(name, to: "list changes of labels", worker)
        if !arguments.flag("json") { Terminal.show("no label of \(name) was changed") }
        return true
    }

    private static func sample(_ arguments: ParsedArguments) throws -> SampleID {
        let name = try arguments.requiredPositional("sample")
        guard let sample = SampleID(checking: name), ForeignText.isPlain(name) else {
            throw arguments.failure("SAMPLE: expected 1 to 256 bytes without control characters, \(found(name))")
        }
        return sample
    }

    private static func send(
        _ action: Command.Action,
        of sample: SampleID,
        newState: String,
        arguments: ParsedArguments
    ) throws -> Bool {
        let name = try arguments.requiredString("project")
        let reason = try arguments.requiredString("reason")
        let worker = try WorkerFile.connected(arguments)
        let correction = LabelCorrection(
            transport: KafkaStreamTransport(properties: worker.kafka),
            topics: worker.topics
        )
        let outcome = try correction.send(
            action,
            project: name,
            by: arguments.string("by") ?? NSUserName(),
            reason: reason
        )
        let label = "the label of \(ForeignText.line(sample.rawValue))"
        switch outcome {
        case .done:
            Terminal.show("\(label) \(newState), from the next version on")
            return true
        case .unchanged:
            Terminal.show("\(label) \(newState) already")
            return true
        case .waiting:
            Terminal.complain(
                "sent, but no worker has carried it out yet: none runs, or Intake has refused the command (flywheel dead-letters list); see flywheel explain. Sending it again does no harm"
            )
            return false
        case .refused:
            Terminal.complain("refused: see flywheel dead-letters list")
            return false
        }
    }
}
