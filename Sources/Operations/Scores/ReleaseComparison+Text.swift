internal import Events
internal import Statistics
internal import Telemetry
internal import Vocabulary

extension ReleaseComparison {
    /// Lines for people.
    public var text: String {
        let (old, new) = (ReleaseLogRecord.name(first), ReleaseLogRecord.name(second))
        var lines = [
            "\(old) and \(new) of \(ForeignText.line(project)); shares with 95 % intervals, weighted like all audit candidates"
        ]
        for version in first == second ? [first] : [first, second] { lines += text(of: version) }
        guard first != second else { return lines.joined(separator: "\n") }
        lines.append("")
        if let fresh {
            lines += text(of: fresh, old, new)
        } else {
            lines.append("no audit label that is newer than both releases was answered by both")
        }
        if let optimistic {
            lines.append(
                "  on \(counted(optimistic.labels)) known before: \(ScoreText.signed(optimistic.value)) points, which is optimistic: \(new) or \(old) was chosen by them"
            )
        }
        lines += [("anchor", anchor), ("window", window)].map { name, set in
            guard let set else { return "\(name)        no label that both answered" }
            let figures = [set.score.first, set.score.second].map { ScoreText.share($0.agreement.value) }
            return
                "\(name)        \(counted(set.score.labels)): \(old) \(figures[0]), \(new) \(figures[1]), \(ScoreText.difference(set.score.difference))"
        }
        lines += repeatLines(old, new) + seriesLines
        return lines.joined(separator: "\n")
    }

    private func text(of version: ModelVersion) -> [String] {
        let name = ReleaseLogRecord.name(version)
        let begun = since[version].map { "since \(RFC3339.text(milliseconds: $0.milliseconds))" } ?? "of any time"
        guard let score = individualScores[version] else {
            return ["", "\(name)  no audit label \(begun) that it had answered"]
        }
        let classes = score.classes.map { figures in
            "  \(ForeignText.line(figures.name, limit: 64)): precision \(ScoreText.share(figures.precision)) of \(figures.predictions), recall \(ScoreText.share(figures.recall)) of \(figures.labels)"
        }
        let errors = score.confusion.filter { $0.label != $0.predicted }.sorted { $0.count > $1.count }
        let worst = errors.prefix(5).map { cell in
            "\(ForeignText.line(cell.label, limit: 64)) as \(ForeignText.line(cell.predicted, limit: 64)) \(cell.count)"
        }
        let confused = worst.isEmpty ? [] : ["  most confused: \(worst.joined(separator: ", "))"]
        let what = score.classes.isEmpty ? "agreement" : "accuracy"
        return [
            "", "\(name)  \(what) \(ScoreText.share(score.agreement)) on \(counted(score.labels)) \(begun)",
        ] + classes + confused
    }

    private func text(of score: PairedScore, _ old: String, _ new: String) -> [String] {
        let (test, anytimeInterval) = (score.mcNemar, score.difference.anytimeInterval)
        var lines = [
            "\(new) less \(old) on \(counted(score.labels)) newer than both releases:",
            "  \(ScoreText.difference(score.difference)), at all looks [\(ScoreText.signed(anytimeInterval.lower)), \(ScoreText.signed(anytimeInterval.upper))]",
            "  McNemar       \(new) alone agrees better with \(test.wins), \(old) alone with \(test.losses): p \(ScoreText.pValue(test.exact)) (exact), \(ScoreText.pValue(test.midP)) (mid-p)",
            "  permutation   p \(ScoreText.pValue(score.permutation.pValue))\(score.permutation.isExact ? " (exact)" : "")",
        ]
        let corrected = score.biasCorrected.map {
            ", bias-corrected [\(ScoreText.signed($0.lower)), \(ScoreText.signed($0.upper))]"
        }
        lines.append(
            "  bootstrap     [\(ScoreText.signed(score.percentile.lower)), \(ScoreText.signed(score.percentile.upper))] points, not weighted\(corrected ?? "")"
        )
        var effect: [String] = []
        if let cohensD = score.cohensD { effect.append("d \(ScoreText.rounded(cohensD))") }
        if let odds = score.odds {
            let limits = [odds.interval.lower, odds.interval.upper].map { ScoreText.ratio($0) }
            effect.append("odds ratio \(ScoreText.ratio(odds.ratio)) [\(limits[0]), \(limits[1])]")
        }
        lines.append("  effect size   \(effect.isEmpty ? "none: they never differ" : effect.joined(separator: ", "))")
        let noise = ScoreText.points(score.noiseFloor)
        lines.append(
            score.isBelowNoise
                ? "  label noise   some \(noise) % of these labels may be wrong: the difference is below that"
                : "  label noise   some \(noise) % of these labels may be wrong"
        )
        return lines
    }

    private func repeatLines(_ old: String, _ new: String) -> [String] {
        guard let welch, let mannWhitney else { return [] }
        return [
            "repeats       of the trials behind them, \(new) less \(old): \(ScoreText.signed(welch.difference)) points, Welch p \(ScoreText.pValue(welch.pValue)), Mann-Whitney p \(ScoreText.pValue(mannWhitney.pValue)), Cliff's delta \(ScoreText.rounded(mannWhitney.cliffsDelta))"
        ]
    }

    private var seriesLines: [String] {
        guard !series.isEmpty else { return [] }
        return ["series        each live version on the labels that the one before had answered too, added up:"]
            + series.map { link in
                let chained = link.chained.map { ScoreText.share($0) } ?? "unknown: no common label"
                return
                    "  \(RFC3339.text(milliseconds: link.since.milliseconds))  \(ReleaseLogRecord.name(link.version))  \(chained)  (\(counted(link.labels)))"
            }
    }

    private func counted(_ labels: Int) -> String { labels == 1 ? "1 label" : "\(labels) labels" }

    /// Welch's test between the repeats of both versions; nil where they have fewer than two each, or do not vary.
    var welch: Welch? { repeats[second].flatMap { new in repeats[first].flatMap { Welch(new, $0) } } }
    var mannWhitney: MannWhitney? { repeats[second].flatMap { new in repeats[first].flatMap { MannWhitney(new, $0) } } }
}
