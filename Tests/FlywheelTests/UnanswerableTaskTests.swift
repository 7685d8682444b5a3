import Acquisition
import Datasets
import Flywheel
import Labeling
import Statistics
import Tables
import Testing
import Vocabulary

/// Cost of skips and flags, and notices about unanswerable tasks.
@Suite("Unanswerable tasks")
struct UnanswerableTaskTests {
    private static let hour: Int64 = 3_600_000

    private func project(edition: Int) -> ProjectConfiguration {
        var policy = AcquisitionPolicy(batchSize: 6, openTaskLimit: 6, auditShare: 0, votes: 1_000, maximumWait: 1_000)
        policy.edition = edition
        policy.window = 100 * Self.hour
        policy.time = 10 * Self.hour
        policy.voteCost = VoteCost(maximumTime: 60_000, perVote: 5, perSecond: 2)
        return ProjectConfiguration(
            project: ProjectID("p"),
            revision: 1,
            partition: 0,
            schema: LabelSchema(question: "Which?", classes: ["a", "b"]),
            acquisition: policy,
            labeling: LabelingPolicy(minimumVotes: 1, maximumVotes: 1, maximumSkips: 2)
        )
    }

    /// Runs tasks about samples in two locations, of which those in the second are unanswerable; every second flag has
    /// a note.
    private func run(edition: Int) -> (state: ProjectState, notices: [String]) {
        var generator = SplitMix64(seed: 2)
        var state = ProjectState(project: ProjectID("p"))
        var notices: [String] = []
        var open: [LabelingTask] = []
        var now: Int64 = 1_000
        func apply(_ body: JournalEntry.Body, _ state: inout ProjectState) {
            now += 10
            let entry = JournalEntry(project: ProjectID("p"), body: body)
            for decision in state.apply(entry, appendedAt: StreamTime(milliseconds: now)) {
                if case .notice(let notice) = decision.body, notice.kind == .taskUnanswerable {
                    notices.append(notice.text)
                }
                if case .task(let task) = decision.body, task.state == .open, task.votes == 0 { open.append(task) }
            }
        }
        apply(.configured(project(edition: edition)), &state)
        for number in 0..<60 {
            let isBad = number % 2 == 1
            let point = (0..<6).map { Float(generator.nextNormal() + (isBad && $0 == 0 ? 20 : 0)) }
            let candidate = Candidate(
                sample: Sample(id: SampleID(isBad ? "bad\(number)" : "good\(number)"), embedding: point),
                output: nil,
                model: nil,
                score: generator.nextUnit(),
                auditProbability: nil,
                auditDraw: 1,
                predictedAt: StreamTime(milliseconds: 0)
            )
            apply(.candidate(candidate), &state)
        }
        for _ in 0..<12 {
            now += 10_000
            apply(.tick(ChainMark(entryNumber: state.position.value.entryNumber, digest: "")), &state)
            let tasks = open
            open = []
            for task in tasks {
                for person in 0..<2 where state.labeling.open[task.id] != nil {
                    let isBad = task.sample.id.rawValue.hasPrefix("bad")
                    let outcome: Annotation.Outcome =
                        isBad ? .flag(person == 0 ? "  nothing\nto be seen " : "") : .answer(.choice(ClassIndex(0)))
                    let who = AnnotatorID("person\(person)")
                    apply(
                        .annotation(Annotation(task: task.id, annotator: who, outcome: outcome, duration: 7_000)),
                        &state
                    )
                }
            }
        }
        return (state, notices)
    }

    /// Before: a project that appended the missing class had queries about it in 1 of 100 tasks, because its samples
    /// were among the unanswerable ones.
    @Test("A revision with a new class forgets unanswerable samples and ranks none last; any other keeps them")
    func classAppended() {
        var (state, notices) = run(edition: 2)
        let remembered = state.acquisition.pool.unanswerable.count
        #expect(remembered == notices.count && remembered >= 5)
        func setAsideCount() -> Int {
            state.acquisition.pool.candidates.sortedRows.count { $0.value.setAside == .unanswerable }
        }
        let before = project(edition: 2)
        func revision(_ number: Int, _ classes: [String]) -> ProjectConfiguration {
            ProjectConfiguration(
                project: before.project,
                revision: number,
                partition: 0,
                schema: LabelSchema(question: "Which?", classes: classes),
                acquisition: before.acquisition,
                labeling: before.labeling
            )
        }
        func apply(_ body: JournalEntry.Body) {
            let entry = JournalEntry(project: ProjectID("p"), body: body)
            _ = state.apply(entry, appendedAt: StreamTime(milliseconds: 400_000))
        }
        let bad = Candidate(
            sample: Sample(id: SampleID("bad-late"), embedding: [20, 0, 0, 0, 0, 0]),
            output: nil,
            model: nil,
            score: 1,
            auditProbability: nil,
            auditDraw: 1,
            predictedAt: StreamTime(milliseconds: 0)
        )
        apply(.candidate(bad))
        apply(.configured(revision(2, ["a", "b"])))
        #expect(state.acquisition.pool.unanswerable.count == remembered && setAsideCount() > 0)
        apply(.configured(revision(3, ["a", "b", "c"])))
        #expect(state.acquisition.pool.unanswerable.isEmpty && setAsideCount() == 0)
    }

    @Test("From edition 2 on, the time of declined tasks is charged, and so is its cost per second")
    func charged() {
        for edition in [1, 2] {
            let (state, notices) = run(edition: edition)
            let ledger = state.acquisition.accounts.ledger.value
            let (flags, answers) = (Int64(2 * notices.count), Int64(state.datasets.labels.count))
            #expect(flags > 0 && answers > 0)
            let charged = answers + (edition == 1 ? 0 : flags)
            #expect(ledger.votes.totalSpent == answers)
            #expect(ledger.time.totalSpent == charged * 7_000)
            #expect(ledger.money.totalSpent == answers * 5 + charged * 14)
        }
    }

    @Test("The notice names nearby samples and quotes annotators' notes; in edition 1 it names only the task")
    func notices() {
        let first = run(edition: 1).notices
        #expect(first.allSatisfy { $0.hasPrefix("nobody could answer task p-") && !$0.contains("sample") })
        let (state, notices) = run(edition: 2)
        #expect(notices.allSatisfy { $0.contains("sample bad") && $0.contains("\"nothing to be seen\"") })
        #expect(notices.last?.contains("nor could anybody answer what lies nearest to it: bad") == true)
        #expect(notices.allSatisfy { $0.split(separator: "bad").count <= 7 && !$0.contains("good") })
        #expect(state.acquisition.pool.unanswerable.count == notices.count)
        // Once enough are known, the others are ranked last, so fewer tasks are wasted.
        #expect(notices.count >= 5)
        let queriedBad = state.acquisition.accounts.queried.sortedKeys.prefix { $0.rawValue < "c" }.count
        #expect(queriedBad == notices.count)
    }
}
