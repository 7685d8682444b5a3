/// A number that is finite and in `0...1`.
public struct Probability: Hashable, Comparable, Sendable {
    public let value: Double

    /// Fails unless `value` is finite and in `0...1`.
    public init?(_ value: Double) {
        guard value.isFinite, (0...1).contains(value) else { return nil }
        self.value = value
    }

    /// The nearest probability; not a number becomes 0.
    public init(clamping value: Double) { self.value = value >= 1 ? 1 : (value > 0 ? value : 0) }

    public static func < (a: Self, b: Self) -> Bool { a.value < b.value }
}

/// The position of a class in its project's label schema.
public struct ClassIndex: Hashable, Comparable, Sendable {
    public let rawValue: Int
    public init(_ rawValue: Int) { self.rawValue = rawValue }
    public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
}

/// The question put to annotators and the answers it allows. The kind is `choice`: exactly one class.
public struct LabelSchema: Hashable, Sendable {
    public let question: String
    /// 2 to 10,000 distinct names. A later revision may only append.
    public let classes: [String]
    private let positions: [String: Int]

    public init(question: String, classes: [String]) {
        self.question = question
        self.classes = classes
        var positions: [String: Int] = [:]
        for (position, name) in classes.enumerated() { positions[name] = position }
        self.positions = positions
    }

    /// The position of a class; nil of one that the schema does not name.
    public func index(of name: String) -> ClassIndex? { positions[name].map { ClassIndex($0) } }
    /// Whether the schema names the class at a position; a later revision may name more.
    public func contains(_ index: ClassIndex) -> Bool { classes.indices.contains(index.rawValue) }
    /// The name of a class; classes beyond the schema have none.
    public func name(of index: ClassIndex) -> String {
        classes.indices.contains(index.rawValue) ? classes[index.rawValue] : "#\(index.rawValue)"
    }
}

/// A predictive distribution over classes: the likeliest of them, and the mass of all others.
public struct ClassDistribution: Hashable, Sendable {
    /// A class and its probability, in `0...1`.
    public struct Entry: Hashable, Sendable {
        public let label: ClassIndex
        public let probability: Double
        public init(label: ClassIndex, probability: Double) {
            self.label = label
            self.probability = probability
        }
    }

    /// Likeliest first; of equals the lower class.
    public let entries: [Entry]
    /// The mass that no entry names, spread over classes unknown.
    public let remainder: Double

    /// How far from 1 a sum of probabilities may be.
    public static let tolerance = 0.01

    /// Fails unless there is an entry, every probability is finite and in `0...1`, no class stands twice, and all sum to 1
    /// within 0.01.
    public init?(_ entries: [Entry], remainder: Double = 0) {
        guard !entries.isEmpty, remainder.isFinite, remainder >= 0, remainder <= 1 else { return nil }
        var sum = remainder
        var seen = Set<ClassIndex>()
        for entry in entries {
            guard entry.probability.isFinite, entry.probability >= 0, entry.probability <= 1 + Self.tolerance,
                seen.insert(entry.label).inserted
            else { return nil }
            sum += entry.probability
        }
        guard sum > 1 - Self.tolerance, sum < 1 + Self.tolerance else { return nil }
        self.remainder = remainder
        self.entries = entries.sorted {
            $0.probability != $1.probability ? $0.probability > $1.probability : $0.label < $1.label
        }
    }

    /// The likeliest class.
    public var top: Entry { entries[0] }
}
