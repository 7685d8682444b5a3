import Kinds
import Testing
import Vocabulary

@Suite struct KindsExamples {
    @Test("An output is summarized under its question")
    func summary() {
        let question = Question.choice(LabelSchema(question: "Which animal?", classes: ["cat", "dog"]))
        let cat = ClassDistribution.Entry(label: ClassIndex(0), probability: 0.75)
        let dog = ClassDistribution.Entry(label: ClassIndex(1), probability: 0.25)
        let output = ClassDistribution([cat, dog]).map { Output.choice($0) }
        let facts = output?.summary(question, .margin)
        #expect(facts?.score == 0.5)
        #expect(facts?.confidence == 0.75)
        #expect(facts?.top == .choice(ClassIndex(0)))
    }
}
