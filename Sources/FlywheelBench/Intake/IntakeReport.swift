import Foundation
import JSON
import KafkaClient

/// Report of all modes: the medians of their figures, with the smallest and the largest.
struct IntakeReport {
    let broker: String
    let events: Int
    /// Mean bytes of a value.
    let bytes: Double
    let figures: [IntakeMode.Kind: [IntakeMode.Figures]]

    private static let measures: [(name: String, value: @Sendable (IntakeMode.Figures) -> Double)] = [
        ("events_per_s", { $0.rate }), ("cpu_s_per_M", { $0.processor }), ("max_rss_mb", { $0.memory }),
    ]

    private func median(_ mode: IntakeMode.Kind, _ value: (IntakeMode.Figures) -> Double) -> Double? {
        let sorted = (figures[mode] ?? []).map(value).sorted()
        guard !sorted.isEmpty else { return nil }
        return (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
    }

    /// Processor time of a bare consumer over that of Intake with transactions; 1 would be a free Intake.
    var processorRatio: Double? { ratio(\.processor, of: .raw, to: .exactlyOnce) }
    /// Events per second of Intake with transactions over those of a bare consumer.
    var rateRatio: Double? { ratio(\.rate, of: .exactlyOnce, to: .raw) }

    private func ratio(
        _ value: KeyPath<IntakeMode.Figures, Double>,
        of above: IntakeMode.Kind,
        to below: IntakeMode.Kind
    ) -> Double? {
        guard let above = median(above, { $0[keyPath: value] }), let below = median(below, { $0[keyPath: value] })
        else {
            return nil
        }
        return above / below
    }

    var json: String {
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("broker", broker)
            writer.member("librdkafka", KafkaLibrary.version)
            writer.member("events", events)
            writer.member("bytes_per_event", Self.rounded(bytes, 1))
            for mode in IntakeMode.Kind.allCases {
                guard let runs = figures[mode] else { continue }
                writer.key(named: mode.rawValue)
                writer.object { writer in
                    for (name, value) in Self.measures {
                        writer.key(named: name)
                        writer.value(Self.rounded(median(mode, value) ?? 0, 3))
                    }
                    for (name, value) in Self.measures {
                        writer.key(named: "\(name)_range")
                        let sorted = runs.map(value).sorted()
                        writer.array { writer in
                            for end in [sorted[0], sorted[sorted.count - 1]] { writer.value(Self.rounded(end, 3)) }
                        }
                    }
                }
            }
            if let processorRatio { writer.member("ratio_cpu", Self.rounded(processorRatio, 3)) }
            if let rateRatio { writer.member("ratio_wall", Self.rounded(rateRatio, 3)) }
        }
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    var table: String {
        var lines = [
            "\(events) events of \(Self.rounded(bytes, 0)) bytes, \(broker), librdkafka \(KafkaLibrary.version)"
        ]
        for mode in IntakeMode.Kind.allCases {
            guard let rate = median(mode, \.rate), let processor = median(mode, \.processor),
                let memory = median(mode, \.memory)
            else { continue }
            lines.append(
                String(
                    format: "%-14@ %9.0f events/s  %6.3f CPU s/M  %5.0f MB",
                    mode.rawValue as NSString,
                    rate,
                    processor,
                    memory
                )
            )
        }
        if let processorRatio, let rateRatio {
            lines.append(String(format: "ratio of CPU %.3f, of rates %.3f", processorRatio, rateRatio))
        }
        return lines.joined(separator: "\n")
    }

    private static func rounded(_ value: Double, _ digits: Int) -> Double {
        let scale = (0..<digits).reduce(1.0) { scale, _ in scale * 10 }
        return (value * scale).rounded() / scale
    }
}
