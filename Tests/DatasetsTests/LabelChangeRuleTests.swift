import Datasets
import Statistics
import Tables
import Testing
import Vocabulary

/// Rules for each kind of change.
extension LabelChangeTests {
    @Test("A row of a label occupies at most 64 bytes, since every label has one")
    func size() { #expect(MemoryLayout<LabelRow>.stride <= 64) }

    @Test("Labels of a project of format 1 cannot be changed, and its facts have no new members")
    func firstFormat() throws {
        let policy = DatasetPolicy(cutEvery: 1, cutAfter: 10)
        var state = DatasetsState()
        let fact = try Self.accept("a", at: 5, under: policy, into: &state)
        #expect(fact.format == 1 && fact.acceptedAt == nil)
        let cut = state.cutIfDue(
            policy: policy,
            question: Self.question,
            isMoreComing: true,
            at: StreamTime(milliseconds: 5)
        )
        #expect(cut?.format == 1)
        #expect(state.cuts.isEmpty && state.position.value.format == 1)
        let context = Self.context(at: 6, policy)
        let before = state.position.value
        let revised = state.revise(SampleID("a"), to: .choice(ClassIndex(1)), question: Self.question, context)
        let retracted = state.retract(SampleID("a"), context)
        let moved = state.move(SampleID("a"), to: .validation, context)
        for result in [revised, retracted, moved] {
            #expect(Self.code(result) == .labelsFixed)
            guard case .failure(let error) = result else { continue }
            #expect(error.refusal.text.contains("datasets.format: 2"))
        }
        #expect(state.position.value == before)
    }

    @Test("A project with a version of format 2 or a changed label stays in format 2 under any later revision")
    func sticky() throws {
        let old = DatasetPolicy(cutEvery: 1, cutAfter: 10, format: 1)
        var cut = DatasetsState()
        var changed = cut
        _ = try Self.accept("a", into: &changed)
        _ = try changed.revise(SampleID("a"), to: .choice(ClassIndex(1)), question: Self.question, Self.context(at: 0))
            .get()
        _ = try Self.accept("a", into: &cut)
        let time = StreamTime(milliseconds: 99_999)
        let made = cut.cutIfDue(policy: Self.policy, question: Self.question, isMoreComing: false, at: time)
        #expect(made?.format == 2)
        for var state in [cut, changed] {
            let fact = try Self.accept("b", under: old, into: &state)
            #expect(fact.format == 2)
            let next = state.cutIfDue(policy: old, question: Self.question, isMoreComing: false, at: time)
            #expect(next?.format == 2)
            _ = try state.retract(SampleID("a"), Self.context(at: 0, old)).get()
        }
    }

    @Test("An accepted label of format 2 states its time of acceptance and what is known of its selection")
    func acceptance() throws {
        var state = DatasetsState()
        let reason = SelectionReason(
            strategy: "audit",
            score: 0.5,
            scoredBy: nil,
            predicted: nil,
            inclusionProbability: 0.125,
            propensity: 0.5
        )
        let origin = AuditOrigin(isDuel: true, stratum: .disagree, day: 20_454)
        func accept(_ name: String, _ policy: DatasetPolicy) throws -> LabelFact {
            try state.accept(
                DatasetsTests.consensus(name, .audit),
                question: Self.question,
                policy: policy,
                queriedBecause: reason,
                audit: origin,
                at: StreamTime(milliseconds: 7)
            ).get()
        }
        let before = try accept("a", DatasetPolicy())
        #expect(before.acceptedAt == nil && before.inclusionProbability == nil && before.propensity == nil)
        #expect(before.audit == nil)
        let fact = try accept("b", Self.policy)
        #expect(fact.acceptedAt?.milliseconds == 7)
        #expect(fact.inclusionProbability == 0.125 && fact.propensity == 0.5 && fact.audit == origin)
        let unqueried = try Self.accept("c", into: &state)
        #expect(unqueried.inclusionProbability == nil && unqueried.acceptedAt != nil)
    }

    @Test("A change alone makes a version once it has waited long enough, and not before")
    func cut() throws {
        var state = DatasetsState()
        for number in 0..<4 { _ = try Self.accept("s\(number)", into: &state) }
        func cut(at time: Int64) -> VersionCut? {
            state.cutIfDue(
                policy: Self.policy,
                question: Self.question,
                isMoreComing: false,
                at: StreamTime(milliseconds: time)
            )
        }
        let first = cut(at: 0)
        #expect(first?.training == 4)
        #expect(state.nextDeadline(policy: Self.policy) == nil)
        _ = try state.retract(SampleID("s1"), Self.context(at: 1_000)).get()
        #expect(state.nextDeadline(policy: Self.policy) == StreamTime(milliseconds: 21_000))
        let early = cut(at: 20_999)
        let due = cut(at: 21_000)
        let late = cut(at: 99_000)
        #expect(early == nil && due?.training == 3 && late == nil)
        // A change is also included in the version of the next labels.
        _ = try state.revise(
            SampleID("s2"),
            to: .choice(ClassIndex(2)),
            question: Self.question,
            Self.context(at: 100_000)
        ).get()
        _ = try Self.accept("s5", at: 100_000, into: &state)
        let afterOne = cut(at: 100_000)
        _ = try Self.accept("s6", at: 100_000, into: &state)
        let afterTwo = cut(at: 100_000)
        #expect(afterOne == nil && afterTwo?.training == 5)
    }

    @Test("A label is never moved to test, and a test label can be moved only to training")
    func splits() throws {
        var state = DatasetsState()
        _ = try Self.accept("train", into: &state)
        _ = try Self.accept("audit", .audit, into: &state)
        _ = try Self.accept("valid", .importedValidation, into: &state)
        let context = Self.context(at: 1)
        func refusal(_ sample: String, _ split: Split) -> EntryRejection.Code? {
            Self.code(state.move(SampleID(sample), to: split, context))
        }
        #expect(refusal("train", .test) == .splitFixed)
        #expect(refusal("valid", .test) == .splitFixed)
        #expect(refusal("audit", .validation) == .splitFixed)
        #expect(refusal("audit", .test) == .duplicate)
        let moved = try state.move(SampleID("audit"), to: .training, context).get()
        #expect(moved.kind == .moved(from: .test) && moved.split == .training && moved.replaces == 2)
        #expect(refusal("audit", .test) == .splitFixed)
        _ = try state.move(SampleID("valid"), to: .training, context).get()
        _ = try state.move(SampleID("train"), to: .validation, context).get()
        let log = state.position.value
        #expect([log.training, log.validation, log.test] == [2, 1, 0])
        // Predictions for a former test label are no evidence, even after the label is revised.
        _ = try state.revise(SampleID("audit"), to: .choice(ClassIndex(1)), question: Self.question, context).get()
        #expect(state.labels[SampleID("audit")]?.isOutOfEvidence == true)
    }

    @Test("A retracted label keeps its row, and further changes of it are refused")
    func retracted() throws {
        var state = DatasetsState()
        _ = try Self.accept("a", .imported, imported: 7, into: &state)
        let context = Self.context(at: 1)
        let change = try state.retract(SampleID("a"), context).get()
        #expect(change.replaces == 1 && change.sequence == 2 && change.split == .training)
        #expect(change.by == "ada" && change.reason == "seen again" && change.at == context.time)
        #expect(state.labels[SampleID("a")]?.standing == .retracted)
        let again = [
            state.retract(SampleID("a"), context), state.move(SampleID("a"), to: .validation, context),
            state.revise(SampleID("a"), to: .choice(ClassIndex(1)), question: Self.question, context),
            state.retract(SampleID("nobody"), context),
        ]
        for result in again { #expect(Self.code(result) == .unknownLabel) }
        #expect(throws: EntryRejectionError.self) { _ = try Self.accept("a", into: &state) }
        // The key of its import stays known, also in a lookup after an undo.
        func known() -> [Bool] { [state.hasImported(7), state.hasImported(8)] }
        #expect(known() == [true, false])
        state.labels.commit()
        _ = try Self.accept("b", .imported, imported: 8, into: &state)
        _ = try state.revise(SampleID("b"), to: .choice(ClassIndex(1)), question: Self.question, context).get()
        #expect(known() == [true, true])
        state.labels.undo()
        #expect(known() == [true, false])
    }

    @Test("A label can be revised only to another class of the schema")
    func revised() throws {
        var state = DatasetsState()
        _ = try Self.accept("a", label: 1, into: &state)
        let context = Self.context(at: 1)
        let same = state.revise(SampleID("a"), to: .choice(ClassIndex(1)), question: Self.question, context)
        #expect(Self.code(same) == .duplicate)
        let unknown = state.revise(SampleID("a"), to: .choice(ClassIndex(3)), question: Self.question, context)
        #expect(Self.code(unknown) == .unknownClass)
        let votes = [Vote(annotator: AnnotatorID("x"), answer: .choice(ClassIndex(2)))]
        let change = try state.revise(
            SampleID("a"),
            to: .choice(ClassIndex(2)),
            votes: votes,
            confidence: Probability(clamping: 0.75),
            question: Self.question,
            context
        ).get()
        #expect(change.kind == .revised(from: .choice(ClassIndex(1)), to: .choice(ClassIndex(2))))
        #expect(change.votes == votes && change.confidence?.value == 0.75)
        #expect(state.labels[SampleID("a")]?.label == .choice(ClassIndex(2)))
    }
}
