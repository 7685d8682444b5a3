import JSON
import Statistics

/// Coverage of the 95 % interval of a post-stratified accuracy: how often it contained the true accuracy.
struct CoverageSummary {
    let lives: Int
    /// Share of the lives whose interval contained the accuracy, in `0...1`.
    let covered: Double
    /// The mean of the estimate minus the accuracy.
    let bias: Double
    /// The mean width of the interval.
    let width: Double

    init(_ outcomes: [JudgedLife.Outcome], accuracy: Double) {
        let found = outcomes.compactMap(\.accuracy)
        let count = Double(max(1, outcomes.count))
        lives = outcomes.count
        covered = Double(found.count { $0.interval.contains(accuracy) }) / count
        bias = found.reduce(0) { $0 + $1.value - accuracy } / count
        width = found.reduce(0) { $0 + $1.interval.width } / count
    }

    var json: String {
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("lives", lives)
            writer.member("covered", covered)
        }
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    var text: String {
        "\(lives) lives: the interval of the accuracy, \(width) wide, held it in a share of \(covered); bias \(bias)"
    }
}
