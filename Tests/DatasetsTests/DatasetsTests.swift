import Datasets
import Statistics
import Tables
import Testing
import Vocabulary

@Suite struct DatasetsTests {
    static let question = Question.choice(LabelSchema(question: "?", classes: ["cat", "dog"]))

    static func time(_ milliseconds: Int64) -> StreamTime { StreamTime(milliseconds: milliseconds) }

    static func consensus(
        _ sample: String,
        _ purpose: TaskPurpose = .acquisition,
        label: Int = 0,
        predictedAt: Int64 = 0
    )
        -> ConsensusLabel
    {
        ConsensusLabel(
            task: TaskID("t-\(sample)"),
            sample: Sample(id: SampleID(sample)),
            purpose: purpose,
            label: .choice(ClassIndex(label)),
            confidence: Probability(clamping: 0.9),
            votes: [],
            predictedAt: time(predictedAt)
        )
    }

    static func version(_ versionNumber: Int) -> SealedVersion {
        SealedVersion(
            id: DatasetVersionID("d\(versionNumber)"),
            versionNumber: versionNumber,
            parent: nil,
            semanticVersion: "1.0.0",
            manifest: ArtifactReference(uri: "file:///m", size: 1, sha256: String(repeating: "0", count: 64)),
            training: 1,
            validation: 0,
            test: 0
        )
    }

    @Test(
        "Facts and cuts share one sequence without gaps, and a cut counts the labels before it",
        arguments: 0..<64 as Range<UInt64>
    )
    func sequence(seed: UInt64) throws {
        var generator = SplitMix64(seed: seed)
        let policy = DatasetPolicy(cutEvery: 1 + generator.next(below: 6), cutAfter: 5_000)
        var state = DatasetsState()
        var now: Int64 = 0
        var (last, cuts): (Int64, Int) = (0, 0)
        var splits: [Split: Int] = [:]
        var seen: Set<String> = []
        for _ in 0..<300 {
            now += Int64(generator.next(below: 1_500))
            let name = "s\(generator.next(below: 150))"
            let purpose: TaskPurpose = generator.next(below: 4) == 0 ? .audit : .acquisition
            switch state.accept(Self.consensus(name, purpose), question: Self.question, at: Self.time(now)) {
            case .success(let fact):
                #expect(fact.sequence == last + 1)
                #expect(seen.insert(name).inserted, "\(name) was accepted twice")
                #expect((fact.split == .test) == (purpose == .audit))
                #expect(fact.split != .validation)
                splits[fact.split, default: 0] += 1
                last = fact.sequence
            case .failure(let error):
                #expect(error.refusal.code == .duplicate)
                #expect(seen.contains(name))
            }
            guard
                let cut = state.cutIfDue(
                    policy: policy,
                    question: Self.question,
                    isMoreComing: true,
                    at: Self.time(now)
                )
            else { continue }
            cuts += 1
            last += 1
            #expect(cut.sequence == last)
            #expect(cut.versionNumber == cuts)
            #expect(cut.training == splits[.training, default: 0])
            #expect(cut.test == splits[.test, default: 0])
            #expect(cut.validation == 0)
            #expect(cut.classes == ["cat", "dog"])
            let again = state.cutIfDue(policy: policy, question: Self.question, isMoreComing: true, at: Self.time(now))
            #expect(again == nil)
        }
        #expect(cuts > 5)
        #expect(state.pending.sortedKeys == Array(1...cuts))
        #expect(state.labels.count == seen.count)
    }

    @Test("A version is cut at the label that fills it, counting training labels only")
    func byCount() throws {
        let policy = DatasetPolicy(cutEvery: 3, cutAfter: 1_000_000)
        var state = DatasetsState()
        var cutAfter: [String] = []
        for (name, purpose) in [
            ("a", TaskPurpose.acquisition), ("b", .audit), ("c", .acquisition), ("d", .audit), ("e", .acquisition),
        ] {
            _ = try state.accept(Self.consensus(name, purpose), question: Self.question, at: Self.time(1)).get()
            if state.cutIfDue(policy: policy, question: Self.question, isMoreComing: true, at: Self.time(1)) != nil {
                cutAfter.append(name)
            }
        }
        #expect(cutAfter == ["e"])
    }

    @Test("Half of the labels suffice for a version if no task is open", arguments: [(1, 1), (2, 1), (3, 2), (10, 5)])
    func whenNoMoreComes(cutEvery: Int, enough: Int) throws {
        let policy = DatasetPolicy(cutEvery: cutEvery, cutAfter: 1_000_000)
        var state = DatasetsState()
        for number in 1...enough {
            _ = try state.accept(Self.consensus("s\(number)"), question: Self.question, at: Self.time(1)).get()
            var (waiting, idle) = (state, state)
            let early = waiting.cutIfDue(policy: policy, question: Self.question, isMoreComing: true, at: Self.time(1))
            #expect((early == nil) == (number < cutEvery))
            let cut = idle.cutIfDue(policy: policy, question: Self.question, isMoreComing: false, at: Self.time(1))
            #expect((cut == nil) == (number < enough))
        }
    }

    @Test("A version is cut when its first label has waited long enough, and not before that deadline")
    func byTime() throws {
        let policy = DatasetPolicy(cutEvery: 100, cutAfter: 1_000)
        var state = DatasetsState()
        #expect(state.nextDeadline(policy: policy) == nil)
        _ = try state.accept(Self.consensus("a"), question: Self.question, at: Self.time(50)).get()
        _ = try state.accept(Self.consensus("b"), question: Self.question, at: Self.time(900)).get()
        #expect(state.nextDeadline(policy: policy) == Self.time(1_050))
        let early = state.cutIfDue(policy: policy, question: Self.question, isMoreComing: true, at: Self.time(1_049))
        #expect(early == nil)
        let cut = state.cutIfDue(policy: policy, question: Self.question, isMoreComing: true, at: Self.time(1_050))
        #expect(cut?.training == 2)
        #expect(state.nextDeadline(policy: policy) == nil)
        // Without new labels there is no new version, after any time.
        let empty = state.cutIfDue(policy: policy, question: Self.question, isMoreComing: true, at: Self.time(99_000))
        #expect(empty == nil)
    }

    @Test("A version needs training labels; test labels alone wait, and set no deadline")
    func testLabelsAlone() throws {
        let policy = DatasetPolicy(cutEvery: 1, cutAfter: 10)
        var state = DatasetsState()
        _ = try state.accept(Self.consensus("a", .audit), question: Self.question, at: Self.time(0)).get()
        #expect(state.nextDeadline(policy: policy) == nil)
        let none = state.cutIfDue(policy: policy, question: Self.question, isMoreComing: true, at: Self.time(1_000))
        #expect(none == nil)
        _ = try state.accept(Self.consensus("b"), question: Self.question, at: Self.time(1_000)).get()
        let cut = state.cutIfDue(policy: policy, question: Self.question, isMoreComing: true, at: Self.time(1_000))
        #expect(cut?.training == 1)
        #expect(cut?.test == 1)
    }

    @Test("A class that the schema lacks never enters the log")
    func unknownClass() {
        var state = DatasetsState()
        let result = state.accept(Self.consensus("a", label: 2), question: Self.question, at: Self.time(0))
        if case .failure(let error) = result {
            #expect(error.refusal.code == .unknownClass)
        } else {
            Issue.record("accepted")
        }
        #expect(state.labels.isEmpty)
        #expect(state.position.value == LogPosition())
    }

    @Test("A cut is sealed once, and a version that was never cut is not sealed")
    func sealing() throws {
        let policy = DatasetPolicy(cutEvery: 1, cutAfter: 10)
        var state = DatasetsState()
        for (index, name) in ["a", "b"].enumerated() {
            _ = try state.accept(
                Self.consensus(name, predictedAt: Int64(40 - index)),
                question: Self.question,
                at: Self.time(100)
            ).get()
            _ = state.cutIfDue(
                policy: policy,
                question: Self.question,
                isMoreComing: true,
                at: Self.time(100 + Int64(index))
            )
        }
        let never = state.seal(Self.version(3))
        #expect(never == nil)
        // Versions may be sealed in any order.
        let second = state.seal(Self.version(2))
        #expect(second?.cutAt == Self.time(101))
        // The time of the newest of all training samples up to the cut.
        #expect(second?.newestSampleAt == Self.time(40))
        let again = state.seal(Self.version(2))
        #expect(again == nil)
        let first = state.seal(Self.version(1))
        #expect(first?.cutAt == Self.time(100))
        #expect(state.pending.isEmpty)
    }

    @Test(
        "Test samples are in the order of the log, even after aborts and in a restored state",
        arguments: 0..<20 as Range<UInt64>
    )
    func testOrder(seed: UInt64) {
        var generator = SplitMix64(seed: seed)
        var state = DatasetsState()
        for step in 0..<400 {
            let purpose: TaskPurpose = generator.next(below: 3) == 0 ? .audit : .acquisition
            let sample = "s\(generator.next(below: 1_000))"
            _ = state.accept(Self.consensus(sample, purpose), question: Self.question, at: Self.time(Int64(step)))
            switch generator.next(below: 12) {
            case 0:
                state.labels.undo()
                state.position.undo()
            case 1..<4:
                state.labels.commit()
                state.position.commit()
            case 4..<8:
                let tests = state.labels.sortedRows.filter { $0.value.split == .test }
                let expected = tests.sorted { $0.value.sequence < $1.value.sequence }.map(\.key)
                var restored = DatasetsState()
                for (key, row) in state.labels.sortedRows { restored.labels.restore(key, row) }
                let count = generator.next(below: 60)
                // The version has no cut mark, as if it had been cut before there were marks.
                let (samples, restoredSamples) = (
                    state.testSamples(of: 1, first: count), restored.testSamples(of: 1, first: count)
                )
                #expect(samples == Array(expected.prefix(count)), "seed \(seed), step \(step)")
                #expect(restoredSamples == samples)
            default: break
            }
        }
        #expect(state.testSamples(of: 1, first: 0).isEmpty)
    }
}
