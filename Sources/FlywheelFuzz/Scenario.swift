import Events
import Fuzzing
import Statistics

/// One scenario: the records of its parties, some of them corrupted, and the passing of time.
struct Scenario {
    let pipeline: Pipeline
    var participants: Participants
    let corpus: Corpus
    let mutator: JSONMutator
    /// Share of the records that are corrupted.
    let corruptedShare: Double
    let player: StepPlayer

    private static let events: [(topic: Topic, event: String)] = [
        (.predictions, "prediction"), (.feedback, "feedback"), (.annotations, "annotation"),
        (.trainingResults, "training-result"), (.commands, "command"), (.datasetVersions, "dataset-version"),
        (.imports, "import"),
        (.projects, "project"),
    ]

    /// Runs one round: parties send, workers run, time passes.
    mutating func round(_ generator: inout SplitMix64, _ outcomes: inout FuzzOutcomes) throws {
        participants.readDecisions()
        for draft in participants.predictions(generator.size(below: 24), &generator) {
            try send(draft, &generator, &outcomes)
        }
        try player.play(Self.settle, &outcomes)
        participants.readDecisions()
        var drafts = participants.annotations(&generator) + participants.results(&generator)
        if generator.chance(0.15) { drafts.append(participants.command(&generator)) }
        if generator.chance(0.1) { drafts += participants.imports(&generator) }
        if generator.chance(0.06) {
            drafts.append(participants.revision(generator.next(below: participants.projects.count), &generator))
        }
        for draft in drafts { try send(draft, &generator, &outcomes) }
        if generator.chance(corruptedShare * 2) {
            for _ in 0..<generator.size(below: 8) { try sendStray(&generator, &outcomes) }
        }
        try player.play(Self.settle, &outcomes)
        let time = generator.pick([1, 1_500, 1_500, 1_500, 5_000, 30_000, 3_600_000])
        try player.play(["advance": .word("\(time)")], &outcomes)
        try player.play(Self.settle, &outcomes)
        if generator.chance(0.04) { try player.play(["restart": .word("true")], &outcomes) }
        if generator.chance(0.03) { try player.play(["redrive": ["again": .word("false")]], &outcomes) }
    }

    private static let settle: JSONTree = ["settle": .word("true")]

    // MARK: - Records

    /// Sends a party's record, unchanged or corrupted.
    func send(_ draft: Participants.Draft, _ generator: inout SplitMix64, _ outcomes: inout FuzzOutcomes) throws {
        var tree = draft.tree
        var value: [UInt8]?
        // A project that the workers cannot apply leaves the whole scenario idle, so projects are corrupted less often.
        let share = draft.topic == .projects ? corruptedShare / 3 : corruptedShare
        if generator.chance(share) {
            outcomes.add("records", "spoiled")
            mutator.mutate(&tree, &generator)
            value = generator.chance(0.02) ? nil : mutator.bytes(of: tree, &generator)
        } else {
            if generator.chance(0.05) { tree = Self.wrapped(tree) }
            value = tree.bytes
        }
        let step = RecordStep(
            draft.topic,
            partition: draft.partition ?? Int32(generator.next(below: Int(Pipeline.partitions))),
            key: generator.chance(share) ? ExtremeHeaders.key(&generator) : draft.key,
            value: value,
            headers: generator.chance(0.05 + share / 4) ? ExtremeHeaders.headers(&generator) : []
        )
        try player.send(step, &outcomes)
    }

    /// Sends a golden file, for a project of the scenario or its own, mutated or not, on its topic or another.
    private func sendStray(_ generator: inout SplitMix64, _ outcomes: inout FuzzOutcomes) throws {
        let kind = generator.pick(Self.events)
        guard !corpus[kind.event].isEmpty else { return }
        var tree = generator.pick(corpus[kind.event])
        let project = generator.pick(participants.projects).name
        if generator.chance(0.8) { tree["project"] = .text(project) }
        if generator.chance(0.6) { mutator.mutate(&tree, &generator) }
        let topic = generator.chance(0.9) ? kind.topic : generator.pick(Self.events).topic
        let isProject = topic == .projects
        let step = RecordStep(
            topic,
            partition: isProject ? 0 : Int32(generator.next(below: Int(Pipeline.partitions))),
            key: isProject && generator.chance(0.8) ? tree["project"]?.blob : ExtremeHeaders.key(&generator),
            value: isProject && generator.chance(0.1) ? nil : mutator.bytes(of: tree, &generator),
            headers: generator.chance(0.3) ? ExtremeHeaders.headers(&generator) : []
        )
        outcomes.add("records", "strays")
        try player.send(step, &outcomes)
    }

    /// Wraps a value in a CloudEvents envelope.
    private static func wrapped(_ tree: JSONTree) -> JSONTree {
        ["specversion": "1.0", "id": "e1", "source": "shop", "type": "t", "data": tree]
    }
}
