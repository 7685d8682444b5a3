import Acquisition
import Events
import Flywheel
import Operations
import PipelineTesting
import Strategies
import StreamRuntime
import StreamTesting
import Testing
import Vocabulary

@Suite("Explaining a sample")
struct ExplainTests {
    private func explain(_ sample: String, _ pipeline: Pipeline, since: Int64 = 0) throws -> Explanation {
        try Explain(transport: pipeline.cluster, topics: pipeline.topics, salt: [1, 2, 3])
            .explain(SampleID(sample), of: pipeline.configuration, since: since)
    }

    @Test("For a queried sample the explanation has the entry, the selection, the task and the label")
    func queried() throws {
        let pipeline = try Pipeline(seed: 1)
        for _ in 0..<10 { try pipeline.round() }
        let tasks = Dictionary(grouping: try pipeline.tasks(), by: \.sample.id)
        var (labelled, audited) = (0, 0)
        for (id, history) in tasks {
            let explanation = try explain(id.rawValue, pipeline)
            let newest = try #require(history.last)
            #expect(explanation.isFound && explanation.outcome == .queried(newest))
            let appearance = try #require(explanation.appearances.first)
            #expect(appearance.entryNumber >= 1 && appearance.candidate.sample.id == id)
            #expect(!appearance.ways.isEmpty)
            #expect(appearance.threshold != nil)
            if newest.state == .closed(.answered) {
                #expect(explanation.label != nil)
                labelled += 1
            }
            #expect(!explanation.isDisputed)
            if newest.purpose == .audit {
                #expect(appearance.ways.contains { $0.contains("audit") })
                audited += 1
            }
        }
        #expect(labelled > 5 && audited > 2)
        let first = try #require(tasks.keys.min())
        let entry = try #require(try explain(first.rawValue, pipeline).appearances.first)
        let record = pipeline.journal().first { $0.offset == entry.offset }
        #expect(record != nil && entry.entryNumber == UInt64(entry.offset) + 1)
    }

    @Test("For a candidate that was not queried the explanation tells where it waits, or that others replaced it")
    func waiting() throws {
        let pipeline = try Pipeline(configuration: Scenario.configuration(votes: 0))
        for number in 0..<60 {
            let sample = Sample(id: SampleID("s\(number)"))
            let first = 0.5 + Double(number) / 200
            try pipeline.send(.predictions, Wire.prediction(sample, [first, 1 - first, 0]))
            pipeline.clock.advance(by: 100)
        }
        try pipeline.settle()
        var outcomes = Set<Explanation.Outcome?>()
        for number in 0..<60 {
            let explanation = try explain("s\(number)", pipeline)
            if !explanation.appearances.isEmpty { outcomes.insert(explanation.outcome) }
        }
        #expect(outcomes.contains(.waiting("pool", triggers: [])))
        #expect(outcomes.contains(.waiting("audit", triggers: [])))
    }

    @Test("A copy of a queried sample and a set-aside sample are reported as such")
    func heldBack() throws {
        let pipeline = try Pipeline()
        func send(_ name: String, _ text: String? = nil, group: String? = nil, at embedding: [Float]) throws {
            let sample = Sample(
                id: SampleID(name),
                content: text.map { .inline(mediaType: "text/plain", text: $0) },
                embedding: embedding,
                group: group.map { GroupID($0) }
            )
            try pipeline.send(.predictions, Wire.prediction(sample, [0.5, 0.5, 0]))
        }
        func advance() throws {
            pipeline.clock.advance(by: 2_000)
            try pipeline.settle()
        }
        // Samples that are queried first; the later ones are copies of them.
        for number in 0..<40 { try send("a\(number)", "text \(number)", at: [Float(number), 1]) }
        try advance()
        try advance()
        let queried = try pipeline.tasks()
        #expect(!queried.isEmpty)
        for task in queried {
            guard case .inline(_, let text)? = task.sample.content else { continue }
            try send("copy of \(task.sample.id)", text, at: [20.5, 7])
            try send("twin of \(task.sample.id)", "another", at: [Float(task.sample.id.rawValue.dropFirst()) ?? 0, 1])
        }
        try advance()
        var outcomes: Set<Explanation.Outcome?> = []
        for task in queried {
            outcomes.insert(try explain("copy of \(task.sample.id)", pipeline).outcome)
            outcomes.insert(try explain("twin of \(task.sample.id)", pipeline).outcome)
        }
        #expect(outcomes.contains(.copy(.acquisition)) || outcomes.contains(.copy(.audit)), "\(outcomes)")
        #expect(outcomes.contains(.setAside(isKnown: true)), "\(outcomes)")
    }

    @Test("For a prediction that is not forwarded the explanation has its score and the threshold of its tally")
    func below() throws {
        let pipeline = try Pipeline(configuration: TriggerScenario.configuration([], cutoff: 0))
        for round in 0..<5 {
            for number in 0..<400 {
                let sample = Sample(id: SampleID("s\(round)-\(number)"))
                let first = 0.5 + Double(number) / 1_000
                try pipeline.send(.predictions, Wire.prediction(sample, [first, 1 - first, 0]))
            }
            pipeline.clock.advance(by: 2_000)
            try pipeline.settle()
        }
        let explanation = try explain("s4-399", pipeline)
        let prediction = try #require(explanation.predictions.first)
        #expect(explanation.appearances.isEmpty && explanation.outcome == nil && explanation.isFound)
        #expect(prediction.verdict == .below)
        #expect(abs((prediction.score ?? 0) - (1 - 0.798)) < 1e-9)
        #expect((prediction.threshold ?? 0) > 0.5)
        #expect(prediction.text.contains("below the threshold"))
        // The first candidates were forwarded or held back while the threshold was still learning.
        #expect(try explain("s0-0", pipeline).isFound)
    }

    @Test("A trigger that matched but had used up its rate is named, and so is one that fired")
    func triggers() throws {
        let trigger = Trigger(name: "all", condition: .role(.champion), perHour: 10)
        let pipeline = try Pipeline(configuration: TriggerScenario.configuration([trigger], cutoff: 0))
        // Nothing is forwarded because the pool has free capacity.
        pipeline.readsState = false
        for number in 0..<400 {
            try pipeline.send(.predictions, Wire.prediction(Sample(id: SampleID("s\(number)")), [0.98, 0.01, 0.01]))
        }
        try pipeline.settle()
        let explanations = try (0..<400).map { try explain("s\($0)", pipeline) }
        let appeared = explanations.compactMap(\.appearances.first)
        let fired = appeared.filter { !$0.candidate.triggers.isEmpty }
        #expect(fired.count == 2)
        #expect(fired.allSatisfy { $0.ways == ["trigger all fired"] && $0.candidate.isBelowThreshold })
        #expect(appeared.count > 2 && appeared.contains { $0.ways == ["its score passed the threshold"] })
        let notForwarded = explanations.filter(\.appearances.isEmpty)
        #expect(notForwarded.allSatisfy { $0.predictions.first?.limitedTriggers == ["all"] })
    }

    @Test("A record that is not a prediction is reported with its reason, and an unread one as uncounted")
    func others() throws {
        let pipeline = try Pipeline()
        try pipeline.settle()
        try pipeline.send(.predictions, Wire.prediction(Sample(id: SampleID("late")), [0.9, 0.1, 0]))
        let bad = "{\"project\":\"shapes\",\"sample\":{\"id\":\"bad\"},\"model\":{\"version\":\"v1\"}}"
        try pipeline.send(.predictions, Array(bad.utf8))
        #expect(try explain("late", pipeline).predictions.map(\.verdict) == [.uncounted])
        guard case .refused(let reason)? = try explain("bad", pipeline).predictions.first?.verdict else {
            Issue.record("not refused")
            return
        }
        #expect(!reason.isEmpty)
    }

    @Test("A sample that was never sent is unknown, and the range that was read is reported")
    func unknown() throws {
        let pipeline = try Pipeline(seed: 2)
        for _ in 0..<3 { try pipeline.round() }
        let sent = pipeline.cluster.committed(pipeline.topics[.predictions]).count
        let explanation = try explain("nobody", pipeline)
        #expect(!explanation.isFound)
        #expect(explanation.searched.entries == UInt64(pipeline.journal().count))
        #expect(explanation.searched.predictions == Int64(sent))
        #expect(try explain("nobody", pipeline, since: pipeline.clock.now + 1).searched.predictions == 0)
    }

    @Test("A sample's id is found in any JSON spelling", arguments: ["a/b", "ü-1", "x\"y", "s 1"])
    func escapes(id: String) throws {
        let pipeline = try Pipeline()
        try pipeline.send(.predictions, Wire.prediction(Sample(id: SampleID(id)), [0.9, 0.1, 0]))
        let unicode = id.unicodeScalars.map { $0.value < 0x10000 ? "\\u" + hex($0.value) : String($0) }.joined()
        try pipeline.send(.predictions, Array("{\"project\":\"shapes\",\"sample\":{\"id\":\"\(unicode)\"}}".utf8))
        #expect(try explain(id, pipeline).predictions.count == 2)
    }

    private func hex(_ value: UInt32) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 4 - digits.count) + digits
    }
}
