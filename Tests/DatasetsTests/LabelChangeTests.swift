import Datasets
import Statistics
import Tables
import Testing
import Vocabulary

/// Labels that are revised, retracted and moved.
@Suite struct LabelChangeTests {
    static let question = Question.choice(LabelSchema(question: "?", classes: ["cat", "dog", "fox"]))
    static let policy = DatasetPolicy(cutEvery: 4, cutAfter: 20_000, format: 2)

    static func context(
        at time: Int64,
        _ policy: DatasetPolicy = policy,
        studied: [Int] = [],
        reason: String = "seen again"
    ) -> ChangeContext {
        ChangeContext(
            policy: policy,
            by: "ada",
            reason: reason,
            studied: studied,
            time: StreamTime(milliseconds: time)
        )
    }

    static func accept(
        _ sample: String,
        _ purpose: TaskPurpose = .acquisition,
        label: Int = 0,
        at time: Int64 = 0,
        under policy: DatasetPolicy = policy,
        imported key: UInt64? = nil,
        into state: inout DatasetsState
    ) throws -> LabelFact {
        try state.accept(
            DatasetsTests.consensus(sample, purpose, label: label),
            question: question,
            policy: policy,
            imported: key,
            at: StreamTime(milliseconds: time)
        ).get()
    }

    static func code(_ result: Result<LabelChange, EntryRejectionError>) -> EntryRejection.Code? {
        if case .failure(let error) = result { error.refusal.code } else { nil }
    }

    // MARK: - The naive fold

    /// A line of a version, as derived by reading the log from its beginning.
    struct Line: Equatable {
        let sample: SampleID
        let label: Label
        let split: Split
        let sequence: Int64
    }

    enum Fact {
        case accepted(LabelFact)
        case changed(LabelChange)
        case cut(VersionCut)

        var sequence: Int64 {
            switch self {
            case .accepted(let fact): fact.sequence
            case .changed(let change): change.sequence
            case .cut(let cut): cut.sequence
            }
        }
    }

    static func fold(_ facts: [Fact], upTo cut: VersionCut) throws -> [Line] {
        var lines: [Line] = []
        for fact in facts where fact.sequence < cut.sequence {
            switch fact {
            case .accepted(let fact):
                lines.append(
                    Line(
                        sample: fact.consensus.sample.id,
                        label: fact.consensus.label,
                        split: fact.split,
                        sequence: fact.sequence
                    )
                )
            case .changed(let change):
                let index = try #require(lines.firstIndex { $0.sequence == change.replaces })
                let old = lines.remove(at: index)
                #expect(old.sample == change.sample)
                var label = old.label
                switch change.kind {
                case .revised(let from, let to):
                    #expect(from == old.label && change.split == old.split)
                    label = to
                case .retracted:
                    #expect(change.split == old.split)
                    continue
                case .moved(let from): #expect(from == old.split)
                }
                lines.append(
                    Line(sample: old.sample, label: label, split: change.split, sequence: change.sequence)
                )
            case .cut: break
            }
        }
        return lines
    }

    /// State of a restarted worker: the rows without any cache.
    static func restored(_ state: DatasetsState) -> DatasetsState {
        var fresh = DatasetsState()
        for (key, row) in state.labels.sortedRows { fresh.labels.restore(key, row) }
        for (key, row) in state.pending.sortedRows { fresh.pending.restore(key, row) }
        for (key, row) in state.cuts.sortedRows { fresh.cuts.restore(key, row) }
        for (key, row) in state.former.sortedRows { fresh.former.restore(key, row) }
        fresh.position.restore(state.position.row)
        return fresh
    }

    /// A state, and everything that it has produced since its beginning.
    struct Scenario {
        var state = DatasetsState()
        var facts: [Fact] = []
        var cuts: [VersionCut] = []
        /// Versions that are studied, or wait for a study.
        var studied: [Int] = []
    }

    /// Applies one random event; the first labels may be of format 1.
    static func step(_ scenario: inout Scenario, _ step: Int, _ policy: DatasetPolicy, _ generator: inout SplitMix64) {
        let time = Int64(step) * 1_000
        let sample = SampleID("s\(generator.next(below: 60))")
        let context = context(at: time, policy, studied: scenario.studied)
        switch generator.next(below: 12) {
        case 0..<5:
            let purpose = [TaskPurpose.acquisition, .audit, .audit, .importedValidation][generator.next(below: 4)]
            let result = scenario.state.accept(
                DatasetsTests.consensus(sample.rawValue, purpose, label: generator.next(below: 3)),
                question: question,
                policy: policy,
                imported: purpose.isImported ? UInt64(step) : nil,
                at: StreamTime(milliseconds: time)
            )
            if case .success(let fact) = result { scenario.facts.append(.accepted(fact)) }
        case 5, 6, 7:
            let label = Label.choice(ClassIndex(generator.next(below: 3)))
            let result = scenario.state.revise(sample, to: label, question: question, context)
            if case .success(let change) = result { scenario.facts.append(.changed(change)) }
        case 8:
            if case .success(let change) = scenario.state.retract(sample, context) {
                scenario.facts.append(.changed(change))
            }
        case 9, 10:
            let split = Split.allCases[generator.next(below: 3)]
            if case .success(let change) = scenario.state.move(sample, to: split, context) {
                scenario.facts.append(.changed(change))
            }
        default:
            // A version is sealed and its study begins, or all studies end.
            if generator.next(below: 2) == 0, let versionNumber = scenario.state.pending.sortedKeys.first {
                _ = scenario.state.seal(DatasetsTests.version(versionNumber))
                scenario.studied = [versionNumber] + (generator.next(below: 2) == 0 ? scenario.studied.prefix(1) : [])
            } else {
                scenario.studied = []
            }
            scenario.state.forgetVersions(except: scenario.studied)
        }
        let cut = scenario.state.cutIfDue(
            policy: policy,
            question: question,
            isMoreComing: true,
            at: StreamTime(milliseconds: time)
        )
        guard let cut else { return }
        scenario.facts.append(.cut(cut))
        scenario.cuts.append(cut)
    }

    @Test(
        "Every version has the counts and test labels of the folded log, after any change, restore or undo",
        arguments: 0..<200 as Range<UInt64>
    )
    func fold(seed: UInt64) throws {
        var generator = SplitMix64(seed: seed)
        var scenario = Scenario()
        var committed = scenario
        let begin = seed % 3 == 0 ? 60 : 0
        var lists = 0
        for step in 0..<240 {
            let policy = DatasetPolicy(cutEvery: 4, cutAfter: 20_000, format: step < begin ? 1 : 2)
            Self.step(&scenario, step, policy, &generator)
            switch generator.next(below: 16) {
            case 0:
                // The transaction is aborted: the tables are undone, and the facts were never committed.
                scenario.state.labels.undo()
                scenario.state.position.undo()
                scenario.state.pending.undo()
                scenario.state.cuts.undo()
                scenario.state.former.undo()
                (scenario.facts, scenario.cuts, scenario.studied) = (committed.facts, committed.cuts, committed.studied)
            case 1..<6:
                scenario.state.labels.commit()
                scenario.state.position.commit()
                scenario.state.pending.commit()
                scenario.state.cuts.commit()
                scenario.state.former.commit()
                committed = scenario
            case 6:
                scenario.state = Self.restored(scenario.state)
                committed = scenario
            default: break
            }
            guard generator.next(below: 5) == 0 else { continue }
            var fresh = Self.restored(scenario.state)
            for cut in scenario.cuts {
                let lines = try Self.fold(scenario.facts, upTo: cut)
                let counts = Split.allCases.map { split in lines.count { $0.split == split } }
                #expect(
                    counts == [cut.training, cut.validation, cut.test],
                    "seed \(seed), version \(cut.versionNumber)"
                )
                let isNeeded =
                    scenario.state.pending[cut.versionNumber] != nil || scenario.studied.contains(cut.versionNumber)
                guard isNeeded else { continue }
                let expected = lines.filter { $0.split == .test }.sorted { $0.sequence < $1.sequence }.map(\.sample)
                lists += expected.isEmpty ? 0 : 1
                let samples = scenario.state.testSamples(of: cut.versionNumber, first: cut.test)
                #expect(samples == expected, "seed \(seed), step \(step), version \(cut.versionNumber)")
                let restoredSamples = fresh.testSamples(of: cut.versionNumber, first: cut.test)
                #expect(
                    restoredSamples == expected,
                    "seed \(seed), step \(step), version \(cut.versionNumber), of rows"
                )
            }
        }
        #expect(scenario.facts.map(\.sequence) == (1...Int64(scenario.facts.count)).map { $0 })
        #expect(lists > 5, "seed \(seed)")
        // No study is wanted any more, so no data is kept for one.
        for versionNumber in scenario.state.pending.sortedKeys {
            _ = scenario.state.seal(DatasetsTests.version(versionNumber))
        }
        scenario.state.forgetVersions(except: [])
        #expect(scenario.state.cuts.isEmpty && scenario.state.former.isEmpty)
    }

    @Test("Data kept for lists of test samples is bounded by the versions that may be studied and later changes")
    func bound() throws {
        var state = DatasetsState()
        for number in 0..<40 { _ = try Self.accept("t\(number)", .audit, into: &state) }
        for round in 0..<50 {
            for number in 0..<4 { _ = try Self.accept("r\(round)-\(number)", into: &state) }
            let cut = state.cutIfDue(
                policy: Self.policy,
                question: Self.question,
                isMoreComing: true,
                at: StreamTime(milliseconds: 0)
            )
            let versionNumber = try #require(cut).versionNumber
            _ = state.seal(DatasetsTests.version(versionNumber))
            state.forgetVersions(except: [versionNumber])
            for number in 0..<40 {
                let label = Label.choice(ClassIndex((round + 1) % 3))
                let sample = SampleID("t\(number)")
                _ = try state.revise(
                    sample,
                    to: label,
                    question: Self.question,
                    Self.context(at: 0, studied: [versionNumber])
                ).get()
            }
            #expect(state.cuts.sortedKeys == [versionNumber])
            #expect(state.former.count == 40)
            let samples = state.testSamples(of: versionNumber, first: 41)
            #expect(Set(samples).count == 40 && samples.count == 40)
        }
    }
}
