import JSON

/// How often the 95 % interval of a post-stratified accuracy held the accuracy.
struct CoverageSummary {
    let lives: Int
    /// The share of lives, in `0...1`.
    let covered: Double

    init(_ outcomes: [JudgedLife.Outcome]) {
        lives = outcomes.count
        covered = Double(outcomes.count { $0.isCovered ?? false }) / Double(max(1, outcomes.count))
    }

    var json: String {
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("lives", lives)
            writer.member("covered", covered)
        }
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    var text: String { "\(lives) lives: the interval of the accuracy held it in a share of \(covered)" }
}
