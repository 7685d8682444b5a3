import Labeling
import Testing

@Suite struct LabelingExamples {
    @Test("An annotator's accuracy follows the share of correct answers")
    func accuracy() {
        var reliability = AnnotatorReliability()
        let unknown = reliability.accuracy
        reliability.answers += 5
        reliability.correct += 1
        let known = reliability.accuracy
        #expect(unknown == 0.8)
        #expect(known == 0.5)
    }
}
