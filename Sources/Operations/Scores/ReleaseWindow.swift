public import Events
internal import JSON
internal import Statistics
public import StreamRuntime
internal import Telemetry
public import Vocabulary

/// Comparison of a version with another on the newest labels that both had answered: the member `window` of
/// `flywheel releases why`.
public struct ReleaseWindow: Sendable {
    /// The digest of the samples.
    public let digest: String
    public let labels: Int
    public let champion: ModelVersion
    public let challenger: ModelVersion
    /// Number of labels that were known when the later of the two was released.
    public let known: Int
    /// Whether a transaction is open on the journal: labels behind it are missing here.
    public let isHeldBack: Bool
    private let score: PairedScore

    /// Compares a version with the one that it replaced as live version, or else with the one that is live.
    ///
    /// - Returns: The comparison; nil if there is no other version, or the two cannot be compared: one of them has
    ///   answered nothing, or there is no label that both have answered.
    /// - Throws: `EngineError` if there is no such project, or if the journal holds an entry of a newer build;
    ///   `StreamError` when a topic cannot be read.
    public static func read(
        _ version: String,
        _ history: ReleaseHistory,
        transport: any StreamTransport,
        topics: TopicNames
    ) throws -> ReleaseWindow? {
        let steps = history.records.filter { $0.transition.version.rawValue == version }
        let replaced = steps.last { $0.transition.to == .live }?.transition.replaced
        guard let own = steps.last?.transition.version,
            let other = replaced ?? history.holder(of: .live)?.transition.version, other != own
        else { return nil }
        let (book, isHeldBack) = try ScoreBook.read(history.project, transport: transport, topics: topics)
        guard let comparison = try? ReleaseComparison(book, project: history.project, other, own),
            let window = comparison.window
        else { return nil }
        return ReleaseWindow(window, other, own, isHeldBack: isHeldBack)
    }

    init(_ set: ReleaseComparison.ItemSet, _ champion: ModelVersion, _ challenger: ModelVersion, isHeldBack: Bool) {
        digest = set.digest
        labels = set.score.labels
        score = set.score
        known = set.known
        self.isHeldBack = isHeldBack
        (self.champion, self.challenger) = (champion, challenger)
    }

    func write(_ key: StaticString, to writer: inout JSONWriter) {
        writer.object(key) { writer in
            writer.member("version", digest)
            writer.member("items", labels)
            writer.member("champion", score.first.agreement.value)
            writer.member("challenger", score.second.agreement.value)
            writer.array("difference") { writer in
                writer.value(score.difference.interval.lower)
                writer.value(score.difference.interval.upper)
            }
        }
    }

    /// One line for people.
    var text: String {
        let (old, new) = (ReleaseLogRecord.name(champion), ReleaseLogRecord.name(challenger))
        let figures = [score.first.agreement, score.second.agreement].map { ScoreText.share($0.value) }
        let caveat = known == 0 ? "" : "; \(known) of them were known at the release, so this is optimistic"
        return
            "on the newest \(labels) audit labels that both answered, in service or in shadow, \(old) agrees with \(figures[0]) and \(new) with \(figures[1]), \(ScoreText.difference(score.difference))\(caveat)"
    }
}

/// Figures for people.
enum ScoreText {
    static func share(_ value: Double) -> String { points(value) + " %" }

    static func share(_ figure: ModelScore.Figure) -> String {
        "\(share(figure.value))  [\(points(figure.interval.lower)), \(points(figure.interval.upper))], at all looks [\(points(figure.anytimeInterval.lower)), \(points(figure.anytimeInterval.upper))]"
    }

    static func share(_ figure: ModelScore.Share?) -> String {
        guard let figure else { return "-" }
        return
            "\(share(figure.value)) [\(points(figure.anytimeInterval.lower)), \(points(figure.anytimeInterval.upper))]"
    }

    static func difference(_ figure: ModelScore.Figure) -> String {
        "difference \(signed(figure.value)) points [\(signed(figure.interval.lower)), \(signed(figure.interval.upper))]"
    }

    static func signed(_ value: Double) -> String { (value > 0 ? "+" : "") + points(value) }

    /// A share in per cent, to one digit after the point; 0 has no sign.
    static func points(_ value: Double) -> String { "\((value * 1_000).rounded() / 10 + 0)" }

    /// A number to three digits after the point.
    static func rounded(_ value: Double) -> String { "\((value * 1_000).rounded() / 1_000 + 0)" }

    /// A ratio, which may be infinite.
    static func ratio(_ value: Double) -> String { value.isFinite ? rounded(value) : "unbounded" }

    static func pValue(_ value: Double) -> String { value < 0.0005 ? "below 0.001" : rounded(value) }
}
