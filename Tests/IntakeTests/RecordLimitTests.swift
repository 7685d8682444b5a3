import DeadLetters
import EngineCore
import Events
import Flywheel
import Foundation
import Intake
import JSON
import Labeling
import Operations
import PipelineTesting
import Statistics
import StreamRuntime
import StreamTesting
import Testing
import Vocabulary

/// Limits count the encoded size: a record that Intake accepts fits every topic that it is written to.
@Suite("Sizes of written records")
struct RecordLimitTests {
    /// Names of the maximum length.
    private static func names(_ count: Int, bytes: Int) -> [String] {
        (0..<count).map { "\($0)-" + String(repeating: "c", count: bytes - "\($0)-".utf8.count) }
    }

    private static func configuration(_ classes: [String], votes: Int = 3) -> ProjectConfiguration {
        let usual = Scenario.configuration(votes: 100_000)
        return ProjectConfiguration(
            project: Scenario.project,
            revision: 1,
            partition: Scenario.partition,
            schema: LabelSchema(question: "What is it?", classes: classes),
            acquisition: usual.acquisition,
            labeling: LabelingPolicy(minimumVotes: votes, maximumVotes: votes, confidence: 1, lifetime: 86_400_000),
            datasets: usual.datasets,
            training: usual.training,
            rollout: usual.rollout
        )
    }

    private func disturbances(_ runner: ProcessorRunner) -> [String] {
        runner.events.compactMap {
            switch $0 {
            case .aborted(let error), .restarted(let error): error.description
            case .refused(let text): text
            case .quarantining(_, _, let quarantine): quarantine.text
            default: nil
            }
        }
    }

    private func codes(_ pipeline: Pipeline) -> [String: Int] {
        counted(
            pipeline.cluster.committed(pipeline.topics[.deadLetters]).compactMap { $0.header("flywheel.reason.code") }
        )
    }

    /// Before: 1.4 MB an entry. Twenty of them stopped all Intake for 48 s, with 87 aborted transactions.
    @Test("60,000 headers of one byte are refused before a transaction opens, without delay")
    func manyHeaders() throws {
        let pipeline = try Pipeline()
        let headers = [RecordHeader](repeating: RecordHeader("", [1]), count: 60_000)
        for number in 0..<20 {
            try pipeline.send(.annotations, Wire.annotation("t\(number)", "a", .skip), headers: headers)
            try pipeline.send(.annotations, Wire.annotation("u\(number)", "a", .skip))
        }
        let (intake, began) = (try pipeline.makeIntake(), pipeline.clock.now)
        try intake.settle()
        #expect(disturbances(intake).isEmpty && pipeline.clock.now - began < 1_000)
        #expect(codes(pipeline) == ["too_large": 20])
        #expect((intake.processor as? IntakeProcessor)?.counts.accepted == 20)
        let deadLetter = pipeline.cluster.committed(pipeline.topics[.deadLetters]).first
        #expect(deadLetter?.header("flywheel.reason.text") == "expected at most 256 headers, found 60000")
        // As many headers as could ever be accepted, and no more.
        #expect(
            (6_000...6_300).contains(deadLetter?.headers.count ?? 0)
                && deadLetter?.header("flywheel.headers.cut") == "true"
        )
    }

    /// Before: the loop could not write the task, and the project was paused.
    @Test("Intake refuses a sample that does not fit into a task beside the classes, and forwards one that fits")
    func manyClasses() throws {
        let pipeline = try Pipeline(configuration: Self.configuration(Self.names(7_600, bytes: 125)))
        func prediction(_ number: Int, _ bytes: Int) -> [UInt8] {
            let data = String(repeating: #"\u0001"#, count: bytes)
            let content = #"{"kind":"inline","media_type":"text/plain","data":"\#(data)"}"#
            return Array(#"{"project":"shapes","sample":{"id":"s\#(number)","content":\#(content)}}"#.utf8)
        }
        for number in 0..<60 { try pipeline.send(.predictions, prediction(number, number % 3 == 0 ? 16_384 : 1_000)) }
        let (intake, loop) = (try pipeline.makeIntake(), try pipeline.makeLoop())
        for _ in 0..<4 {
            try intake.settle()
            try loop.settle()
            pipeline.clock.advance(by: 2_000)
        }
        #expect(disturbances(intake) + disturbances(loop) == [])
        // Predictions that are only counted are not checked in such detail.
        #expect(Set(codes(pipeline).keys) == ["too_large"], "\(codes(pipeline))")
        #expect(try !pipeline.tasks().isEmpty)
    }

    @Test(
        "For any input below the limits, entries, tasks, facts and dead letters fit their topics",
        arguments: 1...4 as ClosedRange<UInt64>
    )
    func law(seed: UInt64) throws {
        let isLarge = seed % 2 == 0
        // 6,250 names of 125 bytes, with quotes and comma: the most that `project apply` accepts.
        let classes = isLarge ? Self.names(6_240, bytes: 125) : Scenario.classes
        let configuration = Self.configuration(classes, votes: 100)
        #expect(configuration.sizeFault(isNew: true) == nil)
        let pipeline = try Pipeline(configuration: configuration, deadLetterLimit: 8_388_608)
        var worst = WorstCase(seed: seed, classes: classes)
        let (intake, loop) = (try pipeline.makeIntake(), try pipeline.makeLoop())
        func settle() throws {
            try intake.settle()
            try loop.settle()
        }
        let topics: [Topic] = [.annotations, .trainingResults, .commands]
        for number in 0..<40 {
            try pipeline.send(.predictions, worst.prediction(number, isFilled: number % 4 == 0))
            guard number % 2 == 0 else { continue }
            let (topic, value) = worst.journalRecord(number)
            try pipeline.send(topics[topic], value, headers: worst.headers())
        }
        try settle()
        pipeline.clock.advance(by: 5_000)
        try settle()
        // Open tasks are answered by many annotators, under the longest names.
        let open = Set(try pipeline.tasks().map(\.id))
        #expect(!open.isEmpty)
        for id in open.sorted().prefix(3) {
            for person in 0..<100 {
                let name = "\(person)" + String(repeating: "\"", count: 253)
                let answer = Annotation.Outcome.answer(.choice(ClassIndex(0)))
                let annotation = Annotation(task: id, annotator: AnnotatorID(name), outcome: answer)
                let event = AnnotationEvent(project: Scenario.project, annotation: annotation, answeredAt: nil)
                try pipeline.send(.annotations, Wire.bytes { event.write(to: &$0, question: configuration.question) })
            }
        }
        try settle()
        #expect(disturbances(intake) + disturbances(loop) == [])
        #expect(codes(pipeline)["poison"] == nil && codes(pipeline)["unreadable_entry"] == nil)
        #expect(pipeline.cluster.committed(pipeline.topics[.datasetLog]).count >= 3)
        let counts = try #require(intake.processor as? IntakeProcessor).counts
        #expect(counts.read == counts.accepted + counts.deadTotal + counts.droppedTotal)
        for topic in Topic.allCases where topic != .deadLetters && topic.partitioning != .traffic {
            for record in pipeline.cluster.committed(pipeline.topics[topic]) {
                let size = OutputRecord(topic: "", key: record.key, value: record.value, headers: record.headers).size
                #expect(size <= RecordLimits.record, "\(topic): \(size)")
            }
        }
    }

    @Test("A vocabulary that leaves no room for a sample is not applied; one larger than a record is not followed")
    func vocabulary() throws {
        let pipeline = try Pipeline()
        let apply = ProjectApply(transport: pipeline.cluster, topics: pipeline.topics)
        let large = Self.configuration(Scenario.classes + Self.names(6_300, bytes: 125))
        #expect(throws: EngineError.self) { try apply.apply(large, partitions: 2) }
        #expect(large.sizeFault(isNew: false) == nil)
        let larger = Self.configuration(Self.names(8_200, bytes: 125))
        #expect(larger.sizeFault(isNew: false)?.contains("that a record may have") == true)
    }

    @Test("Sizes are those of the encoded form")
    func encodedSizes() {
        var generator = SplitMix64(seed: 5)
        for _ in 0..<200 {
            let scalars: [Unicode.Scalar] = [
                "\u{0}", "\u{8}", "\n", "\u{1F}", "\"", "\\", "/", "\u{7F}", "é", "\u{1F600}",
            ]
            var text = ""
            for _ in 0..<generator.next(below: 40) { text.unicodeScalars.append(scalars[generator.next(below: 10)]) }
            #expect(RecordLimits.encodedSize(of: text) == Wire.bytes { $0.value(text) }.count - 2)
            let sample = Sample(id: SampleID("s"), content: .inline(mediaType: text, text: text), embedding: [1, 2])
            let written = Wire.prediction(Sample(id: SampleID("s"), content: sample.content)).count
            #expect(sample.encodedSize == written - #"{"project":"shapes","sample":}"#.utf8.count)
        }
    }

    @Test("A tally of more classes than a record holds is split into several, with the same sums")
    func largeTally() throws {
        let classes = Self.names(7_700, bytes: 125)
        let pipeline = try Pipeline(configuration: Self.configuration(classes))
        for name in classes {
            let output = #"{"kind":"choice","probabilities":{"\#(name)":1}}"#
            let value = #"{"project":"shapes","sample":{"id":"s"},"model":{"version":"v"},"output":\#(output)}"#
            try pipeline.send(.predictions, Array(value.utf8))
        }
        let intake = try pipeline.makeIntake(policy: CommitPolicy(interval: 1_000, batchSize: 10_000))
        try intake.settle()
        pipeline.clock.advance(by: 1_000)
        try intake.settle()
        #expect(disturbances(intake).isEmpty)
        let tallies = pipeline.cluster.committed(pipeline.topics[.tallies])
        #expect(tallies.count >= 2 && tallies.allSatisfy { ($0.value?.count ?? 0) < RecordLimits.record })
        let sums = try pipeline.decoded(.tallies) { try Tally(json: $0) }
        #expect(sums.reduce(0) { $0 + $1.predictions } == 7_700)
        let names = tallies.reduce(0) { $0 + $1.text.components(separatedBy: "-c").count - 1 }
        #expect(names == 7_700)
    }

    @Test("The parts of a dead letter are bounded: text, key, and headers of size 0")
    func deadLetters() throws {
        let pipeline = try Pipeline()
        // One character (grapheme) of 200,000 bytes.
        let endless = "e" + String(repeating: "\u{301}", count: 100_000)
        try pipeline.send(.annotations, Array(#"{"project":"\#(endless)"}"#.utf8))
        try pipeline.cluster.append(
            OutputRecord(
                topic: pipeline.topics[.annotations],
                partition: 0,
                key: [UInt8](repeating: 7, count: 2_000_000),
                value: [1],
                headers: [RecordHeader](repeating: RecordHeader("", nil), count: 500_000)
            )
        )
        let intake = try pipeline.makeIntake()
        try intake.settle()
        #expect(disturbances(intake).isEmpty)
        let deadLetters = pipeline.cluster.committed(pipeline.topics[.deadLetters])
        #expect(deadLetters.map { $0.header("flywheel.reason.code") }.contains("not_json"))
        for deadLetter in deadLetters { #expect(deadLetter.header("flywheel.reason.text")?.utf8.count ?? 0 <= 4_099) }
        let large = try #require(deadLetters.first { $0.header("flywheel.key.cut") != nil })
        #expect(large.key?.count == 1_048_576 && large.header("flywheel.headers.cut") == "true")
        var stored: [DeadLetterPosition: DeadLetter] = [:]
        try DeadLetterScan(transport: pipeline.cluster, topics: pipeline.topics).forEachDeadLetter {
            stored[$0.position] = $0
        }
        #expect(stored.values.filter { $0.isKeyCut && $0.areHeadersCut }.count == 1)
        let report = try Redrive(
            transport: pipeline.cluster,
            topics: pipeline.topics,
            by: "t",
            now: { 1 },
            pause: { _ in }
        )
        .run(DeadLetterFilter())
        #expect(report.refused.first?.reason.contains("key") == true)
    }
}
