import Acquisition
import Events
import Flywheel
import JSON
import Kinds
import Labeling
import Rollout
import Tables
import Testing
import Training
import Vocabulary

/// A project whose services cannot shadow.
private struct PredictionStand {
    var stand: ReleaseStand
    private(set) var requests: [PredictionRequest] = []
    private(set) var notices: [Notice] = []
    private(set) var tasks: [LabelingTask] = []

    static func configuration(_ change: (inout AcquisitionPolicy, inout RolloutPolicy) -> Void) -> ProjectConfiguration
    {
        let usual = FlywheelTests.configuration()
        var acquisition = AcquisitionPolicy(
            batchSize: 1,
            poolCapacity: 200,
            openTaskLimit: 500,
            auditShare: 0.5,
            auditCutoff: 0.5,
            votes: 100_000,
            maximumWait: 5_000,
            auditFirst: 400
        )
        var rollout = RolloutPolicy(minimumShadow: 0, provisional: 0, shadowWait: 30_000, predict: true)
        change(&acquisition, &rollout)
        return ProjectConfiguration(
            project: usual.project,
            revision: 5,
            partition: 0,
            schema: usual.schema,
            acquisition: acquisition,
            labeling: LabelingPolicy(minimumVotes: 1, maximumVotes: 1),
            training: TrainingPolicy(newLabels: 5, trials: [Hyperparameters()], repeats: 1),
            rollout: rollout
        )
    }

    /// Prepares a project with v1 as champion and v2 registered.
    init(change: (inout AcquisitionPolicy, inout RolloutPolicy) -> Void = { _, _ in }) {
        stand = ReleaseStand()
        _ = stand.apply(.configured(Self.configuration(change)))
        for number in 1...2 { _ = stand.train(number) }
    }

    var now: Int64 {
        get { stand.now }
        set { stand.now = newValue }
    }

    @discardableResult
    mutating func apply(_ body: JournalEntry.Body) -> [Decision.Body] {
        let bodies = stand.apply(body)
        for body in bodies {
            switch body {
            case .prediction(let request): requests.append(request)
            case .notice(let notice): notices.append(notice)
            case .task(let task): tasks.append(task)
            default: break
            }
        }
        return bodies
    }

    /// Adds a prediction that a service publishes, of the audit sample or the pool.
    mutating func predict(_ name: String, isAudited: Bool, _ label: Int = 0, by version: String = "v1") {
        let output = ClassDistribution([
            .init(label: ClassIndex(label), probability: 0.6),
            .init(label: ClassIndex((label + 1) % 3), probability: 0.4),
        ])
        apply(
            .candidate(
                Candidate(
                    sample: Sample(id: SampleID(name), content: .uri("https://x.example/\(name)"), embedding: [1, 2]),
                    output: output.map(Output.choice),
                    model: ModelReference(name: "m", version: ModelVersion(version)),
                    score: 0.3,
                    auditProbability: isAudited ? 0.5 : nil,
                    auditDraw: 0.1,
                    predictedAt: StreamTime(milliseconds: now)
                )
            )
        )
    }

    /// Applies a tick at the next deadline, as the timer does.
    mutating func tick() {
        guard let due = stand.state.nextDeadline else { return }
        now = max(now, due.milliseconds - 1)
        apply(.tick(ChainMark(entryNumber: stand.state.position.value.entryNumber, digest: "")))
    }

    /// A trainer's answer: v1 predicts class 0 for all samples, another model the given class.
    @discardableResult
    mutating func answer(_ request: PredictionRequest, _ label: Int) -> [Decision.Body] {
        func predicted(_ model: ReleasedModel) -> Label {
            .choice(ClassIndex(model.version.rawValue == "v1" ? 0 : label))
        }
        return apply(
            .predicted(
                PredictedLabels(
                    request: request.id,
                    answers: request.candidates.map {
                        PredictedAnswer(
                            sample: $0.id,
                            champion: predicted(request.champion),
                            challenger: predicted(request.challenger)
                        )
                    }
                )
            )
        )
    }

    mutating func vote(_ task: LabelingTask, _ label: Int) {
        apply(
            .annotation(
                Annotation(
                    task: task.id,
                    annotator: AnnotatorID("ada"),
                    outcome: .answer(.choice(ClassIndex(label)))
                )
            )
        )
    }
}

@Suite("Requests for predictions, written before tasks open and mixed with pool samples")
struct PredictionEntryTests {
    /// Whether a sample of these tests belongs to the audit sample.
    private func isAudited(_ sample: Sample) -> Bool { sample.id.rawValue.hasPrefix("a") }

    @Test("A request waits for ten audit samples or a deadline, and hides them among as many pool samples, each once")
    func batches() throws {
        var stand = PredictionStand { acquisition, rollout in
            (acquisition.batchSize, acquisition.openTaskLimit) = (50, 50)
            rollout.duels = 0
            // No sample of the pool is queried in the meantime.
            acquisition.maximumWait = 100_000
        }
        for number in 0..<40 { stand.predict("p\(number)", isAudited: false) }
        for number in 0..<3 { stand.predict("a\(number)", isAudited: true) }
        #expect(stand.requests.isEmpty)
        let began = stand.now
        stand.tick()
        let first = try #require(stand.requests.first)
        #expect(stand.now - began <= 2_001)
        #expect(first.candidates.count == 6 && first.candidates.count(where: isAudited) == 3)
        #expect(first.candidates.map(\.id) == first.candidates.map(\.id).sorted())
        #expect(first.candidates.allSatisfy { $0.content != nil && $0.embedding == [1, 2] })
        #expect(first.champion.version.rawValue == "v1" && first.challenger.version.rawValue == "v2")
        #expect(first.deadline == StreamTime(milliseconds: stand.now + 30_000))
        for number in 3..<33 { stand.predict("a\(number)", isAudited: true) }
        #expect(stand.requests.dropFirst().map(\.candidates.count) == [20, 20, 20])
        // Each sample is in one request only.
        let all = stand.requests.flatMap(\.candidates).map(\.id)
        #expect(Set(all).count == all.count)
        for request in stand.requests {
            #expect(request.candidates.count { !isAudited($0) } >= request.candidates.count(where: isAudited))
            let bytes = EncodedDecision(
                Decision(id: request.id.rawValue, body: .prediction(request)),
                project: ProjectID("pets"),
                question: .choice(PredictionStand.configuration { _, _ in }.schema),
                time: StreamTime(milliseconds: 0),
                entryNumber: 1
            )
            #expect(bytes.topic == .trainingRequests && bytes.answerableID == request.id.rawValue)
            let again = try JSONParser().withDocument(of: request.jsonBytes) { try PredictionRequest(json: $0) }
            #expect(again == request)
        }
    }

    @Test("Audit samples without pool samples to hide among get no pair and do not wait, and a notice reports it")
    func noCover() {
        var stand = PredictionStand { acquisition, rollout in
            rollout.duels = 0
            acquisition.maximumWait = 100_000
        }
        for number in 0..<3 { stand.predict("p\(number)", isAudited: false) }
        for number in 0..<20 { stand.predict("a\(number)", isAudited: true) }
        for _ in 0..<10 { stand.tick() }
        #expect(stand.requests.flatMap(\.candidates).count(where: isAudited) == 3)
        #expect(stand.requests.flatMap(\.candidates).count == 6)
        #expect(stand.notices.count { $0.kind == .predictionsMissing } == 1)
        #expect(stand.notices.first { $0.kind == .predictionsMissing }?.text.contains("hide") == true)
        #expect(Set(stand.tasks.filter { $0.purpose == .audit }.map(\.id)).count == 20)
    }

    @Test("A sample's task opens only after its request is answered or has expired, and a dead trainer stops nothing")
    func waits() throws {
        var stand = PredictionStand { _, rollout in rollout.duels = 0 }
        func audits(_ stand: PredictionStand) -> Int {
            Set(stand.tasks.filter { $0.purpose == .audit }.map(\.id)).count
        }
        for number in 0..<30 { stand.predict("p\(number)", isAudited: false) }
        for number in 0..<10 { stand.predict("a\(number)", isAudited: true) }
        let request = try #require(stand.requests.first)
        for _ in 0..<5 where stand.now < request.deadline.milliseconds - 5 {
            stand.now += 1_000
            stand.apply(.tick(ChainMark(entryNumber: 0, digest: "")))
        }
        #expect(audits(stand) == 0)
        var answered = stand
        answered.answer(request, 1)
        for _ in 0..<20 { answered.tick() }
        #expect(audits(answered) == 10 && answered.stand.state.rollout.era.value.counts.silent == 0)
        // Without an answer the samples are queried after the deadline, and count as silent.
        for _ in 0..<40 where audits(stand) < 10 { stand.tick() }
        #expect(audits(stand) == 10 && stand.now >= request.deadline.milliseconds)
        #expect(stand.stand.state.rollout.era.value.counts.silent == 10)
        #expect(stand.notices.contains { $0.kind == .predictionsMissing })
        // An expired deadline does not cause endless ticks.
        let left = stand.stand.state.nextDeadline.map { $0.milliseconds > stand.now } ?? true
        #expect(left)
        // An answer after the deadline is late and left out of the evidence, so the challenger has no wins.
        stand.answer(request, 1)
        for task in stand.tasks where task.purpose == .audit { stand.vote(task, 1) }
        let evidence = stand.stand.state.rollout.evidence(RolloutPolicy(predict: true))
        #expect(evidence.lateLeftOut == 10 && evidence.all.wins == 0 && evidence.all.labels == 10)
    }

    /// A project whose challenger v2 was promoted by trainers' predictions and is in rollout.
    private func blessed() -> PredictionStand {
        var stand = PredictionStand { _, rollout in (rollout.minimumShadow, rollout.alpha) = (5, 0.5) }
        var number = 0
        while stand.stand.state.rollout.canary == nil, number < 400 {
            number += 1
            stand.predict("p\(number)", isAudited: false)
            stand.predict("a\(number)", isAudited: true)
            stand.tick()
            for request in stand.requests where stand.stand.state.rollout.requests[request.id]?.isAnswered == false {
                stand.answer(request, 1)
            }
            stand.tick()
            for task in stand.tasks where task.purpose == .audit {
                if case .open = task.state, stand.stand.state.labeling.open[task.id] != nil { stand.vote(task, 1) }
            }
        }
        #expect(stand.stand.state.rollout.canary?.version.rawValue == "v2", "after \(number)")
        return stand
    }

    @Test("A better challenger is promoted by predictions alone, compared in service, and becomes live")
    func life() {
        var stand = blessed()
        let requestCount = stand.requests.count
        // Services serve the canary, and the trainer is asked about the samples that they answer.
        for served in 0..<40 where stand.stand.state.rollout.canary != nil {
            stand.predict("p\(1_000 + served)", isAudited: false, 1, by: "v2")
            stand.predict("a\(1_000 + served)", isAudited: true, 1, by: "v2")
            stand.tick()
            for request in stand.requests where stand.stand.state.rollout.requests[request.id]?.isAnswered == false {
                // In the rollout's pair the roles are exchanged.
                #expect(request.challenger.version.rawValue == "v1" && request.champion.version.rawValue == "v2")
                stand.answer(request, 1)
            }
        }
        #expect(stand.requests.count > requestCount)
        #expect(stand.stand.state.rollout.champion == "v2" && stand.stand.state.rollout.canary == nil)
    }

    @Test(
        "While no service serves a suspected canary, trainers predict for it, and labels decide",
        arguments: [true, false]
    )
    func suspected(isRight: Bool) throws {
        var stand = blessed()
        let canary = ModelVersion("v2")
        stand.stand.state.rollout.suspicions[canary] = Suspicion(
            since: StreamTime(milliseconds: stand.now),
            accuracy: 0.8
        )
        let before = stand.requests.count
        var answered: Set<RequestID> = []
        for number in 0..<60 where stand.stand.state.rollout.suspicions[canary] != nil {
            stand.predict("p\(2_000 + number)", isAudited: false)
            stand.predict("a\(2_000 + number)", isAudited: true)
            stand.tick()
            for request in stand.requests.dropFirst(before) where answered.insert(request.id).inserted {
                #expect(request.challenger.version == canary)
                #expect(request.candidates.count { !isAudited($0) } >= request.candidates.count(where: isAudited))
                stand.answer(request, isRight ? 1 : 0)
            }
            for (task, open) in stand.stand.state.labeling.open.sortedRows where open.selection.purpose == .audit {
                let sample = open.selection.sample.id
                guard stand.stand.state.rollout.needsPrediction(by: canary, of: sample) == false,
                    let offered = stand.tasks.last(where: { $0.id == task })
                else { continue }
                stand.vote(offered, 1)
            }
        }
        #expect(stand.requests.count > before && stand.stand.state.rollout.suspicions[canary] == nil)
        #expect(stand.stand.state.rollout.roles.value.quarantined.contains(canary) == !isRight)
        #expect((stand.stand.state.rollout.canary?.version == canary) == isRight)
    }

    @Test(
        "Sixty samples in up to sixteen requests wait at a time; further samples have no pair and do not wait"
    )
    func atOnce() {
        var stand = PredictionStand { acquisition, rollout in
            rollout.duels = 0
            (acquisition.maximumWait, acquisition.poolCapacity) = (100_000, 500)
        }
        for number in 0..<400 { stand.predict("p\(number)", isAudited: false) }
        for number in 0..<190 { stand.predict("a\(number)", isAudited: true) }
        #expect(stand.requests.count == 6 && stand.requests.allSatisfy { $0.candidates.count == 20 })
        #expect(stand.stand.state.acquisition.audit.pairings.count { $1.pair != nil } == 60)
        for request in stand.requests { stand.answer(request, 1) }
        for number in 190..<200 { stand.predict("a\(number)", isAudited: true) }
        #expect(stand.requests.count == 7)

        // Samples arrive one at a time, and no trainer answers: sixteen requests are in flight, and later samples have
        // no pair.
        var slow = PredictionStand { acquisition, rollout in
            (acquisition.maximumWait, rollout.shadowWait) = (1_000_000, 120_000)
        }
        for number in 0..<100 { slow.predict("p\(number)", isAudited: false) }
        for number in 0..<20 {
            slow.predict("a\(number)", isAudited: true)
            slow.now += 2_500
            slow.apply(.tick(ChainMark(entryNumber: 0, digest: "")))
        }
        #expect(slow.requests.count == RolloutState.pendingRequestLimit)
        #expect(
            slow.stand.state.acquisition.audit.pairings.count { $1.pair != nil } == RolloutState.pendingRequestLimit
        )
        slow.now = slow.requests[0].deadline.milliseconds
        slow.predict("late", isAudited: true)
        for _ in 0..<3 { slow.tick() }
        #expect(slow.requests.count > RolloutState.pendingRequestLimit)
    }
}

extension RolloutState {
    fileprivate var champion: String? { roles.value.champion?.version.rawValue }
}
