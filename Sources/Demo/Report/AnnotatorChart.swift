/// Chart of each annotator's error rate: the engine's estimate, made without known answers, beside the true value.
struct AnnotatorChart {
    let snapshot: DemoSnapshot

    var markup: Markup {
        let annotators = snapshot.annotators.sorted { ($0.trueError, $0.id) < ($1.trueError, $1.id) }
        let body: Markup =
            annotators.isEmpty
            ? "<p class=\"empty\">No annotator has answered yet.</p>" : table(annotators)
        return """
            <section aria-labelledby="annotators"><h2 id="annotators">Whom to trust</h2>
            <p class="note">The engine sees only who answered what. From the disagreements it estimates how often each \
            annotator is wrong.</p><div class="panel">\(body)</div></section>
            """
    }

    private func table(_ annotators: [DemoSnapshot.AnnotatorView]) -> Markup {
        let errors = annotators.flatMap { [$0.trueError, $0.estimatedError ?? 0] }.filter(\.isFinite)
        let end = min(1, max(0.1, ((errors.max() ?? 0) * 10.0001).rounded(.up) / 10))
        return """
            <p class="legend"><span>\(SVG.key(.disc, "active"))estimated</span>\
            <span><svg class="key" viewBox="0 0 14 14" width="14" height="14" aria-hidden="true">\
            <line class="truth" x1="7" y1="1" x2="7" y2="13"/></svg>true</span>\
            <span>share of answers that are wrong</span></p>
            <table class="annotators"><thead><tr><th scope="col">Annotator</th><th scope="col">Answers</th>\
            <th scope="col">\(axis(end))</th><th scope="col">Estimated</th><th scope="col">True</th></tr></thead>\
            <tbody>\(annotators.map { row($0, end) })</tbody></table>
            """
    }

    private func axis(_ end: Double) -> Markup {
        let labels = [0, end / 2, end].enumerated().map { index, value -> Markup in
            let anchor = ["start", "middle", "end"][index]
            let at: Markup = "x=\"\(2 + value / end * 96)%\" y=\"11\" text-anchor=\"\(anchor)\""
            return "<text class=\"tick \(anchor)\" \(at)>\(Figures.percent(value, decimals: 0))</text>"
        }
        return "<svg class=\"dots\" role=\"img\" aria-label=\"error rate\">\(labels)</svg>"
    }

    private func row(_ annotator: DemoSnapshot.AnnotatorView, _ end: Double) -> Markup {
        let estimate = annotator.estimatedError.map { Figures.percent($0) } ?? "not yet"
        return """
            <tr><th scope="row">\(annotator.id)</th><td class="number">\(Figures.count(annotator.answers))</td>\
            <td>\(strip(annotator, end))</td><td class="number">\(estimate)</td>\
            <td class="number">\(Figures.percent(annotator.trueError))</td></tr>
            """
    }

    /// The two error rates as marks on a line of the column's width.
    private func strip(_ annotator: DemoSnapshot.AnnotatorView, _ end: Double) -> Markup {
        let position = LinearScale(domain: 0...end, start: 2, end: 98)
        let truth = position(annotator.trueError)
        var content: Markup = """
            <line class="grid" x1="0%" y1="9" x2="100%" y2="9"/>\
            <line class="truth" x1="\(truth)%" y1="2" x2="\(truth)%" y2="16"/>
            """
        var words = "true error \(Figures.percent(annotator.trueError))"
        if let estimate = annotator.estimatedError {
            let at = position(estimate)
            content += """
                <line class="gap" x1="\(min(at, truth))%" y1="9" x2="\(max(at, truth))%" y2="9"/>\
                <g class="mark active"><circle cx="\(at)%" cy="9" r="4.5"/></g>
                """
            words = "estimated error \(Figures.percent(estimate)), " + words
        }
        return """
            <svg class="dots" role="img" aria-label="\(annotator.id): \(words)"><title>\(annotator.id): \(words)</title>\
            \(content)</svg>
            """
    }
}
