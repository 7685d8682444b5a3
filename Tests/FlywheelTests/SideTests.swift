import Acquisition
import Datasets
import Flywheel
import Labeling
import Statistics
import Tables
import Testing
import Vocabulary

@Suite("Copies of a text and members of a group stay on one side")
struct SideTests {
    /// A project whose samples always have new ids, and contain one of a number of texts or belong to one of a number
    /// of groups. Half of them are drawn for the audit sample, and every task is answered.
    private struct Stand {
        var state = ProjectState(project: ProjectID("pets"))
        var now: Int64 = 1_000
        var generator: SplitMix64
        var tasks: [LabelingTask] = []
        var facts: [LabelFact] = []

        init(seed: UInt64, edition: Int = AcquisitionPolicy.latestEdition) {
            generator = SplitMix64(seed: seed)
            var acquisition = AcquisitionPolicy(
                batchSize: 4,
                poolCapacity: 40,
                openTaskLimit: 40,
                auditShare: 0.4,
                votes: 10_000,
                window: 86_400_000,
                maximumWait: 2_000
            )
            acquisition.edition = edition
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
                        datasets: usual.datasets
                    )
                )
            )
        }

        mutating func apply(_ body: JournalEntry.Body) {
            let entry = JournalEntry(project: ProjectID("pets"), body: body)
            for decision in state.apply(entry, appendedAt: StreamTime(milliseconds: now)) {
                switch decision.body {
                case .task(let task) where task.state == .open: tasks.append(task)
                case .label(let fact): facts.append(fact)
                default: break
                }
            }
        }

        mutating func run(_ rounds: Int, _ sample: (Int, inout SplitMix64) -> Sample) {
            for number in 0..<rounds {
                now += 500
                let sample = sample(number, &generator)
                let isAudited = generator.next(below: 2) == 0
                apply(
                    .candidate(
                        Candidate(
                            sample: sample,
                            output: ClassDistribution([
                                .init(label: ClassIndex(0), probability: 0.6),
                                .init(label: ClassIndex(1), probability: 0.4),
                            ]).map(Output.choice),
                            model: ModelReference(name: "m", version: ModelVersion("v1")),
                            score: 0.5,
                            auditProbability: isAudited ? 0.5 : nil,
                            auditDraw: generator.nextUnit(),
                            predictedAt: StreamTime(milliseconds: now)
                        )
                    )
                )
                guard generator.next(below: 3) == 0, let task = state.labeling.open.sortedKeys.first else { continue }
                apply(
                    .annotation(
                        Annotation(task: task, annotator: AnnotatorID("a"), outcome: .answer(.choice(ClassIndex(0))))
                    )
                )
            }
        }
    }

    @Test(
        "A text under other ids is queried once, on one side; edition 1 queries it repeatedly",
        arguments: 0..<8 as Range<UInt64>
    )
    func copies(seed: UInt64) {
        var queried: [Int: [String: Int]] = [:]
        for edition in [1, 2] {
            var stand = Stand(seed: seed, edition: edition)
            stand.run(600) { number, generator in
                let text = "text \(generator.next(below: 50))"
                let type = ["text/plain", "text/markdown"][number % 2]
                return Sample(id: SampleID("s\(number)"), content: .inline(mediaType: type, text: text))
            }
            for task in stand.tasks {
                guard case .inline(_, let text)? = task.sample.content else { continue }
                queried[edition, default: [:]][text, default: 0] += 1
            }
        }
        #expect(queried[1]?.values.max() ?? 0 > 3)
        #expect(queried[2]?.values.max() == 1)
        #expect(queried[2]?.count ?? 0 > 40)
    }

    @Test(
        "All members of a group are on the side of the first member, whatever their own draws are",
        arguments: 0..<8 as Range<UInt64>
    )
    func groups(seed: UInt64) {
        var stand = Stand(seed: seed)
        stand.run(600) { number, generator in
            Sample(id: SampleID("s\(number)"), group: GroupID("g\(generator.next(below: 20))"))
        }
        var sides: [GroupID: Set<Split>] = [:]
        for task in stand.tasks {
            if let group = task.sample.group {
                sides[group, default: []].formUnion([task.purpose.split].compactMap { $0 })
            }
        }
        #expect(sides.count > 15 && sides.values.allSatisfy { $0.count == 1 })
        #expect(Set(sides.values.joined()) == [.training, .test])
        #expect(stand.tasks.count > 100)
        let splits = Dictionary(stand.facts.map { ($0.consensus.sample.id, $0.split) }) { first, _ in first }
        #expect(splits.count == stand.facts.count && stand.facts.count > 50)
    }

    @Test(
        "An imported label of a test text is refused, and an import keeps the group of its sample out of the test set"
    )
    func imports() {
        var stand = Stand(seed: 1)
        func label(_ sample: Sample, isValidation: Bool = false) -> JournalEntry.Body {
            .importedLabel(
                ImportedLabel(
                    key: UInt64(sample.id.rawValue.utf8.last ?? 0),
                    origin: ImportOrigin(source: "old", id: sample.id.rawValue),
                    sample: sample,
                    answer: .label(.choice(ClassIndex(1))),
                    isValidation: isValidation
                )
            )
        }
        func text(_ name: String) -> Content { .inline(mediaType: "text/plain", text: name) }
        stand.apply(label(Sample(id: SampleID("i1"), content: text("a"), group: GroupID("known"))))
        #expect(stand.facts.count == 1)
        stand.run(200) { number, _ in Sample(id: SampleID("s\(number)"), group: GroupID("known")) }
        #expect(!stand.tasks.isEmpty && stand.tasks.allSatisfy { $0.purpose.split == .training })
        stand.run(200) { number, _ in Sample(id: SampleID("t\(number)"), content: text("t\(number)")) }
        guard let tested = stand.tasks.first(where: { $0.purpose == .audit }) else {
            Issue.record("no audit task")
            return
        }
        let before = stand.facts.count
        stand.apply(label(Sample(id: SampleID("i2"), content: tested.sample.content)))
        #expect(stand.facts.count == before)
        #expect(stand.state.refusals["sample_asked"] == 1)
        // A text or group in training cannot be in validation.
        stand.apply(label(Sample(id: SampleID("i3"), content: text("a")), isValidation: true))
        stand.apply(label(Sample(id: SampleID("i4"), group: GroupID("known")), isValidation: true))
        #expect(stand.facts.count == before && stand.state.refusals["sample_asked"] == 3)
        stand.apply(label(Sample(id: SampleID("i5"), content: text("a"), group: GroupID("known"))))
        #expect(stand.facts.count == before + 1)
    }
}
