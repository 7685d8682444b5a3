import Acquisition
import Rollout
import Statistics
import Tables
import Testing
import Vocabulary

/// Simulated projects whose trainers predict for challengers, with the reducers that the loop runs.
@Suite("Projects without a better challenger, judged by predictions of trainers")
struct PredictedLivesTests {
    private static let question = Question.choice(LabelSchema(question: "?", classes: ["a", "b", "c"]))
    private static let policy = RolloutPolicy(minimumShadow: 2, provisional: 0, shadowWait: 60_000, predict: true)

    /// How a trainer behaves.
    struct Trainer: Sendable {
        /// The share of requests that it answers too late.
        var late = 0.0
        /// The share of wrong answers that the trainer omits.
        var silent = 0.0
        /// The accuracy of challengers; the champion's is 0.9.
        var accuracy = 0.9
    }

    /// Number of promotions in one project with twenty challengers and five labels each.
    private static func promotions(_ trainer: Trainer, seed: UInt64) -> Int {
        var generator = SplitMix64(seed: seed)
        var rollout = RolloutState()
        var (audit, accounts) = (AuditSource(), TaskAccounts())
        var acquisition = AcquisitionPolicy()
        acquisition.auditCutoff = 1
        let shared = Boxed(acquisition)
        var (now, number, promotions): (Int64, Int, Int) = (0, 0, 0)
        func context(_ rollout: RolloutState, _ now: Int64) -> SelectionContext {
            SelectionContext(
                policy: shared,
                audit: AuditQueryRules(
                    currentPair: rollout.currentPair,
                    duels: policy.duels,
                    wait: policy.shadowWait,
                    pendingPredictionLimit: 60
                ),
                entry: EntryContext(project: ProjectID("p"), entryNumber: 1, time: time(now), seed: 0)
            )
        }
        func answer(_ accuracy: Double) -> Label {
            let isRight = generator.nextUnit() < accuracy
            return .choice(ClassIndex(isRight ? 0 : 1 + generator.next(below: 2)))
        }
        _ = rollout.register(model(1), policy: policy, at: time(0))
        for challenger in 2...21 {
            _ = rollout.register(model(challenger), policy: policy, at: time(now))
            for round in 0..<5 {
                var batch: [(sample: String, challenger: Label?)] = []
                for _ in 0..<6 {
                    number += 1
                    now += 1_000
                    let id = SampleID("s\(number)")
                    guard let champion = rollout.roles.value.champion?.version else { continue }
                    let candidate = Candidate(
                        sample: Sample(id: id),
                        output: nil,
                        model: ModelReference(name: "m", version: champion),
                        score: 0,
                        auditProbability: 1,
                        auditDraw: generator.nextUnit(),
                        predictedAt: time(now)
                    )
                    audit.receive(PooledCandidate(candidate: candidate, modelVersionNumber: 1), context(rollout, now))
                    rollout.predicted(
                        answer(0.9),
                        of: id,
                        by: champion,
                        draw: candidate.auditDraw,
                        isLive: true,
                        trainersPredict: true,
                        at: time(now)
                    )
                    if let pairing = rollout.pair(id, predictedBy: champion, policy: policy, at: time(now)) {
                        audit.note(id, pairing)
                    }
                    let predicted = answer(trainer.accuracy)
                    let isLeftOut = predicted != .choice(ClassIndex(0)) && generator.nextUnit() < trainer.silent
                    batch.append((id.rawValue, isLeftOut ? nil : predicted))
                }
                guard let currentChallenger = rollout.roles.value.challenger else { continue }
                let name = "r\(challenger)-\(round)"
                rollout.request(
                    name,
                    batch.map(\.sample),
                    champion: Int(rollout.roles.value.champion?.datasetVersionNumber ?? 1),
                    challenger: currentChallenger.datasetVersionNumber,
                    deadline: now + policy.shadowWait
                )
                for entry in batch {
                    if let pairing = rollout.pairing(of: SampleID(entry.sample)) {
                        audit.note(SampleID(entry.sample), pairing)
                    }
                }
                let isLate = generator.nextUnit() < trainer.late
                if isLate { now += 2 * policy.shadowWait } else { receiveAnswers() }
                func receiveAnswers() {
                    let answers = batch.map { PredictedAnswer(sample: SampleID($0.sample), challenger: $0.challenger) }
                    let labels = PredictedLabels(request: RequestID(name), answers: answers)
                    guard case .success(let received) = rollout.receive(labels, under: question, policy: policy) else {
                        Issue.record("\(name) was refused")
                        return
                    }
                    for sample in received { rollout.pairing(of: sample).map { audit.note(sample, $0) } }
                }
                for selection in audit.select(1, &accounts, context(rollout, now)) {
                    audit.drop(selection.sample.id)
                    rollout.opened(selection.sample.id, isDuel: selection.audit?.isDuel ?? false, at: time(now))
                    if isLate { receiveAnswers() }
                    rollout.labelled(selection.sample.id, .choice(ClassIndex(0)), at: time(now))
                    rollout.closed(selection.sample.id, label: .choice(ClassIndex(0)), policy: policy)
                }
                guard rollout.promoteIfBetter(policy: policy) != nil else { continue }
                promotions += 1
                // Services give the same answers as the trainer, so the model is released live.
                for served in 0..<2 {
                    let id = SampleID("c\(number)-\(served)")
                    rollout.noteServed(id, by: currentChallenger.version, right, policy: policy, at: time(now))
                    rollout.request(
                        id.rawValue,
                        [id.rawValue],
                        champion: 1,
                        challenger: currentChallenger.datasetVersionNumber
                    )
                    _ = rollout.predict(id.rawValue, [(id.rawValue, right)], policy: policy)
                }
                _ = rollout.advance(policy: policy, at: time(now))
                #expect(rollout.canary == nil)
            }
        }
        return promotions
    }

    @Test(
        "Equal challengers win in no more projects than alpha allows, even if trainers are late or omit answers",
        arguments: [Trainer(), Trainer(late: 0.3), Trainer(silent: 0.5), Trainer(late: 0.2, silent: 0.9)]
    )
    func bound(trainer: Trainer) {
        let projects = 60
        let promoted = (0..<projects).count { Self.promotions(trainer, seed: UInt64($0)) > 0 }
        #expect(Double(promoted) <= 0.05 * Double(projects), "\(promoted) of \(projects)")
    }

    @Test("Better challengers are promoted in most projects")
    func power() {
        let better = Trainer(accuracy: 1)
        let promoted = (0..<20).count { Self.promotions(better, seed: UInt64($0)) > 0 }
        #expect(promoted >= 16, "\(promoted) of 20")
    }
}
