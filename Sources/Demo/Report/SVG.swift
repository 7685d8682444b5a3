/// Maps numbers onto a line of the drawing.
struct LinearScale {
    let domain: ClosedRange<Double>
    /// Positions of the ends of the domain; `start` may be larger than `end`.
    let start: Double
    let end: Double

    /// Position of a value. Values outside the domain are drawn at its ends, a value that is not finite at the lower
    /// end.
    func callAsFunction(_ value: Double) -> Double {
        let length = domain.upperBound - domain.lowerBound
        guard length > 0, value.isFinite else { return start }
        let share = (value - domain.lowerBound) / length
        return start + min(1, max(0, share)) * (end - start)
    }
}

/// Round numbers for axes.
enum Ticks {
    /// The smallest of 1, 2, 5 times a power of ten that divides `length` in at most `limit` steps.
    static func step(_ length: Double, limit: Int) -> Double {
        var power = 1.0
        while power < 1e12 {
            for factor in [1.0, 2, 5] where length / (factor * power) <= Double(limit) { return factor * power }
            power *= 10
        }
        return power
    }

    /// As `step`, for a time axis in seconds: a round number of seconds, minutes, hours or days.
    static func timeStep(_ length: Double, limit: Int) -> Double {
        let steps: [Double] = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400]
        return steps.first { length / $0 <= Double(limit) } ?? step(length, limit: limit)
    }

    /// Multiples of `step` from 0 to `end`.
    static func values(to end: Double, step: Double) -> [Double] {
        guard step > 0, end.isFinite, end / step < 1000 else { return [0] }
        return (0...Int(max(0, end / step + 1e-9))).map { Double($0) * step }
    }
}

/// The shapes of the drawings. Colours are defined by class in the style sheet.
enum SVG {
    /// A drawing that scales with its column. `label` is the text for screen readers.
    static func drawing(_ width: Double, _ height: Double, label: String, style: String, _ content: Markup) -> Markup {
        """
        <svg class="\(style)" viewBox="0 0 \(width) \(height)" role="img" aria-label="\(label)">\(content)</svg>
        """
    }

    static func line(x1: Double, y1: Double, x2: Double, y2: Double, style: String) -> Markup {
        "<line class=\"\(style)\" x1=\"\(x1)\" y1=\"\(y1)\" x2=\"\(x2)\" y2=\"\(y2)\"/>"
    }

    static func text(x: Double, y: Double, _ text: String, style: String, anchor: String = "start") -> Markup {
        "<text class=\"\(style)\" x=\"\(x)\" y=\"\(y)\" text-anchor=\"\(anchor)\">\(text)</text>"
    }

    static func rectangle(
        x: Double,
        y: Double,
        width: Double,
        height: Double,
        style: String,
        title: String? = nil
    ) -> Markup {
        let size: Markup = "width=\"\(max(0, width))\" height=\"\(height)\""
        return "<rect class=\"\(style)\" x=\"\(x)\" y=\"\(y)\" \(size) rx=\"2\">\(self.title(title))</rect>"
    }

    static func polyline(_ points: [(x: Double, y: Double)], _ style: String) -> Markup {
        let list = points.map { "\($0.x),\($0.y)" as Markup }
        return "<polyline class=\"\(style)\" points=\"\(Markup(joining: list, separator: " "))\"/>"
    }

    static func title(_ text: String?) -> Markup {
        guard let text else { return .empty }
        return "<title>\(text)</title>"
    }

    /// Approximate width of a text in the page's font.
    static func width(of text: String, size: Double) -> Double { Double(text.count) * size * 0.56 }

    /// The outlines that distinguish kinds of marks without colour.
    enum Shape {
        case disc, ring, square, triangle, cross, diamond
    }

    /// One mark around (`x`, `y`), with the text that is shown on hovering.
    static func mark(_ shape: Shape, x: Double, y: Double, radius r: Double, style: String, title: String?) -> Markup {
        let inner: Markup =
            switch shape {
            case .disc: "<circle cx=\"\(x)\" cy=\"\(y)\" r=\"\(r)\"/>"
            case .ring: "<circle class=\"hollow\" cx=\"\(x)\" cy=\"\(y)\" r=\"\(r)\"/>"
            case .square:
                "<rect class=\"hollow\" x=\"\(x - r)\" y=\"\(y - r)\" width=\"\(2 * r)\" height=\"\(2 * r)\"/>"
            case .triangle: "<path d=\"M\(x) \(y - r)L\(x + r) \(y + r)H\(x - r)z\"/>"
            case .diamond: "<path d=\"M\(x) \(y - r)L\(x + r) \(y)L\(x) \(y + r)L\(x - r) \(y)z\"/>"
            case .cross:
                """
                <circle cx="\(x)" cy="\(y)" r="\(r)"/><path class="cut" d="M\(x - r / 2.2) \(y - r / 2.2)L\(x + r / 2.2) \
                \(y + r / 2.2)M\(x - r / 2.2) \(y + r / 2.2)L\(x + r / 2.2) \(y - r / 2.2)"/>
                """
            }
        return "<g class=\"mark \(style)\">\(inner)\(self.title(title))</g>"
    }

    /// A mark in the form for legends.
    static func key(_ shape: Shape, _ style: String) -> Markup {
        """
        <svg class="key" viewBox="0 0 14 14" width="14" height="14" aria-hidden="true">\
        \(mark(shape, x: 7, y: 7, radius: 5, style: style, title: nil))</svg>
        """
    }
}
