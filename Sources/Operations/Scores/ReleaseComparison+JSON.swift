internal import JSON
internal import Statistics
internal import Vocabulary

extension ReleaseComparison {
    /// One JSON object.
    public var json: String {
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("project", project)
            write("first", first, to: &writer)
            write("second", second, to: &writer)
            writer.key("fresh")
            if let fresh { Self.write(fresh, to: &writer) } else { writer.null() }
            if let optimistic {
                writer.object("optimistic") { writer in
                    writer.member("items", optimistic.labels)
                    writer.member("difference", optimistic.value)
                }
            }
            Self.write("anchor", anchor, to: &writer)
            Self.write("window", window, to: &writer)
            if let welch, let mannWhitney {
                writer.object("repeats") { writer in
                    writer.member("difference", welch.difference)
                    writer.member("welch_p", welch.pValue)
                    writer.member("mann_whitney_p", mannWhitney.pValue)
                    writer.member("cliffs_delta", mannWhitney.cliffsDelta)
                }
            }
            writer.array("series") { writer in
                for link in series {
                    writer.object { writer in
                        writer.member("version", link.version.rawValue)
                        writer.member("since_ms", link.since.milliseconds)
                        writer.member("items", link.labels)
                        writer.member("score", ifPresent: link.score)
                        writer.member("chained", ifPresent: link.chained)
                    }
                }
            }
        }
        return writer.text
    }

    private func write(_ key: StaticString, _ version: ModelVersion, to writer: inout JSONWriter) {
        writer.object(key) { writer in
            writer.member("version", version.rawValue)
            writer.member("since_ms", ifPresent: since[version]?.milliseconds)
            writer.key("score")
            guard let score = individualScores[version] else { return writer.null() }
            Self.write(score, to: &writer)
        }
    }

    private static func write(_ score: ModelScore, to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("items", score.labels)
            write(score.classes.isEmpty ? "agreement" : "accuracy", score.agreement, to: &writer)
            guard !score.classes.isEmpty else { return }
            writer.array("classes") { writer in
                for figures in score.classes {
                    writer.object { writer in
                        writer.member("class", figures.name)
                        writer.member("labels", figures.labels)
                        writer.member("predictions", figures.predictions)
                        write("precision", figures.precision, to: &writer)
                        write("recall", figures.recall, to: &writer)
                    }
                }
            }
            writer.array("confusion") { writer in
                for cell in score.confusion {
                    writer.object { writer in
                        writer.member("label", cell.label)
                        writer.member("predicted", cell.predicted)
                        writer.member("count", cell.count)
                    }
                }
            }
        }
    }

    private static func write(_ score: PairedScore, to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("items", score.labels)
            writer.member("first", score.first.agreement.value)
            writer.member("second", score.second.agreement.value)
            write("difference", score.difference, to: &writer)
            writer.object("mcnemar") { writer in
                writer.member("wins", score.mcNemar.wins)
                writer.member("losses", score.mcNemar.losses)
                writer.member("exact_p", score.mcNemar.exact)
                writer.member("mid_p", score.mcNemar.midP)
                writer.member("corrected_p", score.mcNemar.corrected)
            }
            writer.object("permutation") { writer in
                writer.member("p", score.permutation.pValue)
                writer.member("exact", score.permutation.isExact)
            }
            writer.object("bootstrap") { writer in
                write("percentile", score.percentile, to: &writer)
                if let corrected = score.biasCorrected { write("bias_corrected", corrected, to: &writer) }
            }
            writer.object("effect_size") { writer in
                writer.member("cohens_d", ifPresent: score.cohensD)
                // JSON has no infinity: without a loss there is no upper limit.
                if let odds = score.odds {
                    if odds.ratio.isFinite { writer.member("odds_ratio", odds.ratio) }
                    writer.member("odds_lower", odds.interval.lower)
                    if odds.interval.upper.isFinite { writer.member("odds_upper", odds.interval.upper) }
                }
            }
            writer.member("noise_floor", score.noiseFloor)
            writer.member("below_noise", score.isBelowNoise)
        }
    }

    private static func write(_ key: StaticString, _ set: ItemSet?, to writer: inout JSONWriter) {
        writer.key(key)
        guard let set else { return writer.null() }
        writer.object { writer in
            writer.member("version", set.digest)
            writer.member("items", set.score.labels)
            writer.member("first", set.score.first.agreement.value)
            writer.member("second", set.score.second.agreement.value)
            write("difference", set.score.difference, to: &writer)
        }
    }

    private static func write(_ key: StaticString, _ figure: ModelScore.Figure, to writer: inout JSONWriter) {
        writer.object(key) { writer in
            writer.member("value", figure.value)
            write("interval", figure.interval, to: &writer)
            write("always", figure.anytimeInterval, to: &writer)
        }
    }

    private static func write(_ key: StaticString, _ share: ModelScore.Share?, to writer: inout JSONWriter) {
        writer.key(key)
        guard let share else { return writer.null() }
        writer.object { writer in
            writer.member("value", share.value)
            write("always", share.anytimeInterval, to: &writer)
        }
    }

    private static func write(_ key: StaticString, _ interval: Interval, to writer: inout JSONWriter) {
        writer.array(key) { writer in
            writer.value(interval.lower)
            writer.value(interval.upper)
        }
    }
}
