/// Drawings of the samples that are currently queried, each with the reason for its query.
struct QueriedDigits {
    let snapshot: DemoSnapshot

    /// Number of cards shown before the rest is folded.
    private static let shown = 8

    var markup: Markup {
        let title = snapshot.isFinished ? "Still open at the end" : "Being asked right now"
        return """
            <section aria-labelledby="asked"><h2 id="asked">\(title)</h2>
            <p class="note">Open labelling tasks, the most useful first. A dashed frame marks an <b>audit sample</b>: selected at \
            random and not for being hard, it measures models without bias.</p>
            <div class="two even">\(ProjectSide.allCases.map(column))</div></section>
            """
    }

    private func column(_ side: ProjectSide) -> Markup {
        let queriedSamples = snapshot[side].queriedSamples
        let count =
            queriedSamples.isEmpty ? "nothing open" : Figures.counted(queriedSamples.count, "open task", "open tasks")
        var body: Markup
        if queriedSamples.isEmpty {
            body = "<p class=\"empty\">\(emptyText(side))</p>"
        } else {
            body = "<ol class=\"cards\">\(queriedSamples.prefix(Self.shown).map(card))</ol>"
            if queriedSamples.count > Self.shown {
                body += """
                    <details><summary>\(queriedSamples.count - Self.shown) more</summary>\
                    <ol class="cards">\(queriedSamples.dropFirst(Self.shown).map(card))</ol></details>
                    """
            }
        }
        return """
            <div class="panel asked\(snapshot.isFinished ? "" : " live")"><h3>\(side.badge) <small>\(side.summary)</small>\
            <em>\(count)</em></h3>\(body)</div>
            """
    }

    private func emptyText(_ side: ProjectSide) -> String {
        if snapshot.isFinished { return "All questions are answered or closed." }
        return snapshot[side].tasks == 0
            ? "The first questions go out once enough samples have arrived." : "The next questions are being chosen."
    }

    private func card(_ sample: DemoSnapshot.QueriedSample) -> Markup {
        let isAudit = sample.purpose == "audit"
        let tag: Markup = isAudit ? "<span class=\"tag\">audit sample</span>" : .empty
        return """
            <li class="card\(isAudit ? " audit" : "")">\(Self.digit(sample.pixels, id: sample.id))\
            <div>\(tag)<p>\(Self.reason(sample))</p>\(Self.votes(sample))</div></li>
            """
    }

    /// Reason for the query of this sample, in words.
    static func reason(_ sample: DemoSnapshot.QueriedSample) -> String {
        // The no-break space prevents a line break before the class.
        let says = sample.scoredBy.flatMap { model in sample.predicted.map { "\(model) says\u{a0}\($0)" } }
        if sample.purpose == "audit" { return ["drawn by chance", says].compactMap { $0 }.joined(separator: "; ") }
        let parts = sample.strategy.split(separator: "+").map(String.init)
        let function = (parts.first ?? sample.strategy).split(separator: "_").joined(separator: " ")
        let isSpread = parts.dropFirst().contains("kmeans")
        if function == "cold start" {
            return isSpread ? "cold start: spread over the space" : "cold start: no model yet"
        }
        if function == "exploration" {
            return ["exploration, by chance", says].compactMap { $0 }.joined(separator: "; ")
        }
        if function == "random" { return ["drawn at random", says].compactMap { $0 }.joined(separator: "; ") }
        let score = "\(function) \(Figures.fixed(sample.score, 2))"
        guard let model = sample.scoredBy else { return score }
        return "\(score) by \(model)" + (sample.predicted.map { ", which says\u{a0}\($0)" } ?? "")
    }

    private static func votes(_ sample: DemoSnapshot.QueriedSample) -> Markup {
        let wanted = max(0, sample.votesWanted)
        let dots = (0..<min(wanted, 9)).map { $0 < sample.votes ? "<i class=\"on\"></i>" : "<i></i>" as Markup }
        return """
            <p class="votes"><span class="dots" aria-hidden="true">\(dots)</span>\
            \(sample.votes) of \(wanted) <span class="unit">\(wanted == 1 ? "vote" : "votes")</span></p>
            """
    }

    /// An 8 × 8 picture: one path for each shade, with adjacent squares of a row drawn as one.
    static func digit(_ pixels: [Int], id: String) -> Markup {
        var paths: [Int: Markup] = [:]
        var index = 0
        while index < min(64, pixels.count) {
            let shade = min(16, max(0, pixels[index]))
            let start = index
            repeat {
                index += 1
            } while index % 8 != 0 && index < pixels.count && min(16, max(0, pixels[index])) == shade
            guard shade > 0 else { continue }
            paths[shade, default: .empty] += "M\(start % 8) \(start / 8)h\(index - start)v1h\(start - index)z"
        }
        let drawn = paths.sorted { $0.key < $1.key }.map { shade, path in
            "<path d=\"\(path)\" fill-opacity=\"\(Figures.fixed(Double(shade) / 16, 2))\"/>" as Markup
        }
        return """
            <svg class="digit" viewBox="0 0 8 8" role="img" aria-label="picture of sample \(id)">\
            <title>sample \(id)</title>\(drawn)</svg>
            """
    }
}
