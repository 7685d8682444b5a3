internal import Training
internal import Vocabulary

extension StudyOutcome {
    /// Creates the notice about the study: the distribution of scores, never only the best. Before edition 2 the notice
    /// of a study whose deadline had expired stated that its repeats "failed or are missing", with the number of those
    /// that failed.
    func notice(edition: Int) -> Notice {
        guard let model else {
            let text = "request \(request) gave no model: \(whatHappened(edition))"
            return Notice(kind: .studyFailed, text: text + whyFailed + whatWasLeftOut)
        }
        guard let mean else {
            let text = "\(model.version): no test labels to score it on"
            return Notice(kind: .studyFinished, text: text + onValidation + whatWasLeftOut)
        }
        let spread = standardDeviation.map { " ± \(Self.rounded($0))" } ?? ""
        let text =
            "\(model.version): \(Self.rounded(mean))\(spread) over \(scores.count) \(edition >= 2 && scores.count == 1 ? "repeat" : "repeats")"
        return Notice(kind: .studyFinished, text: text + onValidation + whatWasLeftOut)
    }

    private func whatHappened(_ edition: Int) -> String {
        guard missing > 0, edition >= 2 else { return "\(failures) repeats failed or are missing" }
        let failed = failures > 0 ? ", \(failures) failed" : ""
        return "its deadline passed before \(missing) of \(repeats) repeats were reported\(failed)"
    }

    /// The reasons that trainers gave, the commonest first; at most five of them.
    private var whyFailed: String {
        let sorted = reasons.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
        guard !sorted.isEmpty else { return "" }
        return " (" + sorted.prefix(5).map { "\($0.key): \($0.value)" }.joined(separator: ", ") + ")"
    }

    private var onValidation: String {
        validation.map { "; \(Self.rounded($0.value)) on \($0.items) validation labels" } ?? ""
    }

    private var whatWasLeftOut: String {
        guard let leftOut, leftOut.training > 0 || leftOut.test > 0 else { return "" }
        let example = leftOut.example.isEmpty ? "" : " (\(leftOut.example))"
        return "; left out: \(leftOut.training) training and \(leftOut.test) test labels\(example)"
    }

    private static func rounded(_ value: Double) -> Double { (value * 10_000).rounded() / 10_000 }
}
