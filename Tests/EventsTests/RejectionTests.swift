import Events
import JSON
import Testing
import Vocabulary

@Suite struct RejectionTests {
    @Test(
        "Every kind of invalid JSON has its code",
        arguments: [
            ([], RecordRejection.Code.truncated),
            (Array("{\"project\":".utf8), .truncated),
            (Array("{\"project\":}".utf8), .notJSON),
            (Array("nonsense".utf8), .notJSON),
            (Array("[1e999]".utf8), .notJSON),
            (Array("NaN".utf8), .notJSON),
            ([0x22, 0xFF, 0x22], .invalidUTF8),
            (Array("[[[[[[[[[[1]]]]]]]]]]".utf8), .tooDeep),
            (Array("\"\(String(repeating: "x", count: 300))\"".utf8), .tooLarge),
        ] as [([UInt8], RecordRejection.Code)]
    )
    func texts(bytes: [UInt8], code: RecordRejection.Code) {
        let parser = JSONParser(maximumDepth: 8, maximumSize: 256)
        do {
            try parser.withDocument(of: bytes) { _ in }
            Issue.record("\(bytes) was accepted")
        } catch let error as JSONError {
            #expect(RecordRejection(error).code == code, "\(error)")
        } catch {
            Issue.record(error)
        }
    }

    @Test(
        "Every kind of unexpected JSON has its code",
        arguments: [
            (#"{"project":"digits"}"#, RecordRejection.Code.schema),
            (#"{"sample":7}"#, .schema),
            (#"{"sample":{"id":""}}"#, .schema),
            (#"{"sample":{"id":"s","content":{"kind":"hologram"}}}"#, .unknownKind),
            (#"{"sample":{"id":"s","embedding":{"kind":"float64","data":""}}}"#, .unknownKind),
            (#"{"sample":{"id":"s","embedding":{"kind":"float32","data":"AAA="}}}"#, .schema),
            (#"{"sample":{"id":"s"},"model":{"version":"v"},"output":{"kind":"boxes"}}"#, .unknownKind),
            (#"{"sample":{"id":"s"},"model":{"version":"v"},"output":{"kind":"choice"}}"#, .schema),
            (prediction(#"{"7":0.5,"x":0.5}"#), .unknownClass),
            (prediction(#"{"7":0.5}"#), .badProbabilities),
            (prediction(#"{"7":-0.5,"1":1.5}"#), .badProbabilities),
            (prediction(#"{"7":"much"}"#), .badProbabilities),
            (prediction("{}"), .badProbabilities),
            (prediction(#"{"7":0.5,"1":0.5},"remainder":"rest""#), .badProbabilities),
            (prediction(#"{"7":0.5,"1":0.5},"remainder":0.5"#), .badProbabilities),
        ]
    )
    func predictions(text: String, code: RecordRejection.Code) throws {
        let rejection = #expect(throws: RecordRejection.self) { try Self.read(text) }
        #expect(rejection?.code == code, "\(rejection?.description ?? "")")
    }

    @Test(
        "Invalid members, logits and scores are refused with a text that names the path",
        arguments: [
            (#""members":[{"7":0.5,"1":0.5},{"7":1}]"#, RecordRejection.Code.schema, "members.1: expected 2"),
            (#""members":[[1,0,0,0,0,0,0,0,0,0],{"7":1}]"#, .schema, "members.1: expected 10"),
            (#""members":[{"7":0.5,"1":0.5},{"7":0.5,"2":0.5}]"#, .schema, "members.1: expected the classes"),
            (#""members":[[0.5,0.5]]"#, .schema, "members.0: expected one number for each of 10"),
            (#""members":[]"#, .schema, "members: expected 1 to 128, found 0"),
            (#""members":{"7":1}"#, .schema, "members"),
            (#""members":[{}]"#, .badProbabilities, "members.0"),
            (
                #""members":[{"7":0.9}]"#, .badProbabilities,
                "members.0: expected numbers in 0...1 that sum to 1 within 0.01, found 1 that sum to 0.9"
            ),
            (
                #""members":[{"7":1.5,"1":-0.5}]"#, .badProbabilities,
                "members.0: class \"7\": expected a number in 0...1, found 1.5"
            ),
            (
                #""members":[[1.001,-0.001,0,0,0,0,0,0,0,0]]"#, .badProbabilities,
                "members.0: class \"1\": expected a number in 0...1, found -0.001"
            ),
            (#""members":[{"x":1}]"#, .unknownClass, "members.0: class \"x\""),
            (#""members":[{"7":"much"}]"#, .schema, "members"),
            (#""members":[{"7":0.5,"7":0.5}]"#, .schema, "members.0: class \"7\" stands twice"),
            (#""logits":[1,2]"#, .schema, "logits: expected one number for each of 10 classes, found 2"),
            (#""logits":{"7":1}"#, .schema, "logits: expected one for each of 10 classes, found 1"),
            (#""logits":{"x":1}"#, .unknownClass, "logits: class"),
            (#""logits":{"7":1,"7":2}"#, .schema, "logits: class \"7\" stands twice"),
        ]
    )
    func details(text: String, code: RecordRejection.Code, message: String) throws {
        let event = prediction(#"{"7":0.5,"1":0.5}"#).dropLast() + ",\(text)}"
        let rejection = #expect(throws: RecordRejection.self) { try Self.read(String(event)) }
        #expect(rejection?.code == code, "\(rejection?.description ?? "")")
        #expect(rejection?.text.contains(message) == true, "\(rejection?.text ?? "")")
    }

    /// Before: the count and the sum of the numbers, whatever was wrong with one of them.
    @Test(
        "The refusal of an output names its first fault with class and value",
        arguments: [
            (
                #"{"7":0.5,"1":-0.001,"2":0.501}"#,
                "output.probabilities: class \"1\": expected a number in 0...1, found -0.001"
            ),
            (#"{"7":1.5,"1":-0.5}"#, "output.probabilities: class \"7\": expected a number in 0...1, found 1.5"),
            (#"{"7":0.5,"1":0.25,"7":0.25}"#, "output.probabilities: class \"7\" stands twice"),
            (#"{"7":1},"remainder":-0.5"#, "output.remainder: expected a number in 0...1, found -0.5"),
            (#"{"7":0},"remainder":1.5"#, "output.remainder: expected a number in 0...1, found 1.5"),
            ("{}", "output.probabilities: expected a probability for at least one class, found none"),
            (
                #"{"7":0.5,"1":0.2}"#,
                "output.probabilities: expected numbers in 0...1 that sum to 1 within 0.01, found 2 that sum to 0.7"
            ),
        ]
    )
    func outputs(probabilities: String, text: String) throws {
        let rejection = #expect(throws: RecordRejection.self) { try Self.read(prediction(probabilities)) }
        #expect(rejection == RecordRejection(.badProbabilities, text))
    }

    /// Before: -1e-17, which is 1 less the others in 64 bits, was `bad_probabilities`, and so was the whole event.
    @Test(
        "A negative rounding error is read as 0 in an output, a remainder, a member and a score",
        arguments: [-1e-17, -2.2e-8, -1e-6]
    )
    func rounding(number: Double) throws {
        let text =
            prediction(#"{"7":0.75,"1":0.25,"2":\#(number)},"remainder":\#(number)"#).dropLast()
            + #","members":[[0.75,0.25,\#(number),0,0,0,0,0,0,0]],"score":\#(number)}"#
        let event = try Self.read(String(text))
        #expect(
            event.output?.distribution
                == ClassDistribution([
                    .init(label: ClassIndex(7), probability: 0.75), .init(label: ClassIndex(1), probability: 0.25),
                    .init(label: ClassIndex(2), probability: 0),
                ])
        )
        #expect(event.detail.members?.probabilities.min() == 0 && event.detail.score == 0)
        #expect(event.remarks.all.isEmpty)
        for wrong in [-1.1e-6, -0.001] {
            #expect(throws: RecordRejection.self) { try Self.read(prediction(#"{"7":0.75,"1":0.25,"2":\#(wrong)}"#)) }
        }
    }

    @Test("More than 128 members, and members without an output, are refused")
    func memberLimits() throws {
        let member = #"{"7":1}"#
        for (count, isRefused) in [(128, false), (129, true)] {
            let members = [String](repeating: member, count: count).joined(separator: ",")
            let event = String(prediction(#"{"7":1}"#).dropLast() + ",\"members\":[\(members)]}")
            if isRefused {
                let rejection = #expect(throws: RecordRejection.self) { try Self.read(event) }
                #expect(rejection?.text == "members: expected 1 to 128, found 129")
            } else {
                #expect(throws: Never.self) { try Self.read(event) }
            }
        }
        let withoutOutput = #"{"sample":{"id":"s"},"members":[{"7":1}]}"#
        #expect(throws: RecordRejection.self) { try Self.read(withoutOutput) }
        #expect(throws: Never.self) { try Self.read(#"{"sample":{"id":"s"},"score":0.5,"members":null}"#) }
    }

    @Test("The sum of probabilities may differ from 1 by less than 0.01")
    func tolerance() throws {
        #expect(throws: Never.self) { try Self.read(prediction(#"{"7":0.5,"1":0.4901}"#)) }
        #expect(throws: Never.self) { try Self.read(prediction(#"{"7":0.5,"1":0.5099}"#)) }
        #expect(throws: RecordRejection.self) { try Self.read(prediction(#"{"7":0.5,"1":0.4899}"#)) }
        #expect(throws: RecordRejection.self) { try Self.read(prediction(#"{"7":0.5,"1":0.5101}"#)) }
    }

    @Test("A note that exceeds the limit is cut, not refused")
    func longNote() throws {
        let note = String(repeating: "ä", count: 4_000)
        let text = #"{"task":"t","annotator":"a","outcome":"flag","note":"\#(note)"}"#
        let event = try JSONParser().withDocument(of: Array(text.utf8)) { json in
            try AnnotationEvent(try json.object(), project: ProjectID("p"), question: SchemaFiles.question)
        }
        #expect(event.annotation.outcome == .flag(String(repeating: "ä", count: 500)))
    }

    @Test("Codes consist of lower-case letters, digits and underscores")
    func codes() {
        for code in RecordRejection.Code.allCases {
            #expect(code.rawValue.allSatisfy { $0.isLowercase || $0.isNumber || $0 == "_" })
        }
    }

    @discardableResult
    private static func read(_ text: String) throws -> PredictionEvent {
        try JSONParser().withDocument(of: Array(text.utf8)) { json in
            try PredictionEvent(try json.object(), project: ProjectID("digits"), question: SchemaFiles.question)
        }
    }
}

private func prediction(_ probabilities: String) -> String {
    #"{"sample":{"id":"s"},"model":{"version":"v"},"output":{"kind":"choice","probabilities":\#(probabilities)}}"#
}
