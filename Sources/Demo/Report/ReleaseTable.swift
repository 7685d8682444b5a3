/// Table of all releases with their evidence. Shadow releases change no answer and are folded.
struct ReleaseTable {
    let snapshot: DemoSnapshot

    private typealias Row = (side: ProjectSide, release: DemoSnapshot.ReleaseView)

    var markup: Markup {
        let rows = ProjectSide.allCases.flatMap { side in snapshot[side].releases.map { Row(side, $0) } }
            .enumerated().sorted { ($0.element.release.at, $0.offset) < ($1.element.release.at, $1.offset) }
            .map(\.element)
        guard !rows.isEmpty else {
            let text =
                snapshot.isFinished ? "No model was released." : "The first release of each project appears here."
            return "<div class=\"panel\"><p class=\"empty\">\(text)</p></div>"
        }
        let shadows = rows.filter { ReleaseCause($0.release.cause) == .shadow }
        let others = rows.filter { ReleaseCause($0.release.cause) != .shadow }
        let main: Markup = others.isEmpty ? .empty : table(others, style: "")
        let folded: Markup =
            shadows.isEmpty
            ? .empty
            : """
            <details><summary>\(Figures.counted(shadows.count, "shadow release", "shadow releases")): a challenger starts \
            to be judged, the champion stays</summary>\(table(shadows, style: " dim"))</details>
            """
        return "<div class=\"panel\">\(main)\(folded)</div>"
    }

    private func table(_ rows: [Row], style: String) -> Markup {
        """
        <table class="releases\(style)"><thead><tr><th scope="col">At</th><th scope="col">Project</th>\
        <th scope="col">What</th><th scope="col">Champion</th><th scope="col">Held-out</th>\
        <th scope="col">Evidence</th></tr></thead><tbody>\(rows.map(row))</tbody></table>
        """
    }

    private func row(_ row: Row) -> Markup {
        let release = row.release
        let cause = ReleaseCause(release.cause)
        let accuracy = release.accuracy.map { Figures.percent($0) } ?? Figures.unknown
        let replaced: Markup = release.replaced.map { " <small>instead of \($0)</small>" } ?? .empty
        let challenger: Markup = release.challenger.map { " <small>shadowed by \($0)</small>" } ?? .empty
        let evidence = release.evidence.isEmpty ? Figures.unknown : release.evidence
        return """
            <tr class="\(cause.isRollback ? "rollback" : "")"><td class="time">\(Figures.clock(release.at))</td>\
            <td>\(row.side.badge)</td><td><span class="what \(cause.style)">\(SVG.key(cause.shape, cause.style))\
            \(cause.title)</span></td><td><b>\(release.champion)</b>\(replaced)\(challenger)</td>\
            <td class="number">\(accuracy)</td><td class="evidence">\(evidence)</td></tr>
            """
    }
}
