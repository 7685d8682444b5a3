import Acquisition
import Datasets
import Flywheel
import Labeling
import Rollout
import Statistics
import Strategies
import Tables
import Training
import Vocabulary

/// An entry and the time at which it was appended.
struct Appended: Hashable, Sendable {
    let entry: JournalEntry
    let at: StreamTime
}

/// All external parties: services, users, annotators, trainers, the materializer, operators and the timer. Their
/// actions depend on the seed and the decisions that they receive.
struct Scenario {
    var generator: SplitMix64
    var state = ProjectState(project: ProjectID("pets"))
    var journal: [Appended] = []
    var decisions: [[Decision]] = []
    var now: Int64 = 1_000

    var openTasks: [LabelingTask] = []
    var trainingRequests: [TrainingRequest] = []
    var cuts: [VersionCut] = []
    /// Open requests for predictions, the newest last.
    var predictionRequests: [PredictionRequest] = []
    var isTrainerAway = false
    /// Whether the trainer sometimes answers late, in part or wrongly.
    var isTrainerSloppy = true
    /// How many more of twenty samples each model predicts correctly than the one before.
    var lead = 2
    var champion: ModelVersion?
    var challenger: ModelVersion?
    var count = 0

    init(seed: UInt64, votes: Int = 50) {
        self.init(
            seed: seed,
            first: configuration(votes: votes, variant: QueryVariant(seed: seed), predict: seed % 10 == 3)
        )
    }

    /// A scenario whose project begins with the given revision.
    init(seed: UInt64, first: ProjectConfiguration) {
        generator = SplitMix64(seed: seed)
        append(.engine(build: "1.0"))
        append(.configured(first))
    }

    /// Appends an entry, applies it, and reports the decisions to the parties concerned.
    mutating func append(_ body: JournalEntry.Body) {
        let entry = JournalEntry(project: ProjectID("pets"), body: body)
        // The broker's clock may step back; stream time does not.
        let appended = Appended(entry: entry, at: StreamTime(milliseconds: now - Int64(generator.next(below: 50))))
        journal.append(appended)
        let decided = state.apply(entry, appendedAt: appended.at)
        decisions.append(decided)
        for decision in decided { observe(decision.body) }
    }

    mutating func observe(_ decision: Decision.Body) {
        switch decision {
        case .task(let task):
            openTasks.removeAll { $0.id == task.id }
            if case .open = task.state { openTasks.append(task) }
        case .training(let request): trainingRequests.append(request)
        case .prediction(let request): predictionRequests.append(request)
        case .cut(let cut): cuts.append(cut)
        case .release(let release): (champion, challenger) = (release.champion.version, release.challenger?.version)
        case .label, .change, .transition, .notice, .refused: break
        }
    }

    mutating func run(entries: Int) {
        let end = journal.count + entries
        while journal.count < end { act() }
    }

    mutating func act() {
        now += Int64(generator.next(below: 400))
        count += 1
        if count == 850 || count == 870 { suppress() }
        if !predictionRequests.isEmpty, !isTrainerAway, generator.next(below: 3) > 0 { return answer() }
        switch generator.next(below: 24) {
        case 0..<7: predict()
        case 7..<13: annotate()
        case 20..<24: giveFeedback()
        case 13: if generator.next(below: 3) == 0 { append(.tally([tally(), unregisteredTally()])) }
        case 14, 15: giveFeedback()
        case 16: seal()
        case 17: train()
        case 18: if canChange, generator.next(below: 2) == 0 { change() } else { command() }
        default: tick()
        }
    }

    /// The true class of a sample.
    func truth(_ number: Int) -> Int { number * 7 % 3 }

    static func number(_ version: ModelVersion?) -> Int {
        version.flatMap { Int($0.rawValue.dropFirst()) } ?? 0
    }

    /// The class that a model predicts for a sample; later models are right more often.
    func answer(of version: ModelVersion?, to number: Int) -> Int {
        let skill = 3 + Self.number(version) * lead
        return (number * 31 + skill * 17) % 20 < skill ? truth(number) : (truth(number) + 1) % 3
    }

    /// Answers the oldest request for predictions: mostly correctly, sometimes late, in part, again or wrongly.
    mutating func answer() {
        guard let request = predictionRequests.first else { return }
        let drawn = generator.next(below: 12)
        let kind = isTrainerSloppy || drawn > 1 ? drawn : 11
        if kind == 0 { now = max(now, request.deadline.milliseconds + 500) }
        let isSloppy = generator.next(below: 8) == 0 && isTrainerSloppy
        var answers = request.candidates.enumerated().map { index, sample in
            let number = Int(sample.id.rawValue.dropFirst()) ?? 0
            func label(_ version: ModelVersion) -> Label? {
                .choice(ClassIndex((answer(of: version, to: number) + (isSloppy ? 1 : 0)) % 3))
            }
            return PredictedAnswer(
                sample: sample.id,
                champion: index % 3 == 0 ? nil : label(request.champion.version),
                challenger: kind == 1 && index % 2 == 0 ? nil : label(request.challenger.version)
            )
        }
        if kind == 2 { answers.removeLast() }
        if kind == 3 { answers.append(PredictedAnswer(sample: SampleID("nobody"))) }
        let id = kind == 4 ? RequestID("pets-7-7") : request.id
        append(
            .predicted(PredictedLabels(request: id, answers: answers, error: kind == 1 ? "blurred" : nil, duration: 7))
        )
        // Refused requests are answered again, and so are some accepted ones.
        if !(2...4).contains(kind), kind > 5 || generator.next(below: 2) == 0 { predictionRequests.removeFirst() }
    }

    mutating func predict() {
        let number = generator.next(below: 600)
        let draw = Double(number * 7_919 % 600) / 600
        let isTriggered = state.configuration.value?.acquisition.triggers.isEmpty == false
        // With a money budget, no service runs every other challenger.
        let predicts = state.configuration.value?.rollout.predicts ?? false
        let isRun =
            !predicts && (state.configuration.value?.acquisition.money == nil || Self.number(challenger) % 2 == 0)
        var models: [ModelReference?] = [champion, isRun ? challenger : nil].compactMap { $0 }
            .map { ModelReference(name: "m", version: $0, role: $0 == champion ? .champion : .challenger) }
        // Some canaries are served by no service.
        let canary = state.rollout.canary.map { Self.number($0.version) % 3 == 0 ? nil : $0.version } ?? nil
        models += [canary].compactMap { $0 }.map { ModelReference(name: "m", version: $0) }
        if models.isEmpty { models = [nil] }
        for model in models {
            let top = answer(of: model?.version, to: number)
            let first = 0.5 + Double(number % 40) / 100
            let entries = [
                ClassDistribution.Entry(label: ClassIndex(top), probability: first),
                ClassDistribution.Entry(label: ClassIndex((top + 1) % 3), probability: 1 - first),
            ]
            append(
                .candidate(
                    Candidate(
                        sample: Sample(
                            id: SampleID("s\(number)"),
                            content: .uri("https://images.example/\(number).png"),
                            embedding: [Float(number % 25), Float(number / 25)],
                            metadata: SampleMetadata([.init(key: "shelter", value: "n\(number % 5)")]) ?? .none,
                            group: number % 25 == 0 ? GroupID("row \(number / 100)") : nil
                        ),
                        output: model == nil ? nil : ClassDistribution(entries).map(Output.choice),
                        model: model,
                        score: 1 - first,
                        auditProbability: draw < 0.4 ? 0.4 : nil,
                        auditDraw: draw,
                        predictedAt: StreamTime(milliseconds: now - 100),
                        triggers: isTriggered && number % 11 == 0 ? ["sure"] : [],
                        pendingTriggers: isTriggered && number % 3 == 0 ? ["disputed", "overridden", "both"] : [],
                        isBelowThreshold: isTriggered && number % 33 == 0
                    )
                )
            )
        }
    }

    mutating func annotate() {
        let annotator = AnnotatorID("a\(generator.next(below: 7))")
        guard !openTasks.isEmpty, generator.next(below: 25) > 0 else {
            append(
                .annotation(
                    Annotation(task: TaskID("pets-7-7"), annotator: annotator, outcome: .answer(.choice(ClassIndex(0))))
                )
            )
            return
        }
        let task = openTasks[generator.next(below: openTasks.count)]
        let number = Int(task.sample.id.rawValue.dropFirst()) ?? 0
        let outcome: Annotation.Outcome =
            switch generator.next(below: 20) {
            case 0: .skip
            case 1: .flag("blurred")
            case 2: .answer(.choice(ClassIndex(9)))
            case 3, 4: .answer(.choice(ClassIndex((truth(number) + 1) % 3)))
            default: .answer(.choice(ClassIndex(truth(number))))
            }
        append(.annotation(Annotation(task: task.id, annotator: annotator, outcome: outcome, duration: 900)))
    }

    mutating func giveFeedback() {
        let number = generator.next(below: 4_000)
        // Every other model performs poorly.
        let served = served(number)
        let isEven = (served.flatMap { Int($0.rawValue.dropFirst()) } ?? 1) % 2 == 0
        let isBad = generator.next(below: 10) < (isEven ? 9 : 1)
        let about = generator.next(below: 8) == 0 ? ModelVersion("v99") : served ?? ModelVersion("v0")
        append(
            .feedback(
                Feedback(
                    key: UInt64(number),
                    sample: SampleID("s\(number)"),
                    modelVersion: about,
                    user: UserDigest("u\(generator.next(below: 30))"),
                    verdict: isBad ? (number % 4 > 0 ? .correction : .rejection) : .confirmation,
                    answer: nil,
                    // One name is proposed repeatedly, and others once.
                    proposedClass: isBad && number % 4 > 0 ? "animal\(number % 8 == 1 ? " \(number)" : "")" : nil
                )
            )
        )
    }

    /// The model version that serves a user, mostly the champion.
    func served(_ number: Int) -> ModelVersion? {
        guard let staging = state.rollout.progress.value.released else { return champion }
        let canary = staging.canary.flatMap {
            ($0.share ?? 0) > 0 && Self.number($0.version) % 3 > 0 ? $0.version : nil
        }
        return (number % 5 < 2 ? canary : number % 5 == 2 ? staging.holdback?.version : nil) ?? champion
    }

    /// Seals, trains or annotates, so that the cycle advances faster.
    mutating func hasten() {
        switch generator.next(below: 5) {
        case 0: seal()
        case 1: train()
        default: annotate()
        }
    }

    /// Whether labels of the project can change.
    var canChange: Bool {
        state.configuration.value.map { state.datasets.format($0.datasets) >= DatasetFormat.changes } ?? false
    }

    /// Changes a label after a review: the newest, any, or that of a sample that may have none.
    mutating func change() {
        let labels = state.datasets.labels.sortedRows
        let newest = labels.max { $0.value.sequence < $1.value.sequence }?.key
        let some = labels.isEmpty ? nil : labels[generator.next(below: labels.count)].key
        let sample = [newest, some, some, SampleID("s\(generator.next(below: 600))")][generator.next(below: 4)]
        guard let sample else { return }
        let classes = state.configuration.value?.schema.classes ?? []
        let action: Command.Action =
            switch generator.next(below: 8) {
            case 0..<4: .revise(sample, className: classes[generator.next(below: classes.count)])
            case 4: .retract(sample)
            case 5: .revise(sample, className: "yak")
            default: .move(sample, to: Split.allCases[generator.next(below: 3)])
            }
        append(
            .command(Command(id: "l\(journal.count)", action: action, by: "olga", reason: "looked at again"))
        )
    }

    func tally() -> Tally {
        Tally(modelVersion: champion, role: .champion, predictions: 10, feedback: 2, negative: 1, forwarded: 3)
    }

    /// A tally of a model that is served without being registered.
    func unregisteredTally() -> Tally {
        Tally(
            modelVersion: ModelVersion("outside"),
            role: .champion,
            predictions: 7,
            feedback: 0,
            negative: 0,
            forwarded: 1,
            isUnregistered: true
        )
    }

    /// Advances the time to the next deadline, as the timer does.
    mutating func tick() {
        if let due = state.nextDeadline { now = max(now, due.milliseconds) }
        append(.tick(ChainMark(entryNumber: state.position.value.entryNumber, digest: "")))
    }
}

extension LabelChangeKind {
    /// The change in one word.
    var word: String {
        switch self {
        case .revised: "revised"
        case .retracted: "retracted"
        case .moved: "moved"
        }
    }
}
