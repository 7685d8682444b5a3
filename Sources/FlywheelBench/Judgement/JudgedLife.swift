import Acquisition
import Kinds
import Rollout
import Statistics
import Tables
import Vocabulary

/// One simulated run of a project under judgement: challengers are registered, audit samples are queried and labelled,
/// and the reducers decide as in the worker.
struct JudgedLife {
    /// Result of one life.
    struct Outcome: Sendable {
        var promotions = 0
        /// Promotions from eras in which no challenger was better than the champion.
        var falsePromotions = 0
        /// Promotions of a model that is less accurate than the one it replaced.
        var worse = 0
        /// The largest share of false promotions ever reached.
        var falseShare = 0.0
        /// Audit labels before the first promotion that is not false.
        var firstLabel: Int?
        /// Audit labels before that promotion, counted from the challenger at which accuracies change.
        var firstAfterStep: Int?
        var labels = 0
        var duels = 0
        /// Accuracy of the newest challenger minus that of the champion, as a mean over challengers.
        var gap = 0.0
        /// Post-stratified accuracy of the serving models; nil if it is not measured.
        var accuracy: PostStratification.Estimate?
    }

    private let options: JudgementOptions
    private var generator: SplitMix64
    private var rollout = RolloutState()
    private var audit = AuditSource()
    private var accounts = TaskAccounts()
    private let acquisitionPolicy: Boxed<AcquisitionPolicy>
    private var outcome = Outcome()
    /// Every model that may serve again, by version.
    private var models: [ModelVersion: JudgedModel] = [:]
    private var champion: JudgedModel
    private var challenger: JudgedModel?
    /// The best challenger of the running era.
    private var bestOfEra = -1.0
    private var items: [SampleID: JudgedItem] = [:]
    private var labelled: [(item: JudgedItem, label: Label)] = []
    /// With `--coverage`, the champion's answer for each sample, and the origin of the sample's query.
    private var served: [SampleID: (answer: Label, origin: AuditOrigin?)] = [:]
    private var scored: [(cell: PostStratification.Cell, value: Double)] = []
    private var open: [JudgedItem] = []
    private var number = 0
    private var stepLabel: Int?

    init(_ options: JudgementOptions, seed: UInt64) {
        self.options = options
        generator = SplitMix64(seed: seed)
        champion = JudgedModel(
            0,
            options.accuracy(of: 0, champion: options.accuracy, 0),
            difference: options.difference,
            isFirstBetter: generator.next(below: 2) == 0 || options.measuresCoverage
        )
        var policy = AcquisitionPolicy()
        policy.auditCutoff = 1
        acquisitionPolicy = Boxed(policy)
        models[champion.version] = champion
        _ = rollout.register(Self.released(champion, 1), policy: options.policy, at: StreamTime(milliseconds: 0))
    }

    mutating func run() -> Outcome {
        for number in 1...options.challengers {
            if options.accuracyStep?.challenger == number { stepLabel = outcome.labels }
            let start = Int64(number - 1) * JudgementOptions.period
            let newest = trainChallenger(number, at: StreamTime(milliseconds: start))
            let (count, labels) = (JudgementOptions.candidates, options.labelsEach)
            var queried = 0
            for candidate in 0..<count {
                let time = start + Int64(candidate) * JudgementOptions.period / Int64(count)
                predict(at: StreamTime(milliseconds: time))
                while queried < labels, (candidate + 1) * labels >= (queried + 1) * count {
                    queried += 1
                    openTask(at: StreamTime(milliseconds: time))
                }
            }
            outcome.gap += newest - champion.accuracy
            if options.rollbackEvery > 0, number % options.rollbackEvery == 0 { rollBack() }
            commit()
        }
        outcome.gap /= Double(options.challengers)
        if options.measuresCoverage {
            outcome.accuracy = PostStratification(candidates: rollout.candidateCounts).mean(of: scored)
        }
        return outcome
    }

    private static func released(_ model: JudgedModel, _ versionNumber: Int) -> ReleasedModel {
        ReleasedModel(
            version: model.version,
            artifact: ArtifactReference(uri: "file:///model", size: 1, sha256: ""),
            datasetVersionNumber: versionNumber,
            newestSampleAt: StreamTime(milliseconds: 0)
        )
    }

    /// Simulates the trainer's next model, the best of its trials on the labels that it knows, and its report.
    ///
    /// - Returns: The accuracy of the model.
    private mutating func trainChallenger(_ number: Int, at time: StreamTime) -> Double {
        let accuracy = options.accuracy(of: number, champion: champion.accuracy, generator.nextNormal())
        var best: (model: JudgedModel, answers: [Label], score: Int)?
        for _ in 0..<options.trials {
            let model = JudgedModel(
                number,
                accuracy,
                difference: options.difference,
                isFirstBetter: generator.next(below: 2) == 0 || options.measuresCoverage
            )
            let answers = labelled.map { item, label in
                options.hasOracle ? label : model.answer(item, &generator)
            }
            let score = zip(answers, labelled).count { $0 == $1.label }
            if best.map({ score > $0.score }) ?? true { best = (model, answers, score) }
        }
        guard let best else { return accuracy }
        models[best.model.version] = best.model
        adoptChallenger(rollout.register(Self.released(best.model, number + 1), policy: options.policy, at: time))
        for (answer, known) in zip(best.answers, labelled) {
            rollout.predicted(answer, of: known.item.id, by: best.model.version, draw: 0, isLive: false, at: time)
        }
        judge(at: time)
        return accuracy
    }

    /// Adopts another challenger, if a release names it.
    private mutating func adoptChallenger(_ release: ModelRelease?) {
        guard let version = release?.challenger?.version, let model = models[version] else { return }
        challenger = model
        bestOfEra = max(bestOfEra, model.accuracy)
    }

    /// Simulates the service's prediction of the next sample of the audit draw by the champion, and by the challenger
    /// beside it.
    private mutating func predict(at time: StreamTime) {
        number += 1
        let kind =
            options.measuresCoverage
            ? Int(time.milliseconds / JudgementOptions.period) % 2
            : options.runLength == 0 ? 0 : outcome.labels / options.runLength % 2
        let item = JudgedItem(id: SampleID("s\(number)"), difficulty: generator.nextNormal(), kind: kind)
        items[item.id] = item
        let draw = generator.nextUnit()
        let answer = champion.answer(item, &generator)
        let candidate = Candidate(
            sample: Sample(id: item.id),
            output: nil,
            model: ModelReference(name: "m", version: champion.version, role: .champion),
            score: 0,
            auditProbability: 1,
            auditDraw: draw,
            predictedAt: time
        )
        audit.receive(PooledCandidate(candidate: candidate, modelVersionNumber: 1), context(time))
        if options.measuresCoverage { served[item.id] = (answer, nil) }
        applyPrediction(answer, by: champion, on: item, draw: draw, at: time)
        guard let challenger else { return }
        let other = challenger.answer(item, &generator)
        let isWrong = other != .choice(ClassIndex(0))
        if isWrong, options.omittedShare > 0, generator.nextUnit() < options.omittedShare { return }
        applyPrediction(other, by: challenger, on: item, draw: draw, at: time)
    }

    private mutating func applyPrediction(
        _ answer: Label,
        by model: JudgedModel,
        on item: JudgedItem,
        draw: Double,
        at time: StreamTime
    ) {
        rollout.predicted(answer, of: item.id, by: model.version, draw: draw, isLive: true, at: time)
        let version = model.version
        let isWanted = !audit.hasEnoughDuels(context(time).audit)
        if let pairing = rollout.pair(
            item.id,
            predictedBy: version,
            policy: options.policy,
            isWanted: isWanted,
            at: time
        ) {
            audit.note(item.id, pairing)
            rollout.countCandidate(item.id, pairing)
        }
        judge(at: time)
    }

    private func context(_ time: StreamTime) -> SelectionContext {
        SelectionContext(
            policy: acquisitionPolicy,
            audit: AuditQueryRules(
                currentPair: rollout.currentPair,
                duels: options.policy.duels,
                wait: options.policy.shadowWait
            ),
            entry: EntryContext(project: ProjectID("p"), entryNumber: 1, time: time, seed: 0)
        )
    }

    /// Opens a task; if the maximum number of tasks is open, one of them is answered.
    private mutating func openTask(at time: StreamTime) {
        // A sample that is predicted at this very time is not queried yet.
        guard let selection = audit.select(1, &accounts, context(time)).first, let item = items[selection.sample.id]
        else { return }
        audit.drop(item.id)
        if let origin = selection.audit {
            rollout.opened(item.id, isDuel: origin.isDuel, at: time)
            rollout.noteQueried(item.id, origin)
            served[item.id]?.origin = origin
        }
        if selection.audit?.isDuel ?? false { outcome.duels += 1 }
        open.append(item)
        guard open.count >= options.openTaskLimit else { return }
        let index = options.openTaskLimit == 1 ? 0 : generator.next(below: open.count)
        let answered = open.remove(at: index)
        items[answered.id] = nil
        let isNoisy = options.labelNoise > 0 && generator.nextUnit() < options.labelNoise
        let label = Label.choice(ClassIndex(isNoisy ? 1 + generator.next(below: 2) : 0))
        outcome.labels += 1
        labelled.append((answered, label))
        if let prediction = served.removeValue(forKey: answered.id), let origin = prediction.origin {
            let cell = PostStratification.Cell(stratum: origin.stratum.index, day: origin.day)
            scored.append((cell, prediction.answer.agreement(with: label)))
        }
        rollout.labelled(answered.id, label, at: time)
        rollout.closed(answered.id, label: label, policy: options.policy)
        judge(at: time)
    }

    private mutating func judge(at time: StreamTime) {
        if let release = rollout.promoteIfBetter(policy: options.policy),
            let promoted = models[release.champion.version]
        {
            if release.cause == .promoted { count(promoted) }
            champion = promoted
            challenger = nil
            bestOfEra = -1
        }
        adoptChallenger(rollout.admitWaiting(policy: options.policy, at: time))
    }

    private mutating func count(_ promoted: JudgedModel) {
        let isFalse = bestOfEra <= champion.accuracy
        outcome.promotions += 1
        if isFalse { outcome.falsePromotions += 1 }
        if promoted.accuracy < champion.accuracy { outcome.worse += 1 }
        outcome.falseShare = max(
            outcome.falseShare,
            Double(outcome.falsePromotions) / Double(outcome.promotions)
        )
        guard !isFalse else { return }
        outcome.firstLabel = outcome.firstLabel ?? outcome.labels
        if let stepLabel, outcome.firstAfterStep == nil { outcome.firstAfterStep = outcome.labels - stepLabel }
    }

    /// Rolls back the champion, as an operator.
    private mutating func rollBack() {
        let evidence = Evidence.command(id: "c", by: "operator", reason: "bench")
        guard case .success(let release) = rollout.rollBack(from: champion.version, evidence: evidence),
            let former = models[release.champion.version]
        else { return }
        champion = former
        bestOfEra = challenger?.accuracy ?? -1
    }

    /// Removes state that is not needed, as a commit does.
    private mutating func commit() {
        rollout.rows.commit()
        rollout.openings.commit()
        rollout.bets.commit()
        rollout.era.commit()
        rollout.pairs.commit()
        rollout.roles.commit()
        rollout.candidates.commit()
        audit.candidates.commit()
        audit.pairings.commit()
        guard items.count > 2_000 else { return }
        let openIDs = Set(open.map(\.id))
        for id in items.keys where audit.candidates[id] == nil && !openIDs.contains(id) {
            items[id] = nil
            served[id] = nil
        }
    }
}
