import Acquisition
import Strategies
import Tables
import Testing
import Vocabulary

extension TriggeredTests {
    @Test("A trigger on disagreement and correction fires once both are known, in any order")
    func both() throws {
        let policy = policy {
            $0.triggers = [Trigger(name: "both", condition: .all([.disagreement, .overridden]))]
        }
        enum Event { case champion, challenger, correction }
        for order in [
            [Event.champion, .challenger, .correction], [.champion, .correction, .challenger],
            [.challenger, .champion, .correction],
        ] {
            for (top, isFired) in [(1, true), (0, false)] {
                var state = AcquisitionState()
                for (position, event) in order.enumerated() {
                    #expect(state.triggers.triggered.isEmpty)
                    let entry = UInt64(position + 1)
                    switch event {
                    case .champion: receive(candidate("s", pendingTriggers: ["both"]), &state, policy, entry: entry)
                    case .challenger:
                        let other = candidate(
                            "s",
                            top: top,
                            version: "v2",
                            role: .challenger,
                            pendingTriggers: ["both"]
                        )
                        receive(other, &state, policy, entry: entry)
                    case .correction:
                        let correction = feedback("s", .correction)
                        state.receive(correction, classes: classes, policy: policy, context: context(entry))
                        // A confirmation in other feedback does not withdraw the correction.
                        let other = feedback("s", .confirmation)
                        state.receive(other, classes: classes, policy: policy, context: context(entry))
                    }
                }
                #expect(state.triggers.triggered.isEmpty != isFired, "\(order)")
                #expect(state.batch(policy).map(\.reason.triggers) == (isFired ? [["both"]] : []))
            }
        }
    }

    @Test("Feedback on one model's prediction is not applied to another's")
    func facts() {
        let policy = policy {
            $0.triggers = [Trigger(name: "both", condition: .all([.disagreement, .overridden]))]
        }
        var state = AcquisitionState()
        receive(candidate("s", version: "v2", role: .challenger, pendingTriggers: ["both"]), &state, policy)
        let correction = feedback("s", .correction, version: "v2")
        state.receive(correction, classes: classes, policy: policy, context: context(2))
        receive(candidate("s", top: 1, pendingTriggers: ["both"]), &state, policy, entry: 3)
        #expect(state.triggers.triggered.isEmpty && state.triggers.pending.count == 1)
    }

    @Test("If only triggers and the audit sample have candidates, each fills its share")
    func triggersAndAudit() {
        let policy = policy { $0.auditShare = 0.2 }
        var state = AcquisitionState()
        for number in 0..<30 {
            receive(candidate("t\(number)", triggers: ["low"]), &state, policy)
            let audited = Candidate(
                sample: Sample(id: SampleID("a\(number)")),
                output: nil,
                model: nil,
                score: 0.1,
                auditProbability: 0.5,
                auditDraw: 0.1,
                predictedAt: StreamTime(milliseconds: 0)
            )
            receive(audited, &state, policy)
        }
        let batch = state.batch(policy)
        #expect(batch.count { $0.purpose == .audit } == 2)
        #expect(batch.count { $0.reason.triggers == ["low"] } == 10)
    }

    @Test("Under a stream rule a triggered candidate within its share does not wait for a batch")
    func besideAStream() {
        let policy = policy {
            $0.triggerShare = 0.5
            $0.stream = StreamPolicy(strategy: .random, share: LabelShare(millionths: LabelShare.whole), burst: 10)
        }
        var state = AcquisitionState()
        func selectedIDs() -> [String] {
            let batch = state.selectBatch(
                openTasks: 0,
                votesPerTask: 1,
                newestVersionNumber: 0,
                unlearned: 0,
                policy: policy,
                context: context(2)
            )
            return batch.map(\.sample.id.rawValue)
        }
        receive(candidate("p", isBelow: false), &state, policy)
        #expect(selectedIDs() == ["p"])
        receive(candidate("t", triggers: ["low"]), &state, policy)
        #expect(selectedIDs() == ["t"])
        receive(candidate("u", triggers: ["low"]), &state, policy)
        #expect(selectedIDs() == [])
        receive(candidate("q", isBelow: false), &state, policy)
        #expect(Set(selectedIDs()) == ["q", "u"])
    }
}
