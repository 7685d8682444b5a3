internal import Training
internal import Vocabulary

extension StudyOutcome {
    /// What people are told: the distribution of scores, never only the best.
    var notice: Notice {
        guard let model else {
            return Notice(
                kind: .studyFailed,
                text: "request \(request) gave no model: \(failures) repeats failed or are missing"
            )
        }
        guard let mean else {
            return Notice(kind: .studyFinished, text: "\(model.version): no test labels to score it on")
        }
        let spread = standardDeviation.map { " ± \(Self.rounded($0))" } ?? ""
        return Notice(
            kind: .studyFinished,
            text: "\(model.version): \(Self.rounded(mean))\(spread) over \(scores.count) repeats"
        )
    }

    private static func rounded(_ value: Double) -> Double { (value * 10_000).rounded() / 10_000 }
}
