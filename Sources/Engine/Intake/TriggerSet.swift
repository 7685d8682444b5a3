internal import Acquisition
internal import Flywheel
internal import Hashing
internal import Vocabulary

/// The triggers of a project as Intake judges them: bits stand for their positions in the configuration.
struct TriggerSet {
    private struct Entry {
        let program: TriggerProgram
        /// Thins out what fires too often: another draw than that of the condition itself.
        let thinning: StableHash
        let perHour: Double
        var fired: TriggerLimit
        var awaiting: TriggerLimit
    }

    /// What became of a prediction.
    struct Outcome {
        /// Those that fired.
        var fired: UInt32 = 0
        /// Those that wait with it for what a user or another model makes of it.
        var awaiting: UInt32 = 0

        var isEmpty: Bool { fired | awaiting == 0 }
    }

    private var entries: ContiguousArray<Entry> = []
    private let names: [String]
    /// Whether any condition is on metadata, which only a full parse reads.
    let readsMetadata: Bool
    /// For each class, where its probability is noted; -1: nowhere. Empty where no condition asks for it.
    private var slots: ContiguousArray<Int32> = []
    /// Probabilities of the event in hand; below 0 of classes that it does not name.
    private var noted: ContiguousArray<Double> = []

    /// Those of a configuration, for a worker that sees all of the traffic; nil where there are none.
    init?(_ configuration: ProjectConfiguration) {
        let triggers = configuration.acquisition.triggers
        guard !triggers.isEmpty else { return nil }
        names = triggers.map(\.name)
        var watched: [Int] = []
        for trigger in triggers {
            let program = TriggerProgram(trigger, project: configuration.project)
            let rate = Double(trigger.perHour)
            entries.append(
                Entry(
                    program: program,
                    thinning: StableHash(
                        project: configuration.project.rawValue,
                        purpose: "trigger/\(trigger.name)/limit"
                    ),
                    perHour: rate,
                    fired: TriggerLimit(perHour: rate),
                    awaiting: TriggerLimit(perHour: rate)
                )
            )
            for label in program.watched where !watched.contains(label.rawValue) { watched.append(label.rawValue) }
        }
        readsMetadata = entries.contains { $0.program.readsMetadata }
        guard !watched.isEmpty else { return }
        slots = ContiguousArray(repeating: -1, count: configuration.schema.classes.count)
        noted = ContiguousArray(repeating: -1, count: watched.count)
        for (place, label) in watched.enumerated() where slots.indices.contains(label) { slots[label] = Int32(place) }
    }

    /// Limits begin anew for a worker that sees so much of the traffic, in `0...1`.
    mutating func limit(to share: Double) {
        for index in entries.indices {
            entries[index].fired = TriggerLimit(perHour: entries[index].perHour * share)
            entries[index].awaiting = entries[index].fired
        }
    }

    /// Whether probabilities must be noted.
    var watchesClasses: Bool { !noted.isEmpty }

    /// Begins an event: no class has been named.
    mutating func beginNotes() { for index in noted.indices { noted[index] = -1 } }

    /// Notes the probability of a class, if it is asked for.
    mutating func note(_ label: Int, _ probability: Double) {
        if slots[label] >= 0 { noted[Int(slots[label])] = probability }
    }

    /// The probability noted of a class, or what stands for all that were not named.
    private func probability(of label: Int, unnamed: Double) -> Double {
        guard slots.indices.contains(label), slots[label] >= 0 else { return unnamed }
        let known = noted[Int(slots[label])]
        return known < 0 ? unnamed : known
    }

    /// Which conditions on names hold of a model version, and of metadata where any are read.
    func names(version: ModelVersion?, metadata: SampleMetadata) -> ContiguousArray<UInt64> {
        ContiguousArray(entries.map { $0.program.names(version: version, metadata: metadata) })
    }

    /// Judges a prediction whose classes were noted.
    ///
    /// - Parameters:
    ///   - facts: Of the prediction.
    ///   - names: From `names(version:metadata:)`.
    ///   - sample: The sample's id in UTF-8.
    ///   - unnamed: The probability of each class that the prediction does not name.
    ///   - passes: Whether it goes on to the journal anyway: what waits with it costs nothing then.
    ///   - time: Milliseconds.
    /// - Returns: What fired within its limit, and what waits.
    /// - Complexity: O(*n*) in the conditions; no allocation.
    mutating func judge(
        _ facts: TriggerFacts,
        names: ContiguousArray<UInt64>,
        sample: UnsafeRawBufferPointer,
        unnamed: Double,
        passes: Bool,
        at time: Int64
    ) -> Outcome {
        var outcome = Outcome()
        var waiting: UInt32 = 0
        for index in entries.indices {
            let draw = entries[index].program.draws ? entries[index].program.draw(of: sample) : 0
            let verdict = entries[index].program.judge(facts, names: names[index], draw: draw) {
                probability(of: $0, unnamed: unnamed)
            }
            let bit: UInt32 = 1 &<< UInt32(index)
            switch verdict {
            case .fails: continue
            case .undecided: waiting |= bit
            case .holds:
                let chance = entries[index].thinning.unit(key: sample)
                if entries[index].fired.admits(chance, at: time) { outcome.fired |= bit }
            }
        }
        guard waiting != 0 else { return outcome }
        var passes = passes || outcome.fired != 0
        for index in entries.indices where waiting & (1 &<< UInt32(index)) != 0 {
            let chance = entries[index].thinning.unit(key: sample)
            guard passes || entries[index].awaiting.admits(chance, at: time) else { continue }
            outcome.awaiting |= 1 &<< UInt32(index)
            passes = true
        }
        return outcome
    }

    /// The names behind bits, in the order of the configuration.
    func names(of bits: UInt32) -> [String] {
        names.indices.compactMap { bits & (1 &<< UInt32($0)) != 0 ? names[$0] : nil }
    }
}
