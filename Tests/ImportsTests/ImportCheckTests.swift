import Acquisition
import Datasets
import Events
import Flywheel
import PipelineTesting
import StreamTesting
import Tables
import Testing
import Vocabulary

@testable import Imports

@Suite("Checks of an import before it is sent")
struct ImportCheckTests {
    private func file(_ lines: [String], isLabelled: Bool = true) -> ImportFile {
        ImportFile(Array(lines.joined(separator: "\n").utf8), .jsonLines, ImportFields(), isLabelled: isLabelled)
    }

    private func merge(_ file: ImportFile, _ state: ProjectState? = nil, _ space: EmbeddingSpace? = nil) throws
        -> LabelMerge
    {
        let project = ProjectConfiguration(
            project: Scenario.project,
            revision: 1,
            partition: Scenario.partition,
            question: .choice(Scenario.schema),
            embedding: space
        )
        return try LabelMerge(
            file,
            project,
            state: state,
            source: "s",
            isValidation: false,
            now: { 1_800_000_000_000 }
        )
    }

    private func line(_ id: String, _ members: String) -> String { #"{"id":"\#(id)","label":"circle",\#(members)}"# }

    @Test("No file restores a label that was retracted in the project, whatever it contains")
    func retracted() throws {
        var state = ProjectState(project: Scenario.project)
        for (sample, standing) in [("a", LabelStanding.retracted), ("b", .retracted), ("c", .revised)] {
            state.datasets.labels[SampleID(sample)] = LabelRow(
                label: .choice(ClassIndex(0)),
                split: .training,
                sequence: 1,
                standing: standing
            )
        }
        let lines = ["a", "b", "c"].map { #"{"id":"\#($0)","label":"\#($0 == "b" ? "star" : "circle")"}"# }
        let merged = try merge(file(lines), state)
        let reasons = merged.faults.map(\.description)
        #expect(reasons.count == 2 && merged.labels.isEmpty && merged.known == 1)
        for (reason, line) in zip(reasons, 1...) {
            #expect(reason.hasPrefix("line \(line): the label of sample") && reason.contains("was retracted"))
        }
    }

    @Test("One text under two ids with two labels is a contradiction: both lines are named, and neither is accepted")
    func texts() throws {
        let merged = try merge(
            file([
                #"{"id":"a","label":"circle","text":"hello"}"#, #"{"id":"b","label":"star","text":"hello"}"#,
                #"{"id":"c","label":"circle","text":"hello"}"#, #"{"id":"d","label":"star","text":"other"}"#,
                #"{"id":"e","label":"star","text":"other"}"#, #"{"id":"f","label":"circle","uri":"hello"}"#,
            ])
        )
        #expect(
            merged.faults.map(\.description) == [
                "line 2: sample b has the text of sample a on line 1, and is \"star\" here and \"circle\" there"
            ]
        )
        #expect(merged.labels.map(\.event.sample.id.rawValue) == ["d", "e", "f"])
    }

    /// Before: the correct row was counted as a repeat of the refused sample before it, and was not sent.
    @Test("An id that is not in NFC is a fault of its own line and does not prevent the composed id from being sent")
    func spellings() throws {
        let lines = [
            #"{"id":"cafe\u0301","label":"circle","text":"one"}"#, #"{"id":"caf\u00e9","label":"circle","text":"two"}"#,
        ]
        let merged = try merge(file(lines))
        #expect(merged.faults.count == 1 && merged.faults[0].line == 1 && merged.faults[0].text.contains("NFC"))
        #expect(merged.labels.map(\.line) == [2])
        let pool = try SamplePool(
            file(lines, isLabelled: false),
            ProjectConfiguration(
                project: Scenario.project,
                revision: 1,
                partition: Scenario.partition,
                question: .choice(Scenario.schema)
            ),
            now: { 1_800_000_000_000 }
        )
        #expect(pool.entries.map(\.line) == [2] && pool.faults.map(\.line) == [1] && pool.repeated == 0)
    }

    /// Before: it passed, and became a label that no trainer can use.
    @Test("If the project knows no dimension, an embedding unlike most of the file's is a fault, even the first")
    func dimensions() throws {
        let lines = [
            line("a", #""embedding":[1]"#), line("b", #""embedding":[1,2]"#), line("c", #""embedding":[3,4]"#),
            line("d", #""uri":"s3://d""#), line("e", #""embedding":[1,2,3]"#),
        ]
        let merged = try merge(file(lines))
        #expect(merged.faults.map(\.line) == [1, 5])
        #expect(
            merged.faults[0].text.hasPrefix(
                "sample.embedding: expected 2 dimensions as most of the file's have, found 1"
            )
        )
        #expect(merged.labels.map(\.line) == [2, 3, 4])
        let pool = try SamplePool(file(lines, isLabelled: false), Scenario.configuration(), now: { 1_800_000_000_000 })
        #expect(pool.faults.map(\.line) == [1, 5] && pool.entries.map(\.line) == [2, 3, 4])
        // Of equally common dimensions, the first in the file counts.
        #expect(try merge(file(Array(lines[0...1]))).faults.map(\.line) == [2])
    }

    @Test("The project's space, declared or learnt, takes precedence over the file's")
    func spaces() throws {
        let lines = [
            line("a", #""embedding":[1,2,3]"#), line("b", #""embedding":[1,2,3]"#), line("c", #""embedding":[1,2]"#),
        ]
        let declared = try merge(file(lines), nil, EmbeddingSpace(dimension: 2, norm: 5))
        #expect(declared.faults.map(\.line) == [1, 2] && declared.labels.map(\.line) == [3])
        #expect(try merge(file([line("a", #""embedding":[30,40]"#)]), nil, EmbeddingSpace(norm: 5)).faults.count == 1)

        let pipeline = try Pipeline(seed: 7)
        for _ in 0..<30 {
            try pipeline.send(.predictions, Wire.prediction(pipeline.scenario.next(), [0.4, 0.3, 0.3], version: "t"))
        }
        for _ in 0..<4 {
            try pipeline.settle()
            pipeline.clock.advance(by: 1_500)
        }
        let target = try ImportTarget(
            transport: pipeline.cluster,
            topics: pipeline.topics,
            project: Scenario.project.rawValue
        )
        #expect(target.state?.acquisition.knownSpace(nil).dimension == 2)
        let learnt = try merge(file(lines), target.state)
        #expect(learnt.faults.map(\.line) == [1, 2] && learnt.labels.map(\.line) == [3])
    }
}
