import Events
import Testing
import Vocabulary

/// A record that somebody should not have sent, and what must become of it.
struct BadInput: Sendable, CustomTestStringConvertible {
    enum Outcome: Hashable, Sendable {
        /// To the dead letters by Intake, with this code.
        case refused(String)
        /// Accepted by Intake, to the dead letters by Loop, with this code.
        case refusedLater(String)
        /// Accepted by Intake, counted by Loop with this code and left out.
        case counted(String)
        case accepted
    }

    let name: String
    let topic: Topic
    let value: [UInt8]?
    let outcome: Outcome

    init(_ name: String, _ topic: Topic, _ value: [UInt8]?, _ outcome: Outcome) {
        self.name = name
        self.topic = topic
        self.value = value
        self.outcome = outcome
    }

    init(_ name: String, _ topic: Topic, _ text: String, _ outcome: Outcome) {
        self.init(name, topic, Array(text.utf8), outcome)
    }

    var testDescription: String { name }

    /// A prediction whose output is given as text.
    static func prediction(_ output: String, project: String = "shapes", more: String = "") -> String {
        let model = #""model":{"name":"m","version":"v1","variant":"base","role":"champion"}"#
        return
            #"{"project":"\#(project)","sample":{"id":"x"},\#(model)\#(output.isEmpty ? "" : #","output":"# + output)\#(more)}"#
    }

    static func choice(_ probabilities: String) -> String {
        #"{"kind":"choice","probabilities":\#(probabilities)}"#
    }

    static let good = choice(#"{"circle":0.5,"square":0.3,"star":0.2}"#)

    private static func result(_ request: String, trial: Int = 0) -> String {
        #"{"project":"shapes","request":"\#(request)","trial":\#(trial),"repeat":0,"status":"failed","error":"no"}"#
    }

    private static func feedback(_ rest: String) -> String {
        #"{"project":"shapes","sample":"s0","model":{"version":"none"},"user":"u"\#(rest)}"#
    }

    private static func annotation(_ rest: String) -> String {
        #"{"project":"shapes","task":"shapes-9-9","annotator":"a"\#(rest)}"#
    }

    static let bytes: [BadInput] = [
        BadInput("no JSON", .predictions, "hello", .refused("not_json")),
        BadInput("bytes that are no text", .annotations, [0, 1, 2, 0xFE], .refused("not_json")),
        BadInput("truncated", .predictions, #"{"project":"shapes","sam"#, .refused("truncated_json")),
        BadInput(
            "invalid UTF-8",
            .feedback,
            Array(#"{"project":"sh"#.utf8) + [0xC3, 0x28] + Array(#""}"#.utf8),
            .refused("invalid_utf8")
        ),
        BadInput("half a surrogate pair", .commands, #"{"project":"\ud800"}"#, .refused("invalid_utf8")),
        BadInput("5 MB", .predictions, [UInt8](repeating: 0x20, count: 5_000_000), .refused("too_large")),
        BadInput("5 MB of annotation", .annotations, [UInt8](repeating: 0x41, count: 5_000_000), .refused("too_large")),
        BadInput(
            "nested 10,000 deep",
            .predictions,
            #"{"project":"shapes","sample":"# + String(repeating: "[", count: 10_000)
                + String(repeating: "]", count: 10_000) + "}",
            .refused("too_deep")
        ),
        BadInput(
            "a byte order mark",
            .predictions,
            [0xEF, 0xBB, 0xBF] + Array(prediction(good).utf8),
            .refused("not_json")
        ),
        BadInput(
            "a Confluent frame",
            .predictions,
            [0, 0, 0, 0, 42] + Array(prediction(good).utf8),
            .refused("not_json")
        ),
        BadInput("UTF-16", .annotations, [0xFF, 0xFE, 0x7B, 0, 0x7D, 0], .refused("not_json")),
        BadInput("gzip", .feedback, [0x1F, 0x8B, 8, 0, 0, 0], .refused("not_json")),
        BadInput("null", .predictions, nil as [UInt8]?, .refused("empty_value")),
        BadInput("empty", .trainingResults, [], .refused("empty_value")),
        BadInput("an array", .predictions, "[]", .refused("schema")),
        BadInput("a number", .commands, "7", .refused("schema")),
        BadInput("no project", .predictions, "{}", .refused("schema")),
        BadInput("a project that is a number", .feedback, #"{"project":7}"#, .refused("schema")),
        BadInput("an unknown project", .predictions, prediction(good, project: "nowhere"), .refused("unknown_project")),
        BadInput(
            "an unknown project's annotation",
            .annotations,
            #"{"project":"nowhere"}"#,
            .refused("unknown_project")
        ),
        BadInput(
            "an envelope of another version",
            .predictions,
            #"{"specversion":"0.3","data":{}}"#,
            .refused("bad_envelope")
        ),
        BadInput(
            "an envelope around text",
            .predictions,
            #"{"specversion":"1.0","id":"1","source":"s","data":"x"}"#,
            .refused("bad_envelope")
        ),
        BadInput(
            "an envelope without id",
            .predictions,
            #"{"specversion":"1.0","source":"s","data":{}}"#,
            .refused("bad_envelope")
        ),
    ]

    static let predictions: [BadInput] = [
        BadInput("an unknown class", .predictions, prediction(choice(#"{"moon":1}"#)), .refused("unknown_class")),
        BadInput("an unknown kind", .predictions, prediction(#"{"kind":"dance"}"#), .refused("unknown_kind")),
        BadInput("a planned kind", .predictions, prediction(#"{"kind":"boxes"}"#), .refused("unknown_kind")),
        BadInput("NaN", .predictions, prediction(choice(#"{"circle":NaN}"#)), .refused("not_json")),
        BadInput("NaN as text", .predictions, prediction(choice(#"{"circle":"NaN"}"#)), .refused("bad_probabilities")),
        BadInput("too large a number", .predictions, prediction(choice(#"{"circle":1e999}"#)), .refused("not_json")),
        BadInput(
            "negative",
            .predictions,
            prediction(choice(#"{"circle":-0.5,"square":1.5}"#)),
            .refused("bad_probabilities")
        ),
        BadInput(
            "a sum of 0.3",
            .predictions,
            prediction(choice(#"{"circle":0.1,"square":0.2}"#)),
            .refused("bad_probabilities")
        ),
        BadInput("no probabilities", .predictions, prediction(choice("{}")), .refused("bad_probabilities")),
        BadInput("probabilities missing", .predictions, prediction(#"{"kind":"choice"}"#), .refused("schema")),
        BadInput(
            "a class twice",
            .predictions,
            prediction(choice(#"{"circle":0.5,"circle":0.5}"#)),
            .refused("bad_probabilities")
        ),
        BadInput(
            "a negative remainder",
            .predictions,
            prediction(#"{"kind":"choice","probabilities":{"circle":1},"remainder":-0.5}"#),
            .refused("bad_probabilities")
        ),
        BadInput("a model without output", .predictions, prediction(""), .refused("schema")),
        BadInput(
            "1970",
            .predictions,
            prediction(good, more: #","predicted_at_ms":0"#),
            .accepted
        ),
        BadInput(
            "before 1970",
            .predictions,
            prediction(good, more: #","predicted_at_ms":-9223372036854775808"#),
            .accepted
        ),
        BadInput(
            "2099",
            .predictions,
            prediction(good, more: #","predicted_at_ms":4070908800000"#),
            .accepted
        ),
        BadInput("a sample without an id", .predictions, #"{"project":"shapes","sample":{}}"#, .refused("schema")),
        BadInput(
            "an empty embedding",
            .predictions,
            #"{"project":"shapes","sample":{"id":"x","embedding":[]}}"#,
            .refused("schema")
        ),
        BadInput(
            "a coordinate that 32 bits cannot hold",
            .predictions,
            #"{"project":"shapes","sample":{"id":"x","embedding":[1,1e300]},"score":0.5}"#,
            .refused("wrong_space")
        ),
        BadInput(
            "a coordinate that is not finite",
            .predictions,
            #"{"project":"shapes","sample":{"id":"x","embedding":{"kind":"float32","data":"AADAfw=="}},"score":0.5}"#,
            .refused("wrong_space")
        ),
        BadInput(
            "a space without a name",
            .predictions,
            #"{"project":"shapes","sample":{"id":"x","embedding":[1,2],"space":""},"score":0.5}"#,
            .refused("schema")
        ),
        BadInput("good", .predictions, prediction(good), .accepted),
        BadInput(
            "good, as a structured CloudEvent",
            .predictions,
            #"{"specversion":"1.0","id":"1","source":"shop","type":"t","data":\#(prediction(good))}"#,
            .accepted
        ),
    ]

    static let others: [BadInput] = [
        BadInput(
            "feedback in 1970",
            .feedback,
            feedback(#","verdict":"rejection","given_at_ms":1"#),
            .counted("not_the_champion")
        ),
        BadInput(
            "a correction without an answer",
            .feedback,
            feedback(#","verdict":"correction""#),
            .refused("schema")
        ),
        BadInput("an unknown verdict", .feedback, feedback(#","verdict":"maybe""#), .refused("schema")),
        BadInput(
            "a correction to an unknown class",
            .feedback,
            feedback(#","verdict":"correction","answer":{"kind":"choice","class":"moon"}"#),
            .counted("not_the_champion")
        ),
        BadInput(
            "feedback about no champion",
            .feedback,
            feedback(#","verdict":"rejection""#),
            .counted("not_the_champion")
        ),
        BadInput(
            "an annotation for no task",
            .annotations,
            annotation(#","outcome":"skip""#),
            .refusedLater("unknown_task")
        ),
        BadInput(
            "an annotation with an unknown class",
            .annotations,
            annotation(#","outcome":"answer","answer":{"kind":"choice","class":"moon"}"#),
            .refused("unknown_class")
        ),
        BadInput(
            "an annotation of another kind",
            .annotations,
            annotation(#","outcome":"answer","answer":{"kind":"text","text":"moon"}"#),
            .refused("unknown_kind")
        ),
        BadInput("an answer that is none", .annotations, annotation(#","outcome":"answer""#), .refused("schema")),
        BadInput(
            "an annotation in 2099",
            .annotations,
            annotation(#","outcome":"skip","answered_at_ms":4070908800000"#),
            .refusedLater("unknown_task")
        ),
        BadInput("a result for no request", .trainingResults, result("shapes-1-1"), .refusedLater("unknown_request")),
        BadInput(
            "a result that is neither",
            .trainingResults,
            #"{"project":"shapes","request":"r","trial":0,"repeat":0,"status":"?"}"#,
            .refused("schema")
        ),
        BadInput("a result beyond all trials", .trainingResults, result("r", trial: 10_000), .refused("schema")),
        BadInput(
            "a command that names nothing",
            .commands,
            #"{"project":"shapes","id":"c","by":"o","reason":""}"#,
            .refused("unknown_command")
        ),
        BadInput(
            "an unknown command",
            .commands,
            #"{"project":"shapes","id":"c","action":"explode","by":"o","reason":""}"#,
            .refused("unknown_command")
        ),
        BadInput(
            "a rollback of no champion",
            .commands,
            #"{"project":"shapes","id":"c","action":"roll_back","model_version":"v9","by":"o","reason":"r"}"#,
            .refusedLater("unknown_model")
        ),
        BadInput("a version that was never cut", .datasetVersions, sealed(7), .counted("duplicate")),
        BadInput("a version that is none", .datasetVersions, #"{"project":"shapes"}"#, .refused("schema")),
    ]

    private static func sealed(_ ordinal: Int) -> String {
        let digest = String(repeating: "0", count: 64)
        let version = SealedVersion(
            id: DatasetVersionID(digest),
            ordinal: ordinal,
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

    static let all = bytes + predictions + details + others
}
