import Flywheel
import Tables
import Testing
import Vocabulary

@Suite struct FlywheelExamples {
    @Test("A revision is applied to a new project")
    func revision() {
        let project = ProjectID("pets")
        let question = Question.choice(LabelSchema(question: "Which animal?", classes: ["cat", "dog"]))
        let revision = ProjectConfiguration(project: project, revision: 1, partition: 0, question: question)
        var state = ProjectState(project: project)
        let entry = JournalEntry(project: project, body: .configured(revision))
        let decisions = state.apply(entry, appendedAt: StreamTime(milliseconds: 1_000))
        #expect(decisions.isEmpty)
        #expect(state.configuration.value == revision)
        #expect(state.position.value.entryNumber == 1)
    }
}
