import Acquisition
import Datasets
import Events
import Labeling
import Rollout
import Tables
import Testing
import Training
import Vocabulary

@testable import Flywheel

/// A project with a complete anchor, a champion, a challenger and a window of two labels.
private struct MovingStand {
    var state = ProjectState(project: ProjectID("pets"))
    var now: Int64 = 1
    let configuration: ProjectConfiguration

    init(bound: PromotionBound = .share, provisional: Int = 0, format: Int = 2, move: Bool = true, window: Int = 2) {
        let usual = FlywheelTests.configuration()
        var rollout = RolloutPolicy(
            alpha: 0.5,
            minimumShadow: 0,
            bound: bound,
            provisional: provisional,
            shadowWait: 0,
            window: window
        )
        rollout.move = move
        configuration = ProjectConfiguration(
            project: usual.project,
            revision: 1,
            partition: 0,
            schema: usual.schema,
            labeling: usual.labeling,
            datasets: DatasetPolicy(cutEvery: 1_000, cutAfter: 60_000, format: format),
            training: usual.training,
            rollout: rollout
        )
        _ = apply(.configured(configuration))
        for number in 1...2 { _ = register(number) }
        _ = apply(
            .importedLabel(
                ImportedLabel(
                    key: 1,
                    origin: ImportOrigin(source: "tool", id: "1"),
                    sample: Sample(id: SampleID("i")),
                    answer: .label(.choice(ClassIndex(0)))
                )
            )
        )
        for number in 0..<DatasetsState.anchorSize { addTestLabel("a\(number)") }
    }

    mutating func apply(_ body: JournalEntry.Body) -> [Decision.Body] {
        now += 1
        let entry = JournalEntry(project: ProjectID("pets"), body: body)
        return state.apply(entry, appendedAt: StreamTime(milliseconds: now)).map(\.body)
    }

    mutating func command(_ action: Command.Action) -> [Decision.Body] {
        apply(.command(Command(id: "c\(now)", action: action, by: "ada", reason: "looked again")))
    }

    mutating func register(_ number: Int, versionNumber: Int = 0) -> ModelRelease? {
        let model = ReleasedModel(
            version: ModelVersion("v\(number)"),
            artifact: ArtifactReference(uri: "s3://m/v\(number)", size: 1, sha256: nil),
            datasetVersionNumber: max(1, versionNumber),
            newestSampleAt: StreamTime(milliseconds: 0)
        )
        return state.rollout.register(model, policy: configuration.rollout, at: StreamTime(milliseconds: now))
    }

    mutating func predict(_ sample: String, _ label: Int, by version: String) {
        state.rollout.predicted(
            .choice(ClassIndex(label)),
            of: SampleID(sample),
            by: ModelVersion(version),
            draw: 0.1,
            isLive: true,
            at: StreamTime(milliseconds: now)
        )
    }

    /// Adds a test label of class 1, and the predictions of champion and challenger for its sample.
    mutating func addTestLabel(_ sample: String, champion: Int? = nil, challenger: Int? = nil) {
        let time = StreamTime(milliseconds: now)
        for (version, predicted) in [("v1", champion), ("v2", challenger)] {
            if let predicted { predict(sample, predicted, by: version) }
        }
        let consensus = ConsensusLabel(
            task: TaskID("t-\(sample)"),
            sample: Sample(id: SampleID(sample)),
            purpose: .audit,
            label: .choice(ClassIndex(1)),
            confidence: Probability(clamping: 1),
            votes: [],
            predictedAt: time
        )
        _ = state.datasets.accept(
            consensus,
            question: configuration.question,
            policy: configuration.datasets,
            movesTestLabels: configuration.rollout.move,
            at: time
        )
        state.rollout.labelled(SampleID(sample), .choice(ClassIndex(1)), at: time)
    }

    /// Applies a tick a minute later, when every due cut is made.
    mutating func cut() -> [Decision.Body] {
        now += 60_001
        return apply(.tick(ChainMark(entryNumber: state.position.value.entryNumber, digest: "")))
    }
}

extension [Decision.Body] {
    fileprivate var moved: [String] {
        compactMap { if case .change(let change) = $0 { change.sample.rawValue } else { nil } }
    }
    fileprivate var versionCut: VersionCut? {
        for case .cut(let cut) in self { return cut }
        return nil
    }
    fileprivate var leak: String? {
        for case .notice(let notice) in self where notice.kind == .labelLeak { return notice.text }
        return nil
    }
}

@Suite("Entries that remove labels from the window")
struct MovingEntryTests {
    @Test("A cut first moves the labels that left the window; none move before a cut or without the setting")
    func atCut() throws {
        var stand = MovingStand()
        for number in 0..<5 { stand.addTestLabel("w\(number)") }
        #expect(stand.apply(.tick(ChainMark(entryNumber: 1, digest: ""))).moved.isEmpty)
        let decided = stand.cut()
        #expect(decided.moved == ["w0", "w1", "w2"])
        let cut = try #require(decided.versionCut)
        #expect(cut.training == 4 && cut.test == DatasetsState.anchorSize + 2)
        for case .change(let change) in decided {
            #expect(change.kind == .moved(from: .test) && change.split == .training && change.sequence < cut.sequence)
            #expect(change.by == "rollout.move" && change.reason.contains("newest 2"))
        }
        // Without new labels, changes or moves there is no cut.
        #expect(stand.cut().isEmpty)
        stand.addTestLabel("w5")
        #expect(stand.cut().moved == ["w3"])

        for var other in [MovingStand(move: false), MovingStand(format: 1)] {
            for number in 0..<5 { other.addTestLabel("w\(number)") }
            let decided = other.cut()
            #expect(decided.moved.isEmpty && decided.versionCut?.test == DatasetsState.anchorSize + 5)
        }
    }

    @Test("Until the first era, the labels that a provisional release needs stay, however small the window is")
    func provisional() {
        var stand = MovingStand(provisional: 4)
        for number in 0..<6 { stand.addTestLabel("w\(number)") }
        #expect(stand.cut().moved == ["w0", "w1"])
        stand.state.rollout.era.value.number = 1
        stand.addTestLabel("w6")
        #expect(stand.cut().moved == ["w2", "w3", "w4"])
    }

    @Test("A model gains nothing by former test labels on which it was trained")
    func gainsNothing() throws {
        var stand = MovingStand(window: 1)
        // The champion is wrong on the old labels and right on the newest.
        for number in 0..<4 { stand.addTestLabel("w\(number)", champion: 0, challenger: 1) }
        stand.addTestLabel("w4", champion: 1, challenger: 0)
        #expect(stand.state.rollout.pairs.value == PairCounts(labels: 5, challengerOnly: 4, championOnly: 1))
        let cut = try #require(stand.cut().versionCut)
        #expect(stand.state.rollout.pairs.value == PairCounts(labels: 1, championOnly: 1))
        // The model is trained on a version that contains these labels as training labels, and predicts them, live and
        // in its trainer's report.
        _ = stand.register(3, versionNumber: cut.versionNumber)
        for number in 0..<4 {
            _ = stand.apply(.candidate(Self.candidate("w\(number)", by: "v3")))
            stand.predict("w\(number)", 1, by: "v3")
            let row = stand.state.rollout.rows[SampleID("w\(number)")]
            #expect(row?.label == nil, "w\(number) judges nobody")
        }
        stand.predict("w4", 1, by: "v3")
        #expect(stand.state.rollout.pairs.value == PairCounts(labels: 1))
        let release = stand.state.rollout.promoteIfBetter(policy: stand.configuration.rollout)
        #expect(release == nil)
        #expect(stand.state.datasets.testSamples(of: cut.versionNumber, first: 1_000).contains(SampleID("w0")) == false)
    }

    @Test(
        "With the bound `challenger`, evidence from moved labels stays until the next challenger"
    )
    func oneChallenger() {
        var stand = MovingStand(bound: .challenger, window: 1)
        for number in 0..<3 { stand.addTestLabel("w\(number)", champion: 0, challenger: 0) }
        stand.addTestLabel("w3", champion: 0, challenger: 1)
        #expect(stand.cut().moved == ["w0", "w1", "w2"])
        #expect(stand.state.rollout.pairs.value.labels == 4)
        _ = stand.register(3)
        #expect(stand.state.rollout.pairs.value.labels == 0)
    }

    @Test("A label whose evidence waits for an older task is moved after that evidence has been counted")
    func waits() {
        var stand = MovingStand(window: 1)
        stand.predict("heard", 1, by: "v2")
        let policy = stand.configuration.rollout
        for sample in ["slow", "w0"] {
            stand.predict(sample, 0, by: "v1")
            stand.predict(sample, 1, by: "v2")
            let time = StreamTime(milliseconds: stand.now)
            let pairing = stand.state.rollout.pair(
                SampleID(sample),
                predictedBy: ModelVersion("v1"),
                policy: policy,
                at: time
            )
            #expect(pairing?.pair == 1)
            stand.state.rollout.opened(SampleID(sample), isDuel: true, at: time)
        }
        for sample in ["w0", "w1", "w2"] { stand.addTestLabel(sample) }
        stand.state.rollout.closed(SampleID("w0"), label: .choice(ClassIndex(1)), policy: policy)
        #expect(stand.state.rollout.samplesOfOpenings == [SampleID("slow"), SampleID("w0")])
        // The label of w0 is not moved, because its evidence is still pending.
        #expect(stand.cut().moved == ["w1"])
        stand.addTestLabel("slow")
        stand.state.rollout.closed(SampleID("slow"), label: .choice(ClassIndex(1)), policy: policy)
        #expect(stand.state.rollout.evidence(policy).all.wins == 2)
        #expect(stand.cut().moved == ["w0", "w2"])
        #expect(stand.state.rollout.evidence(policy).all.wins == 2)
    }

    @Test(
        "A moved label is revised and retracted like a training label, and is no evidence again"
    )
    func late() throws {
        var stand = MovingStand()
        for number in 0..<4 { stand.addTestLabel("w\(number)", champion: 1, challenger: 1) }
        #expect(stand.cut().moved == ["w0", "w1"])
        let pairs = stand.state.rollout.pairs.value
        guard case .change(let revised) = try #require(stand.command(.revise(SampleID("w0"), className: "cow")).first)
        else {
            Issue.record("no change")
            return
        }
        #expect(revised.split == .training && stand.state.datasets.labels[SampleID("w0")]?.standing == .moved)
        _ = stand.apply(.candidate(Self.candidate("w0", by: "v1")))
        #expect(stand.state.rollout.rows[SampleID("w0")] == nil && stand.state.rollout.pairs.value == pairs)
        guard case .change(let retracted) = try #require(stand.command(.retract(SampleID("w0"))).first) else {
            Issue.record("no change")
            return
        }
        #expect(retracted.kind == .retracted && retracted.split == .training && retracted.replaces == revised.sequence)
        for action in [Command.Action.move(SampleID("w1"), to: .test), .move(SampleID("w1"), to: .training)] {
            guard case .refused = try #require(stand.command(action).first) else {
                Issue.record("\(action) is carried out")
                return
            }
        }
        #expect(stand.cut().versionCut?.training == 2)
    }

    // MARK: - What should never be

    @Test("Labels that are evidence but not test labels are excluded and named, at a cut and at a registration")
    func leak() throws {
        // The state is damaged: three labels are training labels and still have audit rows.
        func damaged() -> MovingStand {
            var stand = MovingStand(window: 50)
            for number in 0..<8 { stand.addTestLabel("w\(number)", champion: 0, challenger: 1) }
            for number in [6, 0, 2] {
                guard let row = stand.state.datasets.labels[SampleID("w\(number)")] else { continue }
                stand.state.datasets.labels[SampleID("w\(number)")] = LabelRow(
                    label: row.label,
                    split: .training,
                    sequence: row.sequence,
                    standing: .moved
                )
            }
            return stand
        }
        var cut = damaged()
        #expect(cut.state.rollout.pairs.value.labels == 8)
        let text = try #require(cut.cut().leak)
        for part in ["version 1 is cut", "3 of the labels", "w0, w2, w6"] { #expect(text.contains(part), "\(text)") }
        #expect(cut.state.rollout.pairs.value == PairCounts(labels: 5, challengerOnly: 5))
        cut.addTestLabel("w8")
        #expect(cut.cut().leak == nil)

        var registered = damaged()
        registered.state.rollout.roles.value.champion = nil
        registered.state.rollout.roles.value.challenger = nil
        let incumbent = IncumbentModel(
            version: ModelVersion("theirs"),
            artifact: ArtifactReference(uri: "s3://m/theirs", size: 1, sha256: nil)
        )
        let registrationLeak = try #require(registered.command(.register(incumbent)).leak)
        #expect(
            registrationLeak.contains("theirs is registered") && registrationLeak.contains("w0, w2, w6"),
            "\(registrationLeak)"
        )
    }

    @Test("A label that is excluded before its evidence is counted yields no evidence")
    func leakOfEvidence() {
        var stand = MovingStand(window: 50)
        stand.predict("heard", 1, by: "v2")
        let policy = stand.configuration.rollout
        let time = StreamTime(milliseconds: stand.now)
        for sample in ["slow", "w0"] {
            stand.predict(sample, 0, by: "v1")
            stand.predict(sample, 1, by: "v2")
            _ = stand.state.rollout.pair(SampleID(sample), predictedBy: ModelVersion("v1"), policy: policy, at: time)
            stand.state.rollout.opened(SampleID(sample), isDuel: true, at: time)
        }
        stand.addTestLabel("w0")
        stand.state.rollout.closed(SampleID("w0"), label: .choice(ClassIndex(1)), policy: policy)
        let left = stand.state.rollout.excludeLabels { $0.rawValue == "w0" }
        #expect(left == [SampleID("w0")])
        stand.state.rollout.closed(SampleID("slow"), label: nil, policy: policy)
        let evidence = stand.state.rollout.evidence(policy)
        #expect(evidence.all.labels == 0 && stand.state.rollout.openings.isEmpty)
    }

    private static func candidate(_ sample: String, by version: String) -> Candidate {
        Candidate(
            sample: Sample(id: SampleID(sample)),
            output: ClassDistribution([.init(label: ClassIndex(1), probability: 1)]).map(Output.choice),
            model: ModelReference(name: "m", version: ModelVersion(version)),
            score: 0.5,
            auditProbability: 0.5,
            auditDraw: 0.1,
            predictedAt: StreamTime(milliseconds: 0)
        )
    }
}
