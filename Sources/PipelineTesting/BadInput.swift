package import Events
internal import Testing
internal import Vocabulary

/// A record that should not have been sent, and its expected outcome.
package struct BadInput: Sendable, CustomTestStringConvertible {
    package enum Outcome: Hashable, Sendable {
        /// Written to the dead letters by Intake, with this code.
        case refused(String)
        /// Accepted by Intake, written to the dead letters by Loop, with this code.
        case refusedLater(String)
        /// Accepted by Intake, counted by Loop with this code and left out.
        case counted(String)
        case accepted
    }

    package let name: String
    package let topic: Topic
    package let value: [UInt8]?
    package let outcome: Outcome

    package init(_ name: String, _ topic: Topic, _ value: [UInt8]?, expecting outcome: Outcome) {
        self.name = name
        self.topic = topic
        self.value = value
        self.outcome = outcome
    }

    package init(_ name: String, _ topic: Topic, _ text: String, expecting outcome: Outcome) {
        self.init(name, topic, Array(text.utf8), expecting: outcome)
    }

    package var testDescription: String { name }

    /// A prediction whose output is given as text.
    package static func prediction(_ output: String, project: String = "shapes", more: String = "") -> String {
        let model = #""model":{"name":"m","version":"v1","variant":"base","role":"champion"}"#
        return
            #"{"project":"\#(project)","sample":{"id":"x"},\#(model)\#(output.isEmpty ? "" : #","output":"# + output)\#(more)}"#
    }

    package static func choice(_ probabilities: String) -> String {
        #"{"kind":"choice","probabilities":\#(probabilities)}"#
    }

    package static let good = choice(#"{"circle":0.5,"square":0.3,"star":0.2}"#)

    private static func result(_ request: String, trial: Int = 0) -> String {
        #"{"project":"shapes","request":"\#(request)","trial":\#(trial),"repeat":0,"status":"failed","error":"no"}"#
    }

    private static func feedback(_ rest: String) -> String {
        #"{"project":"shapes","sample":"s0","model":{"version":"none"},"user":"u"\#(rest)}"#
    }

    private static func annotation(_ rest: String) -> String {
        #"{"project":"shapes","task":"shapes-9-9","annotator":"a"\#(rest)}"#
    }

    package static let bytes: [BadInput] = [
        BadInput("no JSON", .predictions, "hello", expecting: .refused("not_json")),
        BadInput("bytes that are no text", .annotations, [0, 1, 2, 0xFE], expecting: .refused("not_json")),
        BadInput("truncated", .predictions, #"{"project":"shapes","sam"#, expecting: .refused("truncated_json")),
        BadInput(
            "invalid UTF-8",
            .feedback,
            Array(#"{"project":"sh"#.utf8) + [0xC3, 0x28] + Array(#""}"#.utf8),
            expecting: .refused("invalid_utf8")
        ),
        BadInput("half a surrogate pair", .commands, #"{"project":"\ud800"}"#, expecting: .refused("invalid_utf8")),
        BadInput("5 MB", .predictions, [UInt8](repeating: 0x20, count: 5_000_000), expecting: .refused("too_large")),
        BadInput(
            "5 MB of annotation",
            .annotations,
            [UInt8](repeating: 0x41, count: 5_000_000),
            expecting: .refused("too_large")
        ),
        BadInput(
            "nested 10,000 deep",
            .predictions,
            #"{"project":"shapes","sample":"# + String(repeating: "[", count: 10_000)
                + String(repeating: "]", count: 10_000) + "}",
            expecting: .refused("too_deep")
        ),
        BadInput(
            "a byte order mark",
            .predictions,
            [0xEF, 0xBB, 0xBF] + Array(prediction(good).utf8),
            expecting: .refused("not_json")
        ),
        BadInput(
            "a Confluent frame",
            .predictions,
            [0, 0, 0, 0, 42] + Array(prediction(good).utf8),
            expecting: .refused("not_json")
        ),
        BadInput("UTF-16", .annotations, [0xFF, 0xFE, 0x7B, 0, 0x7D, 0], expecting: .refused("not_json")),
        BadInput("gzip", .feedback, [0x1F, 0x8B, 8, 0, 0, 0], expecting: .refused("not_json")),
        BadInput("null", .predictions, nil as [UInt8]?, expecting: .refused("empty_value")),
        BadInput("empty", .trainingResults, [], expecting: .refused("empty_value")),
        BadInput("an array", .predictions, "[]", expecting: .refused("schema")),
        BadInput("a number", .commands, "7", expecting: .refused("schema")),
        BadInput("no project", .predictions, "{}", expecting: .refused("schema")),
        BadInput("a project that is a number", .feedback, #"{"project":7}"#, expecting: .refused("schema")),
        BadInput(
            "an unknown project",
            .predictions,
            prediction(good, project: "nowhere"),
            expecting: .refused("unknown_project")
        ),
        BadInput(
            "an unknown project's annotation",
            .annotations,
            #"{"project":"nowhere"}"#,
            expecting: .refused("unknown_project")
        ),
        BadInput(
            "an envelope of another version",
            .predictions,
            #"{"specversion":"0.3","data":{}}"#,
            expecting: .refused("bad_envelope")
        ),
        BadInput(
            "an envelope around text",
            .predictions,
            #"{"specversion":"1.0","id":"1","source":"s","data":"x"}"#,
            expecting: .refused("bad_envelope")
        ),
        BadInput(
            "an envelope without id",
            .predictions,
            #"{"specversion":"1.0","source":"s","data":{}}"#,
            expecting: .refused("bad_envelope")
        ),
    ]

    package static let predictions: [BadInput] = [
        BadInput(
            "an unknown class",
            .predictions,
            prediction(choice(#"{"moon":1}"#)),
            expecting: .refused("unknown_class")
        ),
        BadInput(
            "an unknown kind",
            .predictions,
            prediction(#"{"kind":"dance"}"#),
            expecting: .refused("unknown_kind")
        ),
        BadInput("a planned kind", .predictions, prediction(#"{"kind":"boxes"}"#), expecting: .refused("unknown_kind")),
        BadInput("NaN", .predictions, prediction(choice(#"{"circle":NaN}"#)), expecting: .refused("not_json")),
        BadInput(
            "NaN as text",
            .predictions,
            prediction(choice(#"{"circle":"NaN"}"#)),
            expecting: .refused("bad_probabilities")
        ),
        BadInput(
            "too large a number",
            .predictions,
            prediction(choice(#"{"circle":1e999}"#)),
            expecting: .refused("not_json")
        ),
        BadInput(
            "negative",
            .predictions,
            prediction(choice(#"{"circle":-0.5,"square":1.5}"#)),
            expecting: .refused("bad_probabilities")
        ),
        BadInput(
            "a sum of 0.3",
            .predictions,
            prediction(choice(#"{"circle":0.1,"square":0.2}"#)),
            expecting: .refused("bad_probabilities")
        ),
        BadInput("no probabilities", .predictions, prediction(choice("{}")), expecting: .refused("bad_probabilities")),
        BadInput(
            "probabilities missing",
            .predictions,
            prediction(#"{"kind":"choice"}"#),
            expecting: .refused("schema")
        ),
        BadInput(
            "a class twice",
            .predictions,
            prediction(choice(#"{"circle":0.5,"circle":0.5}"#)),
            expecting: .refused("bad_probabilities")
        ),
        BadInput(
            "a negative remainder",
            .predictions,
            prediction(#"{"kind":"choice","probabilities":{"circle":1},"remainder":-0.5}"#),
            expecting: .refused("bad_probabilities")
        ),
        BadInput("a model without output", .predictions, prediction(""), expecting: .refused("schema")),
        BadInput(
            "1970",
            .predictions,
            prediction(good, more: #","predicted_at_ms":0"#),
            expecting: .accepted
        ),
        BadInput(
            "before 1970",
            .predictions,
            prediction(good, more: #","predicted_at_ms":-9223372036854775808"#),
            expecting: .accepted
        ),
        BadInput(
            "2099",
            .predictions,
            prediction(good, more: #","predicted_at_ms":4070908800000"#),
            expecting: .accepted
        ),
        BadInput(
            "a sample without an id",
            .predictions,
            #"{"project":"shapes","sample":{}}"#,
            expecting: .refused("schema")
        ),
        BadInput(
            "an empty embedding",
            .predictions,
            #"{"project":"shapes","sample":{"id":"x","embedding":[]}}"#,
            expecting: .refused("schema")
        ),
        BadInput(
            "a coordinate that 32 bits cannot hold",
            .predictions,
            #"{"project":"shapes","sample":{"id":"x","embedding":[1,1e300]},"score":0.5}"#,
            expecting: .refused("wrong_space")
        ),
        BadInput(
            "a coordinate that is not finite",
            .predictions,
            #"{"project":"shapes","sample":{"id":"x","embedding":{"kind":"float32","data":"AADAfw=="}},"score":0.5}"#,
            expecting: .refused("wrong_space")
        ),
        BadInput(
            "a space without a name",
            .predictions,
            #"{"project":"shapes","sample":{"id":"x","embedding":[1,2],"space":""},"score":0.5}"#,
            expecting: .refused("schema")
        ),
        BadInput("good", .predictions, prediction(good), expecting: .accepted),
        BadInput(
            "good, as a structured CloudEvent",
            .predictions,
            #"{"specversion":"1.0","id":"1","source":"shop","type":"t","data":\#(prediction(good))}"#,
            expecting: .accepted
        ),
    ]

    package static let others: [BadInput] = [
        BadInput(
            "feedback in 1970",
            .feedback,
            feedback(#","verdict":"rejection","given_at_ms":1"#),
            expecting: .counted("not_the_champion")
        ),
        BadInput(
            "a correction without an answer",
            .feedback,
            feedback(#","verdict":"correction""#),
            expecting: .refused("schema")
        ),
        BadInput("an unknown verdict", .feedback, feedback(#","verdict":"maybe""#), expecting: .refused("schema")),
        BadInput(
            "a correction to an unknown class",
            .feedback,
            feedback(#","verdict":"correction","answer":{"kind":"choice","class":"moon"}"#),
            expecting: .counted("not_the_champion")
        ),
        BadInput(
            "feedback about no champion",
            .feedback,
            feedback(#","verdict":"rejection""#),
            expecting: .counted("not_the_champion")
        ),
        BadInput(
            "an annotation for no task",
            .annotations,
            annotation(#","outcome":"skip""#),
            expecting: .refusedLater("unknown_task")
        ),
        BadInput(
            "an annotation with an unknown class",
            .annotations,
            annotation(#","outcome":"answer","answer":{"kind":"choice","class":"moon"}"#),
            expecting: .refused("unknown_class")
        ),
        BadInput(
            "an annotation of another kind",
            .annotations,
            annotation(#","outcome":"answer","answer":{"kind":"text","text":"moon"}"#),
            expecting: .refused("unknown_kind")
        ),
        BadInput(
            "an answer that is none",
            .annotations,
            annotation(#","outcome":"answer""#),
            expecting: .refused("schema")
        ),
        BadInput(
            "an annotation in 2099",
            .annotations,
            annotation(#","outcome":"skip","answered_at_ms":4070908800000"#),
            expecting: .refusedLater("unknown_task")
        ),
        BadInput(
            "a result for no request",
            .trainingResults,
            result("shapes-1-1"),
            expecting: .refusedLater("unknown_request")
        ),
        BadInput(
            "a result that is neither",
            .trainingResults,
            #"{"project":"shapes","request":"r","trial":0,"repeat":0,"status":"?"}"#,
            expecting: .refused("schema")
        ),
        BadInput(
            "a result beyond all trials",
            .trainingResults,
            result("r", trial: 10_000),
            expecting: .refused("schema")
        ),
        BadInput(
            "a command that names nothing",
            .commands,
            #"{"project":"shapes","id":"c","by":"o","reason":""}"#,
            expecting: .refused("unknown_command")
        ),
        BadInput(
            "an unknown command",
            .commands,
            #"{"project":"shapes","id":"c","action":"explode","by":"o","reason":""}"#,
            expecting: .refused("unknown_command")
        ),
        BadInput(
            "a rollback of no champion",
            .commands,
            #"{"project":"shapes","id":"c","action":"roll_back","model_version":"v9","by":"o","reason":"r"}"#,
            expecting: .refusedLater("unknown_model")
        ),
        BadInput("a version that was never cut", .datasetVersions, sealed(7), expecting: .counted("duplicate")),
        BadInput("a version that is none", .datasetVersions, #"{"project":"shapes"}"#, expecting: .refused("schema")),
    ]

    private static func sealed(_ versionNumber: Int) -> String {
        let digest = String(repeating: "0", count: 64)
        let version = SealedVersion(
            id: DatasetVersionID(digest),
            versionNumber: versionNumber,
            parent: nil,
            semanticVersion: "1.0.0",
            manifest: ArtifactReference(uri: "file:///m", size: 1, sha256: digest),
            training: 1,
            validation: 0,
            test: 0
        )
        return String(
            decoding: Wire.bytes { SealedVersionEvent(project: Scenario.project, version: version).write(to: &$0) },
            as: UTF8.self
        )
    }

    package static let all = bytes + predictions + details + others
}
