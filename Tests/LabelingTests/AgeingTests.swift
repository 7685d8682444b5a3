import Labeling
import Testing
import Vocabulary

@Suite struct AgeingTests {
    private let policy = LabelingPolicy(lifetime: 1_000_000, ageingEvery: 1_000, ageingBy: 0.2)

    @Test("A task's priority rises after each further waiting period, up to 1, and is reported each time")
    func rises() {
        var state = LabelingState(task: "t", policy: policy, at: time(100))
        #expect(state.nextAgeing(policy: policy) == time(1_100))
        expect(state.age(question: question, policy: policy, at: time(1_099)).count, is: 0)
        expect(state.age(question: question, policy: policy, at: time(1_100)).map(\.priority), is: [0.7])
        expect(state.age(question: question, policy: policy, at: time(1_100)).count, is: 0)
        #expect(state.nextAgeing(policy: policy) == time(2_100))
        // The priority is the same however late ageing runs.
        expect(state.age(question: question, policy: policy, at: time(9_999)).map(\.priority), is: [1])
        #expect(state.nextAgeing(policy: policy) == nil)
        expect(state.age(question: question, policy: policy, at: time(99_999)).count, is: 0)
    }

    @Test("The priority gained by ageing is kept in later records of the task")
    func stays() throws {
        var policy = policy
        policy.maximumVotes = 3
        var state = LabelingState(task: "t", policy: policy, at: time(100))
        _ = state.age(question: question, policy: policy, at: time(1_100))
        let outcome = try state.receive(answer("t", "a", 0), policy, at: 1_200).get()
        #expect(outcome.task?.priority == 0.7)
    }

    @Test("Without ageing no priority rises, and an audit task has the highest priority anyway")
    func never() {
        let fixed = LabelingPolicy(lifetime: 1_000_000)
        var state = LabelingState(task: "t", policy: fixed)
        #expect(state.nextAgeing(policy: fixed) == nil)
        expect(state.age(question: question, policy: fixed, at: time(900_000)).count, is: 0)
        var audits = LabelingState()
        let task = audits.openTask(
            TaskID("a"),
            for: selection(purpose: .audit),
            question: question,
            policy: policy,
            at: time(0)
        )
        #expect(task.priority == 1)
        #expect(audits.nextAgeing(policy: policy) == nil)
    }

    @Test("A vote reports its reserved cost and its duration")
    func costs() throws {
        let cost = VoteCost(maximumTime: 5_000, perVote: 3, perSecond: 1)
        var state = LabelingState()
        _ = state.openTask(TaskID("t"), for: selection().costing(cost), question: question, policy: policy, at: time(0))
        let annotation = Annotation(
            task: TaskID("t"),
            annotator: AnnotatorID("a"),
            outcome: .answer(.choice(ClassIndex(0))),
            duration: 1_234
        )
        let outcome = try state.receive(annotation, policy).get()
        #expect(outcome.isVote && outcome.voteCost == cost && outcome.voteTime == 1_234)
        let expired = state.expire(question: question, policy: policy, at: time(2_000_000))
        #expect(expired.allSatisfy { $0.voteCost == cost && $0.voteTime == nil })
    }
}
