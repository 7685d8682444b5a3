import Acquisition
import Datasets
import Flywheel
import Labeling
import Rollout
import Tables
import Testing
import Training
import Vocabulary

@Suite struct EntryTests {
    static func entry(_ body: JournalEntry.Body) -> JournalEntry {
        JournalEntry(project: ProjectID("pets"), body: body)
    }

    static func time(_ milliseconds: Int64) -> StreamTime { StreamTime(milliseconds: milliseconds) }

    static func refusals(_ decisions: [Decision]) -> [EntryRejection.Code] {
        decisions.compactMap { if case .refused(let refusal) = $0.body { refusal.code } else { nil } }
    }

    @Test("Stream time never goes back, even if the broker's clock does")
    func clock() {
        var state = ProjectState(project: ProjectID("pets"))
        var last: Int64 = 0
        for milliseconds in [500, 400, 900, -7, 900, 901] as [Int64] {
            _ = state.apply(Self.entry(.engine(build: "1")), appendedAt: Self.time(milliseconds))
            #expect(state.position.value.time.milliseconds == max(last, milliseconds))
            last = max(last, milliseconds)
        }
        #expect(state.position.value.entryNumber == 6)
    }

    @Test("An unconfigured project decides nothing, but counts its entries")
    func unconfigured() {
        var state = ProjectState(project: ProjectID("pets"))
        let skip = Annotation(task: TaskID("t"), annotator: AnnotatorID("a"), outcome: .skip)
        let decisions = state.apply(Self.entry(.annotation(skip)), appendedAt: Self.time(1))
        #expect(decisions.isEmpty)
        #expect(state.position.value.entryNumber == 1)
        #expect(state.nextDeadline == nil)
        #expect(state.entries["annotation"] == 1)
    }

    @Test("A newer revision is applied; a known or older one changes nothing")
    func revisions() {
        var state = ProjectState(project: ProjectID("pets"))
        func apply(_ revision: Int, _ classes: [String]) -> [EntryRejection.Code] {
            let entry = Self.entry(.configured(configuration(revision: revision, classes: classes)))
            return Self.refusals(state.apply(entry, appendedAt: Self.time(1)))
        }
        #expect(apply(2, ["cat", "dog"]) == [])
        #expect(apply(1, ["cat", "dog", "cow"]) == [])
        #expect(state.configuration.value?.revision == 2)
        #expect(apply(2, ["cat", "dog", "cow"]) == [])
        #expect(state.configuration.value?.schema.classes == ["cat", "dog"])
        #expect(apply(5, ["cat", "dog", "cow"]) == [])
        #expect(state.configuration.value?.revision == 5)
    }

    @Test("A revision that removes, renames or reorders classes is refused, because old labels would change meaning")
    func classes() {
        var state = ProjectState(project: ProjectID("pets"))
        _ = state.apply(Self.entry(.configured(configuration(revision: 1))), appendedAt: Self.time(1))
        for (number, classes) in [
            ["cat", "dog"], ["dog", "cat", "cow"], ["cat", "hound", "cow"], ["ant", "cat", "dog", "cow"],
        ].enumerated() {
            let entry = Self.entry(.configured(configuration(revision: 2 + number, classes: classes)))
            let codes = Self.refusals(state.apply(entry, appendedAt: Self.time(2)))
            #expect(codes == [.invalidConfiguration])
            #expect(state.configuration.value?.revision == 1)
        }
        #expect(state.refusals["invalid_configuration"] == 4)
    }

    @Test("A repeated command is not executed, whatever it contains")
    func commands() {
        var state = ProjectState(project: ProjectID("pets"))
        _ = state.apply(Self.entry(.configured(configuration())), appendedAt: Self.time(1))
        func apply(_ id: String, _ action: Command.Action) -> [EntryRejection.Code] {
            let command = Command(id: id, action: action, by: "ada", reason: "r")
            return Self.refusals(state.apply(Self.entry(.command(command)), appendedAt: Self.time(2)))
        }
        #expect(apply("c1", .hold) == [])
        #expect(state.rollout.roles.value.isHeld)
        #expect(apply("c2", .releaseHold) == [])
        #expect(!state.rollout.roles.value.isHeld)
        #expect(apply("c1", .hold) == [.duplicate])
        #expect(!state.rollout.roles.value.isHeld)
        #expect(apply("c3", .rollBack(ModelVersion("v1"))) == [.unknownModel])
        #expect(state.commands["c1"] == 2)
    }

    @Test("A tick advances time: tasks expire at their deadline, and their reserved votes are released")
    func expiry() throws {
        var scenario = Scenario(seed: 1)
        let project = configuration()
        while scenario.state.labeling.open.isEmpty { scenario.run(entries: 1) }
        let first = try #require(scenario.state.labeling.nextDeadline)
        #expect(scenario.state.nextDeadline.map { $0 <= first } == true)
        let early = scenario.state.apply(
            Self.entry(.tick(ChainMark(entryNumber: 1, digest: ""))),
            appendedAt: first.advanced(byMilliseconds: -1)
        )
        let open = scenario.state.labeling.open.count
        #expect(!early.contains { if case .task(let task) = $0.body { task.state != .open } else { false } })
        let late = scenario.state.apply(
            Self.entry(.tick(ChainMark(entryNumber: 2, digest: ""))),
            appendedAt: first.advanced(byMilliseconds: project.labeling.lifetime)
        )
        let closed = late.filter {
            if case .task(let task) = $0.body { task.state == .closed(.expired) } else { false }
        }
        #expect(closed.count == open)
        let reserved = scenario.state.labeling.open.sortedRows.map { $0.value.votesReserved - $0.value.votes.count }
        #expect(scenario.state.acquisition.accounts.ledger.value.reserved == reserved.reduce(0, +))
        #expect(scenario.state.position.value.ticks >= 2)
    }

    @Test("A closed audit task delays no later label, whether or not it gave one")
    func openings() {
        var (closed, entered) = (0, 0)
        for seed in 0..<3 as Range<UInt64> {
            var scenario = Scenario(seed: seed)
            for _ in 0..<400 {
                scenario.run(entries: 3)
                let open = scenario.state.labeling.open.sortedRows.map(\.value.selection)
                let audited = Set(open.filter { $0.purpose == .audit }.map(\.sample.id))
                for row in scenario.state.rollout.openings.sortedRows.map(\.value) {
                    if row.isClosed { closed += 1 }
                    guard !row.isClosed, !audited.contains(row.sample) else { continue }
                    Issue.record("seed \(seed): \(row.sample) waits for a task that is closed")
                    return
                }
            }
            entered += scenario.state.rollout.era.value.entered
        }
        // Otherwise the test would be vacuous.
        #expect(closed > 0 && entered > 0, "\(closed) rows closed, \(entered) labels entered")
    }

    @Test(
        "After any entry the next deadline is in the future, so that no tick is without effect",
        arguments: DeterminismTests.seeds
    )
    func deadlines(seed: UInt64) {
        var scenario = Scenario(seed: seed)
        scenario.run(entries: 1)
        for _ in 0..<900 {
            scenario.run(entries: 1)
            guard let due = scenario.state.nextDeadline else { continue }
            if due <= scenario.state.position.value.time {
                Issue.record(
                    "seed \(seed): \(due) was due at \(scenario.state.position.value.time) and nothing was done"
                )
                return
            }
        }
    }

    @Test("Ledgers, tasks and labels are consistent after any entry", arguments: DeterminismTests.seeds)
    func books(seed: UInt64) {
        var scenario = Scenario(seed: seed)
        var labels: Set<String> = []
        var tasks: [String: TaskID] = [:]
        for round in 0..<300 {
            scenario.run(entries: 4)
            let state = scenario.state
            let held = state.labeling.open.sortedRows.map { $0.value.votesReserved - $0.value.votes.count }.reduce(0, +)
            let ledger = state.acquisition.accounts.ledger.value
            let counts = state.datasets.position.value
            let isBalanced =
                ledger.reserved == held && ledger.spent >= 0
                && ledger.spent + ledger.reserved <= configuration().acquisition.votes + Int(ledger.votes.carried)
                && isWithin(ledger, variant: QueryVariant(seed: seed))
                && state.acquisition.accounts.queried.count == state.labeling.open.count + state.labeling.closed.count
                && Split.allCases.map { split in
                    state.datasets.labels.count { $1.split == split && $1.isLiving }
                } == [counts.training, counts.validation, counts.test]
                && counts.sequence == Int64(state.datasets.labels.count + counts.versionNumber + changes(in: scenario))
            if !isBalanced { Issue.record("seed \(seed), round \(round): \(ledger), \(held) held, \(counts)") }
        }
        // A sample has one task and one label, and only labels of the audit sample are test labels.
        for decision in scenario.decisions.joined() {
            switch decision.body {
            case .task(let task) where task.state == .open && task.votes == 0:
                let known = tasks.updateValue(task.id, forKey: task.sample.id.rawValue)
                #expect(known == nil || known == task.id)
            case .label(let fact):
                #expect(labels.insert(fact.consensus.sample.id.rawValue).inserted)
                #expect((fact.split == .test) == (fact.consensus.purpose == .audit))
            default: break
            }
        }
        #expect(labels.isSubset(of: tasks.keys))
        #expect(labels.count > 20)
    }

    /// The number of label changes so far.
    private func changes(in scenario: Scenario) -> Int {
        scenario.decisions.joined().count { if case .change = $0.body { true } else { false } }
    }

    /// Whether time and money are within their budgets, if there are any.
    private func isWithin(_ ledger: BudgetLedger, variant: QueryVariant) -> Bool {
        let budget = configuration(variant: variant).acquisition.budget
        let accounts = [(ledger.time, budget.time), (ledger.money, budget.money)]
        return accounts.allSatisfy { account, limit in
            limit.map { account.reserved >= 0 && account.spent + account.reserved <= $0 + account.carried } ?? true
        }
    }

    @Test("An exhausted budget is reported once, and again only after some of it has been released")
    func exhaustion() {
        var scenario = Scenario(seed: 4, votes: 15)
        scenario.run(entries: 1_500)
        var reported = 0
        for decision in scenario.decisions.joined() {
            if case .notice(let notice) = decision.body, notice.kind == .budgetExhausted { reported += 1 }
        }
        let windows = Int(scenario.now / configuration().acquisition.window) + 1
        #expect((1...windows).contains(reported), "\(reported) times in \(windows) windows")
    }
}
