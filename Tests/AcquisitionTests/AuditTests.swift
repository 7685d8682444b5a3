import Acquisition
import Statistics
import Tables
import Testing
import Vocabulary

@Suite struct AuditTests {
    @Test(
        "Audit samples are asked in the order of their draws, whatever their scores",
        arguments: 0..<16 as Range<UInt64>
    )
    func order(seed: UInt64) {
        var generator = SplitMix64(seed: seed)
        let policy = freePolicy { $0.auditShare = 0.5 }
        var draws: [String: Double] = [:]
        var candidates: [Candidate] = []
        for number in 0..<120 {
            let draw = generator.nextUnit()
            draws["s\(number)"] = draw
            candidates.append(candidate("s\(number)", score: generator.nextUnit(), draw: draw, cutoff: 0.5))
        }
        var state = AcquisitionState(candidates, policy: policy)
        var asked: [Double] = []
        for round in 0..<40 as Range<UInt64> {
            for selection in state.batch(policy, entry: round, at: Int64(10_000 * (round + 1))) {
                let draw = draws[selection.sample.id.rawValue] ?? 1
                #expect((draw < 0.5) == (selection.purpose == .audit))
                if selection.purpose == .audit { asked.append(draw) }
            }
        }
        #expect(asked == draws.values.filter { $0 < 0.5 }.sorted())
    }

    @Test("The audit sample keeps its share of the tasks", arguments: [0.0, 0.1, 0.2, 0.5, 0.9])
    func share(share: Double) {
        let policy = freePolicy { $0.auditShare = share }
        var state = AcquisitionState()
        var (audit, all) = (0, 0)
        for round in 0..<60 {
            for number in 0..<20 {
                let draw = number % 2 == 0 ? 0.001 * Double(number) : 0.9
                state.receive(
                    candidate("s\(round)-\(number)", draw: draw, cutoff: 0.1),
                    modelOrdinal: 1,
                    policy: policy,
                    context: context(1)
                )
            }
            let batch = state.batch(policy, entry: UInt64(round), at: Int64(10_000 * (round + 1)))
            audit += batch.count { $0.purpose == .audit }
            all += batch.count
        }
        #expect(all > 100)
        // At 0.9 the audit sample's own size bounds it: 5 of 10 a batch, as many as training tasks.
        let expected = share > 0.5 ? 0.5 : share
        #expect(abs(Double(audit) / Double(all) - expected) < 0.03, "\(audit) of \(all)")
    }

    @Test("With nothing else to ask for the audit sample may fill a batch")
    func alone() {
        let policy = freePolicy { $0.auditShare = 0.1 }
        let candidates = (0..<8).map { candidate("s\($0)", draw: 0.01 * Double($0), cutoff: 0.1) }
        var state = AcquisitionState(candidates, policy: policy)
        #expect(state.batch(policy).ids == ["s0", "s1", "s2", "s3", "s4"])
    }

    @Test("A full audit sample keeps those drawn first")
    func capacity() {
        let policy = freePolicy()
        var generator = SplitMix64(seed: 3)
        var draws: [Double] = []
        var state = AcquisitionState()
        for number in 0..<(AuditSource.capacity * 2) {
            let draw = generator.nextUnit() * 0.1
            draws.append(draw)
            state.receive(
                candidate("s\(number)", draw: draw, cutoff: 0.1),
                modelOrdinal: 1,
                policy: policy,
                context: context(1)
            )
        }
        let kept = state.audit.candidates.sortedRows.map(\.value.candidate.auditDraw).sorted()
        #expect(kept == Array(draws.sorted().prefix(AuditSource.capacity)))
    }

    @Test("A sample of the audit sample stays there when the cut-off is lowered, and enters when it is raised")
    func movingCutoff() {
        let policy = freePolicy { $0.auditShare = 0.5 }
        var state = AcquisitionState()
        state.receive(candidate("s", draw: 0.08, cutoff: 0.1), modelOrdinal: 1, policy: policy, context: context(1))
        state.receive(candidate("s", draw: 0.08, cutoff: 0.05), modelOrdinal: 2, policy: policy, context: context(2))
        #expect(state.pool.candidates.isEmpty)
        #expect(state.audit.candidates.count == 1)
        // Its probability is still that with which it was drawn.
        #expect(state.audit.candidates[SampleID("s")]?.candidate.auditProbability == 0.1)

        state.receive(candidate("t", draw: 0.2, cutoff: 0.1), modelOrdinal: 1, policy: policy, context: context(3))
        #expect(state.pool.candidates.count == 1)
        state.receive(candidate("t", draw: 0.2, cutoff: 0.3), modelOrdinal: 1, policy: policy, context: context(4))
        #expect(state.pool.candidates.isEmpty)
        #expect(state.audit.candidates.count == 2)
        #expect(state.batch(policy).ids == ["s", "t"])
    }
}
