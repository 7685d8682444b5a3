/// List of the run's events, newest first.
struct EventList {
    let snapshot: DemoSnapshot

    /// Number of events shown before the rest is folded.
    private static let shown = 14

    var markup: Markup {
        let newest = Array(snapshot.events.reversed())
        var body: Markup
        if newest.isEmpty {
            body = "<p class=\"empty\">Nothing has happened yet.</p>"
        } else {
            body = "<ol class=\"events\">\(newest.prefix(Self.shown).map(row))</ol>"
            if newest.count > Self.shown {
                body += """
                    <details><summary>\(newest.count - Self.shown) earlier</summary>\
                    <ol class="events">\(newest.dropFirst(Self.shown).map(row))</ol></details>
                    """
            }
        }
        return """
            <section aria-labelledby="events"><h2 id="events">What happened</h2>
            <p class="note">The newest first.</p><div class="panel">\(body)</div></section>
            """
    }

    private func row(_ event: DemoSnapshot.TimelineEvent) -> Markup {
        let (shape, style, word) = Self.sign(event.kind)
        let project: Markup =
            snapshot.side(named: event.project)?.badge
            ?? "<span class=\"badge muted\">\(event.project ?? "both")</span>"
        return """
            <li><span class="time">\(Figures.clock(event.at))</span>\(project)\
            <span class="what \(style)">\(SVG.key(shape, style))\(word)</span><span class="text">\(event.text)</span></li>
            """
    }

    private static func sign(_ kind: DemoSnapshot.TimelineEvent.Kind) -> (SVG.Shape, String, String) {
        switch kind {
        case .workerKilled: (.cross, "bad", "worker killed")
        case .workerBack: (.disc, "good", "worker back")
        case .brokenShipped: (.diamond, "bad", "broken model")
        case .rolledBack: (.cross, "bad", "rolled back")
        case .promoted: (.triangle, "good", "promoted")
        case .note: (.ring, "quiet", "note")
        }
    }
}
