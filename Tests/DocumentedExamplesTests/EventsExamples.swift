import Events
import Flywheel
import JSON
import Testing
import Vocabulary

@Suite struct EventsExamples {
    @Test("An entry is written and read back")
    func entry() throws {
        let entry = JournalEntry(project: ProjectID("digits"), body: .engine(build: "0.5.0"))
        let bytes = entry.jsonBytes
        let read = try JSONParser().withDocument(of: bytes) { try JournalEntry(json: $0) }
        #expect(read == entry)
    }

    @Test("A prediction is read under its question")
    func prediction() throws {
        let question = Question.choice(LabelSchema(question: "Which animal?", classes: ["cat", "dog"]))
        let text = #"{"project": "pets", "sample": {"id": "s-1"}}"#
        let event = try JSONParser().withDocument(of: Array(text.utf8)) { document in
            try PredictionEvent(document.object(), project: ProjectID("pets"), question: question)
        }
        #expect(event.sample.id == SampleID("s-1"))
        #expect(event.output == nil)
        #expect(event.model == nil)
    }
}
