/// Number formats of the page, which do not depend on the locale of the machine.
enum Figures {
    /// Text for an unknown number.
    static let unknown = "–"

    /// `value` rounded to `decimals` places, half away from zero. A number that is not finite is `unknown`.
    static func fixed(_ value: Double, _ decimals: Int) -> String {
        digits(value, decimals, minus: "−") ?? unknown
    }

    /// A coordinate for SVG or CSS: rounded to a tenth, with an ASCII minus and without a trailing zero.
    static func coordinate(_ value: Double) -> String {
        guard let text = digits(value, 1, minus: "-") else { return "0" }
        return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }

    /// A whole number in groups of three, as in `12 345`.
    static func count(_ value: Int) -> String {
        let plain = String(value.magnitude)
        var grouped = ""
        for (index, digit) in plain.enumerated() {
            if index > 0, (plain.count - index).isMultiple(of: 3) { grouped += "\u{202f}" }
            grouped.append(digit)
        }
        return value < 0 ? "−" + grouped : grouped
    }

    /// A share in `0...1`, as in `93.1 %`.
    static func percent(_ share: Double, decimals: Int = 1) -> String { fixed(share * 100, decimals) + "\u{202f}%" }

    /// A time of the run, as in `1:05`.
    static func clock(_ seconds: Double) -> String {
        guard seconds.isFinite, seconds < 1e9 else { return unknown }
        let whole = Int(max(0, seconds))
        let rest = whole % 60
        return "\(whole / 60):" + (rest < 10 ? "0\(rest)" : "\(rest)")
    }

    /// A length of time, as in `850 ms`, `3.2 s` or `2 min 5 s`.
    static func duration(_ seconds: Double) -> String {
        guard seconds.isFinite, seconds >= 0, seconds < 1e9 else { return unknown }
        if seconds < 0.9995 { return fixed(seconds * 1000, 0) + " ms" }
        if seconds < 99.95 { return fixed(seconds, 1) + " s" }
        let whole = Int(seconds.rounded())
        return "\(whole / 60) min \(whole % 60) s"
    }

    /// `1 vote`, `2 votes`.
    static func counted(_ value: Int, _ singular: String, _ plural: String) -> String {
        count(value) + " " + (value == 1 ? singular : plural)
    }

    /// The median of `values`: the mean of the two middle values if their number is even; nil without values.
    static func median(_ values: [Double]) -> Double? {
        guard !values.isEmpty else { return nil }
        let sorted = values.sorted()
        let middle = sorted.count / 2
        return sorted.count.isMultiple(of: 2) ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[middle]
    }

    private static func digits(_ value: Double, _ decimals: Int, minus: String) -> String? {
        guard value.isFinite, value.magnitude < 1e12 else { return nil }
        var scale: Int64 = 1
        for _ in 0..<decimals { scale *= 10 }
        let scaled = Int64((value.magnitude * Double(scale)).rounded())
        var text = String(scaled / scale)
        if decimals > 0 {
            let fraction = String(scaled % scale)
            text += "." + String(repeating: "0", count: decimals - fraction.count) + fraction
        }
        return value < 0 && scaled > 0 ? minus + text : text
    }
}

/// Comparison of the number that the active project needed with the number that the random one needed.
struct Saving {
    /// The random project's number divided by the active project's.
    let ratio: Double

    /// Creates a comparison; nil unless both numbers are known and positive.
    init?(active: Int?, random: Int?) {
        guard let active, let random, active > 0, random > 0 else { return nil }
        ratio = Double(random) / Double(active)
    }

    var isGain: Bool { ratio >= 1 }

    /// The ratio as a number of at least 1, as in `1.8×`.
    var factor: String { Figures.fixed(isGain ? ratio : 1 / ratio, 1) + "×" }

    /// The comparison in words, as in `1.8× fewer`.
    var text: String { factor == "1.0×" ? "about the same" : factor + (isGain ? " fewer" : " more") }
}
