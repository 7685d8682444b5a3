import Events
import Fuzzing
import Intake
import Statistics

/// Every topic that outside parties write to, through Intake, loop, materializer and trainer on an in-memory cluster.
///
/// An iteration is a scenario: projects, parties that answer the decisions, and untrusted parties that corrupt a part
/// of the records that they send, from none to nearly all, so that late processors are reached too. At its end the
/// ledger is checked.
final class TopicsTarget: FuzzTarget {
    let name = "topics"
    let weight = 12.0
    private let corpus: Corpus
    private let mutator: JSONMutator
    private let folder: String
    init(corpus: Corpus, folder: String) {
        self.corpus = corpus
        self.folder = folder + "/world"
        mutator = JSONMutator(corpus: corpus.all)
    }

    func run(_ generator: inout SplitMix64, _ recorder: InputRecorder, _ outcomes: inout FuzzOutcomes) throws {
        let settings = settings(&generator)
        recorder.step(["settings": tree(settings)])
        let pipeline = try Pipeline(folder: folder, settings: settings)
        let names = ["shapes", "0.a_b-c", "digits"]
        let projects = (0..<generator.pick([1, 1, 2, 3])).map { index in
            let base = corpus["project"].first { $0["acquisition"]?["batch"] != nil } ?? [:]
            return ProjectMaker(name: names[index], partition: Int32(index % 2), base: base, &generator)
        }
        let scenario = Scenario(
            pipeline: pipeline,
            participants: Participants(pipeline, projects: projects),
            corpus: corpus,
            mutator: mutator,
            corruptedShare: generator.pick([0, 0.01, 0.05, 0.2, 0.9]),
            player: StepPlayer(pipeline: pipeline, recorder: recorder)
        )
        try play(scenario, &generator, &outcomes)
    }

    private func play(_ start: Scenario, _ generator: inout SplitMix64, _ outcomes: inout FuzzOutcomes) throws {
        var scenario = start
        for index in scenario.participants.projects.indices {
            let draft = scenario.participants.revision(index, &generator)
            try scenario.send(draft, &generator, &outcomes)
        }
        for _ in 0..<generator.pick([4, 12, 12, 25, 40]) {
            try scenario.round(&generator, &outcomes)
        }
        try end(scenario.pipeline, &outcomes)
    }

    private func end(_ pipeline: Pipeline, _ outcomes: inout FuzzOutcomes) throws {
        try pipeline.settle()
        let rows = pipeline.liveRows()
        pipeline.stop()
        let ledger = Ledger(pipeline)
        try ledger.check(&outcomes)
        try ledger.checkRestored(rows)
    }

    func replay(_ steps: [JSONTree], _ outcomes: inout FuzzOutcomes) throws {
        let pipeline = try Pipeline(folder: folder, settings: settings(steps.first?["settings"]))
        let player = StepPlayer(pipeline: pipeline, recorder: nil)
        for step in steps { try player.play(step, &outcomes) }
        try end(pipeline, &outcomes)
    }

    // MARK: - Settings

    private func settings(_ generator: inout SplitMix64) -> Pipeline.Settings {
        var settings = Pipeline.Settings()
        settings.hasTrainer = generator.chance(0.4)
        settings.batchSize = generator.pick([1, 7, 1_000])
        if generator.chance(0.1) { settings.deadLettersPerSecond = generator.between(1...20) }
        if generator.chance(0.1) { settings.entryLimits = limits(generator.between(1...60)) }
        return settings
    }

    private func limits(_ entries: Int) -> EntryLimits {
        EntryLimits(
            entries: Dictionary(uniqueKeysWithValues: IntakeProcessor.inputs.map { ($0, entries) }),
            bytes: 1 << 20
        )
    }

    private func tree(_ settings: Pipeline.Settings) -> JSONTree {
        [
            "trainer": .word("\(settings.hasTrainer)"), "batch": .word("\(settings.batchSize)"),
            "letters": .word("\(settings.deadLettersPerSecond)"),
            "entries": .word("\(settings.entryLimits == .usual ? 0 : settings.entryLimits.entries[.commands] ?? 0)"),
        ]
    }

    private func settings(_ tree: JSONTree?) -> Pipeline.Settings {
        var settings = Pipeline.Settings()
        settings.hasTrainer = tree?["trainer"]?.plain == "true"
        settings.batchSize = max(1, tree?["batch"]?.int ?? 1_000)
        settings.deadLettersPerSecond = max(1, tree?["letters"]?.int ?? 1_000_000)
        if let entries = tree?["entries"]?.int, entries > 0 { settings.entryLimits = limits(entries) }
        return settings
    }
}
