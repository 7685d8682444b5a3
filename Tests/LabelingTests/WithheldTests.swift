import Kinds
import Labeling
import Tables
import Testing
import Vocabulary

@Suite("Classes that a task does not offer")
struct WithheldTests {
    private static let policy = LabelingPolicy(minimumVotes: 1, maximumVotes: 1, lifetime: 1_000)

    @Test("A task opened while a class is suppressed neither offers nor accepts it; others and older tasks do")
    func withheld() throws {
        var state = LabelingState()
        let classes = question.classes
        let old = state.openTask(
            TaskID("old"),
            for: selection("a"),
            question: question,
            policy: Self.policy,
            at: time(1)
        )
        #expect(old.question.classes == classes)
        let new = state.openTask(
            TaskID("new"),
            for: selection("b"),
            question: question,
            policy: Self.policy,
            withholding: [classes[1]],
            at: time(2)
        )
        #expect(new.question.classes == classes.filter { $0 != classes[1] })
        guard case .failure(let error) = state.receive(answer("new", "ann", 1), Self.policy, at: 3) else {
            Issue.record("a suppressed class was taken")
            return
        }
        #expect(error.refusal.code == .unknownClass && error.refusal.text.contains("it is suppressed"))
        // Answers use the class indices of the whole question.
        let label = try state.receive(answer("new", "ann", 2), Self.policy, at: 3).get().consensus?.label
        #expect(label.map { question.classNames(in: $0) } == [classes[2]])
        let other = try state.receive(answer("old", "ann", 1), Self.policy, at: 3).get().consensus?.label
        #expect(other.map { question.classNames(in: $0) } == [classes[1]])
    }
}
