import Statistics
import Vocabulary

/// A model of a judged life, with its accuracy on each of two kinds of input.
struct JudgedModel {
    let version: ModelVersion
    let accuracy: Double
    /// Upper bounds of z + `ownDeviation` ε for a right answer, by kind of input.
    let bounds: [Double]

    /// Standard deviation of the component that differs between models on an item; that of their common component is 1.
    static let ownDeviation = 0.35

    init(_ number: Int, _ accuracy: Double, difference: Double, isFirstBetter: Bool) {
        version = ModelVersion("v\(number)")
        self.accuracy = accuracy
        let sign = isFirstBetter ? 0.5 : -0.5
        bounds = [accuracy + sign * difference, accuracy - sign * difference].map {
            Reproducible.normalQuantile(min(0.999, max(0.001, $0)))
                * (1 + Self.ownDeviation * Self.ownDeviation).squareRoot()
        }
    }

    /// Returns the model's answer to an item: 0 is right, and two wrong answers are the same half of the time.
    func answer(_ item: JudgedItem, _ generator: inout SplitMix64) -> Label {
        let isRight = item.difficulty + Self.ownDeviation * generator.nextNormal() < bounds[item.kind]
        return .choice(ClassIndex(isRight ? 0 : 1 + generator.next(below: 2)))
    }
}

/// A sample of a judged life.
struct JudgedItem {
    let id: SampleID
    let difficulty: Double
    /// Kind of input, 0 or 1.
    let kind: Int
}
