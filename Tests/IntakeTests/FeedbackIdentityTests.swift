import Events
import Flywheel
import PipelineTesting
import StreamRuntime
import StreamTesting
import Testing
import Vocabulary

@Suite("Identity of feedback")
struct FeedbackIdentityTests {
    /// Before: feedback with source "0" and ids equal to later offsets made honest feedback without ids `duplicate`,
    /// ten of ten.
    @Test("No id that a producer chooses equals the position of feedback without one")
    func distinct() throws {
        let pipeline = try Pipeline()
        func feedback(_ head: String) -> [UInt8] {
            let body = #""project":"shapes","sample":"s","model":{"version":"v1"},"user":"u","verdict":"rejection"}"#
            return Array("{\(head)\(body)".utf8)
        }
        // Ids equal to later offsets, in both partitions, and forms that might be derived from them.
        var heads: [String] = []
        for source in ["0", "1", "p0"] {
            for id in 20..<40 { heads.append(#""source":"\#(source)","id":"\#(id)","#) }
        }
        heads += Array(repeating: "", count: 40)
        for head in heads { try pipeline.send(.feedback, feedback(head)) }
        try pipeline.makeIntake().settle()
        let keys = try pipeline.decoded(.journal) { try JournalEntry(json: $0) }.compactMap {
            if case .feedback(let feedback) = $0.body { feedback.key } else { nil }
        }
        #expect(keys.count == heads.count && Set(keys).count == heads.count, "\(keys)")
    }
}
