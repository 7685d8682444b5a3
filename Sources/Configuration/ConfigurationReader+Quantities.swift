/// Durations, sizes and choices.
extension ConfigurationReader {
    /// The duration, as in `500ms`, `10s`, `5m`, `2h` or `7d`, at `key`, or the default if absent.
    public func duration(
        _ key: String,
        default fallback: Duration,
        in range: ClosedRange<Duration> = .zero ... .seconds(Int64(1) << 40)
    ) -> Duration {
        optionalDuration(key, in: range) ?? fallback
    }

    /// The duration at `key`, or nil if absent.
    public func optionalDuration(
        _ key: String,
        in range: ClosedRange<Duration> = .zero ... .seconds(Int64(1) << 40)
    ) -> Duration? {
        scalar(key, durationExpectation(range)) { scalar in
            let units = ["ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000]
            guard let milliseconds = quantity(scalar.text, units) else { return nil }
            let duration = Duration.milliseconds(milliseconds)
            return range.contains(duration) ? duration : nil
        }
    }

    /// The number of bytes at `key`, as in `512`, `64KB` (1,000) or `64KiB` (1,024), and likewise with MB, GB, MiB and
    /// GiB; the default if absent.
    public func byteSize(_ key: String, default fallback: Int, in range: ClosedRange<Int> = 0...Int.max) -> Int {
        optionalByteSize(key, in: range) ?? fallback
    }

    /// The number of bytes at `key`, or nil if absent.
    public func optionalByteSize(_ key: String, in range: ClosedRange<Int> = 0...Int.max) -> Int? {
        scalar(key, sizeExpectation(range)) { scalar in
            let units = [
                "": 1, "B": 1, "KB": 1_000, "MB": 1_000_000, "GB": 1_000_000_000, "KiB": 1 << 10, "MiB": 1 << 20,
                "GiB": 1 << 30,
            ]
            guard let bytes = quantity(scalar.text, units), range.contains(bytes) else { return nil }
            return bytes
        }
    }

    /// The case that the text at `key` names, or the default if absent.
    public func choice<Choice>(
        _ key: String,
        default fallback: Choice
    ) -> Choice where Choice: RawRepresentable<String> & CaseIterable {
        optionalChoice(key) ?? fallback
    }

    /// The case that the text at `key` names, or nil if absent.
    public func optionalChoice<Choice>(
        _ key: String,
        of type: Choice.Type = Choice.self
    ) -> Choice? where Choice: RawRepresentable<String> & CaseIterable {
        let names = Choice.allCases.map(\.rawValue).joined(separator: ", ")
        return scalar(key, "one of \(names)") { Choice(rawValue: $0.text) }
    }

    /// A whole number followed by its unit, with or without blanks between them, in the smallest unit.
    private func quantity(_ text: String, _ units: [String: Int]) -> Int? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        let unit = text.dropFirst(digits.count).drop { $0 == " " }
        guard let number = Int(digits), let scale = units[String(unit)] else { return nil }
        let (product, overflow) = number.multipliedReportingOverflow(by: scale)
        return overflow ? nil : product
    }

    private func durationExpectation(_ range: ClosedRange<Duration>) -> String {
        let example = "a duration as in 500ms, 10s, 5m, 2h"
        if range.upperBound >= .seconds(Int64(1) << 40) {
            return range.lowerBound == .zero ? example : "\(example), at least \(durationText(range.lowerBound))"
        }
        return "\(example), in \(durationText(range.lowerBound))...\(durationText(range.upperBound))"
    }

    /// A duration as written in a file, in the largest unit of which it is a whole number.
    private func durationText(_ duration: Duration) -> String {
        let (seconds, attoseconds) = duration.components
        guard attoseconds == 0 else { return "\(seconds * 1_000 + attoseconds / 1_000_000_000_000_000)ms" }
        for (unit, size) in [("d", Int64(86_400)), ("h", 3_600), ("m", 60)] where seconds > 0 && seconds % size == 0 {
            return "\(seconds / size)\(unit)"
        }
        return "\(seconds)s"
    }

    private func sizeExpectation(_ range: ClosedRange<Int>) -> String {
        let example = "a size as in 512, 64KB, 16MiB"
        if range.upperBound == .max {
            return range.lowerBound == 0 ? example : "\(example), at least \(range.lowerBound)"
        }
        return "\(example), in \(range.lowerBound)...\(range.upperBound) bytes"
    }
}
