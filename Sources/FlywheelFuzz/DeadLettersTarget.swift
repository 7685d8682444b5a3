import DeadLetters
import Events
import Fuzzing
import Intake
import Statistics
import StreamRuntime
import StreamTesting

/// Headers and keys of refused records, through the dead letters and back: the dead letter keeps them as received, and
/// whatever their content, a redrive sends a record as often as permitted, and no other record is affected.
final class DeadLettersTarget: FuzzTarget {
    let name = "letters"
    let weight = 2.0
    private let corpus: Corpus
    private let mutator: JSONMutator
    private let folder: String
    private static let topics = IntakeProcessor.inputs

    init(corpus: Corpus, folder: String) {
        self.corpus = corpus
        self.folder = folder + "/letters"
        mutator = JSONMutator(corpus: corpus.all)
    }

    func run(_ generator: inout SplitMix64, _ recorder: InputRecorder, _ outcomes: inout FuzzOutcomes) throws {
        let pipeline = try makePipeline()
        let player = StepPlayer(pipeline: pipeline, recorder: recorder)
        let base = corpus["project"].first { $0["acquisition"]?["batch"] != nil } ?? [:]
        var project = ProjectMaker(name: "shapes", partition: 1, base: base, &generator)
        let revision = project.next(&generator)
        try player.send(
            RecordStep(.projects, partition: 0, key: Array("shapes".utf8), value: revision.bytes),
            &outcomes
        )
        for _ in 0..<generator.between(1...3) {
            for _ in 0..<generator.between(1...12) { try player.send(record(&generator), &outcomes) }
            try player.play(["settle": .word("true")], &outcomes)
            guard generator.chance(0.8) else { continue }
            try player.play(
                [
                    "redrive": [
                        "again": .word(generator.pick(["true", "false"])),
                        "attempts": .word(generator.pick(["0", "1", "3", "1000000", "9223372036854775807"])),
                    ]
                ],
                &outcomes
            )
            try player.play(["settle": .word("true")], &outcomes)
        }
        try end(pipeline, &outcomes)
        // A record that another party wrote to the topic affects only itself.
        for _ in 0..<generator.size(below: 4) {
            let forged = RecordStep(
                .deadLetters,
                partition: Int32(generator.next(below: 2)),
                key: ExtremeHeaders.key(&generator),
                value: generator.chance(0.5) ? nil : Array("{}".utf8),
                headers: ExtremeHeaders.headers(&generator)
            )
            try player.send(forged, &outcomes)
        }
        try player.play(["redrive": ["again": .word("true"), "attempts": .word("9223372036854775807")]], &outcomes)
    }

    private func record(_ generator: inout SplitMix64) -> RecordStep {
        var tree = generator.pick(corpus.all)
        if generator.chance(0.5) { tree["project"] = "shapes" }
        return RecordStep(
            generator.pick(Self.topics),
            partition: Int32(generator.next(below: 2)),
            key: ExtremeHeaders.key(&generator),
            value: generator.chance(0.1) ? nil : mutator.bytes(of: tree, &generator),
            headers: ExtremeHeaders.headers(&generator, floodChance: 0.02)
        )
    }

    func replay(_ steps: [JSONTree], _ outcomes: inout FuzzOutcomes) throws {
        let pipeline = try makePipeline()
        let player = StepPlayer(pipeline: pipeline, recorder: nil)
        let forgedIndex = steps.firstIndex { $0["send"]?.plain == Topic.deadLetters.rawValue } ?? steps.endIndex
        // The very last step may be a redrive after the check of the ledger.
        let checkIndex =
            forgedIndex == steps.endIndex && steps.last?["redrive"] != nil ? steps.endIndex - 1 : forgedIndex
        for step in steps[..<checkIndex] { try player.play(step, &outcomes) }
        try end(pipeline, &outcomes)
        for step in steps[checkIndex...] { try player.play(step, &outcomes) }
    }

    private func makePipeline() throws -> Pipeline {
        var settings = Pipeline.Settings()
        settings.hasTrainer = false
        return try Pipeline(folder: folder, settings: settings)
    }

    private func end(_ pipeline: Pipeline, _ outcomes: inout FuzzOutcomes) throws {
        try pipeline.settle()
        pipeline.stop()
        try Ledger(pipeline).check(&outcomes)
        try checkOrigins(pipeline)
    }

    /// Checks that a dead letter contains key, value and headers of its record as received, as far as it states that it
    /// does.
    private func checkOrigins(_ pipeline: Pipeline) throws {
        try DeadLetterScan(transport: pipeline.cluster, topics: pipeline.topics).forEachDeadLetter { deadLetter in
            let records = pipeline.cluster.committed(deadLetter.origin.topic, deadLetter.origin.partition)
            guard let record = records.first(where: { $0.offset == deadLetter.originOffset }) else {
                throw FuzzFault("dead letter \(deadLetter.position) names a record that does not exist")
            }
            let position = "dead letter \(deadLetter.position)"
            if !deadLetter.isKeyCut, deadLetter.key != record.key { throw FuzzFault("\(position) has another key") }
            if !deadLetter.isValueCut, deadLetter.value != record.value {
                throw FuzzFault("\(position) has another value")
            }
            guard deadLetter.valueSize == record.value?.count ?? 0 else {
                throw FuzzFault("\(position) has another size")
            }
            if !deadLetter.areHeadersCut, deadLetter.headers != record.headers {
                throw FuzzFault(
                    "\(position) has other headers: \(deadLetter.headers.prefix(6)), the record \(record.headers.prefix(6))"
                )
            }
        }
    }
}
