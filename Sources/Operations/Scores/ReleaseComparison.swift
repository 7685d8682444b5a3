public import EngineCore
public import Events
internal import Flywheel
internal import Hashing
internal import JSON
internal import Kinds
internal import Statistics
public import StreamRuntime
public import Vocabulary

/// Two versions of a project side by side: `flywheel releases compare`.
public struct ReleaseComparison: Sendable {
    /// Two versions on one set of labels.
    public struct ItemSet: Sendable {
        /// The digest of the samples, in the order of acceptance: equal sets have equal digests.
        public let digest: String
        public let score: PairedScore
        /// Number of labels that were known when the later of the two was released: they favour that version.
        public let known: Int
    }

    /// One step of the chained series.
    public struct Link: Hashable, Sendable {
        public let version: ModelVersion
        public let since: StreamTime
        /// Number of labels, in the window at the time when the version became live, that it and the previous version
        /// had both answered; for the first version, the labels that it had answered.
        public let labels: Int
        /// Score of the version on these labels; nil without any.
        public let score: Double?
        /// The first version's score plus the differences since, each on common labels; nil from a step without common
        /// labels on.
        public let chained: Double?
    }

    public let project: String
    public let first: ModelVersion
    public let second: ModelVersion
    /// Score on labels newer than the promotion, or else the registration, of both versions: these labels played no
    /// part in either's release. Nil if no such label was answered by both.
    public let fresh: PairedScore?
    /// Score of each version alone on labels newer than its own promotion or registration; nil without any.
    public let individualScores: [ModelVersion: ModelScore]
    /// Time of each version's last promotion, or else of its registration; nil if neither is known.
    public let since: [ModelVersion: StreamTime]
    /// The second minus the first on labels that were known when the later one was released: it was chosen by these
    /// labels, so the figure is too favourable to it.
    public let optimistic: (value: Double, labels: Int)?
    public let anchor: ItemSet?
    public let window: ItemSet?
    /// Scores of the repeats of each version's trial.
    public let repeats: [ModelVersion: [Double]]
    /// The chained series, from the first live version to the last.
    public let series: [Link]
    /// Whether a transaction is open on the journal: labels behind it are missing here.
    public private(set) var isHeldBack = false

    /// Compares two versions of a book.
    ///
    /// - Throws: `EngineError` where a version is not of the project, or has answered no audit label.
    public init(_ book: ScoreBook, project: String, _ first: ModelVersion, _ second: ModelVersion) throws(EngineError) {
        guard let question = book.question else {
            throw EngineError(
                "compare \(first) with \(second)",
                "the loop's journal holds no revision of \(project)",
                remedy: "see flywheel project list"
            )
        }
        let (testItems, weighting) = (book.testItems, book.weighting)
        for version in [first, second] where !testItems.contains(where: { $0.answers[version] != nil }) {
            let isKnown = book.registered[version] != nil
            throw EngineError(
                "compare \(first) with \(second)",
                isKnown
                    ? "\(version) had answered none of the \(testItems.count) audit labels of \(project) before they were known"
                    : "no version \(version) of \(project) is known",
                remedy: isKnown
                    ? "services have to run it on audit samples; flywheel explain shows a sample's predictions"
                    : "flywheel releases log \(project) lists the versions"
            )
        }
        self.project = project
        self.first = first
        self.second = second
        let (releaseTime, versions) = (book.since, [first, second])
        since = versions.reduce(into: [:]) { $0[$1] = releaseTime($1) }
        individualScores = versions.reduce(into: [:]) { scores, version in
            scores[version] = ModelScore(
                version,
                on: Self.fresh(testItems, after: [releaseTime(version)]),
                weighting,
                question
            )
        }
        fresh = PairedScore(
            first,
            second,
            on: Self.fresh(testItems, after: versions.map(releaseTime)),
            weighting: weighting,
            question: question
        )
        let later = versions.compactMap(releaseTime).max()
        let known = testItems.filter { item in later.map { item.acceptedAt <= $0 } ?? false }
        optimistic = PairedScore(first, second, on: known, weighting: weighting, question: question).map {
            ($0.difference.value, $0.labels)
        }
        func set(_ items: [ScoreBook.Item]) -> ItemSet? {
            ItemSet(first, second, on: items, until: later, weighting: weighting, question: question)
        }
        anchor = set(book.anchor)
        // The newest labels that both have answered: a window over all labels would lose those for which one of them
        // made no prediction.
        window = set(
            Array(testItems.filter { $0.answers[first] != nil && $0.answers[second] != nil }.suffix(book.windowSize))
        )
        repeats = versions.reduce(into: [:]) { $0[$1] = book.repeats[$1] }
        series = Self.series(book, weighting, question)
    }

    /// Live answers to labels that were accepted after all of these times.
    private static func fresh(_ items: [ScoreBook.Item], after times: [StreamTime?]) -> [ScoreBook.Item] {
        let last = times.compactMap { $0 }.max() ?? StreamTime(milliseconds: .min)
        return items.filter { $0.acceptedAt > last }.map { item in
            var item = item
            item.answers = item.answers.filter { !$0.value.isReported }
            return item
        }
    }

    /// A series that does not shift when the set of items changes: each step adds the difference of two versions on the
    /// labels that both had answered.
    private static func series(_ book: ScoreBook, _ weighting: PostStratification, _ question: Question) -> [Link] {
        var links: [Link] = []
        for period in book.livePeriods where links.last?.version != period.version {
            let window = book.window(until: period.since)
            guard let last = links.last else {
                // The first version may have become live before there were labels: its window is then the one at the
                // end of its period.
                let next = book.livePeriods.first { $0.since > period.since }?.since
                let items = window.isEmpty ? book.window(until: next) : window
                guard let score = ModelScore(period.version, on: items, weighting, question) else { continue }
                let value = score.agreement.value
                links.append(
                    Link(
                        version: period.version,
                        since: period.since,
                        labels: score.labels,
                        score: value,
                        chained: value
                    )
                )
                continue
            }
            let common = PairedScore(last.version, period.version, on: window, weighting: weighting, question: question)
            links.append(
                Link(
                    version: period.version,
                    since: period.since,
                    labels: common?.labels ?? 0,
                    score: common?.second.agreement.value,
                    chained: common.flatMap { common in last.chained.map { $0 + common.difference.value } }
                )
            )
        }
        return links
    }

    // MARK: - Reading

    /// Applies the project's journal again, and compares two versions by its labels.
    ///
    /// - Parameters:
    ///   - name: The project.
    ///   - first: The version that is the basis of the comparison.
    ///   - second: The other version; may equal `first`.
    ///   - transport: The transport to the cluster.
    ///   - topics: The topic names in use.
    /// - Returns: The comparison, from committed records.
    /// - Throws: `EngineError` if there is no such project or version, or if the journal holds an entry of a newer
    ///   build; `StreamError` when a topic cannot be read.
    /// - Complexity: O(*n*) in the entries of the project, each applied in some microseconds.
    public static func read(
        _ name: String,
        _ first: ModelVersion,
        _ second: ModelVersion,
        transport: any StreamTransport,
        topics: TopicNames
    ) throws -> Self {
        let (book, isHeldBack) = try ScoreBook.read(name, transport: transport, topics: topics)
        var comparison = try Self(book, project: name, first, second)
        comparison.isHeldBack = isHeldBack
        return comparison
    }
}

extension ReleaseComparison.ItemSet {
    fileprivate init?(
        _ first: ModelVersion,
        _ second: ModelVersion,
        on items: [ScoreBook.Item],
        until later: StreamTime?,
        weighting: PostStratification,
        question: Question
    ) {
        guard let score = PairedScore(first, second, on: items, weighting: weighting, question: question) else {
            return nil
        }
        let common = items.filter { $0.answers[first] != nil && $0.answers[second] != nil }
        digest = SHA256Digest(of: Array(common.map(\.sample.rawValue).joined(separator: "\n").utf8)).hex
        self.score = score
        known = common.count { item in later.map { item.acceptedAt <= $0 } ?? false }
    }
}

extension ScoreBook {
    /// Reads a project's journal from its first entry to its last committed one.
    ///
    /// - Returns: The book, and whether a transaction is open on the journal.
    package static func read(
        _ name: String,
        transport: any StreamTransport,
        topics: TopicNames
    ) throws -> (book: ScoreBook, isHeldBack: Bool) {
        let attempt = "read the scores of \(name)"
        let directory = try ProjectDirectory(transport: transport, topics: topics)
        defer { directory.close() }
        try directory.readToEnd(for: name)
        guard let partition = directory[name]?.partition else {
            throw EngineError(attempt, "there is no project \(name)", remedy: "see flywheel project list")
        }
        let scan = try TopicScan(transport: transport, topic: topics[.journal])
        defer { scan.close() }
        let end = try scan.settledEnds([partition])[partition]
        var book = ScoreBook(project: ProjectID(name))
        let parser = Explain.makeParser()
        try scan.forEach(partition, until: end?.offset) { record, _, _ in
            guard record.key.elementsEqual(name.utf8), let entry = try record.journalEntry(parser) else { return }
            book.apply(entry, appendedAt: StreamTime(milliseconds: record.timestamp))
        }
        return (book, end?.isHeldBack ?? false)
    }
}
