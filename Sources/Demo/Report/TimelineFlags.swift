/// Events of the run itself, as flags above the lanes and lines through them: a worker killed and restarted, a broken
/// model deployed. Promotions and rollbacks are marks of the lanes.
struct TimelineFlags {
    private let flags: [Flag]
    private let outages: [(from: Double, to: Double)]
    private let x: LinearScale
    private let rows: Int

    private struct Flag {
        let at: Double
        let text: String
        let title: String
        let style: String
        let row: Int
        let isLeft: Bool
        let side: ProjectSide?
    }

    private static let rowHeight = 17.0

    init(snapshot: DemoSnapshot, x: LinearScale) {
        self.x = x
        var flags: [Flag] = []
        var occupied: [[ClosedRange<Double>]] = []
        for event in snapshot.events {
            guard let (text, style) = Self.wording(event.kind) else { continue }
            let at = x(event.at)
            let width = SVG.width(of: text, size: 11.5) + 16
            let isLeft = at + width > x.end + 8
            let range = isLeft ? (at - width)...(at + 2) : (at - 2)...(at + width)
            let row = occupied.firstIndex { taken in !taken.contains { $0.overlaps(range) } } ?? occupied.count
            if row == occupied.count { occupied.append([]) }
            occupied[row].append(range)
            let title = "\(Figures.clock(event.at)) \(event.text)"
            let side = snapshot.side(named: event.project)
            flags.append(Flag(at: at, text: text, title: title, style: style, row: row, isLeft: isLeft, side: side))
        }
        self.flags = flags
        rows = occupied.count
        outages = Self.outages(snapshot).map { (x($0.from), x($0.to)) }
    }

    /// The height that the flags need.
    var height: Double { Double(rows) * Self.rowHeight }

    /// The flags with their poles down to `bottom`, or to the end of the lane of the project concerned.
    func markup(to bottom: Double, laneHeight: Double) -> Markup {
        let bands = outages.map { outage -> Markup in
            SVG.rectangle(
                x: outage.from,
                y: height,
                width: outage.to - outage.from,
                height: bottom - height,
                style: "outage",
                title: "a worker is down"
            )
        }
        let drawn = flags.map { flag -> Markup in
            let y = Double(flag.row) * Self.rowHeight
            let end = flag.side == .active ? bottom - laneHeight : bottom
            let text = SVG.text(
                x: flag.at + (flag.isLeft ? -6 : 6),
                y: y + 12,
                flag.text,
                style: "flag-name",
                anchor: flag.isLeft ? "end" : "start"
            )
            let pole = SVG.line(x1: flag.at, y1: y + 2, x2: flag.at, y2: end, style: "pole")
            return """
                <g class="flag \(flag.style)">\(SVG.title(flag.title))\
                \(pole)<circle cx="\(flag.at)" cy="\(y + 8)" r="3"/>\(text)</g>
                """
        }
        return "\(bands)\(drawn)"
    }

    private static func wording(_ kind: DemoSnapshot.TimelineEvent.Kind) -> (String, String)? {
        switch kind {
        case .workerKilled: ("worker killed", "bad")
        case .workerBack: ("worker back", "good")
        case .brokenShipped: ("broken model shipped", "bad")
        case .rolledBack, .promoted, .note: nil
        }
    }

    private static func outages(_ snapshot: DemoSnapshot) -> [(from: Double, to: Double)] {
        var result: [(from: Double, to: Double)] = []
        var since: Double?
        for event in snapshot.events {
            if event.kind == .workerKilled, since == nil { since = event.at }
            if event.kind == .workerBack, let from = since {
                result.append((from, max(from, event.at)))
                since = nil
            }
        }
        if let since { result.append((since, max(since, snapshot.isFinished ? snapshot.horizon : snapshot.elapsed))) }
        return result
    }
}
