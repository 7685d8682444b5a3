import Acquisition
import Flywheel
import Labeling
import Rollout
import Strategies
import Tables
import Testing
import Training
import Vocabulary

@Suite("Notices of missing events")
struct IdlenessTests {
    private struct Stand {
        var state = ProjectState(project: ProjectID("pets"))
        var now: Int64 = 1_000
        private var count = 0

        init(_ change: (inout AcquisitionPolicy) -> Void = { _ in }, votes: Int = 400, maximumVotes: Int = 1) {
            var acquisition = AcquisitionPolicy(
                batchSize: 4,
                poolCapacity: 40,
                openTaskLimit: 8,
                auditShare: 0.2,
                votes: votes,
                window: 86_400_000,
                maximumWait: 2_000
            )
            acquisition.auditFirst = 0
            change(&acquisition)
            let usual = configuration()
            configure(
                ProjectConfiguration(
                    project: usual.project,
                    revision: 1,
                    partition: 0,
                    schema: usual.schema,
                    acquisition: acquisition,
                    labeling: LabelingPolicy(minimumVotes: 1, maximumVotes: maximumVotes),
                    rollout: RolloutPolicy(minimumShadow: 12)
                )
            )
        }

        mutating func configure(_ revision: ProjectConfiguration) { _ = apply(.configured(revision)) }

        mutating func apply(_ body: JournalEntry.Body) -> [Decision.Body] {
            let entry = JournalEntry(project: ProjectID("pets"), body: body)
            return state.apply(entry, appendedAt: StreamTime(milliseconds: now)).map(\.body)
        }

        /// Adds a candidate of the pool or of the audit sample.
        mutating func predict(_ version: String = "v1", audit: Bool = false, triggers: [String] = []) -> [Decision.Body]
        {
            count += 1
            let candidate = Candidate(
                sample: Sample(
                    id: SampleID("s\(count)"),
                    metadata: SampleMetadata([.init(key: "shelter", value: "north")]) ?? .none
                ),
                output: ClassDistribution([
                    .init(label: ClassIndex(0), probability: 0.5), .init(label: ClassIndex(1), probability: 0.5),
                ]).map(Output.choice),
                model: ModelReference(name: "m", version: ModelVersion(version)),
                score: 0.5,
                auditProbability: audit ? 0.2 : nil,
                auditDraw: 0.1,
                predictedAt: StreamTime(milliseconds: now)
            )
            return apply(.candidate(candidate))
        }

        /// Adds a tally of predictions that Intake counted and did not forward.
        mutating func tally() -> [Decision.Body] {
            apply(
                .tally([
                    Tally(
                        modelVersion: ModelVersion("v1"),
                        role: .champion,
                        predictions: 20,
                        feedback: 0,
                        negative: 0,
                        forwarded: 0
                    )
                ])
            )
        }

        /// Texts of the notices of a kind with the number of the step, while an event occurs in every step, by default
        /// every second.
        mutating func notices(
            _ kind: Notice.Kind,
            seconds: Int,
            every step: Int64 = 1_000,
            _ event: (inout Stand, Int) -> [Decision.Body]
        ) -> [(second: Int, text: String)] {
            var reported: [(Int, String)] = []
            for second in 0..<seconds {
                now += step
                for case .notice(let notice) in event(&self, second) where notice.kind == kind {
                    reported.append((second, notice.text))
                }
            }
            return reported
        }
    }

    @Test("Traffic without any forwarded record is reported within 80 s, and again only after an hour")
    func noCandidate() {
        var stand = Stand()
        let reported = stand.notices(.nothingQueried, seconds: 7_000) { stand, _ in stand.tally() }
        #expect(reported.map { $0.second / 80 } == [0, reported.count > 1 ? reported[1].second / 80 : 0])
        #expect(reported.count == 2 && (3_600...3_700).contains(reported[1].second - reported[0].second))
        #expect(reported.allSatisfy { $0.text.contains("no sample waits") })
        #expect(stand.state.obstacle?.contains("no sample waits") == true)
    }

    /// Before: each was reported again whenever another had been reported in between.
    @Test("Alternating obstacles are each reported once an hour")
    func turns() {
        var stand = Stand({ $0.auditShare = 0 })
        let reported = stand.notices(.nothingQueried, seconds: 3_000) { stand, second in
            guard second / 100 % 2 == 0 else {
                var bodies: [Decision.Body] = []
                for task in stand.state.labeling.open.sortedKeys {
                    let answer = Annotation.Outcome.answer(.choice(ClassIndex(0)))
                    bodies += stand.apply(
                        .annotation(Annotation(task: task, annotator: AnnotatorID("a"), outcome: answer))
                    )
                }
                return bodies + stand.tally()
            }
            return stand.predict()
        }
        #expect(Set(reported.map(\.text.count)).count == reported.count || reported.count <= 2, "\(reported)")
        #expect(reported.count == 2 && reported[0].text != reported[1].text, "\(reported)")
    }

    @Test("Without answers the notice names the limit of open tasks, and with answers there is no notice")
    func openTasks() {
        var stand = Stand()
        let reported = stand.notices(.nothingQueried, seconds: 120) { stand, _ in stand.predict() }
        #expect(reported.count == 1 && reported[0].text.contains("open_task_limit, 8"), "\(reported)")

        var answered = Stand()
        let quiet = answered.notices(.nothingQueried, seconds: 600) { stand, _ in
            var bodies = stand.predict()
            if let task = stand.state.labeling.open.sortedKeys.first {
                let annotation = Annotation(
                    task: task,
                    annotator: AnnotatorID("a"),
                    outcome: .answer(.choice(ClassIndex(0)))
                )
                bodies += stand.apply(.annotation(annotation))
            }
            return bodies
        }
        #expect(quiet.isEmpty, "\(quiet)")
    }

    @Test("A notice names the cause: only audit samples, slices at their quota, a small budget, or a long maximum wait")
    func reasons() {
        var audited = Stand()
        let shares = audited.notices(.nothingQueried, seconds: 200) { stand, _ in stand.predict(audit: true) }
        #expect(shares.count == 1 && shares[0].text.contains("of the audit sample (acquisition.audit_share)"))

        var sliced = Stand({ policy in
            let share = LabelShare(millionths: 10_000)
            policy.slices = SlicePolicy(key: "shelter", share: share, newShare: share, newFor: 0)
            policy.auditShare = 0
        })
        let quotas = sliced.notices(.nothingQueried, seconds: 400) { stand, _ in
            var bodies = stand.predict()
            for task in stand.state.labeling.open.sortedKeys {
                let annotation = Annotation(
                    task: task,
                    annotator: AnnotatorID("a"),
                    outcome: .answer(.choice(ClassIndex(0)))
                )
                bodies += stand.apply(.annotation(annotation))
            }
            return bodies
        }
        #expect(quotas.count == 1 && quotas[0].text.contains("acquisition.slices"), "\(quotas)")

        var poor = Stand(votes: 2, maximumVotes: 3)
        let budget = poor.notices(.nothingQueried, seconds: 120) { stand, _ in stand.predict() }
        #expect(budget.count == 1 && budget[0].text.contains("no window's budget holds one task"))

        var patient = Stand({ $0.maximumWait = 7_200_000 })
        let maximumWait = patient.notices(.nothingQueried, seconds: 120) { stand, _ in stand.predict() }
        #expect(maximumWait.count == 1 && maximumWait[0].text.contains("acquisition.patience"), "\(maximumWait)")
    }

    @Test("A spent budget has its own notice; rare traffic and edition 1 have no notice")
    func silence() {
        var spent = Stand(votes: 4)
        let budget = spent.notices(.nothingQueried, seconds: 300) { stand, _ in
            var bodies = stand.predict()
            for task in stand.state.labeling.open.sortedKeys {
                let annotation = Annotation(
                    task: task,
                    annotator: AnnotatorID("a"),
                    outcome: .answer(.choice(ClassIndex(0)))
                )
                bodies += stand.apply(.annotation(annotation))
            }
            return bodies
        }
        #expect(budget.isEmpty, "\(budget)")
        #expect(spent.state.obstacle?.contains("budget is spent") == true)

        // With one tally in two minutes, each tally follows a silence.
        var rare = Stand()
        #expect(rare.notices(.nothingQueried, seconds: 200, every: 120_000) { stand, _ in stand.tally() }.isEmpty)

        var old = Stand({ $0.edition = 1 })
        #expect(old.notices(.nothingQueried, seconds: 300) { stand, _ in stand.tally() }.isEmpty)
        #expect(old.state.acquisition.accounts.idleness.value == IdleWatch())
    }

    @Test("A challenger that no service runs is reported once, when the champion has made the predictions it needs")
    func nobodyShadows() {
        func model(_ version: String) -> ReleasedModel {
            let artifact = ArtifactReference(uri: "s3://m/x", size: 7, sha256: String(repeating: "a", count: 64))
            return ReleasedModel(
                version: ModelVersion(version),
                artifact: artifact,
                datasetVersionNumber: 1,
                newestSampleAt: StreamTime(milliseconds: 1)
            )
        }
        for isServed in [false, true] {
            var stand = Stand()
            for version in ["v1", "v2"] {
                _ = stand.state.rollout.register(model(version), policy: .init(), at: StreamTime(milliseconds: 1))
            }
            if isServed { _ = stand.predict("v2", audit: true) }
            let reported = stand.notices(.nobodyShadows, seconds: 40) { stand, _ in stand.predict("v1", audit: true) }
            #expect(reported.map(\.second) == (isServed ? [] : [11]))
            #expect(reported.allSatisfy { $0.text.contains("v2 shadows") && $0.text.contains("12 of them") })
            guard !isServed else { continue }
            // Further challengers within the hour are not reported.
            _ = stand.state.rollout.register(model("v3"), policy: .init(), at: StreamTime(milliseconds: 1))
            #expect(stand.notices(.nobodyShadows, seconds: 40) { $0.predict("v1", audit: $1 >= 0) }.isEmpty)
            stand.now += 3_600_000
            _ = stand.state.rollout.register(model("v4"), policy: .init(), at: StreamTime(milliseconds: 1))
            let again = stand.notices(.nobodyShadows, seconds: 40) { stand, _ in stand.predict("v1", audit: true) }
            #expect(again.map(\.second) == [11])
        }
    }
}
