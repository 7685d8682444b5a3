import Events
import Forms
import JSON
import Testing

private struct DatasetPolicy {
    var cutEvery = 100
    var cutAfter: Int64 = 86_400_000
}

extension DatasetPolicy: Formed {
    public static let standard: DatasetPolicy? = DatasetPolicy()

    public init<F: Fields<Self>>(fields f: inout F) throws(F.Failure) {
        cutEvery = try f("cut_every", \.cutEvery, Count(1...1_000_000), doc: "New labels that make a version.")
        cutAfter = try f("cut_after", \.cutAfter, Span(), doc: "The longest that a label waits for one.")
    }
}

extension DatasetPolicy: JSONCodable {}

@Suite struct FormsExamples {
    @Test("A form reads the fields that it describes, and refuses values out of range")
    func form() throws {
        func read(_ text: String) throws -> DatasetPolicy {
            try JSONParser().withDocument(of: Array(text.utf8)) { try DatasetPolicy(json: $0) }
        }
        let policy = try read(#"{"cut_every": 50, "cut_after_ms": 1000}"#)
        #expect(policy == DatasetPolicy(cutEvery: 50, cutAfter: 1_000))
        #expect(throws: JSONError.self) { try read(#"{"cut_every": 0, "cut_after_ms": 1000}"#) }
    }
}
