import Foundation
import JSON
import Processes
import Testing

/// `flywheel check`, run with a file of records, a project file and no broker.
@Suite("Checks of a file of records")
struct CheckTests {
    private static let project = """
        project: shapes
        question: What is it?
        classes: [circle, square, star]
        require_tokens: false
        """

    private static func prediction(_ output: String, _ more: String = "") -> String {
        #"{"project":"shapes","sample":{"id":"s"},"model":{"version":"v1"},"output":{"kind":"choice","probabilities":\#(output)}\#(more)}"#
    }

    private static let good = prediction(#"{"circle":0.7,"square":0.3,"star":-1e-17}"#)

    /// Runs the check in a temporary folder that contains both files.
    private func check(
        _ kind: String,
        _ records: [UInt8],
        project: String = Self.project,
        options: String = "",
        file: String = "records.jsonl"
    ) throws -> CapturedRun {
        let beside = Bundle.main.bundleURL.appendingPathComponent("flywheel").path
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let built = root.appendingPathComponent(".build/debug/flywheel").path
        let program = FileManager.default.isExecutableFile(atPath: beside) ? beside : built
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("check-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try Data(records).write(to: folder.appendingPathComponent("records.jsonl"))
        try project.write(to: folder.appendingPathComponent("project.yaml"), atomically: true, encoding: .utf8)
        let input = file == "-" ? "cat records.jsonl | " : ""
        return try ChildProcess.run(
            "/bin/sh",
            ["-c", "\(input)'\(program)' check \(kind) \(file) --project project.yaml \(options)"],
            directory: folder.path
        )
    }

    @Test(
        "The report lists line, verdict, code and text of each record, and totals",
        arguments: ["records.jsonl", "-"]
    )
    func report(file: String) throws {
        let lines = [
            Self.good, "", Self.prediction(#"{"circle":1.2,"square":-0.2}"#), "   ",
            Self.prediction(#"{"circle":1}"#, #","predicted_at_ms":17.5"#), Self.prediction(#"{"moon":1}"#),
            #"{"project":"shapes""#,
        ]
        let run = try check("prediction", Array(lines.joined(separator: "\n").utf8), file: file)
        #expect(run.status == .exited(1))
        let expected = """
            1: ok
            3: refused bad_probabilities: output.probabilities: class "circle": expected a number in 0...1, found 1.2
            5: ok (predicted_at_ms: expected whole milliseconds, found 17.5: taken as 18) (predicted_at_ms: \
            1970-01-01T00:00:00.018Z (18 ms) is before 2000 or more than a day in the future: left out)
            6: refused unknown_class: output.probabilities: class "moon" is not in the label schema
            7: refused truncated_json: expected ',' or '}', found the end at byte 19
            5 records: 2 would be accepted, 1 of them with remarks; 3 refused (bad_probabilities 1, truncated_json 1, \
            unknown_class 1); 2 empty lines skipped

            """
        #expect(run.outputText == expected, "\(run.outputText)\(run.errorText)")
        let quiet = try check("prediction", Array(lines.joined(separator: "\n").utf8), options: "--quiet")
        #expect(quiet.outputText == expected.replacing("1: ok\n", with: ""))
    }

    @Test("Lines may end with CR LF, LF or the file; a byte order mark before a record is refused by name")
    func ends() throws {
        for text in [Self.good, Self.good + "\n", Self.good + "\r\n", "\r\n\n" + Self.good + "\r\n\r\n"] {
            let run = try check("prediction", Array(text.utf8))
            #expect(run.status == .exited(0), "\(run.outputText)\(run.errorText)")
            #expect(run.outputText.contains("1 record: 1 would be accepted"), "\(run.outputText)")
        }
        let marked = try check("prediction", [0xEF, 0xBB, 0xBF] + Array("\(Self.good)\n\(Self.good)\n".utf8))
        #expect(marked.status == .exited(1))
        #expect(marked.outputText.contains("1: refused not_json: the value begins with a byte order mark"))
        #expect(marked.outputText.contains("2: ok\n"))
        let framed = try check("prediction", [0, 0, 0, 0, 7] + Array(Self.good.utf8))
        #expect(framed.outputText.contains("1: refused not_json: the value is in the frame of a Confluent"))
        // An empty file has no faults.
        #expect(try check("prediction", []).status == .exited(0))
    }

    /// Before: line 1, "could not find expected ':'" or an unknown key `project`; now the mark is skipped.
    @Test("A byte order mark at the start of a project file is skipped")
    func markedProject() throws {
        let run = try check("prediction", Array(Self.good.utf8), project: "\u{FEFF}" + Self.project)
        #expect(run.status == .exited(0), "\(run.outputText)\(run.errorText)")
    }

    @Test("A line of any length is one record, and needs no more memory than the largest accepted record")
    func longLines() throws {
        let long = [UInt8](repeating: UInt8(ascii: "x"), count: 3_000_001)
        let run = try check("feedback", long + [0x0A] + long)
        #expect(run.status == .exited(1))
        for line in 1...2 {
            let text = "\(line): refused too_large: expected at most 262144 bytes, found 3000001\n"
            #expect(run.outputText.contains(text), "\(run.outputText)")
        }
        // A line that spans two slices of the file is read as one record.
        let filler = String(repeating: " ", count: 700)
        let many = (0..<1_500).map { _ in Self.good + filler }.joined(separator: "\n")
        let all = try check("prediction", Array(many.utf8), options: "--quiet")
        #expect(
            all.outputText.hasPrefix("1500 records: 1500 would be accepted, 0 of them"),
            "\(all.outputText.prefix(500))"
        )
    }

    @Test("Each kind of record is checked by its own rules, also in the JSON report")
    func kinds() throws {
        let feedback =
            #"{"project":"shapes","sample":"s","model":{"version":"v"},"user":"u","verdict":"correction","answer":{"kind":"choice","class":"moon"}}"#
        let annotation = #"{"project":"shapes","task":"t","annotator":"a","outcome":"skip","duration_ms":2.5}"#
        let result = #"{"project":"shapes","request":"r","trial":0,"repeat":0,"status":"failed","error":"no"}"#
        let records = [("feedback", feedback), ("annotation", annotation), ("training-result", result)]
        for (kind, record) in records {
            #expect(try check(kind, Array(record.utf8)).status == .exited(0), "\(kind)")
            for (_, other) in records where other != record {
                #expect(try check(kind, Array(other.utf8)).status == .exited(1), "\(kind): \(other)")
            }
        }
        let run = try check("annotation", Array("\(annotation)\n{}\n".utf8), options: "--json")
        let parser = JSONParser()
        let codes = try run.outputText.split(separator: "\n").map { line in
            try parser.withDocument(of: Array(line.utf8)) { json in
                try json.object().optionalString("code") ?? json.object().optionalString("verdict") ?? "summary"
            }
        }
        #expect(codes == ["ok", "schema", "summary"])
        #expect(run.outputText.contains(#""remarks":[{"member":"duration_ms""#), "\(run.outputText)")
    }

    @Test("Terminal escapes in a record are shown without effect")
    func foreignText() throws {
        let name = #"\u001b[2J\nok"#
        let run = try check("prediction", Array(Self.prediction(#"{"\#(name)":1}"#).utf8))
        #expect(!run.output.contains(0x1B) && run.outputText.split(separator: "\n").count == 2, "\(run.outputText)")
    }

    @Test("Lists shorter than the classes are accepted if the project began with fewer classes")
    func initialClasses() throws {
        let record = Array(Self.prediction(#"{"circle":1}"#, #","logits":[1,2]"#).utf8)
        #expect(try check("prediction", record).status == .exited(1))
        #expect(try check("prediction", record, options: "--initial-classes 2").status == .exited(0))
    }

    @Test("An unknown kind and a missing file are reported")
    func usage() throws {
        let kind = try check("predictions", [])
        #expect(kind.status == .exited(2))
        #expect(kind.errorText.contains("expected one of annotation, feedback, import, prediction, training-result"))
        let file = try check("prediction", [], file: "nowhere.jsonl")
        #expect(file.status == .exited(1) && file.errorText.contains("nowhere.jsonl"), "\(file.errorText)")
        let folder = try check("prediction", [], file: ".")
        #expect(folder.status == .exited(1), "\(folder.errorText)")
    }
}
