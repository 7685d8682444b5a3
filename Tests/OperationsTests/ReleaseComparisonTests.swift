import Events
import Flywheel
import JSON
import Kinds
import PipelineTesting
import Rollout
import Statistics
import StreamRuntime
import StreamTesting
import Testing
import Vocabulary

@testable import EngineCore
@testable import Loop
@testable import Operations

@Suite("Two model versions side by side")
struct ReleaseComparisonTests {
    private static let project = Scenario.project.rawValue
    private static let (old, new) = (ModelVersion("v1"), ModelVersion("v2"))
    private static let schema = LabelSchema(question: "", classes: ["cat", "dog"])

    private static func item(
        _ number: Int,
        _ label: Int,
        _ answers: [ModelVersion: Int],
        stratum: AuditStratum = .agree,
        confidence: Double = 1
    ) -> ScoreBook.Item {
        ScoreBook.Item(
            sample: SampleID("s\(number)"),
            number: number,
            acceptedAt: StreamTime(milliseconds: Int64(number)),
            label: .choice(ClassIndex(label)),
            confidence: confidence,
            cell: PostStratification.Cell(stratum: stratum.index, day: 0),
            isDuel: stratum == .disagree,
            answers: answers.mapValues { ScoreBook.Answer(label: .choice(ClassIndex($0)), isReported: false) }
        )
    }

    /// 20 labels on which both models agree and 10 on which they disagree; a tenth of all candidates is of the second
    /// kind.
    private static let items: [ScoreBook.Item] =
        (1...20).map { item($0, $0 % 2, [old: $0 % 2, new: $0 % 2]) }
        + (21...30).map {
            item($0, 1, [old: $0 <= 22 ? 1 : 0, new: $0 <= 22 ? 0 : 1], stratum: .disagree, confidence: 0.9)
        }
    private static let weighting = PostStratification(
        candidates: [(.agree, 0, 900), (.disagree, 0, 100)] as [(stratum: AuditStratum, day: Int, count: Int)]
    )

    @Test("Scores are weighted by the distribution of all candidates, also for each class")
    func weighing() throws {
        let score = try #require(ModelScore(Self.new, on: Self.items, Self.weighting, .choice(Self.schema)))
        #expect((score.agreement.value - (0.9 + 0.1 * 0.8)).magnitude < 1e-12)
        #expect(score.agreement.interval.contains(score.agreement.value) && score.labels == 30)
        #expect(score.agreement.anytimeInterval.lower <= score.agreement.interval.lower)
        // Label dog: 10 of the 20 and all of the 10, of which 18 are predicted. Each of the 20 represents 45
        // candidates, each of the 10 represents 10.
        let dog = try #require(score.classes.first { $0.name == "dog" })
        #expect(dog.labels == 20 && dog.predictions == 18)
        #expect(((dog.recall?.value ?? 0) - (450 + 80) / (450 + 100.0)).magnitude < 1e-12)
        #expect(((dog.precision?.value ?? 0) - 1).magnitude < 1e-12)
        let cat = try #require(score.classes.first { $0.name == "cat" })
        #expect(((cat.precision?.value ?? 0) - 450 / (450 + 20.0)).magnitude < 1e-12)
        #expect(score.confusion.map(\.count) == [10, 2, 18])
        #expect(ModelScore(ModelVersion("v9"), on: Self.items, Self.weighting, .choice(Self.schema)) == nil)
    }

    @Test("A difference is tested, weighted, and compared with the noise of the labels")
    func pair() throws {
        let score = try #require(
            PairedScore(Self.old, Self.new, on: Self.items, weighting: Self.weighting, question: .choice(Self.schema))
        )
        #expect((score.mcNemar.wins, score.mcNemar.losses) == (8, 2))
        #expect((score.difference.value - 0.1 * 0.6).magnitude < 1e-12)
        #expect(score.permutation.isExact && score.permutation.pValue == score.mcNemar.exact)
        // Agreeing predictions have no difference: only a tenth of all candidates is uncertain.
        #expect(score.difference.interval.width < 0.15 && score.difference.anytimeInterval.width < 0.2)
        #expect((score.noiseFloor - 10 * 0.1 / 30).magnitude < 1e-12 && !score.isBelowNoise)
        #expect(score.odds?.ratio == 4)
        let reversed = try #require(
            PairedScore(Self.new, Self.old, on: Self.items, weighting: Self.weighting, question: .choice(Self.schema))
        )
        #expect((reversed.difference.value + score.difference.value).magnitude < 1e-12)
        let noisy = Self.items.map { item in
            var item = item
            item.confidence = 0.8
            return item
        }
        let doubtful = try #require(
            PairedScore(Self.old, Self.new, on: noisy, weighting: Self.weighting, question: .choice(Self.schema))
        )
        #expect(doubtful.isBelowNoise)
    }

    @Test("A difference in a stratum where other models agreed widens the interval by half or more")
    func foreignPair() throws {
        var items = Self.items
        items[0].answers[Self.old] = ScoreBook.Answer(label: .choice(ClassIndex(0)), isReported: false)
        let score = try #require(
            PairedScore(Self.old, Self.new, on: items, weighting: Self.weighting, question: .choice(Self.schema))
        )
        let known = try #require(
            PairedScore(Self.old, Self.new, on: Self.items, weighting: Self.weighting, question: .choice(Self.schema))
        )
        #expect(score.difference.interval.width > 1.5 * known.difference.interval.width)
    }

    // MARK: - A project

    /// A pipeline that has promoted a model over an incumbent.
    private func promoted() throws -> (pipeline: Pipeline, first: ModelVersion, second: ModelVersion) {
        let pipeline = try Pipeline(seed: 3)
        try pipeline.send(.commands, Wire.command("c0", .register(pipeline.incumbent("theirs"))))
        var release: ModelRelease?
        for _ in 0..<40 where release == nil {
            try pipeline.round()
            release = try pipeline.releases().last { $0.cause == .promoted }
        }
        for _ in 0..<4 { try pipeline.round() }
        let found = try #require(release)
        return (pipeline, try #require(found.replaced), found.champion.version)
    }

    /// First prediction of each model version for each audit sample, with its time, as recorded in the journal.
    private func answers(_ pipeline: Pipeline) throws -> [SampleID: [ModelVersion: (label: Label, at: Int64)]] {
        var recorded: [SampleID: [ModelVersion: (label: Label, at: Int64)]] = [:]
        for record in pipeline.journal() {
            let entry = try JSONParser().withDocument(of: record.value ?? []) { try JournalEntry(json: $0) }
            guard case .candidate(let candidate) = entry.body, candidate.auditProbability != nil,
                let version = candidate.model?.version, let label = candidate.output?.top,
                recorded[candidate.sample.id]?[version] == nil
            else { continue }
            recorded[candidate.sample.id, default: [:]][version] = (label, record.timestamp)
        }
        return recorded
    }

    @Test("The score book has predictions made before their labels were known, as in journal and dataset log")
    func reading() throws {
        let (pipeline, first, second) = try promoted()
        let (book, isHeldBack) = try ScoreBook.read(Self.project, transport: pipeline.cluster, topics: pipeline.topics)
        #expect(!isHeldBack)

        let recorded = try answers(pipeline)
        let facts = try pipeline.decoded(.datasetLog) { try DatasetLogRecord(json: $0) }.compactMap { record in
            if case .accepted(let fact, _) = record, fact.split == .test { fact } else { nil }
        }
        let testItems = book.testItems
        #expect(testItems.count > 10 && testItems.map(\.sample) == facts.map(\.consensus.sample.id))
        for (item, fact) in zip(testItems, facts) {
            #expect(item.label == fact.consensus.label && item.confidence == fact.consensus.confidence.value)
            for version in [first, second] {
                guard let answer = item.answers[version], !answer.isReported else { continue }
                #expect(answer.label == recorded[item.sample]?[version]?.label, "\(item.sample)")
                #expect(recorded[item.sample].flatMap { $0[version]?.at } ?? .max <= item.acceptedAt.milliseconds)
            }
        }
        #expect(
            testItems.contains { $0.answers[first]?.isReported == false && $0.answers[second]?.isReported == false }
        )
        #expect(testItems.contains { $0.answers[second]?.isReported == true })
        #expect(book.livePeriods.map(\.version).suffix(1) == [second] && book.repeats[second]?.isEmpty == false)

        let comparison = try ReleaseComparison(book, project: Self.project, first, second)
        let both = testItems.filter { $0.answers[first] != nil && $0.answers[second] != nil }
        let window = try #require(comparison.window)
        #expect(window.score.labels == both.count)
        #expect(
            window.score.mcNemar.wins
                == both.count { $0.answers[second]?.label == $0.label && $0.answers[first]?.label != $0.label }
        )
        let anchor = try #require(comparison.anchor)
        #expect(anchor.score.labels == both.count { $0.number <= ScoreBook.anchorSize })
        let promotedAt = try #require(comparison.since[second])
        #expect(
            comparison.individualScores[second]?.labels
                == testItems.count { $0.acceptedAt > promotedAt && $0.answers[second] != nil }
        )
        // Each step of the series adds the difference on the samples that both models had predicted.
        let last = try #require(comparison.series.last)
        #expect(last.version == second && comparison.series.count == book.livePeriods.count)
        let before = book.window(until: promotedAt)
        let question = try #require(book.question)
        let step = try #require(PairedScore(first, second, on: before, weighting: book.weighting, question: question))
        let former = try #require(comparison.series.dropLast().last)
        #expect(former.version == first)
        #expect(((last.chained ?? 9) - (former.chained ?? 0) - step.difference.value).magnitude < 1e-12)
    }

    @Test("Where eras are judged, each audit sample is a candidate once, and each label is in a cell with candidates")
    func candidates() throws {
        let usual = Scenario.configuration()
        let pipeline = try Pipeline(
            seed: 3,
            configuration: ProjectConfiguration(
                project: Scenario.project,
                revision: 1,
                partition: Scenario.partition,
                question: .choice(Scenario.schema),
                acquisition: usual.acquisition,
                labeling: usual.labeling,
                datasets: usual.datasets,
                training: usual.training,
                rollout: RolloutPolicy(minimumShadow: 1, calibration: 10, provisional: 0, shadowWait: 100)
            )
        )
        try pipeline.send(.commands, Wire.command("c0", .register(pipeline.incumbent("theirs"))))
        for _ in 0..<14 { try pipeline.round() }
        let (book, _) = try ScoreBook.read(Self.project, transport: pipeline.cluster, topics: pipeline.topics)
        // A sample that was queried before the first model is not a candidate of any model.
        let candidates = book.candidates
        let liveItems = book.testItems.filter { item in item.answers.contains { !$0.value.isReported } }
        #expect(candidates.reduce(0) { $0 + $1.count } == (try answers(pipeline)).count)
        #expect(candidates.contains { $0.stratum == .agree } && candidates.contains { $0.stratum == .disagree })
        #expect(liveItems.contains { $0.isDuel } && liveItems.contains { !$0.isDuel })
        for (cell, items) in Dictionary(grouping: liveItems, by: \.cell) {
            let count = candidates.first { $0.stratum.index == cell.stratum && $0.day == cell.day }?.count ?? 0
            #expect(
                count >= items.count,
                "\(cell), \(candidates), \(items.map { ($0.number, $0.isDuel, $0.answers.count) })"
            )
        }
        // A worker that takes the project over has the same counts.
        let report = try Replay(transport: pipeline.cluster, topics: pipeline.topics)
            .verify(project: Self.project, partition: Scenario.partition)
        #expect(report.isEqual, "\(report.firstDifference ?? "")")
        let store = try StateStore(transport: pipeline.cluster, topics: pipeline.topics)
        defer { store.close() }
        var restored = RestoredPartition()
        try store.follow(Scenario.partition, &restored, until: store.settledEnd(Scenario.partition)?.offset)
        let state = try #require(restored.projects[Self.project]).state
        #expect(state.rollout.candidateCounts.map(\.count) == candidates.map(\.count))
    }

    @Test("The report distinguishes labels newer than both releases from the optimistic rest")
    func report() throws {
        let (pipeline, first, second) = try promoted()
        let comparison = try ReleaseComparison.read(
            Self.project,
            first,
            second,
            transport: pipeline.cluster,
            topics: pipeline.topics
        )
        let text = comparison.text
        for part in ["accuracy ", "precision ", "recall ", "optimistic", "\nanchor ", "\nwindow ", "\nseries "] {
            #expect(text.contains(part), "\(part) in \(text)")
        }
        for part in ["nan", "inf"] { #expect(!text.contains(part), "\(text)") }
        try JSONParser().withDocument(of: Array(comparison.json.utf8)) { json in
            let object = try json.object()
            let window = try object.object("window")
            #expect(try window.int("items", in: 1...1_000) == comparison.window?.score.labels)
            #expect(try object.object("optimistic").int("items", in: 1...1_000) == comparison.optimistic?.labels)
            #expect(try object.object("second").object("score").array("classes").count > 0)
        }
    }

    @Test("The reason for a live version includes the window; an unknown version is reported with a remedy")
    func why() throws {
        let (pipeline, first, second) = try promoted()
        let history = try ReleaseHistory.read(Self.project, transport: pipeline.cluster, topics: pipeline.topics)
        let window = try #require(
            try ReleaseWindow.read(second.rawValue, history, transport: pipeline.cluster, topics: pipeline.topics)
        )
        #expect(window.champion == first && window.challenger == second)
        let reasons = try ReleaseReasons(history, version: second.rawValue, window: window)
        #expect(
            reasons.json.contains(
                "\"window\":{\"version\":\"\(window.digest)\",\"items\":\(window.labels),\"champion\":"
            )
        )
        #expect(
            reasons.text.contains(
                "on the newest \(window.labels) audit labels that both answered, in service or in shadow, \(first)"
            )
        )
        #expect(window.known > 0 && window.known < window.labels && reasons.text.contains("optimistic"))
        let plain = try ReleaseReasons(history, version: second.rawValue)
        #expect(!plain.json.contains("\"window\""))

        let error = #expect(throws: EngineError.self) {
            try ReleaseComparison.read(
                Self.project,
                first,
                ModelVersion("nobody"),
                transport: pipeline.cluster,
                topics: pipeline.topics
            )
        }
        #expect("\(error.map { "\($0)" } ?? "")".contains("flywheel releases log \(Self.project)"))
    }
}
