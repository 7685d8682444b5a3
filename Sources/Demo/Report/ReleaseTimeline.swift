/// Time axis of the models that served, with the events of the run.
struct ReleaseTimeline {
    let snapshot: DemoSnapshot

    var markup: Markup {
        """
        <section aria-labelledby="releases"><h2 id="releases">Releases</h2>
        <p class="note">A bar is a model serving as champion; the thin line below it is a challenger that is judged in its \
        shadow. Hatched is what a rollback took out.</p>
        <div class="panel">\(legend)\(chart(width: 1120, style: "wide"))\(chart(width: 380, style: "narrow"))</div>
        \(ReleaseTable(snapshot: snapshot).markup)</section>
        """
    }

    private var legend: Markup {
        let causes = ReleaseCause.allCases.map { cause -> Markup in
            "<span>\(SVG.key(cause.shape, cause.style))\(cause.title)</span>"
        }
        return "<p class=\"legend\">\(causes)<span><i class=\"outage\"></i>a worker is down</span></p>"
    }

    private func chart(width: Double, style: String) -> Markup {
        let isWide = width > 600
        let x = LinearScale(domain: 0...snapshot.horizon, start: 18, end: width - 18)
        let flags = TimelineFlags(snapshot: snapshot, x: x)
        let top = flags.height + 6
        let laneHeight = 84.0
        let bottom = top + laneHeight * 2
        let lanes = ProjectSide.allCases.enumerated().map { index, side in
            lane(side, x, top: top + Double(index) * laneHeight)
        }
        let drawing: Markup = """
            \(axis(x, top: top, bottom: bottom, isWide: isWide))\(flags.markup(to: bottom, laneHeight: laneHeight))\(lanes)
            """
        let count = snapshot.active.releases.count + snapshot.random.releases.count
        let label =
            "Release timeline with \(Figures.counted(count, "release", "releases")); the table below has the same"
        return SVG.drawing(width, bottom + 36, label: label, style: "chart \(style)", drawing)
    }

    private func axis(_ x: LinearScale, top: Double, bottom: Double, isWide: Bool) -> Markup {
        var result = Markup.empty
        let step = Ticks.timeStep(x.domain.upperBound, limit: isWide ? 14 : 6)
        for value in Ticks.values(to: x.domain.upperBound, step: step) {
            result += SVG.line(x1: x(value), y1: top, x2: x(value), y2: bottom, style: "grid")
            result += SVG.text(x: x(value), y: bottom + 16, Figures.clock(value), style: "tick", anchor: "middle")
        }
        result += SVG.line(x1: x.start, y1: bottom, x2: x.end, y2: bottom, style: "axis")
        result += SVG.text(
            x: (x.start + x.end) / 2,
            y: bottom + 32,
            "minutes:seconds since the start",
            style: "name",
            anchor: "middle"
        )
        guard !snapshot.isFinished, snapshot.elapsed > 0 else { return result }
        let now = x(snapshot.elapsed)
        return result + SVG.line(x1: now, y1: top, x2: now, y2: bottom, style: "now")
            + SVG.text(x: min(now + 4, x.end - 22), y: bottom - 5, "now", style: "tick")
    }

    // MARK: - One project

    private func lane(_ side: ProjectSide, _ x: LinearScale, top: Double) -> Markup {
        let releases = snapshot[side].releases
        var result = SVG.text(
            x: x.start,
            y: top + 14,
            "\(side.title) · \(snapshot[side].name)",
            style: "lane \(side.rawValue)"
        )
        let bar = top + 42
        if releases.isEmpty {
            result += SVG.rectangle(x: x.start, y: bar, width: x.end - x.start, height: 20, style: "vacant")
            return result + SVG.text(x: x.start + 8, y: bar + 14, "no model released yet", style: "tick")
        }
        for span in Self.champions(releases, until: end) { result += segment(span, of: side, x: x, bar: bar) }
        for span in Self.challengers(releases, until: end) {
            let (from, to) = (x(span.from), x(span.to))
            let title = "\(span.version) in the shadow of the champion, \(Self.period(span))"
            result += SVG.rectangle(
                x: from,
                y: bar + 25,
                width: max(1, to - from - 1),
                height: 5,
                style: "shadow \(side.rawValue)",
                title: title
            )
        }
        for release in releases {
            let cause = ReleaseCause(release.cause)
            let height = cause == .shadow ? bar + 27.5 : bar - 9
            let radius = cause == .shadow ? 3.2 : 5.5
            let title = "\(Figures.clock(release.at)) \(cause.title): \(release.champion). \(release.evidence)"
            result += SVG.mark(
                cause.shape,
                x: x(release.at),
                y: height,
                radius: radius,
                style: cause.style,
                title: title
            )
        }
        return result
    }

    private var end: Double { snapshot.isFinished ? snapshot.horizon : max(snapshot.elapsed, 0) }

    private func segment(_ span: Span, of side: ProjectSide, x: LinearScale, bar: Double) -> Markup {
        let (from, to) = (x(span.from), x(span.to))
        let accuracy = span.accuracy.map { ", held-out accuracy \(Figures.percent($0))" } ?? ""
        let ending = span.isRolledBack ? ", rolled back" : ""
        let title = "\(span.version) was champion \(Self.period(span))\(accuracy)\(ending)"
        let style = "span \(side.rawValue)\(span.isRolledBack ? " broken" : "")"
        let width = max(1.5, to - from - 1.5)
        var result = SVG.rectangle(x: from, y: bar, width: width, height: 20, style: style, title: title)
        if span.isRolledBack {
            let strokes = stride(from: from + 5, to: from + width, by: 6).map { at -> Markup in
                SVG.line(x1: at, y1: bar + 1, x2: max(from, at - 5), y2: bar + 19, style: "hatch")
            }
            result += Markup(joining: strokes)
        }
        let text = span.version + (span.isRolledBack ? " ✕" : "")
        if SVG.width(of: text, size: 12) + 8 < width {
            result += SVG.text(
                x: from + 6,
                y: bar + 14.5,
                text,
                style: span.isRolledBack ? "span-name hatched" : "span-name"
            )
        }
        return result
    }

    private static func period(_ span: Span) -> String {
        "from \(Figures.clock(span.from)) to \(Figures.clock(span.to))"
    }

    /// A period during which one model had one role.
    struct Span {
        let version: String
        let from: Double
        var to: Double
        var accuracy: Double?
        var isRolledBack = false
    }

    /// Returns the spans during which each model was champion; a span ends when another model becomes champion.
    static func champions(_ releases: [DemoSnapshot.ReleaseView], until end: Double) -> [Span] {
        var spans: [Span] = []
        for release in releases {
            let accuracy = release.accuracy
            if var last = spans.popLast() {
                let isSame = last.version == release.champion
                last.to = isSame ? last.to : release.at
                last.accuracy = isSame ? accuracy ?? last.accuracy : last.accuracy
                last.isRolledBack = !isSame && ReleaseCause(release.cause).isRollback
                spans.append(last)
                if isSame { continue }
            }
            spans.append(
                Span(version: release.champion, from: release.at, to: max(end, release.at), accuracy: accuracy)
            )
        }
        return spans
    }

    /// Returns the spans during which each model was evaluated in shadow.
    static func challengers(_ releases: [DemoSnapshot.ReleaseView], until end: Double) -> [Span] {
        var spans: [Span] = []
        for (index, release) in releases.enumerated() {
            guard let challenger = release.challenger else { continue }
            let to = index + 1 < releases.count ? releases[index + 1].at : max(end, release.at)
            if spans.last?.version == challenger, spans.last?.to == release.at {
                spans[spans.count - 1].to = to
            } else {
                spans.append(Span(version: challenger, from: release.at, to: to, accuracy: nil))
            }
        }
        return spans
    }
}

/// The cause of a release.
enum ReleaseCause: String, CaseIterable {
    case first, promoted, provisional, shadow, rolledBack = "rolled_back", command

    /// Reads a cause; an unknown one counts as a command.
    init(_ cause: String) { self = ReleaseCause(rawValue: cause) ?? .command }

    var isRollback: Bool { self == .rolledBack || self == .command }

    var title: String {
        switch self {
        case .first: "first"
        case .promoted: "promoted"
        case .provisional: "provisional"
        case .shadow: "shadow"
        case .rolledBack: "rolled back"
        case .command: "by command"
        }
    }

    var shape: SVG.Shape {
        switch self {
        case .first: .disc
        case .promoted, .provisional: .triangle
        case .shadow: .ring
        case .rolledBack: .cross
        case .command: .diamond
        }
    }

    /// CSS class that determines the colour.
    var style: String {
        switch self {
        case .first, .command: "plain"
        case .promoted, .provisional: "good"
        case .shadow: "quiet"
        case .rolledBack: "bad"
        }
    }
}
