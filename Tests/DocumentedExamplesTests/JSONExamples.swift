import JSON
import Testing

@Suite struct JSONExamples {
    @Test("A document is parsed and read by type")
    func reading() throws {
        let parser = JSONParser()
        let text = #"{"id": "s-1", "scores": [0.5, 1]}"#
        let scores = try parser.withDocument(of: Array(text.utf8)) { document in
            try document.object().doubles("scores")
        }
        #expect(scores == [0.5, 1])
    }

    @Test("Members are written in the order of the calls")
    func writing() {
        var writer = JSONWriter()
        writer.object {
            $0.member("id", "s-1")
            $0.array("scores") { $0.value(0.5) }
        }
        #expect(writer.text == #"{"id":"s-1","scores":[0.5]}"#)
    }
}
