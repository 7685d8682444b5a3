internal import Acquisition
internal import Flywheel
internal import Hashing
internal import Strategies
internal import Vocabulary

/// Triggers of a project as Intake judges them; a bit represents the trigger with its index in the configuration.
struct TriggerSet {
    /// Trigger as it is evaluated for every record, without reference counting.
    private struct Entry {
        let steps: TriggerSteps
        /// Nil if no condition uses a draw.
        let drawHash: UniformHash?
        /// Thins out a trigger that fires too often: a draw different from that of the condition itself.
        let thinning: UniformHash
        let perHour: Double
        var firedLimit: TriggerLimit
        var pendingLimit: TriggerLimit
    }

    /// Owner of the memory to which the entries point.
    private final class Storage {
        var triggers: [TriggerStepBuffer] = []
        var prefixes: [UniformHashPrefix] = []

        func store(_ program: TriggerProgram) -> TriggerSteps {
            let trigger = TriggerStepBuffer(program)
            triggers.append(trigger)
            return trigger.steps
        }

        func store(_ hash: StableHash) -> UniformHash {
            let prefix = UniformHashPrefix(hash)
            prefixes.append(prefix)
            return prefix.hash
        }
    }

    /// Triggers that concern a prediction.
    struct Outcome {
        /// Triggers that fired, one bit each.
        var fired: UInt32 = 0
        /// Triggers that wait, with the prediction, for the reaction of a user or of another model, one bit each.
        var pending: UInt32 = 0

        var isEmpty: Bool { fired | pending == 0 }
    }

    private let storage = Storage()
    private let programs: [TriggerProgram]
    private var entries: ContiguousArray<Entry> = []
    private let names: [String]
    /// Whether any condition is on metadata, which only a full parse reads.
    let readsMetadata: Bool
    /// Probabilities that conditions use; nil if none does.
    private var noted: NotedProbabilities?

    /// Creates the triggers of a configuration, for a worker that sees all of the traffic; nil where there are
    /// none.
    init?(_ configuration: ProjectConfiguration) {
        let triggers = configuration.acquisition.triggers
        guard !triggers.isEmpty else { return nil }
        names = triggers.map(\.name)
        programs = triggers.map { TriggerProgram($0, project: configuration.project) }
        var watched: [Int] = []
        for (trigger, program) in zip(triggers, programs) {
            let rate = Double(trigger.perHour)
            entries.append(
                Entry(
                    steps: storage.store(program),
                    drawHash: program.draws ? storage.store(program.draw) : nil,
                    thinning: storage.store(
                        StableHash(
                            project: configuration.project.rawValue,
                            purpose: "trigger/\(trigger.name)/limit"
                        )
                    ),
                    perHour: rate,
                    firedLimit: TriggerLimit(perHour: rate),
                    pendingLimit: TriggerLimit(perHour: rate)
                )
            )
            for label in program.watched where !watched.contains(label.rawValue) { watched.append(label.rawValue) }
        }
        readsMetadata = programs.contains { $0.readsMetadata }
        guard !watched.isEmpty else { return }
        noted = NotedProbabilities(watched, classes: configuration.schema.classes.count)
    }

    /// Restarts the limits for a worker that reads `share` of the traffic, in `0...1`.
    mutating func restartLimits(share: Double) {
        for index in entries.indices {
            entries[index].firedLimit = TriggerLimit(perHour: entries[index].perHour * share)
            entries[index].pendingLimit = entries[index].firedLimit
        }
    }

    /// Sets the share of the traffic that the worker sees; the limits keep what they have counted.
    mutating func setShare(_ share: Double) {
        for index in entries.indices {
            entries[index].firedLimit.setRate(perHour: entries[index].perHour * share)
            entries[index].pendingLimit.setRate(perHour: entries[index].perHour * share)
        }
    }

    /// Whether probabilities must be noted.
    var watchesClasses: Bool { noted != nil }

    /// Begins an event: no class has been named.
    func beginNotes() { noted?.begin() }

    /// Notes the probability of a class, if a condition uses it.
    func note(_ label: Int, _ probability: Double) { noted?.note(label, probability) }

    /// Returns which conditions on names hold for a model version, and for metadata if any condition reads them; one
    /// word per trigger.
    func nameConditions(version: ModelVersion?, metadata: SampleMetadata) -> ContiguousArray<UInt64> {
        ContiguousArray(programs.map { $0.names(version: version, metadata: metadata) })
    }

    /// Judges a prediction whose classes were noted.
    ///
    /// - Parameters:
    ///   - facts: Facts of the prediction.
    ///   - nameConditions: From `nameConditions(version:metadata:)`.
    ///   - sample: The sample's id in UTF-8.
    ///   - unnamed: The probability of each class that the prediction does not name.
    ///   - passes: Whether the prediction is forwarded to the journal anyway: then a trigger that waits with it costs
    ///     nothing.
    ///   - time: Milliseconds.
    /// - Returns: The triggers that fired within their limits, and the triggers that wait.
    /// - Complexity: O(*n*) in the conditions; no allocation.
    mutating func judge(
        _ facts: TriggerFacts,
        nameConditions: UnsafeBufferPointer<UInt64>,
        sample: UnsafeRawBufferPointer,
        unnamed: Double,
        passes: Bool,
        at time: Int64
    ) -> Outcome {
        let known = noted?.lookup(unnamed: unnamed) ?? NotedProbabilities.Lookup(unnamed: unnamed)
        return entries.withUnsafeMutableBufferPointer {
            Self.judge(
                $0,
                by: facts,
                nameConditions: nameConditions,
                known: known,
                sample: sample,
                passes: passes,
                at: time
            )
        }
    }

    private static func judge(
        _ entries: UnsafeMutableBufferPointer<Entry>,
        by facts: TriggerFacts,
        nameConditions: UnsafeBufferPointer<UInt64>,
        known: NotedProbabilities.Lookup,
        sample: UnsafeRawBufferPointer,
        passes: Bool,
        at time: Int64
    ) -> Outcome {
        var outcome = Outcome()
        var waiting: UInt32 = 0
        for index in entries.indices {
            let draw = entries[index].drawHash.map { $0.unit(key: sample) } ?? 0
            let verdict = entries[index].steps.judge(facts, names: nameConditions[index], draw: draw) {
                known.probability(of: $0)
            }
            let bit: UInt32 = 1 &<< UInt32(index)
            switch verdict {
            case .fails: continue
            case .undecided: waiting |= bit
            case .holds:
                let chance = entries[index].thinning.unit(key: sample)
                if entries[index].firedLimit.admits(chance, at: time) { outcome.fired |= bit }
            }
        }
        guard waiting != 0 else { return outcome }
        var passes = passes || outcome.fired != 0
        for index in entries.indices where waiting & (1 &<< UInt32(index)) != 0 {
            let chance = entries[index].thinning.unit(key: sample)
            guard passes || entries[index].pendingLimit.admits(chance, at: time) else { continue }
            outcome.pending |= 1 &<< UInt32(index)
            passes = true
        }
        return outcome
    }

    /// Returns the names of the triggers whose bits are set, in the order of the configuration.
    func names(of bits: UInt32) -> [String] {
        names.indices.compactMap { bits & (1 &<< UInt32($0)) != 0 ? names[$0] : nil }
    }
}

/// Probabilities that one event assigns to the classes that conditions use.
private final class NotedProbabilities {
    /// Looks probabilities up without the object; valid while the object exists and no other event begins.
    struct Lookup {
        fileprivate var slots: UnsafeBufferPointer<Int32> = .init(start: nil, count: 0)
        fileprivate var values: UnsafePointer<Double>?
        /// The probability of each class that the event does not name.
        let unnamed: Double

        init(unnamed: Double) { self.unnamed = unnamed }

        /// Returns the probability of a class, or the value for all classes that were not named.
        func probability(of label: Int) -> Double {
            guard let values, slots.indices.contains(label), slots[label] >= 0 else { return unnamed }
            let known = values[Int(slots[label])]
            return known < 0 ? unnamed : known
        }
    }

    /// For each class, the index of its probability in `values`; -1 if no condition uses the class.
    private let slots: UnsafeMutableBufferPointer<Int32>
    /// Probabilities of the classes that conditions use; below 0 for classes that the event does not name.
    private let values: UnsafeMutableBufferPointer<Double>

    init(_ watched: [Int], classes: Int) {
        slots = .allocate(capacity: classes)
        slots.initialize(repeating: -1)
        values = .allocate(capacity: watched.count)
        values.initialize(repeating: -1)
        for (slot, label) in watched.enumerated() where slots.indices.contains(label) { slots[label] = Int32(slot) }
    }

    deinit {
        slots.deallocate()
        values.deallocate()
    }

    func begin() { values.update(repeating: -1) }

    func note(_ label: Int, _ probability: Double) {
        if slots[label] >= 0 { values[Int(slots[label])] = probability }
    }

    func lookup(unnamed: Double) -> Lookup {
        var lookup = Lookup(unnamed: unnamed)
        lookup.slots = UnsafeBufferPointer(slots)
        lookup.values = UnsafePointer(values.baseAddress)
        return lookup
    }
}
