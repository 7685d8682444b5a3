internal import Training
internal import Vocabulary

extension StudyOutcome {
    /// What people are told: the distribution of scores, never only the best.
    var notice: Notice {
        guard let model else {
            let text = "request \(request) gave no model: \(failures) repeats failed or are missing"
            return Notice(kind: .studyFailed, text: text + whyFailed + whatWasLeftOut)
        }
        guard let mean else {
            let text = "\(model.version): no test labels to score it on"
            return Notice(kind: .studyFinished, text: text + whatWasLeftOut)
        }
        let spread = standardDeviation.map { " ± \(Self.rounded($0))" } ?? ""
        let text = "\(model.version): \(Self.rounded(mean))\(spread) over \(scores.count) repeats"
        return Notice(kind: .studyFinished, text: text + whatWasLeftOut)
    }

    /// The reasons that trainers gave, the commonest first; at most five of them.
    private var whyFailed: String {
        let sorted = reasons.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
        guard !sorted.isEmpty else { return "" }
        return " (" + sorted.prefix(5).map { "\($0.key): \($0.value)" }.joined(separator: ", ") + ")"
    }

    private var whatWasLeftOut: String {
        guard let leftOut, leftOut.training > 0 || leftOut.test > 0 else { return "" }
        let example = leftOut.example.isEmpty ? "" : " (\(leftOut.example))"
        return "; left out: \(leftOut.training) training and \(leftOut.test) test labels\(example)"
    }

    private static func rounded(_ value: Double) -> Double { (value * 10_000).rounded() / 10_000 }
}
