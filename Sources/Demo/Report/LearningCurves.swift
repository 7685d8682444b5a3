/// Held-out accuracy against labels, both projects in one chart.
struct LearningCurves {
    let snapshot: DemoSnapshot

    var markup: Markup {
        """
        <section aria-labelledby="curves"><h2 id="curves">Learning curves</h2>
        <p class="note">Each mark is a trained model: how many labels it learned from, and its accuracy on digits that are \
        never labelled for training.</p>
        <div class="panel">\(legend)\(chart(width: 1120, height: 400, style: "wide"))\
        \(chart(width: 380, height: 320, style: "narrow"))</div></section>
        """
    }

    private var legend: Markup {
        let keys = ProjectSide.allCases.map { side -> Markup in
            "<span>\(side.badge) \(side.summary)</span>"
        }
        return "<p class=\"legend\">\(keys)<span><i class=\"goal\"></i>90\u{a0}%</span></p>"
    }

    private var points: [DemoSnapshot.CurvePoint] { snapshot.active.curve + snapshot.random.curve }

    private func chart(width: Double, height: Double, style: String) -> Markup {
        let isWide = width > 600
        let maximumLabels = Double(points.map(\.labels).max() ?? 0)
        let step = Ticks.step(max(maximumLabels, 50) * 1.02, limit: isWide ? 10 : 5)
        let end = max(step, (max(maximumLabels, 50) * 1.02 / step).rounded(.up) * step)
        let minimumAccuracy = points.map(\.accuracy).filter(\.isFinite).min() ?? 0.52
        let floor = min(0.8, max(0, (minimumAccuracy * 10 - 0.2).rounded(.down) / 10))
        let x = LinearScale(domain: 0...end, start: 46, end: width - 30)
        let y = LinearScale(domain: floor...1, start: height - 46, end: 14)
        let drawing: Markup = """
            \(axes(x, y, step: step, isWide: isWide))\(goal(x, y))\
            \(ProjectSide.allCases.reversed().map { curve($0, x, y) })\(points.isEmpty ? waiting(x, y) : .empty)
            """
        return SVG.drawing(width, height, label: summary, style: "chart \(style)", drawing)
    }

    /// Content of the chart, in a sentence.
    private var summary: String {
        let parts = ProjectSide.allCases.compactMap { side -> String? in
            guard let last = snapshot[side].curve.last else { return nil }
            return "\(side.title) is at \(Figures.percent(last.accuracy)) with \(Figures.count(last.labels)) labels"
        }
        return parts.isEmpty
            ? "Learning curves: no model yet" : "Learning curves: " + parts.joined(separator: "; ")
    }

    private func axes(_ x: LinearScale, _ y: LinearScale, step: Double, isWide: Bool) -> Markup {
        var result = Markup.empty
        let rows = y.domain.lowerBound < 0.45 ? 5 : 10
        for row in 0...rows {
            let share = Double(row) / Double(rows)
            guard share >= y.domain.lowerBound - 1e-9 else { continue }
            result += SVG.line(x1: x.start, y1: y(share), x2: x.end, y2: y(share), style: "grid")
            result += SVG.text(
                x: x.start - 8,
                y: y(share) + 4,
                Figures.fixed(share * 100, 0),
                style: "tick",
                anchor: "end"
            )
        }
        for value in Ticks.values(to: x.domain.upperBound, step: step) {
            result += SVG.line(x1: x(value), y1: y.start, x2: x(value), y2: y.start + 4, style: "axis")
            result += SVG.text(x: x(value), y: y.start + 18, Figures.count(Int(value)), style: "tick", anchor: "middle")
        }
        result += SVG.line(x1: x.start, y1: y.start, x2: x.end, y2: y.start, style: "axis")
        let middle = (x.start + x.end) / 2
        result += SVG.text(x: middle, y: y.start + 38, "labelled training samples", style: "name", anchor: "middle")
        let side = (y.start + y.end) / 2
        result += """
            <text class="name" transform="translate(12 \(side)) rotate(-90)" text-anchor="middle">held-out accuracy, %</text>
            """
        return result
    }

    /// The 90 % line, and where each project crossed it.
    private func goal(_ x: LinearScale, _ y: LinearScale) -> Markup {
        var result = SVG.line(x1: x.start, y1: y(0.9), x2: x.end, y2: y(0.9), style: "goal")
        result += SVG.text(x: x.end, y: y(0.9) - 5, "90\u{a0}%", style: "goal-name", anchor: "end")
        let crossings = ProjectSide.allCases.compactMap { side in snapshot[side].labelsTo90.map { (side, $0) } }
        for (index, (side, labels)) in crossings.enumerated() {
            let at = x(Double(labels))
            result += SVG.line(x1: at, y1: y(0.9), x2: at, y2: y.start, style: "drop \(side.rawValue)")
            let text = "\(Figures.count(labels)) labels"
            let isLast = at + SVG.width(of: text, size: 12) + 6 > x.end
            let height = y.start - 8 - Double(index) * 16
            result += SVG.text(
                x: at + (isLast ? -5 : 5),
                y: height,
                text,
                style: "drop-name \(side.rawValue)",
                anchor: isLast ? "end" : "start"
            )
        }
        return result
    }

    private func curve(_ side: ProjectSide, _ x: LinearScale, _ y: LinearScale) -> Markup {
        let curve = snapshot[side].curve
        var result = SVG.polyline(curve.map { (x(Double($0.labels)), y($0.accuracy)) }, "curve \(side.rawValue)")
        for point in curve {
            let title = """
                \(side.title) \(point.modelVersion): \(Figures.percent(point.accuracy)) with \
                \(Figures.counted(point.labels, "label", "labels")), at \(Figures.clock(point.at))
                """
            result += SVG.mark(
                side.shape,
                x: x(Double(point.labels)),
                y: y(point.accuracy),
                radius: 3.6,
                style: "point \(side.rawValue)",
                title: title
            )
        }
        return result
    }

    private func waiting(_ x: LinearScale, _ y: LinearScale) -> Markup {
        let text = snapshot.isFinished ? "no model was trained" : "the first models are still to come"
        return SVG.text(
            x: (x.start + x.end) / 2,
            y: (y.start + y.end) / 2 + 40,
            text,
            style: "waiting",
            anchor: "middle"
        )
    }
}
