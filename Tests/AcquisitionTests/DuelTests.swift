import Acquisition
import Statistics
import Tables
import Testing
import Vocabulary

/// Context of a selection in which champion and challenger are distinguished.
private func context(
    _ policy: AcquisitionPolicy,
    standing: Int? = 1,
    duels: Double = 0.75,
    wait: Int64 = 60_000,
    at time: Int64 = 0,
    entry: UInt64 = 1
) -> SelectionContext {
    SelectionContext(
        policy: Boxed(policy),
        audit: AuditQueryRules(currentPair: standing, duels: duels, wait: wait),
        entry: AcquisitionTests.context(entry, at: time)
    )
}

private func pooled(_ id: String, draw: Double) -> PooledCandidate {
    PooledCandidate(candidate: candidate(id, draw: draw, cutoff: 1), modelVersionNumber: 1)
}

private func pairing(_ pair: Int?, _ stratum: AuditStratum, at time: Int64 = 0) -> AuditPairing {
    let time = StreamTime(milliseconds: time)
    return AuditPairing(enteredAt: time, pair: pair, fixedAt: time, stratum: stratum)
}

@Suite("Duels: part of the audit sample is queried where champion and challenger disagree")
struct DuelTests {
    private let policy = freePolicy { ($0.auditShare, $0.auditCutoff, $0.auditAge) = (0.5, 1, 86_400_000) }

    @Test("Three of four audit tasks are duels if there are enough; the rest follow the order of draws")
    func share() {
        var (source, accounts) = (AuditSource(), TaskAccounts())
        for number in 0..<100 {
            source.receive(pooled("s\(number)", draw: Double(number) / 100), context(policy))
            source.note(SampleID("s\(number)"), pairing(1, number < 60 ? .agree : .disagree))
        }
        let taken = source.select(40, &accounts, context(policy))
        let duels = taken.filter { $0.audit?.isDuel ?? false }
        #expect(duels.count == 30)
        #expect(duels.map(\.sample.id.rawValue) == (60..<90).map { "s\($0)" })
        let plain = taken.filter { !($0.audit?.isDuel ?? true) }
        #expect(plain.map(\.sample.id.rawValue) == (0..<10).map { "s\($0)" })
        #expect(plain.allSatisfy { $0.audit?.stratum == .agree } && duels.allSatisfy { $0.audit?.stratum == .disagree })
        // The task shows nothing except the probability of the draw.
        #expect(taken.allSatisfy { $0.reason.strategy == "audit" && $0.reason.inclusionProbability == 1 })
    }

    @Test("Without disagreement of the current pair, all tasks follow the order of draws and no duels accumulate")
    func none() {
        var (source, accounts) = (AuditSource(), TaskAccounts())
        for number in 0..<40 {
            source.receive(pooled("s\(number)", draw: Double(number) / 100), context(policy))
            source.note(SampleID("s\(number)"), pairing(2, .disagree))
        }
        let taken = source.select(20, &accounts, context(policy))
        #expect(taken.map(\.sample.id.rawValue) == (0..<20).map { "s\($0)" })
        #expect(taken.allSatisfy { $0.audit?.isDuel == false })
        for selection in taken { source.drop(selection.sample.id) }
        for number in 50..<60 {
            source.receive(pooled("s\(number)", draw: 0.9), context(policy))
            source.note(SampleID("s\(number)"), pairing(1, .disagree))
        }
        let next = source.select(4, &accounts, context(policy))
        #expect(next.count { $0.audit?.isDuel ?? false } <= 4)
        #expect(accounts.schedule.value.duelCredit <= 1)
    }

    @Test("A sample waits for its challenger's prediction, and a deadline bounds the wait")
    func waiting() {
        let policy = freePolicy {
            ($0.auditShare, $0.auditCutoff, $0.auditFirst, $0.maximumWait) = (0.5, 1, 20, 1_000)
        }
        var state = AcquisitionState()
        let first = context(policy, at: 0)
        state.receive(candidate("s", draw: 0.1, cutoff: 1), modelVersionNumber: 1, first)
        state.audit.note(SampleID("s"), pairing(1, .unknown))
        var entry: UInt64 = 2
        func batch(_ state: inout AcquisitionState, at time: Int64) -> [Selection] {
            entry += 1
            return state.selectBatch(context(policy, at: time, entry: entry))
        }
        #expect(batch(&state, at: 0).isEmpty && batch(&state, at: 5_000).isEmpty)
        #expect(state.nextDeadline(context(policy, at: 5_000)) == StreamTime(milliseconds: 60_000))
        var predicted = state
        predicted.audit.note(SampleID("s"), pairing(1, .agree))
        #expect(batch(&predicted, at: 6_000).map(\.audit?.stratum) == [.agree])
        let late = batch(&state, at: 60_000)
        #expect(late.map(\.audit?.stratum) == [.disagree] && state.audit.pairings.isEmpty)
    }

    @Test("Half of a full table is kept for disagreements of the current pair; agreements are evicted first")
    func capacity() {
        var source = AuditSource()
        var generator = SplitMix64(seed: 1)
        for number in 0..<2_000 {
            source.receive(pooled("s\(number)", draw: generator.nextUnit()), context(policy))
            source.note(SampleID("s\(number)"), pairing(1, number % 10 == 0 ? .disagree : .agree))
            #expect(source.candidates.count <= AuditSource.capacity)
            #expect(source.pairings.count <= source.candidates.count)
        }
        let differing = source.pairings.count { $1.stratum == .disagree }
        #expect(differing >= 100 && differing <= 102)
        // The newest candidate is kept, however high its draw.
        #expect(source.candidates[SampleID("s1999")] != nil)
    }

    @Test("Aged samples are queried only if no younger ones wait")
    func age() {
        var (source, accounts) = (AuditSource(), TaskAccounts())
        for number in 0..<10 {
            source.receive(pooled("old\(number)", draw: 0.01 * Double(number)), context(policy))
            source.note(SampleID("old\(number)"), pairing(nil, .unknown))
        }
        source.receive(pooled("new", draw: 0.9), context(policy))
        source.note(SampleID("new"), pairing(nil, .unknown, at: 90_000_000))
        let taken = source.select(3, &accounts, context(policy, at: 90_000_000))
        #expect(taken.map(\.sample.id.rawValue) == ["new", "old0", "old1"])
        #expect(taken.map(\.audit?.day) == [1, 0, 0])
    }
}
