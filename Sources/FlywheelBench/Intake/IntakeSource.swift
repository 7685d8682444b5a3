import EngineCore
import Events
import Foundation
import JSON
import KafkaClient
import KafkaTransport
import Operations
import StreamRuntime

/// The topic that all modes read, its projects, and a ledger of the records written to it.
struct IntakeSource {
    let properties: KafkaProperties
    let topic: String

    var topics: [String] { [topic, "\(topic).projects", "\(topic).ledger"] }

    /// Generates the traffic, or determines the existing traffic.
    ///
    /// - Returns: The contents of the topic, and the mean number of bytes of a value.
    func prepare(
        _ admin: KafkaAdmin,
        traffic: IntakeTraffic,
        events: Int,
        partitions: Int
    ) throws -> (ledger: IntakeLedger, bytes: Double) {
        let known = Set(try admin.listTopics())
        if known.contains(topic) {
            guard topics.allSatisfy({ known.contains($0) }) else {
                throw BenchmarkError("\(topic) was not made by this benchmark: \(topic).ledger is missing")
            }
            return try readLedger()
        }
        _ = try admin.createTopics([
            KafkaTopicSpecification(name: topics[0], partitions: partitions, configuration: ["retention.ms": "-1"]),
            KafkaTopicSpecification(name: topics[1], partitions: 1, configuration: ["retention.ms": "-1"]),
            KafkaTopicSpecification(name: topics[2], partitions: 1, configuration: ["retention.ms": "-1"]),
        ])
        let apply = ProjectApply(
            transport: KafkaStreamTransport(properties: properties),
            topics: IntakeBenchmark.topics(prefix: "\(topic).", predictions: topic)
        )
        for configuration in try IntakeTraffic.configurations() { _ = try apply.apply(configuration, partitions: 4) }
        return try write(traffic, events, partitions)
    }

    private func write(
        _ traffic: IntakeTraffic,
        _ events: Int,
        _ partitions: Int
    ) throws -> (ledger: IntakeLedger, bytes: Double) {
        var traffic = traffic
        let producer = try KafkaProducer(properties: properties.merging(["linger.ms": "20"]))
        defer { producer.close() }
        var bytes = 0
        for number in 0..<events {
            let (key, value) = traffic.next()
            bytes += value.count
            try producer.send(
                KafkaOutputRecord(topic: topic, partition: Int32(number % partitions), key: key, value: value)
            )
        }
        let mean = Double(bytes) / Double(events)
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("bytes", mean)
            writer.key(named: "ledger")
            traffic.ledger.write(to: &writer)
        }
        try producer.send(KafkaOutputRecord(topic: topics[2], partition: 0, value: writer.bytes))
        if let failure = try producer.flush(timeoutMilliseconds: 120_000).first { throw failure.error }
        return (traffic.ledger, mean)
    }

    private func readLedger() throws -> (ledger: IntakeLedger, bytes: Double) {
        let scan = try TopicScan(transport: KafkaStreamTransport(properties: properties), topic: topics[2])
        defer { scan.close() }
        var found: (IntakeLedger, Double)?
        let parser = JSONParser()
        try scan.forEach(0) { record, _, _ in
            let object = try parser.parse(record.value).object()
            found = (try IntakeLedger(json: object.required("ledger")), try object.double("bytes"))
        }
        guard let found else {
            throw BenchmarkError("\(topics[2]) holds nothing: the traffic was not written to its end")
        }
        return found
    }
}
