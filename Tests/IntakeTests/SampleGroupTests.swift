import Acquisition
import Events
import Flywheel
import Hashing
import JSON
import PipelineTesting
import StreamRuntime
import StreamTesting
import Testing
import Vocabulary

@Suite("Groups of samples")
struct SampleGroupTests {
    private func candidates(_ pipeline: Pipeline) throws -> [Candidate] {
        try pipeline.decoded(.journal) { try JournalEntry(json: $0) }.compactMap {
            if case .candidate(let candidate) = $0.body { candidate } else { nil }
        }
    }

    @Test("All members of a group have the group's draw, scanned or parsed", arguments: [false, true])
    func draws(isParsed: Bool) throws {
        let pipeline = try Pipeline()
        pipeline.readsState = false
        for number in 0..<400 {
            // Every fourth sample has no group; a group may have the same name as a sample.
            let group = number % 4 == 0 ? "" : ",\"group\":\"s\(number % 37)\""
            let text =
                "{\"project\":\"shapes\",\"sample\":{\"id\":\"s\(number)\"\(group)},\"model\":{\"version\":\"v1\"},\"output\":{\"kind\":\"choice\",\"probabilities\":{\"\(Scenario.classes[0])\":\(0.5 + Double(number % 64) / 128),\"\(Scenario.classes[1])\":\(0.5 - Double(number % 64) / 128)}}}"
            let envelope =
                "{\"specversion\":\"1.0\",\"id\":\"\(number)\",\"source\":\"s\",\"type\":\"t\",\"data\":\(text)}"
            try pipeline.send(.predictions, Array((isParsed ? envelope : text).utf8))
        }
        try pipeline.makeIntake(readsState: false).settle()
        let found = try candidates(pipeline)
        let draws = StableHash(project: "shapes", purpose: "audit", salt: [1, 2, 3])
        let cutoff = pipeline.configuration.acquisition.auditCutoff
        for candidate in found {
            let draw = draws.unit(key: candidate.sample.group?.rawValue ?? candidate.sample.id.rawValue)
            #expect(candidate.auditDraw == draw)
            #expect((candidate.auditProbability != nil) == (draw < cutoff))
            let number = Int(candidate.sample.id.rawValue.dropFirst()) ?? 0
            #expect(candidate.sample.group?.rawValue == (number % 4 == 0 ? nil : "s\(number % 37)"))
        }
        // All samples of the audit sample are forwarded, whatever their scores.
        let drawn = (0..<400).filter { draws.unit(key: $0 % 4 == 0 ? "s\($0)" : "s\($0 % 37)") < cutoff }
        let tested = found.filter { $0.auditProbability != nil }
        #expect(Set(tested.map(\.sample.id.rawValue)) == Set(drawn.map { "s\($0)" }))
        #expect((50..<350).contains(drawn.count))
    }

    @Test("A group that is no name is refused", arguments: ["7", "\"\"", "[\"a\"]", "\"a\\u0007\""])
    func refused(_ group: String) throws {
        let pipeline = try Pipeline()
        try pipeline.send(
            .predictions,
            Array("{\"project\":\"shapes\",\"sample\":{\"id\":\"s1\",\"group\":\(group)}}".utf8)
        )
        try pipeline.makeIntake().settle()
        #expect(try candidates(pipeline).isEmpty)
        let deadLetters = pipeline.cluster.committed(pipeline.topics[.deadLetters])
        #expect(deadLetters.count == 1)
    }
}
