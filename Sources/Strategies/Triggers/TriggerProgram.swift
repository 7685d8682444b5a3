public import Hashing
public import Vocabulary

/// Result of a condition; undecided while it needs events that have not been received.
public enum TriggerVerdict: Hashable, Sendable {
    case holds, fails, undecided
}

/// Facts by which a trigger judges a prediction, apart from names and hash values.
public struct TriggerFacts: Hashable, Sendable {
    /// The position of the likeliest class; below 0 for a sample that no model has seen.
    public var top: Int
    /// The probability of the likeliest class.
    public var confidence: Double
    /// The difference of the two highest probabilities, in `0...1`.
    public var margin: Double
    /// The acquisition score, in `0...1`.
    public var score: Double
    public var role: ModelRole?
    /// Whether champion and challenger predict different classes as likeliest; nil: not known.
    public var disagrees: Bool?
    /// Whether a user corrected or rejected the prediction; nil: not known.
    public var isOverridden: Bool?

    public init(top: Int, confidence: Double, margin: Double, score: Double, role: ModelRole?) {
        self.top = top
        self.confidence = confidence
        self.margin = margin
        self.score = score
        self.role = role
    }
}

/// A trigger's condition compiled to judge many predictions: a flat list, inner conditions before the conditions that
/// combine them.
///
/// Verdicts are stored in two words with one bit per condition, by Kleene's strong three-valued logic.
public struct TriggerProgram: Sendable {
    enum Step {
        case all(UInt64)
        case any(UInt64)
        case not(UInt64)
        case confidence(Int, Double, Double)
        case probability(Int, Double, Double)
        case margin(Double, Double)
        case score(Double, Double)
        case role(ModelRole)
        /// The position of a condition in `named`.
        case named(Int)
        case sample(Double)
        case disagreement
        case overridden
    }

    fileprivate var steps: ContiguousArray<Step> = []
    /// Conditions on names, which `names(version:metadata:)` evaluates in advance.
    private var named: [TriggerCondition] = []
    /// Classes whose probability is read, whether likeliest or not.
    public private(set) var watched: [ClassIndex] = []
    /// Whether a condition selects samples by hash.
    public private(set) var draws = false
    public private(set) var readsMetadata = false
    /// Hash for conditions that select samples by hash.
    public let draw: StableHash

    /// Compiles a trigger of a project; its condition must be within the limits of `TriggerCondition`.
    public init(_ trigger: Trigger, project: ProjectID) {
        draw = StableHash(project: project.rawValue, purpose: "trigger/\(trigger.name)")
        _ = add(trigger.condition)
    }

    /// Appends a condition, after the conditions that it combines.
    ///
    /// - Returns: The bit of the condition.
    private mutating func add(_ condition: TriggerCondition) -> UInt64 {
        let step: Step
        switch condition {
        case .all(let parts): step = .all(parts.reduce(0) { $0 | add($1) })
        case .any(let parts): step = .any(parts.reduce(0) { $0 | add($1) })
        case .not(let part): step = .not(add(part))
        case .confidence(let label, let bounds):
            step = .confidence(label?.rawValue ?? -1, bounds.above ?? -.infinity, bounds.below ?? .infinity)
        case .probability(let label, let bounds):
            if !watched.contains(label) { watched.append(label) }
            step = .probability(label.rawValue, bounds.above ?? -.infinity, bounds.below ?? .infinity)
        case .margin(let bounds): step = .margin(bounds.above ?? -.infinity, bounds.below ?? .infinity)
        case .score(let bounds): step = .score(bounds.above ?? -.infinity, bounds.below ?? .infinity)
        case .role(let role): step = .role(role)
        case .version, .metadata:
            if case .metadata = condition { readsMetadata = true }
            named.append(condition)
            step = .named(named.count - 1)
        case .sample(let share):
            draws = true
            step = .sample(share)
        case .disagreement: step = .disagreement
        case .overridden: step = .overridden
        }
        steps.append(step)
        return 1 &<< UInt64(steps.count - 1)
    }

    /// Which conditions on names hold, one bit each.
    public func names(version: ModelVersion?, metadata: SampleMetadata) -> UInt64 {
        var bits: UInt64 = 0
        for (position, condition) in named.enumerated() {
            switch condition {
            case .version(let wanted) where wanted == version: bits |= 1 &<< UInt64(position)
            case .metadata(let key, let values):
                if let value = metadata[key], values.contains(value) { bits |= 1 &<< UInt64(position) }
            default: break
            }
        }
        return bits
    }

    /// The sample's hash value in `0..<1`, which any program can compute.
    public func draw(of sample: UnsafeRawBufferPointer) -> Double { draw.unit(key: sample) }

    /// Judges a prediction.
    ///
    /// - Parameters:
    ///   - facts: Facts of the prediction.
    ///   - names: Result of `names(version:metadata:)`.
    ///   - draw: Result of `draw(of:)`; irrelevant unless `draws`.
    ///   - probability: Probability of a class by its index; called for `watched` only, and only if there is an output.
    /// - Returns: `undecided` if facts not yet received would decide.
    /// - Complexity: O(*n*) in the conditions; no allocation.
    @inline(__always)
    public func judge(
        _ facts: TriggerFacts,
        names: UInt64,
        draw: Double,
        probability: (Int) -> Double
    ) -> TriggerVerdict {
        steps.withUnsafeBufferPointer { steps in
            TriggerSteps(start: steps.baseAddress, count: steps.count)
                .judge(facts, names: names, draw: draw, probability: probability)
        }
    }

    /// Judges a prediction from its sample and complete output; its score and role are in `facts`.
    public func judge(
        _ facts: TriggerFacts,
        sample: Sample,
        output: Output?,
        version: ModelVersion?,
        classes: Int
    ) -> TriggerVerdict {
        var id = sample.id.rawValue
        let draw = draws ? id.withUTF8 { self.draw(of: UnsafeRawBufferPointer($0)) } : 0
        return judge(facts, names: names(version: version, metadata: sample.metadata), draw: draw) {
            output?.distribution?.probability(of: $0, classes: classes) ?? 0
        }
    }
}

/// A trigger's condition for a caller that judges every record: the steps are stored in memory without reference
/// counting.
public final class TriggerStepBuffer {
    private let memory: UnsafeMutableBufferPointer<TriggerProgram.Step>

    /// Keeps a copy of the program's steps.
    public init(_ program: TriggerProgram) {
        memory = .allocate(capacity: program.steps.count)
        _ = memory.initialize(from: program.steps)
    }

    deinit {
        memory.deinitialize()
        memory.deallocate()
    }

    /// The steps, valid during the lifetime of this object.
    public var steps: TriggerSteps {
        TriggerSteps(start: UnsafePointer(memory.baseAddress), count: memory.count)
    }
}

/// The steps of a program, in memory that another object owns.
public struct TriggerSteps {
    let start: UnsafePointer<TriggerProgram.Step>?
    let count: Int

    /// Judges as `TriggerProgram.judge` does.
    ///
    /// - Complexity: O(*n*) in the conditions; no allocation, no reference counting.
    @inline(__always)
    public func judge(
        _ facts: TriggerFacts,
        names: UInt64,
        draw: Double,
        probability: (Int) -> Double
    ) -> TriggerVerdict {
        guard let start else { return .fails }
        var holds: UInt64 = 0
        var undecided: UInt64 = 0
        var bit: UInt64 = 1
        let isSeen = facts.top >= 0
        for index in 0..<count {
            var known: Bool?
            switch start[index] {
            case .all(let parts):
                known = (holds | undecided) & parts != parts ? false : (undecided & parts != 0 ? nil : true)
            case .any(let parts): known = holds & parts != 0 ? true : (undecided & parts != 0 ? nil : false)
            case .not(let part): known = undecided & part != 0 ? nil : holds & part == 0
            case .confidence(let label, let above, let below):
                known =
                    isSeen && (label < 0 || label == facts.top) && facts.confidence > above && facts.confidence < below
            case .probability(let label, let above, let below):
                let value = isSeen ? probability(label) : -1
                known = isSeen && value > above && value < below
            case .margin(let above, let below): known = isSeen && facts.margin > above && facts.margin < below
            case .score(let above, let below): known = isSeen && facts.score > above && facts.score < below
            case .role(let role): known = facts.role == role
            case .named(let position): known = names & (1 &<< UInt64(position)) != 0
            case .sample(let share): known = draw < share
            case .disagreement: known = isSeen ? facts.disagrees : false
            case .overridden: known = isSeen ? facts.isOverridden : false
            }
            switch known {
            case true?: holds |= bit
            case nil: undecided |= bit
            case false?: break
            }
            bit = bit &<< 1
        }
        let last: UInt64 = 1 &<< UInt64(count - 1)
        return holds & last != 0 ? .holds : (undecided & last != 0 ? .undecided : .fails)
    }
}
