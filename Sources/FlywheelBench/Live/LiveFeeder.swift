import Flywheel
import Foundation
import KafkaClient
import Synchronization
import Vocabulary

/// Sends predictions at a fixed rate, each with the time of its sending in its sample's id.
final class LiveFeeder: Sendable {
    /// Digits of the time in milliseconds, and of the number after it.
    private static let digits = (moment: 13, number: 9)

    private let properties: KafkaProperties
    private let topic: String
    private let rate: Int
    private let partitions: Int
    private let templates: [(value: [UInt8], idOffset: Int)]
    private let isStopped = Atomic(false)
    private let sent = Atomic(0)
    private let failure = Mutex<String?>(nil)

    /// Prepares 20,000 predictions; later only their ids are rewritten.
    init(properties: KafkaProperties, topic: String, rate: Int, partitions: Int, embedding: Int) {
        self.properties = properties
        self.topic = topic
        self.rate = rate
        self.partitions = partitions
        var traffic = IntakeTraffic(embedding: embedding, bad: 0, seed: 11)
        let placeholder =
            String(repeating: "0", count: Self.digits.moment) + "-" + String(repeating: "0", count: Self.digits.number)
        templates = (0..<20_000).map { _ in
            let text = String(decoding: traffic.next().value, as: UTF8.self)
            // The id is the only text that begins like this.
            let start = text.range(of: "\"s-")?.upperBound ?? text.startIndex
            let end = text[start...].firstIndex(of: "\"") ?? start
            let value = Array((text[..<start] + placeholder + text[end...]).utf8)
            return (value, text.utf8.distance(from: text.startIndex, to: start))
        }
    }

    var count: Int { sent.load(ordering: .relaxed) }
    var problem: String? { failure.withLock { $0 } }

    func start() {
        let thread = Thread { [self] in
            do { try run() } catch { failure.withLock { $0 = "\(error)" } }
        }
        thread.start()
    }

    func stop() { isStopped.store(true, ordering: .relaxed) }

    /// Milliseconds from the sending of a sample until now; nil for an id that this benchmark did not create.
    static func age(of sample: String, at now: Double) -> Double? {
        guard sample.hasPrefix("s-"), let moment = Double(sample.dropFirst(2).prefix(digits.moment)) else { return nil }
        return now - moment
    }

    static func milliseconds() -> Double { Date().timeIntervalSince1970 * 1_000 }

    private func run() throws {
        let producer = try KafkaProducer(properties: properties)
        defer { producer.close() }
        let began = ProcessUsage.now().clock
        var number = 0
        while !isStopped.load(ordering: .relaxed) {
            let due = Int((ProcessUsage.now().clock - began) * Double(rate))
            guard due > number else {
                usleep(2_000)
                continue
            }
            let moment = Int(Self.milliseconds())
            while number < due {
                var (value, idOffset) = templates[number % templates.count]
                Self.write(moment, Self.digits.moment, into: &value, at: idOffset)
                Self.write(number, Self.digits.number, into: &value, at: idOffset + Self.digits.moment + 1)
                try producer.send(
                    KafkaOutputRecord(topic: topic, partition: Int32(number % partitions), value: value)
                )
                number += 1
            }
            sent.store(number, ordering: .relaxed)
        }
        _ = try producer.flush(timeoutMilliseconds: 10_000)
    }

    private static func write(_ number: Int, _ digits: Int, into bytes: inout [UInt8], at start: Int) {
        var left = number
        for index in stride(from: start + digits - 1, through: start, by: -1) {
            bytes[index] = UInt8(ascii: "0") + UInt8(left % 10)
            left /= 10
        }
    }
}
