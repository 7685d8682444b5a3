import Synchronization

/// All metrics of a process, by name and labels. It is created once and passed as an argument; it is safe from any
/// thread.
///
/// Every request for the same metric returns the same instance. A name or label that Prometheus would refuse, or one
/// name for two kinds of metric, is a bug of the caller and stops the process.
public final class MetricsRegistry: Sendable {
    private let families = Mutex<[String: MetricFamily]>([:])

    /// An empty registry.
    public init() {}

    /// The counter of that name and labels; names end in `_total`.
    public func counter(_ name: String, help: String, labels: [String: String] = [:]) -> Counter {
        metric(name, help, labels, make: { .counter(Counter()) }) { metric in
            if case .counter(let counter) = metric { counter } else { nil }
        }
    }

    /// The gauge of that name and labels.
    public func gauge(_ name: String, help: String, labels: [String: String] = [:]) -> Gauge {
        metric(name, help, labels, make: { .gauge(Gauge()) }) { metric in
            if case .gauge(let gauge) = metric { gauge } else { nil }
        }
    }

    /// Returns the histogram of that name and labels.
    ///
    /// - Parameters:
    ///   - name: Its name, with the unit at its end, as in `flywheel_commit_seconds`.
    ///   - help: The measured quantity.
    ///   - labels: Its labels; `le` is reserved.
    ///   - bounds: The upper bounds of the buckets, rising; a bucket without bound is added.
    /// - Returns: The histogram; the bounds of an existing histogram are unchanged.
    public func histogram(
        _ name: String,
        help: String,
        labels: [String: String] = [:],
        bounds: [Double] = Histogram.secondBounds
    ) -> Histogram {
        precondition(labels["le"] == nil, "a histogram sets the label le itself")
        return metric(name, help, labels, make: { .histogram(Histogram(bounds: bounds)) }) { metric in
            if case .histogram(let histogram) = metric { histogram } else { nil }
        }
    }

    /// All metrics in Prometheus' text format 0.0.4, in the order of their names and labels.
    public func exposition() -> String {
        let families = families.withLock { $0 }
        var text = ""
        for (name, family) in families.sorted(by: { $0.key < $1.key }) { family.write(name, to: &text) }
        return text
    }

    /// Content type of `exposition`.
    public static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    private func metric<Kind>(
        _ name: String,
        _ help: String,
        _ labels: [String: String],
        make: () -> Metric,
        cast: (Metric) -> Kind?
    ) -> Kind {
        precondition(isMetricName(name, allowsColon: true), "\(name) is not a metric name")
        let sorted = labels.sorted { $0.key < $1.key }
        for (label, _) in sorted {
            precondition(isMetricName(label, allowsColon: false) && !label.hasPrefix("__"), "\(label) is not a label")
        }
        let key = sorted.map { MetricLabel(name: $0.key, value: $0.value) }
        let metric = families.withLock { families in
            let metric = families[name]?.metrics[key] ?? make()
            let kind = families[name]?.kind ?? metric.kind
            precondition(kind == metric.kind, "\(name) is a \(kind) already")
            families[name, default: MetricFamily(kind: kind, help: help)].metrics[key] = metric
            return metric
        }
        guard let result = cast(metric) else { preconditionFailure("\(name) is a \(metric.kind) already") }
        return result
    }

    private func isMetricName(_ name: String, allowsColon: Bool) -> Bool {
        guard let first = name.utf8.first, !(0x30...0x39).contains(first) else { return false }
        return name.utf8.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, UInt8(ascii: "_"): true
            case UInt8(ascii: ":"): allowsColon
            default: false
            }
        }
    }
}

/// A label with its value.
struct MetricLabel: Hashable {
    let name: String
    let value: String
}

/// Metric of one of the three kinds.
enum Metric {
    case counter(Counter)
    case gauge(Gauge)
    case histogram(Histogram)

    var kind: String {
        switch self {
        case .counter: "counter"
        case .gauge: "gauge"
        case .histogram: "histogram"
        }
    }
}

/// The metrics of one name.
struct MetricFamily {
    let kind: String
    let help: String
    var metrics: [[MetricLabel]: Metric] = [:]
}
