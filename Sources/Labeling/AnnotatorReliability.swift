/// How often an annotator agrees with the consensus: a running accuracy.
///
/// ```swift
/// var reliability = AnnotatorReliability()
/// let unknown = reliability.accuracy
/// reliability.answers += 5
/// reliability.correct += 1
/// let known = reliability.accuracy
/// ```
public struct AnnotatorReliability: Hashable, Sendable {
    /// Answers in closed tasks.
    public var answers: Int
    /// The sum of the posterior probabilities that those answers were right.
    public var correct: Double
    /// Tasks passed over; no evidence for or against.
    public var skips: Int
    /// Tasks reported as unanswerable; no evidence for or against.
    public var flags: Int
    /// Answers that agreed with labels to which two others contributed; see `Standing`.
    public var agreements: Int

    public init(answers: Int = 0, correct: Double = 0, skips: Int = 0, flags: Int = 0, agreements: Int = 0) {
        self.agreements = agreements
        self.answers = answers
        self.correct = correct
        self.skips = skips
        self.flags = flags
    }

    /// Prior for an unknown annotator, in answers: five given, four of them right.
    static let priorAnswers = 5.0
    static let priorCorrect = 4.0

    /// The posterior mean of the accuracy, kept off 0 and 1 so that one annotator can never decide alone for ever.
    ///
    /// - Returns: A probability in `0.01...0.99`.
    public var accuracy: Double {
        let mean = (correct + Self.priorCorrect) / (Double(answers) + Self.priorAnswers)
        return min(0.99, max(0.01, mean))
    }

    /// The share of answers found wrong, without the prior; nil before the first.
    public var estimatedError: Double? { answers == 0 ? nil : 1 - correct / Double(answers) }
}
