import Fuzzing
import Statistics
import StreamRuntime

/// Keys and headers that untrusted clients may write: Flywheel's own names, extreme values, thousands of headers.
enum ExtremeHeaders {
    private static let names = [
        "flywheel.redrive.attempt", "flywheel.redrive.letter", "flywheel.redriven.letter", "flywheel.redriven.attempt",
        "flywheel.redriven.topic", "flywheel.reason.code", "flywheel.reason.text", "flywheel.value.size",
        "flywheel.value.cut", "flywheel.headers.cut", "flywheel.key.cut", "flywheel.left_out", "flywheel.at_ms",
        "flywheel.worker", "producer.flywheel.reason.code", "producer.producer.flywheel.x", "producer.x",
        "__connect.errors.topic", "__connect.errors.partition", "__connect.errors.offset", "__connect.errors.stage",
        "ce_id", "ce-id", "ce_source", "ce_specversion", "ce_type", "ce_time", "content-type", "CE_ID", "", "x",
    ]
    private static let values = [
        "0/0", "1/99", "2147483648/1", "-1/-1", "t.predictions", "intake", "loop", "poison", "true",
    ]

    static func key(_ generator: inout SplitMix64) -> [UInt8]? {
        switch generator.next(below: 5) {
        case 0: nil
        case 1: []
        case 2: Array("shapes".utf8)
        case 3: Extremes.text(&generator, limit: 200_000)
        default: [UInt8](repeating: 0xFF, count: generator.size(below: 1_200_000))
        }
    }

    private static func name(_ generator: inout SplitMix64) -> String {
        guard generator.chance(0.2) else { return generator.pick(names) }
        return String(decoding: Extremes.text(&generator, limit: 500), as: UTF8.self)
    }

    private static func value(_ generator: inout SplitMix64) -> [UInt8]? {
        switch generator.next(below: 6) {
        case 0: nil
        case 1: Extremes.text(&generator, limit: 30_000)
        case 2: Array(generator.pick(values).utf8)
        case 3: []
        default: Array(generator.pick(Extremes.words).utf8)
        }
    }

    /// Headers, each with its number of occurrences: normally few; a fraction `floodChance` has one header hundreds or
    /// thousands of times.
    static func headers(_ generator: inout SplitMix64, floodChance: Double = 0.002) -> [(
        header: RecordHeader, count: Int
    )] {
        let isFlood = generator.chance(floodChance)
        let floodCount = isFlood ? generator.pick([255, 256, 257, 5_000, 60_000]) : 1
        return
            (0..<generator.between(1...6)).map { _ in
                let count = isFlood && generator.chance(0.3) ? floodCount : 1
                return (RecordHeader(name(&generator), value(&generator)), count)
            }
    }
}
