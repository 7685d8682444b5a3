internal import Vocabulary

/// The reason why numbers for classes are no distribution: the first of a list of faults, each with its own sentence.
struct DistributionFault {
    private let numbers: [(label: ClassIndex, probability: Double)]
    /// Probability of the classes that are not listed; nil if none is given.
    private let remainder: Double?
    private let schema: LabelSchema

    init(_ numbers: [(ClassIndex, Double)], remainder: Double?, _ schema: LabelSchema) {
        self.numbers = numbers.map { (label: $0.0, probability: $0.1) }
        self.remainder = remainder
        self.schema = schema
    }

    /// The first class that occurs a second time.
    ///
    /// - Complexity: O(*n*).
    static func repeated(_ labels: [ClassIndex]) -> ClassIndex? {
        var seen = Set<ClassIndex>(minimumCapacity: labels.count)
        return labels.first { !seen.insert($0).inserted }
    }

    /// The fault in one sentence, with the class and the value if a single class is at fault.
    func text(at path: String, _ remainderPath: String = "remainder") -> String {
        guard !numbers.isEmpty else { return "\(path): expected a probability for at least one class, found none" }
        if let label = Self.repeated(numbers.map(\.label)) {
            return "\(path): class \"\(schema.name(of: label).prefix(64))\" stands twice"
        }
        for (label, probability) in numbers where ClassDistribution.accepted(probability) == nil {
            let name = schema.name(of: label).prefix(64)
            return "\(path): class \"\(name)\": expected a number in 0...1, found \(probability)"
        }
        if let remainder, ClassDistribution.accepted(remainder) == nil {
            return "\(remainderPath): expected a number in 0...1, found \(remainder)"
        }
        var sum = remainder ?? 0
        for (_, probability) in numbers { sum += probability }
        return "\(path): expected numbers in 0...1 that sum to 1 within 0.01, found \(numbers.count) that sum to \(sum)"
    }
}
