import Acquisition
import Datasets
import Events
import Flywheel
import Labeling
import Rollout
import Tables
import Testing
import Training
import Vocabulary

@Suite("Entries of imported labels")
struct ImportEntryTests {
    private struct Stand {
        var state = ProjectState(project: ProjectID("pets"))
        var now: Int64 = 1_000

        init(cutAfter: Int64? = nil) {
            let usual = configuration()
            var datasets = usual.datasets
            if let cutAfter { datasets.cutAfter = cutAfter }
            let revision = ProjectConfiguration(
                project: usual.project,
                revision: usual.revision,
                partition: usual.partition,
                schema: usual.schema,
                acquisition: usual.acquisition,
                labeling: usual.labeling,
                datasets: datasets,
                training: usual.training,
                rollout: usual.rollout
            )
            _ = apply(.configured(revision))
        }

        mutating func apply(_ body: JournalEntry.Body) -> [Decision] {
            now += 1
            return state.apply(
                JournalEntry(project: ProjectID("pets"), body: body),
                appendedAt: StreamTime(milliseconds: now)
            )
        }

        mutating func importLabel(
            _ sample: String,
            _ answer: ImportedLabel.Answer = .label(.choice(ClassIndex(0))),
            key: UInt64? = nil,
            isValidation: Bool = false,
            embedding: [Float]? = nil
        ) -> [Decision] {
            apply(
                .importedLabel(
                    ImportedLabel(
                        key: key ?? UInt64(sample.utf8.reduce(7) { $0 &* 31 &+ Int($1) }.magnitude),
                        origin: ImportOrigin(source: "legacy", id: sample),
                        sample: Sample(id: SampleID(sample), embedding: embedding),
                        answer: answer,
                        isValidation: isValidation
                    )
                )
            )
        }

        mutating func tick(after milliseconds: Int64) -> [Decision] {
            now += milliseconds
            return apply(.tick(ChainMark(entryNumber: 1, digest: "")))
        }

        func candidate(_ sample: String, audit: Bool = false, embedding: [Float]? = [1, 1]) -> JournalEntry.Body {
            .candidate(
                Candidate(
                    sample: Sample(id: SampleID(sample), embedding: embedding),
                    output: ClassDistribution([
                        .init(label: ClassIndex(0), probability: 0.6), .init(label: ClassIndex(1), probability: 0.4),
                    ]).map(Output.choice),
                    model: ModelReference(name: "m", version: ModelVersion("theirs")),
                    score: 0.5,
                    auditProbability: audit ? 0.4 : nil,
                    auditDraw: 0.1,
                    predictedAt: StreamTime(milliseconds: now)
                )
            )
        }
    }

    private func codes(_ decisions: [Decision]) -> [EntryRejection.Code] {
        decisions.compactMap { if case .refused(let refusal) = $0.body { refusal.code } else { nil } }
    }

    private func facts(_ decisions: [Decision]) -> [LabelFact] {
        decisions.compactMap { if case .label(let fact) = $0.body { fact } else { nil } }
    }

    private func cuts(_ decisions: [Decision]) -> [VersionCut] {
        decisions.compactMap { if case .cut(let cut) = $0.body { cut } else { nil } }
    }

    @Test("An imported label becomes a training label with its source, and the id of its decision as the task")
    func training() throws {
        var stand = Stand()
        let decisions = stand.importLabel("s1", .label(.choice(ClassIndex(2))))
        let fact = try #require(facts(decisions).first)
        #expect(
            fact.split == .training && fact.consensus.label == .choice(ClassIndex(2))
                && fact.consensus.confidence.value == 1
        )
        #expect(fact.consensus.origin == ImportOrigin(source: "legacy", id: "s1"))
        #expect(fact.consensus.task.rawValue == decisions.first?.id)
        #expect(fact.consensus.votes == [Vote(annotator: AnnotatorID("legacy"), answer: .choice(ClassIndex(2)))])
        #expect(stand.state.datasets.position.value.training == 1)
    }

    @Test("Votes are weighted like those of unknown annotators, and no annotator's reliability changes")
    func votes() throws {
        var stand = Stand()
        func vote(_ name: String, _ label: Int) -> Vote {
            Vote(annotator: AnnotatorID("legacy/\(name)"), answer: .choice(ClassIndex(label)))
        }
        let decisions = stand.importLabel("s1", .votes([vote("a", 1), vote("b", 0), vote("c", 1)]))
        let fact = try #require(facts(decisions).first)
        #expect(fact.consensus.label == .choice(ClassIndex(1)) && fact.consensus.votes.count == 3)
        // Each vote has accuracy 0.8 among three classes: the odds are 0.8² · 0.1 to 0.8 · 0.1² to 0.1³.
        #expect(abs(fact.consensus.confidence.value - 0.064 / 0.073) < 1e-12)
        #expect(stand.state.labeling.annotators.isEmpty)
    }

    @Test("A label is accepted once per source and id and once per sample; another label of a sample is a conflict")
    func once() {
        var stand = Stand()
        #expect(codes(stand.importLabel("s1", key: 1)) == [])
        #expect(codes(stand.importLabel("s1", key: 1)) == [.duplicate])
        // The same id with another sample: the first one is kept.
        #expect(codes(stand.importLabel("s2", key: 1)) == [.duplicate])
        #expect(codes(stand.importLabel("s1", key: 2)) == [.duplicate])
        #expect(codes(stand.importLabel("s1", .label(.choice(ClassIndex(1))), key: 3)) == [.labelConflict])
        #expect(codes(stand.importLabel("s3", .label(.choice(ClassIndex(7))), key: 4)) == [.unknownClass])
        #expect(EntryRejection.Code.labelConflict.isDeadLetter && !EntryRejection.Code.duplicate.isDeadLetter)
        #expect(stand.state.datasets.position.value.training == 1)
        // After an abort or a restart the keys are derived from the rows.
        stand.state.undo()
        var other = Stand()
        #expect(codes(other.importLabel("s1", key: 1)) == [])
        other.state.commit()
        _ = other.importLabel("s5", key: 5)
        other.state.undo()
        #expect(codes(other.importLabel("s6", key: 5)) == [])
        #expect(codes(other.importLabel("s7", key: 1)) == [.duplicate])
    }

    @Test(
        "Labels imported together make one version, cut after five seconds without any"
    )
    func oneVersion() {
        var stand = Stand()
        var cut: [VersionCut] = []
        for number in 0..<300 { cut += cuts(stand.importLabel("s\(number)")) }
        #expect(cut.isEmpty)
        let due = stand.state.nextDeadline
        #expect(due == StreamTime(milliseconds: stand.now + 5_000))
        cut += cuts(stand.tick(after: 4_000))
        #expect(cut.isEmpty)
        cut += cuts(stand.tick(after: 1_000))
        #expect(cut.map(\.training) == [300])
        #expect(stand.state.nextDeadline == nil)
        // A later label makes a version of its own.
        _ = stand.importLabel("late")
        #expect(cuts(stand.tick(after: 5_000)).map(\.training) == [301])
    }

    /// Before: an import every few seconds delayed the versions of all others until `cut_after`.
    @Test("A slow endless import delays a version by five minutes at most")
    func trickle() {
        var stand = Stand(cutAfter: 3_600_000)
        var cut: [(at: Int64, cut: VersionCut)] = []
        let begin = stand.now
        for number in 0..<600 {
            let decisions = stand.importLabel("s\(number)") + stand.tick(after: 2_000)
            cut += cuts(decisions).map { (stand.now - begin, $0) }
        }
        #expect(cut.count == 4, "\(cut)")
        #expect(cut.first.map { (300_000...304_000).contains($0.at) } == true)
        _ = stand.importLabel("last")
        #expect(stand.state.nextDeadline == StreamTime(milliseconds: stand.now + 5_000))
    }

    /// Before: labels that were refused fixed the space, and every prediction after them was `wrong_space`.
    @Test("The embedding of a refused label does not affect the project's space")
    func refusedSpace() {
        var stand = Stand()
        _ = stand.importLabel("s1")
        let before = stand.state.acquisition.space.value
        for number in 0..<30 {
            let label = ImportedLabel(
                key: UInt64(10_000 + number),
                origin: ImportOrigin(source: "odd", id: "\(number)"),
                sample: Sample(id: SampleID("s1"), embedding: [1e-9]),
                answer: .label(.choice(ClassIndex(number % 2)))
            )
            #expect(facts(stand.apply(.importedLabel(label))).isEmpty)
        }
        #expect(stand.state.acquisition.space.value == before)
    }

    @Test("Validation labels alone make no version, train no model, and are counted in their split")
    func validation() {
        var stand = Stand()
        let fact = facts(stand.importLabel("v1", isValidation: true)).first
        #expect(fact?.split == .validation && fact?.consensus.purpose == .importedValidation)
        #expect(stand.state.nextDeadline == nil)
        #expect(cuts(stand.tick(after: 9_000_000)).isEmpty)
        _ = stand.importLabel("s1")
        let cut = cuts(stand.tick(after: 5_000)).first
        #expect(cut?.training == 1 && cut?.validation == 1 && cut?.test == 0)
        #expect(stand.state.acquisition.accounts.schedule.value.importedLabels == 1)
    }

    @Test("A sample with an imported label is never queried, and leaves the pool and the audit sample")
    func leaves() {
        var stand = Stand()
        _ = stand.apply(stand.candidate("p1"))
        _ = stand.apply(stand.candidate("a1", audit: true))
        #expect(stand.state.acquisition.pool.candidates[SampleID("p1")] != nil)
        #expect(stand.state.acquisition.audit.candidates[SampleID("a1")] != nil)
        #expect(codes(stand.importLabel("p1", key: 1)) == [] && codes(stand.importLabel("a1", key: 2)) == [])
        #expect(stand.state.acquisition.pool.candidates.isEmpty && stand.state.acquisition.audit.candidates.isEmpty)
        _ = stand.importLabel("a2", key: 3)
        for sample in ["p1", "a1", "a2"] { _ = stand.apply(stand.candidate(sample, audit: sample != "p1")) }
        #expect(stand.state.acquisition.pool.candidates.isEmpty && stand.state.acquisition.audit.candidates.isEmpty)
    }

    @Test("Predictions for a sample with an imported label are no evidence, and its audit row is removed")
    func evidence() throws {
        var stand = Stand()
        let artifact = ArtifactReference(uri: "s3://m", size: nil, sha256: nil)
        let model = IncumbentModel(version: ModelVersion("theirs"), artifact: artifact)
        _ = stand.apply(.command(Command(id: "c", action: .register(model), by: "a", reason: "r")))
        _ = stand.apply(stand.candidate("a1", audit: true))
        #expect(stand.state.rollout.rows[SampleID("a1")] != nil)
        _ = stand.importLabel("a1")
        #expect(stand.state.rollout.rows[SampleID("a1")] == nil)
        _ = stand.apply(stand.candidate("a1", audit: true))
        #expect(stand.state.rollout.rows.isEmpty)
    }

    @Test("An import is refused while a task queries its sample, and accepted once the task is closed")
    func queried() throws {
        var stand = Stand()
        for number in 0..<30 { _ = stand.apply(stand.candidate("s\(number)", embedding: [Float(number), 1])) }
        _ = stand.tick(after: 3_000)
        let task = try #require(stand.state.labeling.open.sortedRows.first)
        let sample = task.value.selection.sample.id.rawValue
        #expect(codes(stand.importLabel(sample)) == [.sampleQueried])
        _ = stand.tick(after: 50_000)
        #expect(stand.state.labeling.open[task.key] == nil)
        #expect(codes(stand.importLabel(sample)) == [])
    }

    @Test("Imported training labels count for novelty and the cold start")
    func known() {
        var stand = Stand()
        for number in 0..<12 { _ = stand.importLabel("s\(number)", embedding: [Float(number), 0]) }
        #expect(stand.state.acquisition.pool.queriedSketches.count == 12)
        let schedule = stand.state.acquisition.accounts.schedule.value
        #expect(schedule.trainingSamples == 12 && schedule.acquisitionTasks == 0)
        #expect(stand.state.unlearned == 12)
    }
}

extension ProjectState {
    /// The number of training labels that no model has learnt yet.
    fileprivate var unlearned: Int { datasets.position.value.training - training.progress.value.learnedLabels }
}
