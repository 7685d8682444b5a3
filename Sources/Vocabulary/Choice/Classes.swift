/// The position of a class in its project's label schema.
public struct ClassIndex: Hashable, Comparable, Sendable {
    public let rawValue: Int
    public init(_ rawValue: Int) { self.rawValue = rawValue }
    public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
}

/// The question of kind `choice`: the answer, and the label, is exactly one class.
///
/// ```swift
/// let schema = LabelSchema(question: "Which animal?", classes: ["cat", "dog"])
/// let question = Question.choice(schema)
/// let label = schema.index(of: "dog").map { Label.choice($0) }
/// ```
public struct LabelSchema: Hashable, Sendable {
    /// Maximum number of bytes of a class's name.
    public static let longestName = 128
    public let question: String
    /// 2 to 10,000 distinct names. A later revision may only append.
    public let classes: [String]
    /// Positions by name; empty for few classes, which are searched linearly because a table costs more than it saves.
    private let positions: [String: Int]
    private static let fewClasses = 16

    public init(question: String, classes: [String]) {
        self.question = question
        self.classes = classes
        guard classes.count > Self.fewClasses else {
            positions = [:]
            return
        }
        var positions = [String: Int](minimumCapacity: classes.count)
        for (position, name) in classes.enumerated() { positions[name] = position }
        self.positions = positions
    }

    /// The position of a class; nil if the schema does not name it.
    public func index(of name: String) -> ClassIndex? {
        (positions.isEmpty ? classes.lastIndex(of: name) : positions[name]).map { ClassIndex($0) }
    }
    /// Whether the schema names the class at a position; a later revision may name more.
    public func contains(_ index: ClassIndex) -> Bool { classes.indices.contains(index.rawValue) }
    /// An earlier version of the schema, given that classes were only appended: the first `count` classes, at most all.
    public func prefix(_ count: Int) -> LabelSchema {
        count >= classes.count ? self : LabelSchema(question: question, classes: Array(classes.prefix(count)))
    }
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

    /// Entries by descending probability; of equals the lower class first.
    public let entries: [Entry]
    /// Probability mass outside of the entries, spread over unknown classes.
    public let remainder: Double

    /// Limit on the difference between a sum of probabilities and 1.
    public static let tolerance = 0.01
    /// Largest magnitude of a negative probability that counts as 0, as the remainder of a rounding
    /// (`1 - 0.7 - 0.2 - 0.1` is -2.8e-17, in 32 bits -2.2e-8).
    @inlinable public static var rounding: Double { 1e-6 }

    /// A probability as it is accepted: 0 for a negative rounding remainder; nil unless it is finite and in `0...1`,
    /// both within their tolerance.
    @inlinable @inline(__always) public static func accepted(_ probability: Double) -> Double? {
        guard probability < 0 else { return probability <= 1 + tolerance ? probability : nil }
        return probability >= -rounding ? 0 : nil
    }

    /// Fails unless there is an entry, `accepted` allows every probability, no class occurs twice, and all sum to
    /// 1 within 0.01. A remainder above 1 counts as 1.
    public init?(_ entries: [Entry], remainder: Double = 0) {
        guard !entries.isEmpty, let remainder = Self.accepted(remainder) else { return nil }
        var sum = min(1, remainder)
        var entries = entries
        for index in entries.indices {
            let entry = entries[index]
            guard let probability = Self.accepted(entry.probability) else { return nil }
            if entry.probability < 0 { entries[index] = Entry(label: entry.label, probability: 0) }
            sum += probability
        }
        guard sum > 1 - Self.tolerance, sum < 1 + Self.tolerance, Self.areDistinct(entries) else { return nil }
        self.remainder = min(1, remainder)
        // Distributions that Flywheel wrote are in order already.
        let isOrdered = zip(entries, entries.dropFirst()).allSatisfy { !Self.comesBefore($1, $0) }
        self.entries = isOrdered ? entries : entries.sorted(by: Self.comesBefore)
    }

    private static func comesBefore(_ a: Entry, _ b: Entry) -> Bool {
        a.probability != b.probability ? a.probability > b.probability : a.label < b.label
    }

    private static func areDistinct(_ entries: [Entry]) -> Bool {
        guard entries.count > 16 else {
            for (index, entry) in entries.enumerated() {
                for other in entries[..<index] where other.label == entry.label { return false }
            }
            return true
        }
        var seen = Set<ClassIndex>(minimumCapacity: entries.count)
        return entries.allSatisfy { seen.insert($0.label).inserted }
    }

    /// The likeliest class.
    public var top: Entry { entries[0] }
}
