internal import Telemetry

/// A piece of HTML or SVG. Its literals are markup; values interpolated into them are text and are escaped.
struct Markup: Hashable, Sendable, ExpressibleByStringInterpolation {
    let source: String

    static let empty = Markup(trusted: "")

    /// Uses `source` unchanged.
    private init(trusted source: String) { self.source = source }

    init(stringLiteral value: String) { source = value }

    init(stringInterpolation: StringInterpolation) { source = stringInterpolation.source }

    init(joining parts: [Markup], separator: Markup = .empty) {
        source = parts.map(\.source).joined(separator: separator.source)
    }

    static func + (a: Markup, b: Markup) -> Markup { Markup(trusted: a.source + b.source) }

    static func += (a: inout Markup, b: Markup) { a = a + b }

    /// Escapes `text`: replaces the five characters with a meaning in HTML, replaces white space by a space, and
    /// escapes characters that would disrupt the page.
    static func escape(_ text: String) -> String {
        var result = ""
        result.reserveCapacity(text.utf8.count)
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            case "\n", "\t": result += " "
            case _ where ForeignText.isDisruptive(scalar): result += ForeignText.line(String(scalar))
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    struct StringInterpolation: StringInterpolationProtocol {
        fileprivate(set) var source = ""

        init(literalCapacity: Int, interpolationCount: Int) {
            source.reserveCapacity(literalCapacity + 16 * interpolationCount)
        }

        mutating func appendLiteral(_ literal: String) { source += literal }

        mutating func appendInterpolation(_ text: String) { source += Markup.escape(text) }

        mutating func appendInterpolation(_ markup: Markup) { source += markup.source }

        mutating func appendInterpolation(_ parts: [Markup]) {
            for part in parts { source += part.source }
        }

        mutating func appendInterpolation(_ number: Int) { source += String(number) }

        /// A coordinate or a length, to a tenth.
        mutating func appendInterpolation(_ coordinate: Double) { source += Figures.coordinate(coordinate) }
    }
}
