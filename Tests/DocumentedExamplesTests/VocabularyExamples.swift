import Testing
import Vocabulary

@Suite struct VocabularyExamples {
    @Test("A class's name gives its label")
    func label() {
        let schema = LabelSchema(question: "Which animal?", classes: ["cat", "dog"])
        let question = Question.choice(schema)
        let label = schema.index(of: "dog").map { Label.choice($0) }
        #expect(label == .choice(ClassIndex(1)))
        #expect(question.schema == schema)
    }

    @Test("A project's name is checked")
    func project() {
        let project = ProjectID(checking: "digits-2")
        let name = project?.rawValue
        let none = ProjectID(checking: "Digits 2")
        #expect(name == "digits-2")
        #expect(none == nil)
    }
}
