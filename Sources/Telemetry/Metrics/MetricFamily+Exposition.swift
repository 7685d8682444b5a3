extension MetricFamily {
    /// Appends the family in Prometheus' text format 0.0.4.
    func write(_ name: String, to text: inout String) {
        text += "# HELP \(name) \(escaped(help, quotes: false))\n# TYPE \(name) \(kind)\n"
        let sorted = metrics.sorted { left, right in
            left.key.lexicographicallyPrecedes(right.key) { ($0.name, $0.value) < ($1.name, $1.value) }
        }
        for (labels, metric) in sorted {
            switch metric {
            case .counter(let counter): text += "\(name)\(list(labels)) \(counter.value)\n"
            case .gauge(let gauge): text += "\(name)\(list(labels)) \(number(gauge.value))\n"
            case .histogram(let histogram): write(name, labels, histogram.snapshot, to: &text)
            }
        }
    }

    private func write(
        _ name: String,
        _ labels: [MetricLabel],
        _ snapshot: Histogram.Snapshot,
        to text: inout String
    ) {
        var count: UInt64 = 0
        for (index, bound) in (snapshot.bounds + [.infinity]).enumerated() {
            count += snapshot.counts[index]
            let bucket = labels + [MetricLabel(name: "le", value: number(bound))]
            text += "\(name)_bucket\(list(bucket)) \(count)\n"
        }
        text += "\(name)_sum\(list(labels)) \(number(snapshot.sum))\n"
        text += "\(name)_count\(list(labels)) \(count)\n"
    }

    private func list(_ labels: [MetricLabel]) -> String {
        if labels.isEmpty { return "" }
        let pairs = labels.map { "\($0.name)=\"\(escaped($0.value, quotes: true))\"" }
        return "{\(pairs.joined(separator: ","))}"
    }

    private func escaped(_ text: String, quotes: Bool) -> String {
        var result = ""
        for character in text.unicodeScalars {
            switch character {
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\"" where quotes: result += "\\\""
            // The backslash of the escape is itself escaped: the format knows no such escape.
            case _ where ForeignText.isDisruptive(character): result += "\\" + ForeignText.escape(character)
            default: result.unicodeScalars.append(character)
            }
        }
        return result
    }

    private func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        if value == value.rounded(), value.magnitude < 0x1p53 { return "\(Int64(value))" }
        return "\(value)"
    }
}
