import Datasets
import Statistics
import Tables
import Testing
import Vocabulary

/// The order in which test labels leave the window.
@Suite("The window of test labels")
struct TestWindowTests {
    private static let context = LabelChangeTests.context(at: 9)

    private static func accept(
        _ sample: String,
        group: String? = nil,
        under policy: DatasetPolicy = LabelChangeTests.policy,
        movesTestLabels: Bool = true,
        into state: inout DatasetsState
    ) throws {
        let consensus = ConsensusLabel(
            task: TaskID("t-\(sample)"),
            sample: Sample(id: SampleID(sample), group: group.map { GroupID($0) }),
            purpose: .audit,
            label: .choice(ClassIndex(0)),
            confidence: Probability(clamping: 0.9),
            votes: [],
            predictedAt: StreamTime(milliseconds: 0)
        )
        _ = try state.accept(
            consensus,
            question: LabelChangeTests.question,
            policy: policy,
            movesTestLabels: movesTestLabels,
            at: StreamTime(milliseconds: 0)
        ).get()
    }

    /// A state with an anchor and `count` labels after it, with the names `w0`, `w1`, ….
    private static func filled(_ count: Int) throws -> DatasetsState {
        var state = DatasetsState()
        for number in 0..<DatasetsState.anchorSize { try accept("a\(number)", into: &state) }
        #expect(state.window.isEmpty && state.position.value.anchored == DatasetsState.anchorSize)
        for number in 0..<count { try accept("w\(number)", into: &state) }
        return state
    }

    private static func shrinkWindow(
        _ state: inout DatasetsState,
        _ size: Int,
        waiting: Set<String> = []
    ) -> [String] {
        state.shrinkWindow(to: size, context) { waiting.contains($0.rawValue) }.map { change in
            #expect(change.kind == .moved(from: .test) && change.split == .training)
            return change.sample.rawValue
        }
    }

    @Test("The oldest labels after the anchor in excess of the window are moved to training")
    func oldest() throws {
        var state = try Self.filled(10)
        let before = state.position.value
        #expect(Self.shrinkWindow(&state, 10) == [] && Self.shrinkWindow(&state, 100_000) == [])
        #expect(state.position.value == before)
        #expect(Self.shrinkWindow(&state, 7) == ["w0", "w1", "w2"])
        let after = state.position.value
        #expect(after.test == before.test - 3 && after.training == before.training + 3)
        #expect(after.sequence == before.sequence + 3 && after.newLabels == before.newLabels + 3)
        #expect(after.newTraining == before.newTraining, "what moves makes no version by itself")
        #expect(Self.shrinkWindow(&state, 7) == [])
        #expect(state.labels[SampleID("w0")]?.split == .training && state.labels[SampleID("w0")]?.standing == .moved)
        for number in 0..<DatasetsState.anchorSize {
            #expect(state.labels[SampleID("a\(number)")]?.isTestLabel == true)
        }
        try Self.accept("w10", into: &state)
        #expect(Self.shrinkWindow(&state, 7) == ["w3"])
    }

    @Test("One cut moves a bounded number of labels; the next cuts move the others, in the same order")
    func bounded() throws {
        let count = DatasetsState.movesPerCutLimit * 2 + 11
        var state = try Self.filled(count)
        var moved: [String] = []
        for expected in [DatasetsState.movesPerCutLimit, DatasetsState.movesPerCutLimit, 10, 0] {
            let batch = Self.shrinkWindow(&state, 1)
            #expect(batch.count == expected)
            moved += batch
        }
        #expect(moved == (0..<(count - 1)).map { "w\($0)" })
    }

    @Test("A label that is still to be used as evidence stays, and does not hold up those after it")
    func waiting() throws {
        var state = try Self.filled(8)
        #expect(Self.shrinkWindow(&state, 4, waiting: ["w0", "w2"]) == ["w1", "w3"])
        #expect(Self.shrinkWindow(&state, 4, waiting: ["w0", "w2"]) == [])
        #expect(Self.shrinkWindow(&state, 4) == ["w0", "w2"])
    }

    @Test("A label of a group never moves: later members of the group may be test or training labels")
    func groups() throws {
        var state = try Self.filled(1)
        try Self.accept("g", group: "patient 7", into: &state)
        try Self.accept("w1", into: &state)
        try Self.accept("w2", into: &state)
        #expect(Self.shrinkWindow(&state, 1) == ["w0", "w1"])
        #expect(state.labels[SampleID("g")]?.isTestLabel == true)
        #expect(state.window.count == 1, "it is looked at once")
    }

    @Test("Labels moved or retracted by hand leave the window, and revised labels keep their position")
    func byHand() throws {
        var state = try Self.filled(8)
        _ = try state.revise(
            SampleID("w0"),
            to: .choice(ClassIndex(1)),
            question: LabelChangeTests.question,
            Self.context
        ).get()
        _ = try state.revise(
            SampleID("w6"),
            to: .choice(ClassIndex(1)),
            question: LabelChangeTests.question,
            Self.context
        ).get()
        _ = try state.retract(SampleID("w6"), Self.context).get()
        _ = try state.retract(SampleID("w7"), Self.context).get()
        _ = try state.move(SampleID("w1"), to: .training, Self.context).get()
        _ = try state.retract(SampleID("a3"), Self.context).get()
        #expect(state.window.sortedRows.map(\.value.sample.rawValue) == ["w0", "w2", "w3", "w4", "w5"])
        // The newest three that still test are w3, w4 and w5.
        #expect(Self.shrinkWindow(&state, 3) == ["w0", "w2"])
        // A moved label may still be revised and retracted, but does not return to the window.
        let revised = try state.revise(
            SampleID("w2"),
            to: .choice(ClassIndex(2)),
            question: LabelChangeTests.question,
            Self.context
        ).get()
        #expect(revised.split == .training)
        _ = try state.retract(SampleID("w0"), Self.context).get()
        #expect(state.window.count == 3 && Self.shrinkWindow(&state, 3) == [])
        #expect(LabelChangeTests.code(state.move(SampleID("w2"), to: .test, Self.context)) == .splitFixed)
    }

    @Test("Labels from before the window existed stay test labels, and count towards the anchor")
    func begins() throws {
        var state = DatasetsState()
        for number in 0..<DatasetsState.anchorSize - 2 {
            try Self.accept("o\(number)", movesTestLabels: false, into: &state)
        }
        #expect(state.position.value.anchored == 0 && state.window.isEmpty)
        for number in 0..<5 { try Self.accept("w\(number)", into: &state) }
        #expect(state.window.sortedRows.map(\.value.sample.rawValue) == ["w2", "w3", "w4"])
        // Once the order has begun it continues, whatever later revisions state.
        try Self.accept("w5", movesTestLabels: false, into: &state)
        #expect(Self.shrinkWindow(&state, 1) == ["w2", "w3", "w4"])

        var old = DatasetsState()
        let first = DatasetPolicy(cutEvery: 4, cutAfter: 20_000, format: 1)
        for number in 0..<DatasetsState.anchorSize + 9 { try Self.accept("o\(number)", under: first, into: &old) }
        #expect(old.position.value.anchored == 0 && old.window.isEmpty)
        try Self.accept("w0", into: &old)
        #expect(old.position.value.anchored == DatasetsState.anchorSize && old.window.count == 1)
    }

    @Test("Labels undone and accepted again are removed in the same order", arguments: 0..<8 as Range<UInt64>)
    func undo(seed: UInt64) throws {
        var generator = SplitMix64(seed: seed)
        var state = try Self.filled(0)
        state.window.commit()
        state.labels.commit()
        state.position.commit()
        var number = 0
        for _ in 0..<60 {
            let start = (state, number)
            // The same steps run twice: on a state with a current cache, and after an undo.
            var found: [[String]] = []
            for attempt in 0..<2 {
                var steps = generator
                number = start.1
                var moved: [String] = []
                for _ in 0..<steps.next(below: 6) {
                    try Self.accept("w\(number)", into: &state)
                    number += 1
                }
                if let sample = state.window.sortedRows.first?.value.sample, steps.next(below: 3) == 0 {
                    _ = try state.retract(sample, Self.context).get()
                }
                moved += Self.shrinkWindow(
                    &state,
                    1 + steps.next(below: 5),
                    waiting: ["w\(steps.next(below: number + 1))"]
                )
                found.append(moved)
                if attempt == 0 {
                    state.window.undo()
                    state.labels.undo()
                    state.position.undo()
                    #expect(state.window.sortedKeys == start.0.window.sortedKeys)
                } else {
                    generator = steps
                    state.window.commit()
                    state.labels.commit()
                    state.position.commit()
                }
            }
            #expect(found[0] == found[1], "seed \(seed)")
        }
        #expect(number > 60)
    }
}
