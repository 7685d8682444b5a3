import Acquisition
import Strategies
import Tables
import Testing
import Vocabulary

@Suite("Candidates forwarded by triggers")
struct TriggeredTests {
    let classes = 3

    func policy(_ change: (inout AcquisitionPolicy) -> Void = { _ in }) -> AcquisitionPolicy {
        freePolicy {
            $0.batchSize = 10
            $0.triggers = [
                Trigger(name: "low", condition: .role(.champion)),
                Trigger(name: "disputed", condition: .disagreement),
                Trigger(name: "overridden", condition: .overridden),
            ]
            change(&$0)
        }
    }

    func candidate(
        _ id: String,
        score: Double = 0.1,
        top: Int = 0,
        version: String = "v1",
        role: ModelRole = .champion,
        triggers: [String] = [],
        pendingTriggers: [String] = [],
        isBelow: Bool = true,
        metadata: String? = nil
    ) -> Candidate {
        Candidate(
            sample: Sample(
                id: SampleID(id),
                metadata: metadata.flatMap { SampleMetadata([.init(key: "source", value: $0)]) } ?? .none
            ),
            output: ClassDistribution([.init(label: ClassIndex(top), probability: 1)]).map(Output.choice),
            model: ModelReference(name: "m", version: ModelVersion(version), role: role),
            score: score,
            auditProbability: nil,
            auditDraw: 1,
            predictedAt: StreamTime(milliseconds: 0),
            triggers: triggers,
            pendingTriggers: pendingTriggers,
            isBelowThreshold: isBelow
        )
    }

    func feedback(_ id: String, _ verdict: Feedback.Verdict, version: String = "v1") -> Feedback {
        Feedback(
            key: 1,
            sample: SampleID(id),
            modelVersion: ModelVersion(version),
            user: UserDigest("u"),
            verdict: verdict,
            answer: nil
        )
    }

    func receive(
        _ candidate: Candidate,
        _ state: inout AcquisitionState,
        _ policy: AcquisitionPolicy,
        entry: UInt64 = 1
    ) {
        state.receive(candidate, modelVersionNumber: 1, classes: classes, policy: policy, context: context(entry))
    }

    @Test("Triggers query at most their share of a batch, and tasks name them")
    func share() {
        let policy = policy()
        var state = AcquisitionState()
        for number in 0..<30 {
            receive(candidate("p\(number)", score: 0.9, isBelow: false), &state, policy)
            receive(candidate("t\(number)", triggers: ["low"]), &state, policy)
        }
        #expect(state.pool.candidates.count == 30 && state.triggers.triggered.count == 30)
        let batch = state.batch(policy)
        #expect(batch.count == 10)
        let fired = batch.filter { $0.reason.strategy == TriggerSource.strategy }
        #expect(fired.count == 2 && fired.allSatisfy { $0.reason.triggers == ["low"] && $0.reason.propensity == 1 })
        #expect(batch.filter { $0.sample.id.rawValue.hasPrefix("p") }.allSatisfy { $0.reason.triggers.isEmpty })
        #expect(state.accounts.schedule.value.triggerTasks == 2 && state.accounts.schedule.value.acquisitionTasks == 10)
    }

    @Test("Across small batches triggers receive their share of all tasks", arguments: [0.2, 0.35])
    func smallBatches(share: Double) {
        let policy = policy {
            $0.batchSize = 1
            $0.triggerShare = share
        }
        var state = AcquisitionState()
        for number in 0..<200 {
            receive(candidate("p\(number)", isBelow: false), &state, policy)
            receive(candidate("t\(number)", triggers: ["low"]), &state, policy)
        }
        var fired = 0
        for entry in 1...100 {
            let batch = state.batch(policy, entry: UInt64(entry), at: Int64(entry) * 10_000)
            fired += batch.count { $0.reason.strategy == TriggerSource.strategy }
            #expect(Double(fired) <= share * Double(entry))
        }
        #expect(fired == Int(share * 100))
    }

    @Test("Without other candidates, triggers fill the whole batch; with a share of 0 they query nothing")
    func alone() {
        var state = AcquisitionState()
        for number in 0..<30 { receive(candidate("t\(number)", triggers: ["low"]), &state, policy()) }
        let none = policy { $0.triggerShare = 0 }
        #expect(state.batch(none).isEmpty)
        #expect(
            state.nextDeadline(openTasks: 0, votesPerTask: 1, policy: none).map { $0.milliseconds } ?? .max > 10_000
        )
        #expect(state.batch(policy()).count == 10)
    }

    @Test("The budget and the limit of open tasks hold for triggers, too")
    func limits() {
        let policy = policy {
            $0.votes = 3
            $0.openTaskLimit = 12
        }
        var state = AcquisitionState()
        for number in 0..<30 { receive(candidate("t\(number)", triggers: ["low"]), &state, policy) }
        #expect(state.batch(policy, openTasks: 3).isEmpty)
        #expect(state.batch(policy, entry: 3, at: 20_000).isEmpty)
        #expect(state.batch(policy, entry: 4, at: 30_000).count == 3)
        #expect(state.batch(policy, entry: 5, at: 40_000).isEmpty)
    }

    @Test("A quota holds for triggers and the pool together")
    func quotas() throws {
        let policy = policy {
            $0.votes = 20
            $0.slices = SlicePolicy(key: "source", share: LabelShare(millionths: 150_000))
        }
        var state = AcquisitionState()
        for number in 0..<20 {
            receive(candidate("p\(number)", isBelow: false, metadata: "a"), &state, policy)
            receive(candidate("t\(number)", triggers: ["low"], metadata: "a"), &state, policy)
        }
        #expect(state.batch(policy).count == 3)
        #expect(state.batch(policy, entry: 3, at: 20_000).isEmpty)
        let due = try #require(state.nextDeadline(openTasks: 0, votesPerTask: 1, policy: policy))
        #expect(due.milliseconds == policy.window)
    }

    @Test("Triggers are served in rotation")
    func turns() {
        let policy = policy()
        var state = AcquisitionState()
        for number in 0..<20 { receive(candidate("a\(number)", score: 0.9, triggers: ["low"]), &state, policy) }
        for number in 0..<20 { receive(candidate("b\(number)", triggers: ["overridden"]), &state, policy) }
        let batch = state.batch(policy)
        #expect(batch.count { $0.reason.triggers == ["low"] } == 5)
    }

    @Test("A disagreement of champion and challenger makes their sample a candidate; an agreement does not")
    func disagreement() throws {
        let policy = policy()
        for (top, isFired) in [(1, true), (0, false)] {
            for isChampionFirst in [true, false] {
                var state = AcquisitionState()
                let champion = candidate("s", top: 0, pendingTriggers: ["disputed"])
                let challenger = candidate(
                    "s",
                    top: top,
                    version: "v2",
                    role: .challenger,
                    pendingTriggers: ["disputed"]
                )
                receive(isChampionFirst ? champion : challenger, &state, policy)
                #expect(state.triggers.triggered.isEmpty && state.triggers.pending.count == 1)
                receive(isChampionFirst ? challenger : champion, &state, policy, entry: 2)
                #expect(state.triggers.triggered.isEmpty != isFired)
                guard isFired else { continue }
                let row = try #require(state.triggers.triggered[SampleID("s")])
                #expect(row.triggers == ["disputed"] && row.pooled.candidate.model?.role == .champion)
                #expect(state.triggers.pending.isEmpty)
                #expect(state.batch(policy).map(\.reason.triggers) == [["disputed"]])
            }
        }
    }

    @Test("A correction of the prediction makes its sample a candidate, once; of another prediction it does not")
    func override() {
        let policy = policy()
        var state = AcquisitionState()
        receive(candidate("s", pendingTriggers: ["overridden"]), &state, policy)
        for (id, verdict, version) in [
            ("s", Feedback.Verdict.confirmation, "v1"), ("s", .correction, "v2"), ("other", .correction, "v1"),
        ] {
            let feedback = feedback(id, verdict, version: version)
            state.receive(feedback, classes: classes, policy: policy, context: context(2))
            #expect(state.triggers.triggered.isEmpty)
        }
        for entry in 3...4 {
            state.receive(
                feedback("s", .correction),
                classes: classes,
                policy: policy,
                context: context(UInt64(entry))
            )
            #expect(state.triggers.triggered.count == 1 && state.triggers.pending.isEmpty)
        }
        #expect(state.batch(policy).map(\.reason.triggers) == [["overridden"]])
        state.receive(feedback("s", .correction), classes: classes, policy: policy, context: context(9))
        #expect(state.triggers.triggered.isEmpty)
    }

    @Test("An overridden sample of the pool is queried once, by either source")
    func poolAndTrigger() {
        let policy = policy()
        var state = AcquisitionState()
        for number in 0..<30 {
            receive(candidate("s\(number)", pendingTriggers: ["overridden"], isBelow: false), &state, policy)
            let rejection = feedback("s\(number)", .rejection)
            state.receive(rejection, classes: classes, policy: policy, context: context(2))
        }
        #expect(state.pool.candidates.count == 30 && state.triggers.triggered.count == 30)
        var ids: [String] = []
        for entry in 3...5 {
            let batch = state.batch(policy, entry: UInt64(entry), at: Int64(entry) * 10_000)
            #expect(batch.count == 10 && batch.allSatisfy { $0.reason.triggers == ["overridden"] })
            ids += batch.ids
        }
        #expect(
            Set(ids).count == 30 && state.pool.candidates.isEmpty && state.triggers.triggered.isEmpty
                && state.triggers.pending.isEmpty
        )
    }

    @Test("Triggers add neither samples of the audit sample nor queried samples")
    func audit() {
        let policy = policy {
            $0.auditShare = 0.5
            $0.auditFirst = 1
        }
        var state = AcquisitionState()
        let known = candidate("s", triggers: ["low"])
        receive(known, &state, policy)
        #expect(state.triggers.triggered.count == 1)
        let audited = Candidate(
            sample: known.sample,
            output: known.output,
            model: known.model,
            score: 0.1,
            auditProbability: 0.5,
            auditDraw: 0.1,
            predictedAt: StreamTime(milliseconds: 0)
        )
        receive(audited, &state, policy, entry: 2)
        #expect(state.triggers.triggered.isEmpty && state.audit.candidates.count == 1)
        receive(known, &state, policy, entry: 3)
        #expect(state.triggers.triggered.isEmpty)
        #expect(state.batch(policy, entry: 4).map(\.purpose) == [.audit])
        receive(known, &state, policy, entry: 5)
        #expect(state.triggers.triggered.isEmpty && state.pool.candidates.isEmpty)
    }

    @Test("Tables are bounded, and the oldest row is evicted")
    func bounds() {
        let policy = policy { $0.poolCapacity = 10 }
        var state = AcquisitionState()
        for number in 0..<50 {
            receive(candidate("t\(number)", triggers: ["low"]), &state, policy, entry: UInt64(number + 1))
            receive(candidate("a\(number)", pendingTriggers: ["disputed"]), &state, policy, entry: UInt64(number + 1))
        }
        #expect(state.triggers.triggered.count == 10 && state.triggers.pending.count == 10)
        #expect(state.triggers.triggered[SampleID("t49")] != nil && state.triggers.triggered[SampleID("t39")] == nil)
    }
}
