import Labeling
import Statistics
import Tables
import Testing
import Vocabulary

@Suite("Standing of annotators")
struct StandingTests {
    private static let threeVotes = LabelingPolicy(minimumVotes: 3, maximumVotes: 3, confidence: 0.95, maximumSkips: 2)

    private static func naming(_ names: String..., maximumVotes: Int = 5) -> LabelingPolicy {
        LabelingPolicy(
            minimumVotes: 1,
            maximumVotes: maximumVotes,
            confidence: 0.9,
            lifetime: 1_000,
            maximumSkips: 2,
            annotators: names.map { AnnotatorID($0) }
        )
    }

    /// Opens a task and submits these answers, in order.
    private static func label(
        _ id: String,
        _ votes: [(String, Int)],
        _ policy: LabelingPolicy,
        _ state: inout LabelingState
    ) throws -> ConsensusLabel? {
        _ = state.openTask(TaskID(id), for: selection(id), question: question, policy: policy, at: time(100))
        var label: ConsensusLabel?
        for (who, vote) in votes { label = try state.receive(answer(id, who, vote), policy).get().consensus }
        return label
    }

    @Test("An annotator has standing only after five answers that agree with labels of two other contributors")
    func earned() throws {
        var state = LabelingState()
        let twoVotes = LabelingPolicy(minimumVotes: 2, maximumVotes: 2)
        for number in 0..<5 {
            // Two answers are too few, and an annotator who disagrees gains nothing.
            _ = try Self.label("p\(number)", [("a", 1), ("b", 1)], twoVotes, &state)
            #expect(!state.hasStanding(AnnotatorID("a"), policy: Self.threeVotes))
        }
        for number in 0..<5 {
            #expect(!state.hasStanding(AnnotatorID("a"), policy: Self.threeVotes))
            _ = try Self.label("t\(number)", [("a", 1), ("c", 2), ("b", 1)], Self.threeVotes, &state)
        }
        #expect(
            ["a", "b", "c", "d"].map { state.hasStanding(AnnotatorID($0), policy: Self.threeVotes) } == [
                true, true, false, false,
            ]
        )
        #expect(state.annotators[AnnotatorID("a")]?.agreements == 5)
        #expect(state.annotators[AnnotatorID("c")]?.agreements == 0)
    }

    @Test("An annotator gains no standing by outvoting all annotators with standing")
    func outvoted() throws {
        var state = LabelingState()
        let policy = Self.naming("n", maximumVotes: 3)
        for number in 0..<8 {
            let label = try Self.label("t\(number)", [("x", 0), ("y", 0), ("n", 1)], policy, &state)
            #expect(label?.label == .choice(ClassIndex(0)))
        }
        #expect(!state.hasStanding(AnnotatorID("x"), policy: policy))
        // If no annotator of the task has standing, its annotators vouch for each other.
        for number in 0..<5 { _ = try Self.label("u\(number)", [("x", 0), ("y", 0), ("z", 0)], policy, &state) }
        #expect(state.hasStanding(AnnotatorID("x"), policy: policy))
    }

    @Test("Once any annotator has standing, the accuracy of a name without standing counts as 0.7 at most")
    func weight() throws {
        var state = LabelingState()
        var policy = Self.naming("n", maximumVotes: 2)
        policy.confidence = 1
        let named = try Self.label("t", [("x", 1), ("n", 1)], policy, &state)
        // 0.7 · 0.8 / (0.7 · 0.8 + 2 · 0.15 · 0.1) of three classes.
        #expect(abs((named?.confidence.value ?? 0) - 0.56 / 0.59) < 1e-15)
        policy.annotators = []
        let unnamed = try Self.label("u", [("v", 1), ("w", 1)], policy, &state)
        #expect(abs((unnamed?.confidence.value ?? 0) - 0.64 / 0.66) < 1e-15)
        // An annotator with a worse record counts for less.
        state.annotators[AnnotatorID("x")] = AnnotatorReliability(answers: 95, correct: 46)
        policy.annotators = [AnnotatorID("n")]
        let poor = try Self.label("v", [("x", 1), ("y", 2)], policy, &state)
        #expect(poor?.label == .choice(ClassIndex(2)))
    }

    @Test("Names without standing close no task below maximum_votes, but close it at that number")
    func closing() throws {
        let policy = Self.naming("n", maximumVotes: 4)
        var state = LabelingState(task: "t", policy: policy)
        for who in ["v", "w", "x"] {
            let outcome = try state.receive(answer("t", who, 2), policy).get()
            #expect(outcome.consensus == nil)
            #expect(outcome.task?.state == .open)
        }
        // One answer of an annotator with standing for another class does not close the task either.
        let other = try state.receive(answer("t", "n", 1), policy).get()
        #expect(other.consensus?.label == .choice(ClassIndex(2)))
        #expect(other.consensus?.votes.count == 4)
        // An answer for the same class does.
        _ = state.openTask(TaskID("u"), for: selection("u"), question: question, policy: policy, at: time(0))
        for who in ["v", "w"] { try expect(state.receive(answer("u", who, 2), policy).get().consensus, is: nil) }
        try expect(state.receive(answer("u", "n", 2), policy).get().consensus?.label, is: .choice(ClassIndex(2)))
    }

    @Test("An expired task gets no label from names without standing alone")
    func expiry() throws {
        let policy = Self.naming("n")
        var state = LabelingState(task: "t", policy: policy, at: time(100))
        _ = state.openTask(TaskID("u"), for: selection("u"), question: question, policy: policy, at: time(100))
        for who in ["x", "y"] { _ = try state.receive(answer("t", who, 2), policy).get() }
        _ = try state.receive(answer("u", "x", 2), policy).get()
        _ = try state.receive(answer("u", "n", 1), policy).get()
        let outcomes = state.expire(question: question, policy: policy, at: time(1_100))
        #expect(outcomes.map { $0.task?.state } == [.closed(.expired), .closed(.answered)])
        #expect(outcomes.map { $0.consensus?.label } == [nil, .choice(ClassIndex(1))])
    }

    @Test("Only a skip or flag of an annotator with standing makes a task unanswerable, and its row is bounded")
    func skips() throws {
        let policy = Self.naming("n")
        var state = LabelingState(task: "t", policy: policy)
        func skip(_ who: String) throws -> AnnotationOutcome {
            try state.receive(Annotation(task: TaskID("t"), annotator: AnnotatorID(who), outcome: .skip), policy).get()
        }
        for number in 0..<500 {
            let outcome = try skip("x\(number)")
            #expect(outcome.task == nil && !outcome.isVote)
            // A skip that does not count is charged to no annotator.
            #expect(outcome.isDecline == (number < 2))
        }
        #expect(state.open[TaskID("t")]?.declined.count == 2)
        #expect(state.annotators.count == 2)
        #expect(try skip("n").task?.state == .closed(.unanswerable))
        // While no annotator has standing, skips and flags of any annotator count.
        var unnamed = policy
        unnamed.annotators = []
        var other = LabelingState(task: "t", policy: unnamed)
        for who in ["x", "y"] {
            let flag = Annotation(task: TaskID("t"), annotator: AnnotatorID(who), outcome: .flag("?"))
            let outcome = try other.receive(flag, unnamed).get()
            #expect((outcome.task?.state == .closed(.unanswerable)) == (who == "y"))
        }
    }

    @Test("Standing depends only on the stored rows, also after an abort", arguments: 0..<16 as Range<UInt64>)
    func cache(seed: UInt64) throws {
        var generator = SplitMix64(seed: seed)
        var state = LabelingState()
        for step in 0..<300 {
            let votes = (0..<3).map { ("a\(generator.next(below: 12))", generator.next(below: 4) == 0 ? 1 : 0, $0) }
            let id = "t\(step)"
            _ = state.openTask(TaskID(id), for: selection(id), question: question, policy: Self.threeVotes, at: time(0))
            for (who, vote, _) in votes { _ = state.receive(answer(id, who, vote), Self.threeVotes) }
            switch generator.next(below: 4) {
            case 0: _ = (state.annotators.undo(), state.open.undo(), state.closed.undo())
            case 1: _ = (state.annotators.commit(), state.open.commit(), state.closed.commit())
            default: break
            }
            // A state restored from the rows alone must decide the same.
            var (restored, copy) = (LabelingState(), state)
            for (key, row) in state.annotators.sortedRows { restored.annotators.restore(key, row) }
            let probe = LabelingPolicy(minimumVotes: 1, maximumVotes: 2, confidence: 0.79)
            let label = try Self.label("probe", [("new", 1)], probe, &restored)
            let found = try Self.label("probe", [("new", 1)], probe, &copy)
            #expect(found == label, "seed \(seed), step \(step)")
        }
    }

    // MARK: - The attack

    /// Two invented names that give the same wrong answer first, and three honest annotators with an accuracy of 0.9.
    private struct Attack {
        var classes = 2
        var policy = LabelingPolicy(minimumVotes: 1, maximumVotes: 5, confidence: 0.95)
        /// Number of labels that the honest annotators decide before the invented names arrive.
        var before = 0
        /// Whether agreements are reset, so that no annotator ever gains standing, as in earlier builds.
        var isStandingReset = false
        var invented = 2
        var honest = 3
        var labels = 33

        /// - Returns: Number of labels decided wrong during the attack, and total number of answers.
        func run(seed: UInt64) throws -> (wrong: Int, answers: Int) {
            let question = Question.choice(LabelSchema(question: "?", classes: (0..<classes).map { "\($0)" }))
            var generator = SplitMix64(seed: seed)
            var state = LabelingState()
            var (wrong, answers) = (0, 0)
            for number in 0..<(before + labels) {
                let id = TaskID("t\(number)")
                let truth = generator.next(below: classes)
                func other() -> Int { (truth + 1 + generator.next(below: classes - 1)) % classes }
                let lie = other()
                _ = state.openTask(id, for: selection("s\(number)"), question: question, policy: policy, at: time(0))
                var votes = (0..<(number < before ? 0 : invented)).map { ("x\($0)", lie) }
                for who in SeededSampling.permutation(of: honest, using: &generator) {
                    votes.append(("h\(who)", generator.nextUnit() < 0.9 ? truth : other()))
                }
                for (who, vote) in votes {
                    let annotation = answer(id.rawValue, who, vote)
                    let result = state.receive(annotation, question: question, policy: policy, at: time(1))
                    answers += 1
                    guard case .closed? = try result.get().task?.state else { continue }
                    if number >= before, state.closed[id]?.label?.classIndex?.rawValue != truth { wrong += 1 }
                    break
                }
                guard isStandingReset else { continue }
                for (who, row) in state.annotators.sortedRows {
                    var row = row
                    row.agreements = 0
                    state.annotators[who] = row
                }
            }
            return (wrong, answers)
        }

        /// Means over `seeds` runs.
        func mean(_ seeds: UInt64) throws -> (wrong: Double, answers: Double) {
            var (wrong, answers) = (0, 0)
            for seed in 0..<seeds {
                let run = try run(seed: seed)
                wrong += run.wrong
                answers += run.answers
            }
            return (Double(wrong) / Double(seeds), Double(answers) / Double(seeds))
        }
    }

    @Test("Against three honest annotators two invented names decide fewer labels, and hardly any once those are named")
    func attack() throws {
        var attack = Attack(isStandingReset: true)
        let before = try attack.mean(200).wrong
        attack.isStandingReset = false
        let after = try attack.mean(200).wrong
        attack.policy.annotators = ["h0", "h1", "h2"].map { AnnotatorID($0) }
        let named = try attack.mean(200).wrong
        print(
            "two invented names, 33 labels of 2 classes: \(before) wrong before, \(after) after, \(named) where three are named"
        )
        #expect(before > 4)
        #expect(after <= before + 0.5)
        #expect(named < 2)
    }

    @Test(
        "Two new invented names do not overrule honest annotators who have worked for a while",
        arguments: [2, 3, 10],
        [1, 3]
    )
    func newcomers(classes: Int, minimum: Int) throws {
        let policy = LabelingPolicy(minimumVotes: minimum, maximumVotes: 5, confidence: 0.95)
        var attack = Attack(classes: classes, policy: policy, before: 100, isStandingReset: true)
        let before = try attack.mean(20)
        attack.isStandingReset = false
        let after = try attack.mean(20)
        attack.policy.annotators = ["h0", "h1", "h2"].map { AnnotatorID($0) }
        let named = try attack.mean(20)
        print(
            "two new names after 100 labels, \(classes) classes, at least \(minimum) votes: \(before) before, \(after) after, \(named) named"
        )
        #expect(after.wrong <= before.wrong + 0.2)
        #expect(named.wrong < 2.5)
    }

    @Test(
        "Honest annotators without initial standing give hardly more answers than before",
        arguments: [2, 3, 10]
    )
    func honest(classes: Int) throws {
        for (minimum, maximum) in [(1, 3), (2, 3), (3, 3), (1, 5), (3, 5)] {
            let policy = LabelingPolicy(minimumVotes: minimum, maximumVotes: maximum, confidence: 0.95)
            var attack = Attack(
                classes: classes,
                policy: policy,
                isStandingReset: true,
                invented: 0,
                honest: 6,
                labels: 100
            )
            let before = try attack.mean(20)
            attack.isStandingReset = false
            let after = try attack.mean(20)
            print("honest, \(classes) classes, \(minimum) to \(maximum) votes: \(before) before, \(after) after")
            #expect(after.answers <= before.answers * 1.05)
            #expect(after.wrong <= before.wrong + 0.5)
        }
    }
}
