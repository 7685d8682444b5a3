import Events
import Flywheel
import JSON
import PipelineTesting
import StreamRuntime
import StreamTesting
import Testing
import Vocabulary

@Suite("Tallies")
struct TallyTests {
    private struct Key: Hashable {
        let version: String
        let role: String
    }

    @Test(
        "Sums of tallies equal the records sent, duplicates included, and their offsets cover every record once",
        arguments: [0, 1, 2]
    )
    func exact(fault: Int) throws {
        let pipeline = try Pipeline(seed: UInt64(fault) + 1)
        var predictions: [Key: Int64] = [:]
        var classes: [Key: [String: Int64]] = [:]
        var feedback: [Key: (all: Int64, negative: Int64)] = [:]
        for number in 0..<200 {
            let sample = pipeline.scenario.next()
            let key = Key(version: "v\(number % 3)", role: number % 5 == 0 ? "challenger" : "champion")
            let top = number % 3
            let probabilities = (0..<3).map { $0 == top ? 0.6 : 0.2 }
            let role = key.role == "champion" ? ModelRole.champion : .challenger
            let value = Wire.prediction(sample, probabilities, version: key.version, role: role)
            for _ in 0..<(number % 10 == 0 ? 2 : 1) {
                try pipeline.send(.predictions, value, partition: Int32(number % 2))
                predictions[key, default: 0] += 1
                classes[key, default: [:]][Scenario.classes[top], default: 0] += 1
            }
            if number % 7 == 0 { try pipeline.send(.predictions, Array("junk".utf8)) }
            if number % 4 == 0 {
                let verdict: Feedback.Verdict = number % 8 == 0 ? .rejection : .confirmation
                let feedbackKey = Key(version: key.version, role: "champion")
                let value = Wire.feedback(
                    "f\(number % 40)",
                    on: sample.id.rawValue,
                    by: key.version,
                    user: "u",
                    verdict
                )
                try pipeline.send(.feedback, value, partition: Int32(number % 2))
                feedback[feedbackKey, default: (0, 0)].all += 1
                if verdict.isNegative { feedback[feedbackKey, default: (0, 0)].negative += 1 }
            }
        }
        // One of the runs aborts, and one dies.
        let steps: [FaultPlan.Step?] = [nil, .init(12, .abortable), .init(15, .crash)]
        let policy = CommitPolicy(interval: 0, maximumRecords: 17, batchSize: 17)
        _ = try settle(pipeline, group: "intake", steps[fault]) { plan, instance in
            try pipeline.makeIntake(plan, instance: instance, policy: policy)
        }

        var sums: [Key: (predictions: Int64, feedback: Int64, negative: Int64)] = [:]
        var tops: [Key: [String: Int64]] = [:]
        var forwarded: Int64 = 0
        var ranges: [TopicPartition: [ClosedRange<Int64>]] = [:]
        let parser = JSONParser()
        for record in pipeline.cluster.committed(pipeline.topics[.tallies], Scenario.partition) {
            try parser.withDocument(of: record.value ?? []) { json in
                let object = try json.object()
                let key = Key(version: try object.string("model_version"), role: try object.string("role"))
                var sum = sums[key] ?? (0, 0, 0)
                let count = try object.int64("predictions")
                sum.predictions += count
                sum.feedback += try object.int64("feedback")
                sum.negative += try object.int64("negative_feedback")
                sums[key] = sum
                forwarded += try object.int64("forwarded")
                var (confident, scored): (Int64, Int64) = (0, 0)
                for value in try object.array("confidence_histogram") { confident += try value.int64() }
                for value in try object.array("score_histogram") { scored += try value.int64() }
                #expect(confident == count && scored == count)
                for member in try object.object("class_counts") {
                    tops[key, default: [:]][member.name, default: 0] += try member.value.int64()
                }
                for value in try object.array("inputs") {
                    let input = try value.object()
                    let topicPartition = TopicPartition(try input.string("topic"), Int32(try input.int64("partition")))
                    let range = try input.int64("from")...input.int64("to")
                    if ranges[topicPartition]?.contains(range) != true {
                        ranges[topicPartition, default: []].append(range)
                    }
                }
            }
        }
        for (key, count) in predictions { #expect(sums[key]?.predictions == count, "\(key)") }
        for (key, count) in feedback {
            #expect(sums[key]?.feedback == count.all, "\(key)")
            #expect(sums[key]?.negative == count.negative, "\(key)")
        }
        #expect(Set(sums.keys) == Set(predictions.keys).union(feedback.keys))
        #expect(tops == classes)
        #expect(forwarded == Int64(pipeline.journal().filter { $0.text.contains(#""kind":"candidate""#) }.count))
        for topic in [pipeline.topics[.predictions], pipeline.topics[.feedback]] {
            for partition in 0..<Int32(2) {
                let sorted = (ranges[TopicPartition(topic, partition)] ?? []).sorted { $0.lowerBound < $1.lowerBound }
                let end = Int64(pipeline.cluster.committed(topic, partition).count)
                var next: Int64 = 0
                for range in sorted {
                    #expect(range.lowerBound == next, "\(topic)[\(partition)]")
                    next = range.upperBound + 1
                }
                #expect(next == end, "\(topic)[\(partition)]")
            }
        }
    }

    @Test("Loop folds tallies into entries with the same sums, each tally once, although it dies in between")
    func folded() throws {
        for number in 0..<40 {
            let pipeline = try Pipeline(seed: 9)
            let plan = FaultPlan(.init(number, .crash))
            var loop = try pipeline.makeLoop(plan)
            let intake = try pipeline.makeIntake()
            for _ in 0..<30 {
                for _ in 0..<10 {
                    try pipeline.send(.predictions, Wire.prediction(pipeline.scenario.next(), [0.5, 0.3, 0.2]))
                }
                try intake.settle()
                pipeline.clock.advance(by: 1_000)
                do { try loop.settle() } catch {
                    #expect(plan.isCrashed, "\(error)")
                    loop = try pipeline.makeLoop()
                    try loop.settle()
                }
            }
            pipeline.clock.advance(by: 10_000)
            try loop.settle()
            var predictions: Int64 = 0
            var entries = 0
            let parser = JSONParser(maximumDepth: 64, maximumSize: 16 << 20)
            for record in pipeline.journal() {
                let entry = try parser.withDocument(of: record.value ?? []) { try JournalEntry(json: $0) }
                guard case .tally(let tallies) = entry.body else { continue }
                entries += 1
                for tally in tallies { predictions += tally.predictions }
            }
            #expect(predictions == 300, "crash before effect \(number)")
            #expect((2...6).contains(entries), "\(entries) entries: the journal grows with time, not with traffic")
            guard plan.hasStruck else { return }
        }
    }
}
