import Acquisition
import Events
import JSON
import Testing
import Vocabulary

@Suite("Rows of triggered candidates")
struct TriggeredCodecTests {
    @Test("A row keeps what is known of its prediction, and a row without it is still read")
    func facts() throws {
        let candidate = Candidate(
            sample: Sample(id: SampleID("s")),
            output: ClassDistribution([.init(label: ClassIndex(0), probability: 1)]).map(Output.choice),
            model: ModelReference(name: "m", version: ModelVersion("v1")),
            score: 0.5,
            auditProbability: nil,
            auditDraw: 1,
            predictedAt: StreamTime(milliseconds: 0)
        )
        for disagrees in [nil, false, true] {
            for isOverridden in [nil, false, true] {
                let row = TriggeredCandidate(
                    pooled: PooledCandidate(candidate: candidate, modelVersionNumber: 1),
                    triggers: ["a"],
                    pendingTriggers: ["b"],
                    entryNumber: 7,
                    disagrees: disagrees,
                    isOverridden: isOverridden
                )
                #expect(try JSONParser().withDocument(of: row.jsonBytes) { try TriggeredCandidate(json: $0) } == row)
                let text = String(decoding: row.jsonBytes, as: UTF8.self)
                #expect(text.contains("disagrees") == (disagrees != nil))
                #expect(text.contains("overridden") == (isOverridden != nil))
            }
        }
    }
}
