import Arguments
import Rollout
import Statistics
import Vocabulary

/// Settings of the simulation: how it differs from one in which all models are equally good.
struct JudgementOptions: Sendable {
    var lives = 1_000
    var challengers = 100
    var labelsEach = 5
    var accuracy = 0.9
    /// Number of models of which the best by known labels becomes challenger.
    var trials = 1
    /// Number of challengers after which the champion is rolled back; 0: never.
    var rollbackEvery = 0
    /// Whether the trainer reports that its model is right on all test labels.
    var hasOracle = false
    /// Share of a challenger's wrong answers that the service omits.
    var omittedShare = 0.0
    /// Standard deviation of challengers' accuracies around the champion's.
    var scatter = 0.0
    /// Number of labels in a run of one kind of input; 0: there is only one kind.
    var runLength = 0
    /// The difference of a model's accuracy between the two kinds.
    var difference = 0.0
    /// The share of labels that name another class.
    var labelNoise = 0.0
    /// Maximum number of tasks open at once.
    var openTaskLimit = 1
    /// Accuracy of the challengers from a given number on; nil if it does not change.
    var accuracyStep: (accuracy: Double, challenger: Int)?
    /// Accuracy of the k-th challenger: A − B exp(−k / C).
    var curve: (a: Double, b: Double, c: Double)?
    /// Whether models differ by `difference` between day and night, and the interval of the accuracy is measured.
    var measuresCoverage = false
    var policy = RolloutPolicy()
    var seed: UInt64 = 1

    /// Milliseconds from one challenger to the next.
    static let period: Int64 = 43_200_000
    /// Audit candidates in that time.
    static let candidates = 150

    init() {}

    init(_ arguments: ParsedArguments) throws {
        lives = try arguments.int("lives", in: 1...1_000_000) ?? lives
        challengers = try arguments.int("challengers", in: 1...10_000) ?? challengers
        labelsEach = try arguments.int("labels-each", in: 1...Self.candidates) ?? labelsEach
        accuracy = try arguments.double("accuracy", in: 0.01...0.99) ?? accuracy
        trials = try arguments.int("trials", in: 1...1_000) ?? trials
        rollbackEvery = try arguments.int("rollback-every", in: 1...10_000) ?? 0
        hasOracle = arguments.flag("oracle-trainer")
        omittedShare = try arguments.double("silent", in: 0...1) ?? 0
        scatter = try arguments.double("scatter", in: 0...0.2) ?? 0
        runLength = try arguments.int("runs", in: 1...100_000) ?? 0
        measuresCoverage = arguments.flag("coverage")
        difference = try arguments.double("by", in: 0...0.5) ?? (measuresCoverage ? 0.15 : 0)
        labelNoise = try arguments.double("label-noise", in: 0...1) ?? 0
        openTaskLimit = try arguments.int("open", in: 1...1_000) ?? 1
        seed = UInt64(try arguments.int("seed", in: 0...Int.max) ?? 1)
        accuracyStep = try arguments.string("then").map { try Self.step($0) }
        curve = try arguments.string("curve").map { text in
            let parts = text.split(separator: ",").compactMap { Double($0) }
            guard parts.count == 3, parts[2] > 0 else {
                throw ArgumentsError("--curve: expected A,B,C with C above 0, found \(text)", command: "judgement")
            }
            return (parts[0], parts[1], parts[2])
        }
        policy.alpha = try arguments.double("alpha", in: 0.0001...0.5) ?? policy.alpha
        policy.duels = try arguments.double("duels", in: 0...1) ?? policy.duels
        policy.provisional = try arguments.int("provisional", in: 0...1_000_000) ?? policy.provisional
        if let bound = arguments.string("bound") {
            guard let bound = PromotionBound(rawValue: bound) else {
                throw ArgumentsError("--bound: expected share, any or challenger", command: "judgement")
            }
            policy.bound = bound
        }
        // Blocks are given as a number of labels, but a policy states them as a time.
        let block = try arguments.int("block", in: 1...1_000_000) ?? 0
        policy.block = Int64(block) * Self.period / Int64(labelsEach)
    }

    /// Parses a change as in `0.95@5`: a rate, and the number from which it applies.
    static func step(_ text: String) throws -> (Double, Int) {
        let parts = text.split(separator: "@")
        guard parts.count == 2, let value = Double(parts[0]), (0...1).contains(value), let at = Int(parts[1]), at >= 1
        else { throw ArgumentsError("expected RATE@NUMBER as in 0.95@5, found \(text)", command: "judgement") }
        return (value, at)
    }

    /// Returns the accuracy of a challenger by its number from 1; number 0 is the first champion.
    func accuracy(of number: Int, champion: Double, _ noise: Double) -> Double {
        if let curve { return Self.bounded(curve.a - curve.b * Reproducible.exp(-Double(number) / curve.c)) }
        if number > 0, let accuracyStep, number >= accuracyStep.challenger { return accuracyStep.accuracy }
        guard number > 0, scatter > 0 else { return accuracy }
        return Self.bounded(champion + scatter * noise)
    }

    private static func bounded(_ accuracy: Double) -> Double { min(0.995, max(0.01, accuracy)) }
}
