import Acquisition
import Datasets
import Events
import Flywheel
import Labeling
import Rollout
import Tables
import Testing
import Vocabulary

@Suite("A suspicion in a project: labels are queried first, and decide")
struct SuspicionEntryTests {
    private struct Stand {
        var state = ProjectState(project: ProjectID("pets"))
        var now: Int64 = 1_000
        var decided: [Decision.Body] = []
        private var count = 0

        /// Prepares a project in which v2 replaced v1, whose users rejected one in ten, and candidates of the pool and
        /// of the audit sample wait.
        init(verification: Int = 40) {
            var acquisition = AcquisitionPolicy(
                batchSize: 4,
                poolCapacity: 40,
                openTaskLimit: 8,
                auditShare: 0.2,
                votes: 400,
                window: 86_400_000,
                maximumWait: 2_000
            )
            (acquisition.edition, acquisition.auditFirst) = (2, 0)
            let usual = configuration()
            apply(
                .configured(
                    ProjectConfiguration(
                        project: usual.project,
                        revision: 1,
                        partition: 0,
                        schema: usual.schema,
                        acquisition: acquisition,
                        labeling: LabelingPolicy(minimumVotes: 1, maximumVotes: 1),
                        rollout: RolloutPolicy(
                            minimumShadow: 0,
                            userWindow: 1_000,
                            bound: .challenger,
                            verification: verification
                        )
                    )
                )
            )
            let start = StreamTime(milliseconds: 0)
            for number in 1...2 {
                let model = ReleasedModel(
                    version: ModelVersion("v\(number)"),
                    artifact: ArtifactReference(uri: "file:///m", size: 1, sha256: String(repeating: "0", count: 64)),
                    datasetVersionNumber: number,
                    newestSampleAt: start
                )
                _ = state.rollout.register(model, policy: .init(), at: start)
                if number == 1 { for user in 0..<50 { feedback(by: user, user % 10 == 0) } }
            }
            for number in 0..<100 {
                for (version, answer) in [("v1", 1), ("v2", 0)] {
                    state.rollout.predicted(
                        .choice(ClassIndex(answer)),
                        of: SampleID("before-\(number)"),
                        by: ModelVersion(version),
                        draw: 0.5,
                        isLive: true,
                        at: start
                    )
                }
                state.rollout.labelled(SampleID("before-\(number)"), .choice(ClassIndex(0)), at: start)
            }
            _ = state.rollout.promoteIfBetter(policy: RolloutPolicy(minimumShadow: 0, bound: .challenger))
        }

        var champion: String? { state.rollout.roles.value.champion?.version.rawValue }
        var open: [(id: TaskID, purpose: TaskPurpose)] {
            state.labeling.open.sortedRows.map { ($0.key, $0.value.selection.purpose) }
        }
        var notices: [Notice.Kind] {
            decided.compactMap { if case .notice(let notice) = $0 { notice.kind } else { nil } }
        }

        mutating func apply(_ body: JournalEntry.Body) {
            let entry = JournalEntry(project: ProjectID("pets"), body: body)
            decided += state.apply(entry, appendedAt: StreamTime(milliseconds: now)).map(\.body)
        }

        mutating func feedback(by user: Int, _ isNegative: Bool, of sample: String = "f") {
            count += 1
            apply(
                .feedback(
                    Feedback(
                        key: UInt64(count),
                        sample: SampleID(sample),
                        modelVersion: ModelVersion(champion ?? ""),
                        user: UserDigest("u\(user)"),
                        verdict: isNegative ? .rejection : .confirmation,
                        answer: nil
                    )
                )
            )
        }

        /// Six accounts reject repeatedly, taking the samples in turn.
        mutating func raid(of samples: [String] = ["f"]) {
            for round in 0..<40 {
                for user in 100..<106 { feedback(by: user, true, of: samples[(round * 6 + user) % samples.count]) }
                now += 1_000
            }
        }

        /// Adds a candidate that Intake forwarded only because of its name.
        mutating func predictDisputed(_ sample: String, by version: String = "v2") {
            let output = ClassDistribution([
                .init(label: ClassIndex(0), probability: 0.9), .init(label: ClassIndex(1), probability: 0.1),
            ])
            apply(
                .candidate(
                    Candidate(
                        sample: Sample(id: SampleID(sample), content: .uri("https://x.example/\(sample)")),
                        output: output.map(Output.choice),
                        model: ModelReference(name: "m", version: ModelVersion(version)),
                        score: 0.1,
                        auditProbability: nil,
                        auditDraw: 0.9,
                        predictedAt: StreamTime(milliseconds: now),
                        isBelowThreshold: true
                    )
                )
            )
        }

        /// Adds twenty candidates of the pool and `audit` of the audit sample; the champion predicts the first class
        /// for all.
        mutating func predict(audit: Int) {
            for number in 0..<20 + audit {
                let isAudit = number >= 20
                count += 1
                let output = ClassDistribution([
                    .init(label: ClassIndex(0), probability: 0.7), .init(label: ClassIndex(1), probability: 0.3),
                ])
                apply(
                    .candidate(
                        Candidate(
                            sample: Sample(id: SampleID("s\(count)"), content: .uri("https://x.example/\(count)")),
                            output: output.map(Output.choice),
                            model: ModelReference(name: "m", version: ModelVersion(champion ?? "")),
                            score: 0.3,
                            auditProbability: isAudit ? 0.2 : nil,
                            auditDraw: isAudit ? 0.1 : 0.9,
                            predictedAt: StreamTime(milliseconds: now)
                        )
                    )
                )
            }
            now += 3_000
            apply(.tick(ChainMark(entryNumber: state.position.value.entryNumber, digest: "")))
        }

        /// Answers the open tasks until none is open.
        mutating func answer(_ answer: Int) {
            var rounds = 0
            while let task = open.first, rounds < 200 {
                rounds += 1
                let outcome = Annotation.Outcome.answer(.choice(ClassIndex(answer)))
                apply(.annotation(Annotation(task: task.id, annotator: AnnotatorID("a"), outcome: outcome)))
            }
        }
    }

    /// Numbers of audit tasks and of other tasks among all that were opened.
    private static func tasks(_ stand: Stand) -> (audit: Int, others: Int) {
        var purposes: [TaskID: TaskPurpose] = [:]
        for case .task(let task) in stand.decided { purposes[task.id] = task.purpose }
        let audit = purposes.count { $0.value == .audit }
        return (audit, purposes.count - audit)
    }

    @Test("A raid is reported, audit samples are queried before others, and right answers clear the champion")
    func cleared() {
        var stand = Stand()
        #expect(stand.champion == "v2")
        stand.raid()
        #expect(stand.notices == [.feedbackRaid])
        #expect(stand.state.rollout.isSuspected)
        stand.predict(audit: 30)
        // Audit tasks fill the limit of open tasks, except for those that the first tick had opened.
        #expect(stand.open.count { $0.purpose == .audit } >= 4, "\(stand.open.map(\.purpose))")
        for _ in 0..<12 where stand.state.rollout.isSuspected {
            stand.answer(0)
            stand.predict(audit: 4)
        }
        #expect(!stand.state.rollout.isSuspected)
        #expect(stand.champion == "v2")
        #expect(stand.notices.count { $0 == .feedbackRaid } == 2)
        #expect(!stand.notices.contains(.rolledBack))
        let found = Self.tasks(stand)
        #expect((20...28).contains(found.audit), "\(found)")
        // Without a suspicion a fifth of all tasks are audit tasks.
        var calm = Stand()
        calm.predict(audit: 30)
        for _ in 0..<6 {
            calm.answer(0)
            calm.predict(audit: 4)
        }
        let usual = Self.tasks(calm)
        #expect(usual.audit * 3 < usual.others, "\(usual)")
        #expect(found.audit * 2 > found.others, "\(found)")
    }

    @Test("Wrong predictions of the champion roll it back, with a notice")
    func rolledBack() {
        var stand = Stand()
        stand.raid()
        stand.predict(audit: 30)
        for _ in 0..<12 where stand.champion == "v2" {
            stand.answer(1)
            stand.predict(audit: 4)
        }
        #expect(stand.champion == "v1")
        #expect(stand.notices.contains(.rolledBack))
        let releases = stand.decided.compactMap { if case .release(let release) = $0 { release } else { nil } }
        #expect(releases.last?.cause == .rolledBack && releases.last?.replaced == ModelVersion("v2"))
        #expect(!stand.state.rollout.isSuspected)
    }

    @Test(
        "Disputed samples are queried like audit samples, and their labels update trust but enter no dataset"
    )
    func disputed() {
        var stand = Stand()
        stand.predict(audit: 40)
        let pooled = stand.state.acquisition.pool.candidates.sortedKeys.map(\.rawValue)
        #expect(pooled.count >= 10)
        stand.raid(of: Array(pooled.prefix(4)) + ["unknown-1", "unknown-2", "unknown-3"])
        #expect(stand.state.rollout.isSuspected)
        let wanted = stand.state.rollout.verifications.sortedRows
        #expect(Set(wanted.map(\.key.rawValue)) == Set(pooled.prefix(4) + ["unknown-1", "unknown-2", "unknown-3"]))
        #expect(wanted.count { $1.prediction != nil } == 4)
        // Another version's prediction of a disputed sample is not the disputed prediction.
        stand.predictDisputed("unknown-1", by: "v1")
        stand.predictDisputed("unknown-2")
        #expect(stand.state.rollout.verifications[SampleID("unknown-1")]?.prediction == nil)
        #expect(stand.state.rollout.verifications[SampleID("unknown-2")]?.prediction == .choice(ClassIndex(0)))
        #expect(stand.state.acquisition.pool.candidates[SampleID("unknown-2")] == nil)
        for _ in 0..<12 where stand.state.rollout.isSuspected {
            stand.answer(0)
            stand.predict(audit: 4)
        }
        stand.answer(0)
        #expect(!stand.state.rollout.isSuspected && stand.champion == "v2")
        #expect(stand.state.rollout.verifications.isEmpty && stand.state.acquisition.verification.candidates.isEmpty)
        let queried = stand.state.acquisition.accounts.queried.sortedRows.filter { $1 == .verification }.map(\.key)
        #expect(Set(queried.map(\.rawValue)) == Set(pooled.prefix(4) + ["unknown-2"]))
        for sample in queried { #expect(stand.state.datasets.labels[sample] == nil) }
        var (withAuditReason, taskRecords, accepted) = (0, 0, 0)
        for body in stand.decided {
            switch body {
            case .task(let task) where queried.contains(task.sample.id):
                let text = String(decoding: task.jsonBytes, as: UTF8.self)
                if text.contains(#""purpose":"audit""#), text.contains(#""strategy":"audit""#) { withAuditReason += 1 }
                taskRecords += 1
            case .label(let fact) where queried.contains(fact.consensus.sample.id): accepted += 1
            default: break
            }
        }
        #expect(taskRecords >= 10 && withAuditReason == taskRecords && accepted == 0)
        // The raiders rejected correct predictions.
        let trusts = stand.state.rollout.trusts.sortedRows
        #expect(
            (3...6).contains(trusts.count) && trusts.allSatisfy { $1.contradicted > 0 && $1.weight < 1 },
            "\(trusts)"
        )
        let texts = stand.decided.compactMap { if case .notice(let notice) = $0 { notice.text } else { nil } }
        #expect(texts.contains { $0.contains("of 5 samples that users had rejected it had 0 wrong") }, "\(texts)")
    }

    @Test("Disputed samples with wrong predictions alone cause no rollback")
    func disputedWrong() {
        var stand = Stand()
        stand.predict(audit: 40)
        let pooled = stand.state.acquisition.pool.candidates.sortedKeys.map(\.rawValue)
        stand.raid(of: Array(pooled.prefix(8)))
        for _ in 0..<14 where stand.state.rollout.isSuspected {
            var rounds = 0
            while let task = stand.open.first, rounds < 200 {
                rounds += 1
                let answer = Annotation.Outcome.answer(.choice(ClassIndex(task.purpose == .verification ? 1 : 0)))
                let annotation = Annotation(task: task.id, annotator: AnnotatorID("a"), outcome: answer)
                stand.apply(.annotation(annotation))
            }
            stand.predict(audit: 4)
        }
        #expect(stand.champion == "v2" && !stand.state.rollout.isSuspected)
        #expect(stand.state.rollout.trusts.sortedRows.allSatisfy { $1.agreed > 0 && $1.weight == 1 })
    }

    @Test("A rollback drops unqueried disputed samples, and a label of a queried one still updates trust")
    func ends() {
        var stand = Stand()
        stand.predict(audit: 40)
        let pooled = stand.state.acquisition.pool.candidates.sortedKeys.map(\.rawValue)
        stand.raid(of: Array(pooled.prefix(8)))
        stand.answer(0)
        stand.predict(audit: 0)
        let open = stand.open.count { $0.purpose == .verification }
        let command = Command(
            id: "c",
            action: .rollBack(ModelVersion("v2")),
            by: "ada",
            reason: ""
        )
        stand.apply(.command(command))
        #expect(stand.champion == "v1" && !stand.state.rollout.isSuspected)
        #expect(stand.state.rollout.verifications.count == open)
        stand.predict(audit: 0)
        #expect(stand.state.acquisition.verification.candidates.isEmpty)
        stand.answer(0)
        #expect(stand.state.rollout.verifications.isEmpty)
        if open > 0 { #expect(!stand.state.rollout.trusts.isEmpty) }
    }

    @Test("Without tasks of its own, a suspicion waits for the labels of other tasks")
    func without() {
        var stand = Stand(verification: 0)
        stand.raid()
        #expect(stand.state.rollout.auditTasksWanted(RolloutPolicy(verification: 0)) == 0)
        stand.predict(audit: 30)
        let found = Self.tasks(stand)
        #expect(found.audit <= 2, "\(found)")
        #expect(stand.state.rollout.isSuspected)
    }

    @Test("With a voice in each of 65,536 buckets and all voices kept, the rows occupy less than 4 MB")
    func size() {
        var state = ProjectState(project: ProjectID("pets"))
        let moment = StreamTime(milliseconds: 1_767_225_600_000)
        for bucket in 0..<RolloutState.maximumBuckets {
            state.rollout.buckets[bucket] = UserBucket(windowStart: moment, serial: 1_000)
        }
        for slot in 0..<RolloutState.voiceCapacity {
            state.rollout.voices[slot] = Voice(bucket: 65_535, isNegative: false, weight: 0.333_333_333_333_333_3)
        }
        for slot in 0..<RolloutState.seenCapacity { state.rollout.seen[slot] = .max }
        var bytes = 0
        for row in Dump.rows(of: state) { bytes += row.key.utf8.count + (row.value?.count ?? 0) }
        #expect((1_000_000...4_000_000).contains(bytes), "\(bytes)")
        #expect(MemoryLayout<UserBucket>.size == 16)
    }
}
