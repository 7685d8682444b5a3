import PipelineTesting
import Testing
import Vocabulary

@testable import Imports

/// Files that a user with only the guides supplies to the command, and how the command reads them.
@Suite("Options and forms of imported files")
struct ImportOptionTests {
    private func read(_ text: String, _ format: ImportFormat? = nil, _ change: (inout ImportFields) -> Void = { _ in })
        -> ImportFile
    {
        var fields = ImportFields()
        change(&fields)
        let bytes = Array(text.utf8)
        return ImportFile(bytes, format ?? ImportFile.format(of: bytes, name: "x"), fields, isLabelled: true)
    }

    private func faults(_ file: ImportFile) -> [String] { file.faults.map(\.description) }

    private func task(_ number: Int, _ data: String, _ choices: String = #"["circle"]"#) -> String {
        #"{"id":\#(number),"data":{\#(data)},"annotations":[{"result":[{"type":"choices","value":{"choices":\#(choices)}}]}]}"#
    }

    /// Before: an export or a manifest lost all three, and members of one group were in both training and test set.
    @Test("Group, embedding and metadata are read from a Label Studio export and a manifest as from JSON Lines")
    func tools() {
        let parts = #""lot":"g7","vector":[1,2.5],"shop":"north""#
        let change = { (fields: inout ImportFields) in
            (fields.group, fields.embedding, fields.metadata) = ("lot", "vector", ["shop"])
            fields.given = [.group, .embedding]
        }
        let files = [
            read("[\(task(1, parts))]", nil, change),
            read(
                #"{"source-ref":"s3://b/1","shape":0,"shape-metadata":{"class-name":"circle"},\#(parts)}"#,
                nil,
                change
            ),
            read(#"{"id":"a","label":"circle",\#(parts)}"#, nil, change),
        ]
        for file in files {
            #expect(faults(file) == [])
            let sample = file.rows.first?.sample
            #expect(sample?.group == GroupID("g7") && sample?.embedding == [1, 2.5])
            #expect(sample?.metadata["shop"] == "north")
        }
        let faulty = #""group":"\u0007","text":"x""#
        #expect(
            faults(read("[\(task(1, faulty))]")) == [
                "task 1: group: expected 1 to 256 bytes without control characters"
            ]
        )
        #expect(
            faults(read("[\(task(1, #""embedding":[]"#))]")) == ["task 1: embedding: expected finite numbers"]
        )
        let manifest = #"{"source-ref":"s3://b/1","s":0,"s-metadata":{"class-name":"circle"},"embedding":[]}"#
        #expect(faults(read(manifest)) == ["line 1: embedding: expected finite numbers"])
    }

    @Test("A given name that is absent from the file is a fault that lists the names present; a default is not")
    func names() {
        let change = { (fields: inout ImportFields) in
            (fields.group, fields.embedding, fields.text, fields.uri, fields.annotator) = ("g", "e", "t", "u", "who")
            fields.given = [.group, .embedding, .text, .uri, .annotator]
        }
        #expect(
            faults(read("id,label\na,circle\n", nil, change)) == [
                "line 1: no column \"who\", \"u\", \"t\", \"g\", \"e\" among \"id\", \"label\": name yours with --id, --label and so on"
            ]
        )
        let lines = read(
            "{\"id\":\"a\",\"label\":\"circle\"}\n{\"id\":\"b\",\"label\":\"star\",\"e\":null}\n",
            nil,
            change
        )
        #expect(
            faults(lines)
                == ["annotator", "uri", "text", "group"].map {
                    let name = ["annotator": "who", "uri": "u", "text": "t", "group": "g"][$0] ?? ""
                    return "--\($0): no line has a member \"\(name)\"; there are \"id\", \"label\", \"e\""
                }
        )
        let export = read("[\(task(1, #""image":"s3://b/1""#))]") {
            $0.id = "nosuch"
            $0.given = [.id]
        }
        #expect(faults(export) == ["--id: no task's data has a member \"nosuch\"; there are \"image\""])
        let withTaskID = read("[\(task(1, #""image":"s3://b/1""#))]") { $0.given = [.id] }
        #expect(faults(withTaskID) == [] && withTaskID.rows.first?.sample.id == SampleID("1"))
        #expect(faults(read("{\"id\":\"a\",\"label\":\"circle\"}")) == [])
    }

    @Test("An attribute that no line has is reported with those present; options that a format does not use are faults")
    func attributes() {
        let line = #"{"source-ref":"s3://x","a":0,"a-metadata":{"class-name":"q"},"b":0,"b-metadata":{}}"#
        #expect(
            faults(read(line) { $0.attribute = "nope" }) == [
                "--label-attribute: no line has labels in \"nope\"; there are \"a\", \"b\""
            ]
        )
        #expect(faults(read(line) { $0.attribute = "b" }) == [])
        for format in [ImportFormat.csv, .jsonLines, .labelStudio] {
            let text = [
                .csv: "id,label\na,circle", .jsonLines: #"{"id":"a","label":"circle"}"#,
                .labelStudio: "[\(task(1, #""text":"x""#))]",
            ][format]
            #expect(
                faults(read(text ?? "", format) { $0.attribute = "b" }) == [
                    "--label-attribute: only manifests of Ground Truth have attributes; leave it out"
                ]
            )
        }
        let export = read("[\(task(1, #""text":"x""#))]") { $0.given = [.label] }
        #expect(
            faults(export).first?.hasPrefix("--label: an export of Label Studio has its labels in its annot") ?? false
        )
    }

    /// Before: an object was not read as a label, and its row was counted as unlabelled.
    @Test("A label may be an object as on the wire; one that is neither that nor a scalar is a fault of its line")
    func objects() {
        let file = read(
            """
            {"id":"a","label":{"kind":"choice","class":"circle"}}
            {"id":"b","label":null}
            {"id":"c","label":["circle"]}
            {"id":"d","label":{"kind":"boxes"}}
            {"id":"e","label":true}
            """
        )
        #expect(file.rows.map { $0.answers.map(\.label) } == [["circle"], ["true"]])
        #expect(file.unlabelled == 1)
        let expected = "label: expected a class or {\"kind\":\"choice\",\"class\":…}, found"
        #expect(faults(file) == ["line 3: \(expected) an array", "line 4: \(expected) another object"])
    }

    @Test("A fault of a task is reported with its number; an export in another form is reported once")
    func exports() {
        let tasks = (1...8).map { task($0, #""text":"x\#($0)""#, $0 == 8 ? #"["a","b"]"# : #"["circle"]"#) }
        #expect(
            faults(read("[\(tasks.joined(separator: ","))]")) == [
                "task 8: expected one choice, found 2: tasks with several choices are not supported"
            ]
        )
        let minimal = read(
            #"[{"id":1,"text":"x","choice":"circle","annotator":1,"annotation_id":2,"lead_time":3.5},{"id":2}]"#
        )
        #expect(minimal.faults.count == 1 && faults(minimal)[0].contains("JSON_MIN export"))
        let list = read(#"[{"id":"a","label":"circle"},{"id":"b","label":"star"}]"#)
        #expect(list.faults.count == 1 && faults(list)[0].contains("JSON Lines"))
        let broken = read("[{]")
        #expect(broken.faults.count == 1 && faults(broken)[0].contains("found \"[{]\", which is not JSON"))
    }

    /// Before: "expected null, found 'o' at byte 1".
    @Test("A file that is not JSON and a table with other separators are reported as such")
    func otherForms() {
        #expect(
            faults(read("not,json\n", .jsonLines)) == ["line 1: expected a JSON object on one line, found \"not,json\""]
        )
        #expect(faults(read("{\"id\" \"a\"}\n"))[0].hasPrefix("line 1: it is not JSON: expected"))
        #expect(faults(read("id;label\na;circle\n"))[0].hasSuffix("separated by semicolons: write it with commas"))
        #expect(faults(read("id\tlabel\na\tcircle\n"))[0].hasSuffix("separated by tabs: write it with commas"))
        #expect(faults(read("a text\n"))[0].hasSuffix("since it begins with neither { nor [ (--format says otherwise)"))
    }
}
