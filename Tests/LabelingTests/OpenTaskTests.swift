import Labeling
import Statistics
import Tables
import Testing
import Vocabulary

@Suite struct OpenTaskTests {
    @Test(
        "The summary of open tasks equals a recomputation, whenever it is checked, and also after an abort",
        arguments: 0..<20 as Range<UInt64>
    )
    func facts(seed: UInt64) {
        var generator = SplitMix64(seed: seed)
        var state = LabelingState()
        var now: Int64 = 100
        for step in 0..<300 {
            now += Int64(generator.next(below: 200))
            let policy = LabelingPolicy(
                minimumVotes: 1,
                maximumVotes: 2,
                lifetime: Int64(500 + generator.next(below: 3) * 1_000),
                ageingEvery: [nil, 300, 700][generator.next(below: 3)]
            )
            let id = "t\(generator.next(below: 30))"
            switch generator.next(below: 12) {
            case 0..<4 where state.open[TaskID(id)] == nil:
                let purpose: TaskPurpose = generator.next(below: 3) == 0 ? .audit : .acquisition
                let chosen = selection("s\(step)", purpose: purpose)
                _ = state.openTask(TaskID(id), for: chosen, question: question, policy: policy, at: time(now))
            case 4..<6: _ = state.receive(answer(id, "a\(generator.next(below: 5))", 1), policy, at: now)
            case 6: _ = state.expire(question: question, policy: policy, at: time(now))
            case 7: _ = state.age(question: question, policy: policy, at: time(now))
            case 8: state.open.undo()
            case 9: state.open.commit()
            default: state.refreshTaskFacts(policy: policy)
            }
            var restored = LabelingState()
            for (key, row) in state.open.sortedRows { restored.open.restore(key, row) }
            let rows = state.open.sortedRows.map(\.value)
            let isAlike =
                state.nextDeadline == rows.map(\.expiresAt).min()
                && state.openTrainingTasks == rows.count { $0.selection.purpose == .acquisition }
                && state.nextAgeing(policy: policy) == restored.nextAgeing(policy: policy)
                && state.nextDeadline == restored.nextDeadline
            guard isAlike else {
                Issue.record("seed \(seed), step \(step): the tasks come to something else")
                return
            }
        }
    }
}
