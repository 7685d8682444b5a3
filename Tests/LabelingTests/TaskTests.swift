import Labeling
import Statistics
import Tables
import Testing
import Vocabulary

@Suite struct TaskTests {
    @Test("Two annotators who agree close a task early, and the third vote is released")
    func agreement() throws {
        let policy = LabelingPolicy(minimumVotes: 2, maximumVotes: 3, confidence: 0.9)
        var state = LabelingState(task: "t", policy: policy)
        let first = try state.receive(answer("t", "a", 1), policy).get()
        #expect(first.isVote)
        #expect(first.task == nil)
        #expect(first.consensus == nil)
        let second = try state.receive(answer("t", "b", 1), policy, at: 350).get()
        #expect(second.isVote)
        #expect(second.votesReleased == 1)
        #expect(second.openFor == 250)
        let consensus = try #require(second.consensus)
        #expect(consensus.label == .choice(ClassIndex(1)))
        // 0.8² / (0.8² + 2 · 0.1²); the prior accuracy is 4 of 5.
        #expect(abs(consensus.confidence.value - 0.64 / 0.66) < 1e-15)
        #expect(consensus.votes.map(\.annotator.rawValue) == ["a", "b"])
        #expect(second.task?.state == .closed(.answered))
        #expect(second.task?.votes == 2)
        #expect(state.open.isEmpty)
        #expect(state.closed.count == 1)
    }

    @Test("Two annotators who disagree require a third vote, which decides")
    func conflict() throws {
        let policy = LabelingPolicy(minimumVotes: 2, maximumVotes: 3, confidence: 0.9)
        var state = LabelingState(task: "t", policy: policy)
        _ = try state.receive(answer("t", "a", 1), policy).get()
        let second = try state.receive(answer("t", "b", 2), policy).get()
        #expect(second.consensus == nil)
        #expect(second.task?.state == .open)
        #expect(second.task?.votesWanted == 3)
        #expect(second.task?.votes == 2)
        let third = try state.receive(answer("t", "c", 2), policy).get()
        #expect(third.consensus?.label == .choice(ClassIndex(2)))
        #expect(third.votesReleased == 0)
        // All votes are cast: the task closes although the confidence is low.
        #expect((third.consensus?.confidence.value ?? 1) < 0.9)
    }

    @Test("One vote of an unknown annotator does not reach a confidence of 0.95, although the minimum is one vote")
    func oneVote() throws {
        let policy = LabelingPolicy()
        var state = LabelingState(task: "t", policy: policy)
        let first = try state.receive(answer("t", "a", 1), policy).get()
        #expect(first.consensus == nil)
        #expect(first.task?.votesWanted == 2)
    }

    @Test("An annotator's later answers to a task, open or closed, are refused, whatever the first answer was")
    func duplicates() throws {
        let policy = LabelingPolicy(minimumVotes: 2, maximumVotes: 2, confidence: 0.5)
        var state = LabelingState(task: "t", policy: policy)
        _ = try state.receive(answer("t", "a", 1), policy).get()
        let before = state.open[TaskID("t")]
        expect(state.receive(answer("t", "a", 1), policy).refusal, is: .duplicate)
        expect(state.receive(answer("t", "a", 2), policy).refusal, is: .duplicate)
        let skip = Annotation(task: TaskID("t"), annotator: AnnotatorID("a"), outcome: .skip)
        expect(state.receive(skip, policy).refusal, is: .duplicate)
        #expect(state.open[TaskID("t")] == before)
        _ = try state.receive(answer("t", "b", 1), policy).get()
        expect(state.receive(answer("t", "a", 1), policy).refusal, is: .duplicate)
        expect(state.receive(answer("t", "c", 1), policy).refusal, is: .taskClosed)
        #expect(state.annotators[AnnotatorID("a")]?.answers == 1)
    }

    @Test("An unknown task and an unknown class are refused, and change nothing")
    func unknown() {
        let policy = LabelingPolicy()
        var state = LabelingState(task: "t", policy: policy)
        state.open.commit()
        expect(state.receive(answer("other", "a", 1), policy).refusal, is: .unknownTask)
        expect(state.receive(answer("t", "a", 3), policy).refusal, is: .unknownClass)
        expect(state.receive(answer("t", "a", -1), policy).refusal, is: .unknownClass)
        #expect(!state.open.hasChanges)
        #expect(state.annotators.isEmpty)
        // An annotator whose answer had an unknown class may still answer.
        expect(state.receive(answer("t", "a", 2), policy).refusal, is: nil)
    }

    @Test("After a skip or flag an annotator may not answer, and too many of them close the task without a label")
    func skips() throws {
        let policy = LabelingPolicy(minimumVotes: 2, maximumVotes: 3, maximumSkips: 2)
        var state = LabelingState(task: "t", policy: policy)
        _ = try state.receive(answer("t", "z", 0), policy).get()
        let skip = Annotation(task: TaskID("t"), annotator: AnnotatorID("a"), outcome: .skip)
        let skipped = try state.receive(skip, policy).get()
        #expect(!skipped.isVote)
        #expect(skipped.task == nil)
        expect(state.receive(answer("t", "a", 0), policy).refusal, is: .duplicate)
        let flag = Annotation(task: TaskID("t"), annotator: AnnotatorID("b"), outcome: .flag("blurred"))
        let flagged = try state.receive(flag, policy).get()
        #expect(!flagged.isVote)
        #expect(flagged.consensus == nil)
        #expect(flagged.task?.state == .closed(.unanswerable))
        // One of the three votes had been given before.
        #expect(flagged.votesReleased == 2)
        #expect(state.annotators[AnnotatorID("a")]?.skips == 1)
        #expect(state.annotators[AnnotatorID("b")]?.flags == 1)
        #expect(state.annotators[AnnotatorID("z")] == nil)
        expect(state.receive(answer("t", "c", 0), policy).refusal, is: .taskClosed)
    }

    @Test("A task closes at its deadline and not before, with a label if enough annotators answered")
    func expiry() throws {
        let policy = LabelingPolicy(minimumVotes: 1, maximumVotes: 3, confidence: 0.95, lifetime: 1_000)
        var state = LabelingState(task: "answered", policy: policy, at: time(100))
        _ = state.openTask(TaskID("silent"), for: selection("s2"), question: question, policy: policy, at: time(100))
        _ = state.openTask(TaskID("later"), for: selection("s3"), question: question, policy: policy, at: time(101))
        _ = try state.receive(answer("answered", "a", 2), policy).get()
        #expect(state.nextDeadline == time(1_100))
        #expect(state.expire(question: question, policy: policy, at: time(1_099)).isEmpty)
        let outcomes = state.expire(question: question, policy: policy, at: time(1_100))
        #expect(outcomes.map { $0.task?.id.rawValue } == ["answered", "silent"])
        #expect(outcomes.map { $0.task?.state } == [.closed(.answered), .closed(.expired)])
        #expect(outcomes.map { $0.consensus?.label } == [.choice(ClassIndex(2)), nil])
        #expect(outcomes.map(\.votesReleased) == [2, 3])
        #expect(outcomes.allSatisfy { !$0.isVote })
        #expect(state.nextDeadline == time(1_101))
        expect(state.receive(answer("silent", "a", 0), policy, at: 1_100).refusal, is: .taskClosed)
        expect(state.receive(answer("answered", "a", 2), policy, at: 1_100).refusal, is: .duplicate)
    }

    @Test("Reserved votes equal votes given plus votes released", arguments: 0..<64 as Range<UInt64>)
    func conservation(seed: UInt64) {
        var generator = SplitMix64(seed: seed)
        let minimum = 1 + generator.next(below: 3)
        let policy = LabelingPolicy(
            minimumVotes: minimum,
            maximumVotes: minimum + generator.next(below: 3),
            confidence: 0.5 + generator.nextUnit() / 2,
            lifetime: 3_000,
            maximumSkips: 1 + generator.next(below: 3)
        )
        var state = LabelingState()
        var (reserved, given, released, labels, closed) = (0, 0, 0, 0, 0)
        var outcomes: [AnnotationOutcome] = []
        for step in 0..<400 {
            let now = time(Int64(step * 50))
            if step % 8 == 0 {
                _ = state.openTask(
                    TaskID("t\(step)"),
                    for: selection("s\(step)"),
                    question: question,
                    policy: policy,
                    at: now
                )
                reserved += policy.maximumVotes
            }
            let outcome: Annotation.Outcome =
                generator.next(below: 6) == 0 ? .skip : .answer(.choice(ClassIndex(generator.next(below: 4))))
            let annotation = Annotation(
                task: TaskID("t\((step / 8 - generator.next(below: 6)) * 8)"),
                annotator: AnnotatorID("a\(generator.next(below: 12))"),
                outcome: outcome
            )
            outcomes = state.expire(question: question, policy: policy, at: now)
            if case .success(let change) = state.receive(annotation, question: question, policy: policy, at: now) {
                outcomes.append(change)
            }
            for change in outcomes {
                if change.isVote { given += 1 }
                released += change.votesReleased
                if change.consensus != nil { labels += 1 }
                if case .closed? = change.task?.state { closed += 1 }
            }
            let held = state.open.sortedRows.map { $0.value.votesReserved - $0.value.votes.count }.reduce(0, +)
            if reserved != given + released + held || closed != state.closed.count {
                Issue.record("step \(step): \(reserved) reserved, \(given) given, \(released) given back, \(held) held")
            }
        }
        #expect(labels == state.closed.count { $1.label != nil })
        #expect(labels > 5)
    }
}
