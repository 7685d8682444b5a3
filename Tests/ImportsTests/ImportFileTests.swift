import Events
import Flywheel
import PipelineTesting
import Testing
import Vocabulary

@testable import Imports

@Suite("Files of labels")
struct ImportFileTests {
    private let project = Scenario.configuration()

    private func read(_ text: String, _ fields: ImportFields = ImportFields(), name: String = "x") -> ImportFile {
        let bytes = Array(text.utf8)
        return ImportFile(bytes, ImportFile.format(of: bytes, name: name), fields, isLabelled: true)
    }

    private func merge(_ file: ImportFile, renames: [String: String] = [:]) throws -> LabelMerge {
        try LabelMerge(
            file,
            project,
            source: "legacy",
            isValidation: false,
            renames: renames,
            now: { 1_800_000_000_000 }
        )
    }

    private func summaries(_ rows: [ImportRow]) -> [String] {
        rows.map { row in
            let answers = row.answers.map { "\($0.annotator.map { $0 + ":" } ?? "")\($0.label)" }
            return "\(row.line) \(row.sample.id) \(answers.joined(separator: ","))"
        }
    }

    @Test("CSV is read as in RFC 4180: quotes, line ends of every system, also in fields, and a byte order mark")
    func csv() throws {
        let text =
            "\u{FEFF}id,label,text,source\r\n\"a \"\"1\"\"\",circle,\"two\nlines, one comma\",shop\r\n\r\nb,square,,\n"
        var fields = ImportFields()
        fields.metadata = ["source"]
        let file = read(text, fields)
        #expect(file.faults == [])
        #expect(summaries(file.rows) == ["2 a \"1\" circle", "5 b square"])
        #expect(file.rows[0].sample.content == .inline(mediaType: "text/plain", text: "two\nlines, one comma"))
        #expect(file.rows[0].sample.metadata["source"] == "shop" && file.rows[1].sample.metadata == .none)
    }

    @Test("A fault of a row is reported by its line, and the other rows are read")
    func faults() {
        let file = read("id,label,embedding\na,circle,1 2\nb,circle\n,star,1 2\nc,star,1 x\nd,,1 2\ne,star,[3; 4]\n")
        #expect(summaries(file.rows) == ["2 a circle", "7 e star"])
        #expect(file.rows[1].sample.embedding == [3, 4])
        #expect(file.unlabelled == 1)
        #expect(
            file.faults.map(\.description) == [
                "line 3: expected 3 fields as in the header, found 2",
                "line 4: id: expected the sample's id, found nothing", "line 5: embedding: expected finite numbers",
            ]
        )
        let other = read("name,class\na,circle\n")
        #expect(other.faults.first?.text.contains("no column \"id\", \"label\" among \"name\", \"class\"") ?? false)
        #expect(read("id,label\n\"a,circle\n").faults.map(\.line) == [2])
        // A duplicate of a column that is read is ambiguous. Other columns may be repeated any number of times.
        let twice = read("id,label,label,note,note\na,circle,star,1,2\n")
        #expect(twice.rows.isEmpty && twice.faults.map(\.endsFile) == [true])
        #expect(twice.faults.first?.text.contains("column \"label\" occurs more than once") ?? false)
        #expect(summaries(read("id,label,note,note\na,circle,1,2\n").rows) == ["2 a circle"])
        // Rows are skipped by `--skip-faulty`; for these faults the number of rows is unknown.
        #expect(file.faults.allSatisfy { !$0.endsFile } && other.faults.allSatisfy(\.endsFile))
        #expect(read("id,label\na,circle\n\"b,star\nc,star\n").faults.map(\.endsFile) == [true])
        #expect(read("").faults.map(\.endsFile) == [true])
        #expect(read("").faults.map(\.line) == [1])
    }

    @Test("JSON Lines are read by member names or as whole samples, and a number may be a class")
    func lines() throws {
        var fields = ImportFields()
        (fields.id, fields.label) = ("key", "gold")
        let file = read(
            """
            {"key":7,"gold":"circle","uri":"s3://b/7","embedding":[1,2.5]}

            {"sample":{"id":"w","content":{"kind":"uri","uri":"s3://w"}},"gold":3}
            {"key":"x","gold":
            {"gold":"star"}
            """,
            fields
        )
        #expect(summaries(file.rows) == ["1 7 circle", "3 w 3"])
        #expect(file.rows[0].sample.embedding == [1, 2.5] && file.rows[0].sample.content == .uri("s3://b/7"))
        #expect(file.faults.map(\.line) == [4, 5])
    }

    @Test("A Label Studio export gives the choice of each annotator of a task, without cancelled annotations")
    func labelStudio() throws {
        let file = read(
            """
            [{"id":1,"data":{"image":"s3://b/1.png","id":"img-1"},"annotations":[
              {"completed_by":{"id":4,"email":"ada@x"},"result":[{"type":"choices","value":{"choices":["circle"]}}]},
              {"completed_by":5,"was_cancelled":true,"result":[]},
              {"completed_by":5,"result":[{"type":"rectanglelabels","value":{}},{"type":"choices","value":{"choices":["star"]}}]}]},
             {"id":2,"data":{"text":"hello"},"annotations":[]},
             {"id":3,"data":{"text":"two"},"annotations":[{"completed_by":1,"result":[{"type":"choices","value":{"choices":["a","b"]}}]}]}]
            """
        )
        #expect(summaries(file.rows) == ["1 img-1 ada@x:circle,5:star"])
        #expect(file.rows.first?.sample.content == .uri("s3://b/1.png"))
        #expect(file.unlabelled == 1)
        #expect(file.faults.map(\.line) == [3])
        #expect(read("[{]").faults.count == 1)
    }

    @Test("In a manifest of Ground Truth the class name is read from the metadata of the label's attribute")
    func groundTruth() throws {
        let line = #"{"source-ref":"s3://b/1.png","shape":0,"shape-metadata":{"class-name":"circle","confidence":0.9}}"#
        let file = read(
            line + "\n" + #"{"source":"a text","id":"t1","shape":1,"shape-metadata":{"class-name":"star"}}"#
        )
        #expect(file.faults == [])
        #expect(summaries(file.rows) == ["1 s3://b/1.png circle", "2 t1 star"])
        let twoAttributes =
            #"{"source-ref":"s3://x","a":0,"a-metadata":{"class-name":"q"},"b":0,"b-metadata":{"class-name":"star"}}"#
        #expect(read(twoAttributes).faults.first?.text.contains("--label-attribute") ?? false)
        var fields = ImportFields()
        fields.attribute = "b"
        #expect(summaries(read(twoAttributes, fields).rows) == ["1 s3://x star"])
        #expect(ImportFile.format(of: Array(#"{"source":"x","y":1}"#.utf8), name: "output.manifest") == .groundTruth)
    }

    @Test("Rows of one sample become one label; contradictions, ties and unknown classes are reported by line")
    func merging() throws {
        let merged = try merge(
            read(
                """
                id,label,annotator
                a,circle,ada
                a,circle,bob
                a,star,cyd
                b,circle,ada
                b,star,bob
                c,circle,ada
                c,star,ada
                d,hexagon,ada
                e,round,ada
                """
            ),
            renames: ["round": "circle"]
        )
        #expect(merged.labels.map(\.event.sample.id.rawValue) == ["a", "e"])
        guard case .votes(let votes) = merged.labels[0].event.answer else {
            Issue.record("no votes")
            return
        }
        #expect(votes.map(\.annotator.rawValue) == ["legacy/ada", "legacy/bob", "legacy/cyd"])
        #expect(merged.counts == [2, 0, 0])
        #expect(merged.faults.map(\.line) == [5, 8, 9])
        #expect(merged.faults[0].text.contains("as many votes of sample b for \"circle\" as for \"star\""))
        #expect(merged.faults[1].text.contains("ada says of sample c \"star\" here and \"circle\" on line 7"))
        #expect(merged.faults[2].text.contains("\"hexagon\" is not one of the project's"))
        let plain = try merge(read("id,label\na,circle\na,circle\nb,star\nb,circle\n"))
        #expect(plain.labels.map(\.event.answer) == [.label(.choice(ClassIndex(0)))])
        #expect(plain.faults.map(\.description) == ["line 5: sample b is \"circle\" here and \"star\" on line 4"])
    }

    @Test("A row that Intake would refuse is a fault of its line, before anything is sent")
    func intakeRules() throws {
        let file = read("{\"id\":\"a\\u202eb\",\"label\":\"circle\"}\n{\"id\":\"c\",\"label\":\"star\"}")
        #expect(try merge(file).faults.map(\.line) == [1])
        #expect(try merge(file).labels.map(\.line) == [2])
    }
}
