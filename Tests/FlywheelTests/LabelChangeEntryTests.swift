import Acquisition
import Datasets
import Labeling
import Rollout
import Tables
import Testing
import Training
import Vocabulary

@testable import Flywheel

/// Label changes in a running project, and their effects on the rest of the state.
@Suite("Entries that change labels")
struct LabelChangeEntryTests {
    private struct Stand {
        var state = ProjectState(project: ProjectID("pets"))
        var now: Int64 = 1
        var commands = 0
        let configuration: ProjectConfiguration

        init(revise: DatasetPolicy.RevisionAction = .report, format: Int? = 2) {
            let usual = FlywheelTests.configuration()
            var rollout = usual.rollout
            (rollout.alpha, rollout.minimumShadow) = (0.9, 0)
            configuration = ProjectConfiguration(
                project: usual.project,
                revision: 1,
                partition: 0,
                schema: usual.schema,
                datasets: DatasetPolicy(cutEvery: 1_000, format: format, revise: revise),
                rollout: rollout
            )
            _ = apply(.configured(configuration))
        }

        mutating func apply(_ body: JournalEntry.Body) -> [Decision.Body] {
            now += 1
            let entry = JournalEntry(project: ProjectID("pets"), body: body)
            return state.apply(entry, appendedAt: StreamTime(milliseconds: now)).map(\.body)
        }

        mutating func command(_ action: Command.Action) -> [Decision.Body] {
            commands += 1
            return apply(.command(Command(id: "c\(commands)", action: action, by: "ada", reason: "looked again")))
        }

        mutating func importLabel(_ sample: String, _ label: Int, _ key: UInt64 = 1) -> [Decision.Body] {
            apply(
                .importedLabel(
                    ImportedLabel(
                        key: key,
                        origin: ImportOrigin(source: "tool", id: "\(key)"),
                        sample: Sample(id: SampleID(sample)),
                        answer: .label(.choice(ClassIndex(label)))
                    )
                )
            )
        }

        /// Adds a test label, and the predictions of two models for its sample.
        mutating func addTestLabel(_ sample: String, _ label: Int, champion: Int? = nil, challenger: Int? = nil) {
            let time = StreamTime(milliseconds: now)
            let consensus = ConsensusLabel(
                task: TaskID("t-\(sample)"),
                sample: Sample(id: SampleID(sample)),
                purpose: .audit,
                label: .choice(ClassIndex(label)),
                confidence: Probability(clamping: 1),
                votes: [],
                predictedAt: time
            )
            _ = state.datasets.accept(
                consensus,
                question: configuration.question,
                policy: configuration.datasets,
                at: time
            )
            for (version, predicted) in [("v1", champion), ("v2", challenger)] {
                guard let predicted else { continue }
                state.rollout.predicted(
                    .choice(ClassIndex(predicted)),
                    of: SampleID(sample),
                    by: ModelVersion(version),
                    draw: 0,
                    isLive: true,
                    at: time
                )
            }
            state.rollout.labelled(SampleID(sample), .choice(ClassIndex(label)), at: time)
        }

        mutating func registerModels() {
            for version in ["v1", "v2"] {
                let model = ReleasedModel(
                    version: ModelVersion(version),
                    artifact: ArtifactReference(uri: "s3://m/\(version)", size: 1, sha256: nil),
                    datasetVersionNumber: 1,
                    newestSampleAt: StreamTime(milliseconds: 0)
                )
                _ = state.rollout.register(model, policy: .init(), at: StreamTime(milliseconds: now))
            }
        }
    }

    private static func refusal(_ decisions: [Decision.Body]) -> EntryRejection.Code? {
        for case .refused(let refusal) in decisions { return refusal.code }
        return nil
    }

    @Test("A command revises, retracts or moves a label, and an impossible change is refused with its code")
    func commands() throws {
        var stand = Stand()
        _ = stand.importLabel("a", 0, 1)
        _ = stand.importLabel("b", 1, 2)
        let revised = stand.command(.revise(SampleID("a"), className: "dog"))
        guard case .change(let change) = try #require(revised.first) else {
            Issue.record("\(revised)")
            return
        }
        #expect(
            change.kind == .revised(from: .choice(ClassIndex(0)), to: .choice(ClassIndex(1))) && change.votes.isEmpty
        )
        #expect(change.by == "ada" && change.reason == "looked again" && change.at.milliseconds == stand.now)
        #expect(Self.refusal(stand.command(.revise(SampleID("a"), className: "dog"))) == .duplicate)
        #expect(Self.refusal(stand.command(.revise(SampleID("a"), className: "yak"))) == .unknownClass)
        #expect(Self.refusal(stand.command(.revise(SampleID("z"), className: "dog"))) == .unknownLabel)
        #expect(Self.refusal(stand.command(.move(SampleID("a"), to: .test))) == .splitFixed)
        #expect(Self.refusal(stand.command(.move(SampleID("a"), to: .validation))) == nil)
        #expect(Self.refusal(stand.command(.retract(SampleID("a")))) == nil)
        #expect(Self.refusal(stand.command(.retract(SampleID("a")))) == .unknownLabel)
        // A repeated command changes nothing.
        let command = Command(id: "c1", action: .revise(SampleID("b"), className: "cow"), by: "ada", reason: "")
        #expect(Self.refusal(stand.apply(.command(command))) == .duplicate)
        #expect(stand.state.datasets.labels[SampleID("b")]?.label == .choice(ClassIndex(1)))
        var old = Stand(format: nil)
        _ = old.importLabel("a", 0)
        #expect(Self.refusal(old.command(.retract(SampleID("a")))) == .labelsFixed)
    }

    @Test("The newest commands are remembered up to the limit, and a forgotten id counts as a new command")
    func remembered() {
        var stand = Stand()
        for _ in 0..<ProjectState.commandCapacity + 5 { _ = stand.command(.hold) }
        let commands = stand.state.commands
        #expect(commands.count == ProjectState.commandCapacity)
        #expect(commands["c5"] == nil && commands["c6"] != nil)
        // The state has more commands than the limit, like that of a build that kept all of them.
        for number in 0..<50 { stand.state.commands["old\(number)"] = 0 }
        _ = stand.command(.hold)
        #expect(stand.state.commands.count == ProjectState.commandCapacity)
        #expect(!stand.state.commands.contains { key, _ in key.hasPrefix("old") })
        #expect(stand.state.commands["c7"] != nil)
        #expect(
            Self.refusal(stand.apply(.command(Command(id: "c7", action: .hold, by: "ada", reason: "")))) == .duplicate
        )
        #expect(Self.refusal(stand.apply(.command(Command(id: "c5", action: .hold, by: "ada", reason: "")))) == nil)
    }

    @Test("No import restores a retracted label, and its sample is not queried")
    func retracted() throws {
        var stand = Stand()
        _ = stand.importLabel("a", 0, 1)
        _ = stand.command(.retract(SampleID("a")))
        #expect(Self.refusal(stand.importLabel("a", 0, 1)) == .duplicate)
        for label in 0..<2 {
            let decisions = stand.importLabel("a", label, 2)
            #expect(Self.refusal(decisions) == .labelConflict)
            guard case .refused(let refusal)? = decisions.first else { continue }
            #expect(refusal.text.contains("was retracted"), "\(refusal.text)")
        }
        #expect(stand.state.acquisition.accounts.queried[SampleID("a")] == .imported)
        #expect(stand.state.datasets.position.value.training == 0)
    }

    @Test("A changed training label counts as unlearned, and a retracted one does not")
    func unlearned() throws {
        var stand = Stand()
        for number in 0..<4 { _ = stand.importLabel("s\(number)", 0, UInt64(number)) }
        // A study has trained on the first three labels.
        stand.state.training.progress.value.trainedLabels = 3
        stand.state.training.progress.value.trainedThrough = 3
        #expect(stand.state.unlearnedLabels == 1)
        _ = stand.command(.revise(SampleID("s0"), className: "dog"))
        #expect(stand.state.unlearnedLabels == 2)
        _ = stand.command(.retract(SampleID("s1")))
        #expect(stand.state.unlearnedLabels == 2)
        _ = stand.command(.retract(SampleID("s3")))
        _ = stand.command(.retract(SampleID("s0")))
        #expect(stand.state.unlearnedLabels == 0)
        #expect(stand.state.training.progress.value.trainedLabels == 1)
        stand.addTestLabel("t", 1)
        _ = stand.command(.move(SampleID("t"), to: .training))
        #expect(stand.state.unlearnedLabels == 1)
    }

    @Test("A changed test label is recounted; a promotion that used it stays and counts its changed evidence")
    func evidence() throws {
        var stand = Stand()
        stand.registerModels()
        for number in 0..<3 { stand.addTestLabel("w\(number)", 1, champion: 0, challenger: 1) }
        #expect(stand.state.rollout.pairs.value == PairCounts(labels: 3, challengerOnly: 3, championOnly: 0))
        _ = stand.command(.revise(SampleID("w0"), className: "cat"))
        #expect(stand.state.rollout.pairs.value == PairCounts(labels: 3, challengerOnly: 2, championOnly: 1))
        _ = stand.command(.retract(SampleID("w0")))
        // The pair in favour of the champion is removed, and the remaining ones promote the challenger.
        let roles = stand.state.rollout.roles.value
        #expect(roles.champion?.version.rawValue == "v2" && roles.evidenceThrough == 5 && roles.changedEvidence == 0)
        #expect(stand.state.rollout.rows[SampleID("w0")] == nil)
        _ = stand.command(.revise(SampleID("w1"), className: "cow"))
        #expect(stand.state.rollout.roles.value.changedEvidence == 1)
        // The label was already counted as changed, and the later label was not part of the evidence.
        _ = stand.command(.revise(SampleID("w1"), className: "cat"))
        stand.addTestLabel("late", 1, champion: 0, challenger: 1)
        _ = stand.command(.retract(SampleID("late")))
        #expect(stand.state.rollout.roles.value.changedEvidence == 1)
        _ = stand.command(.move(SampleID("w2"), to: .training))
        #expect(stand.state.rollout.roles.value.changedEvidence == 2)
        #expect(stand.state.rollout.rows[SampleID("w2")] == nil)
        // Predictions for the sample are no evidence from now on.
        let candidate = Candidate(
            sample: Sample(id: SampleID("w2")),
            output: ClassDistribution([.init(label: ClassIndex(1), probability: 1)]).map(Output.choice),
            model: ModelReference(name: "m", version: ModelVersion("v2")),
            score: 0,
            auditProbability: 0.5,
            auditDraw: 0.1,
            predictedAt: StreamTime(milliseconds: 0)
        )
        _ = stand.apply(.candidate(candidate))
        #expect(stand.state.rollout.rows[SampleID("w2")] == nil)
    }

    // MARK: - By the loop itself

    @Test("Recounted votes are reported by default, and revise the label if the project configures it")
    func countedAnew() throws {
        let votes = [("x", 0), ("y", 1), ("z", 1)].map {
            Vote(annotator: AnnotatorID($0.0), answer: .choice(ClassIndex($0.1)))
        }
        func count(_ stand: inout Stand, _ label: Int, of sample: String = "a") -> [Decision.Body] {
            var step = Step(
                context: EntryContext(
                    project: ProjectID("pets"),
                    entryNumber: 9,
                    time: StreamTime(milliseconds: stand.now),
                    seed: 0
                )
            )
            stand.state.handleRecount(
                SampleID(sample),
                to: .choice(ClassIndex(label)),
                votes: votes,
                confidence: Probability(clamping: 0.75),
                by: "flywheel",
                reason: "votes counted anew",
                stand.configuration,
                &step
            )
            return step.decisions.map(\.body)
        }
        var stand = Stand()
        _ = stand.importLabel("a", 0)
        guard case .notice(let notice) = try #require(count(&stand, 1).first) else {
            Issue.record("no notice")
            return
        }
        #expect(notice.kind == .labelDisputed)
        for part in ["sample a", "\"cat\"", "\"dog\"", "75 %", "x: \"cat\", y: \"dog\", z: \"dog\""] {
            #expect(notice.text.contains(part), "\(notice.text)")
        }
        #expect(count(&stand, 0).isEmpty)
        #expect(count(&stand, 1, of: "nobody").isEmpty)
        #expect(stand.state.datasets.labels[SampleID("a")]?.label == .choice(ClassIndex(0)))
        var applying = Stand(revise: .apply)
        _ = applying.importLabel("a", 0)
        guard case .change(let change) = try #require(count(&applying, 1).first) else {
            Issue.record("no change")
            return
        }
        #expect(change.votes == votes && change.confidence?.value == 0.75 && change.by == "flywheel")
        #expect(applying.state.datasets.labels[SampleID("a")]?.label == .choice(ClassIndex(1)))
    }
}
