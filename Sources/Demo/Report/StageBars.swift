/// Mean duration of each phase of a cycle, with the phase that delays the others.
struct StageBars {
    let snapshot: DemoSnapshot

    /// The phases in the order of a cycle, each with the interval that it covers.
    private static let known: [(name: String, meaning: String)] = [
        ("select", "from a prediction to its task"),
        ("label", "from a task to its label"),
        ("collect", "from a label to the cut that holds it"),
        ("seal", "from a cut to its sealed version"),
        ("train", "from a request to its last result"),
        ("judge", "from a challenger's shadow to its promotion"),
    ]

    var markup: Markup {
        let names = self.names
        let longest =
            ProjectSide.allCases.flatMap { snapshot[$0].phases }.map(\.meanSeconds).filter(\.isFinite).max() ?? 0
        let body: Markup =
            names.isEmpty
            ? "<p class=\"empty\">No stage has been passed yet.</p>"
            : "\(verdict)<div class=\"stages\">\(names.map { phase($0, longest) })</div>\(toRelease)"
        return """
            <section aria-labelledby="stages"><h2 id="stages">Where the time goes</h2>
            <p class="note">Mean time of each stage of the cycle.</p><div class="panel">\(body)</div></section>
            """
    }

    private var names: [String] {
        let present = ProjectSide.allCases.flatMap { snapshot[$0].phases }.map(\.name)
        let known = Self.known.map(\.name)
        var names = known.filter(present.contains)
        for name in present where !names.contains(name) { names.append(name) }
        return names
    }

    private var verdict: Markup {
        let parts = ProjectSide.allCases.compactMap { side -> Markup? in
            snapshot[side].bottleneck.map { "<span>\(side.badge) waits longest in <b>\($0)</b></span>" }
        }
        return parts.isEmpty ? .empty : "<p class=\"legend\">\(parts)</p>"
    }

    private func phase(_ name: String, _ longest: Double) -> Markup {
        let meaning = Self.known.first { $0.name == name }?.meaning ?? ""
        let rows = ProjectSide.allCases.map { bar($0, name, longest) }
        return "<div class=\"pair\"><h3>\(name) <small>\(meaning)</small>\(mark(name))</h3>\(rows)</div>"
    }

    /// Names the projects whose cycles this phase delays.
    private func mark(_ name: String) -> Markup {
        let sides = ProjectSide.allCases.filter { snapshot[$0].bottleneck == name }
        guard let first = sides.first else { return .empty }
        return "<em>◆ \(sides.count > 1 ? "the bottleneck" : "\(first.title)’s bottleneck")</em>"
    }

    private func bar(_ side: ProjectSide, _ name: String, _ longest: Double) -> Markup {
        guard let phase = snapshot[side].phases.first(where: { $0.name == name }), phase.count > 0 else {
            return
                "<div class=\"row\">\(side.badge)<div class=\"track\"></div><span class=\"muted\">not yet</span></div>"
        }
        let isBottleneck = snapshot[side].bottleneck == name
        let share = longest > 0 && phase.meanSeconds.isFinite ? max(0.004, phase.meanSeconds / longest) : 0
        return """
            <div class="row">\(side.badge)<div class="track"><i class="\(side.rawValue)\(isBottleneck ? " tight" : "")" \
            style="width:\(share * 100)%"></i></div><span><b>\(Figures.duration(phase.meanSeconds))</b> \
            <small>× \(Figures.count(phase.count))</small></span></div>
            """
    }

    /// From the prediction of a promotion's newest training sample to the promotion.
    private var toRelease: Markup {
        let parts = ProjectSide.allCases.compactMap { side -> Markup? in
            let times = snapshot[side].predictionToRelease
            guard let median = Figures.median(times), let shortest = times.min(), let longest = times.max() else {
                return nil
            }
            let promotions = Figures.counted(times.count, "promotion", "promotions")
            let range = times.count > 1 ? " (\(Figures.duration(shortest)) to \(Figures.duration(longest)))" : ""
            return """
                <span>\(side.badge) <b>\(Figures.duration(median))</b>\(range), median of \(promotions)</span>
                """
        }
        guard !parts.isEmpty else { return .empty }
        return "<div class=\"sum\"><h3>From prediction to release</h3><p class=\"legend\">\(parts)</p></div>"
    }
}
