/// Estimates for all candidates from the labels of some of them, where the probability that a candidate was labelled
/// depends on its cell: its stratum, and the day on which it arrived.
///
/// Each cell is weighted by its share of *all* candidates, labelled or not. Neighbouring days of a stratum are merged
/// until they have `minimumLabels`; within a cell labels must be sampled without regard to their values.
///
/// - SeeAlso: Holt, Smith (1979), *Post stratification*, doi:10.2307/2344652; Franco, Little, Louis, Slud (2019),
///   *Comparative study of confidence intervals for proportions in complex sample surveys*, doi:10.1093/jssam/smy019,
///   for Wilson's limits at the effective number of labels; Korn, Graubard (1998), *Confidence intervals for
///   proportions with small expected number of positive counts estimated from survey data*, for its correction by
///   degrees of freedom.
public struct PostStratification: Hashable, Sendable {
    /// Stratum and day of a candidate.
    public struct Cell: Hashable, Comparable, Sendable {
        /// Any number; equal numbers are the same stratum.
        public let stratum: Int
        public let day: Int

        public init(stratum: Int, day: Int) {
            self.stratum = stratum
            self.day = day
        }

        public static func < (a: Cell, b: Cell) -> Bool {
            a.stratum != b.stratum ? a.stratum < b.stratum : a.day < b.day
        }
    }

    /// A figure for all candidates.
    public struct Estimate: Hashable, Sendable {
        public let value: Double
        /// Valid for a single evaluation, with approximately the level.
        public let interval: Interval
        /// Number of cells from which it is computed.
        public let cells: Int
    }

    /// Minimum number of labels of neighbouring days of a stratum: with fewer, they are merged with further days.
    public static let minimumLabels = 5

    private let counts: [Cell: Int]

    /// - Parameter candidates: The number of candidates of each cell, labelled or not; a cell may occur more than once.
    public init(candidates: [(cell: Cell, count: Int)]) {
        counts = candidates.reduce(into: [:]) { $0[$1.cell, default: 0] += max(0, $1.count) }
    }

    /// The mean over all candidates of a figure that is known for the labelled candidates.
    ///
    /// - Parameters:
    ///   - labels: The figure of each labelled candidate, in `range`, with its cell. A cell has at least as many
    ///     candidates as labels.
    ///   - range: The range of the figure: `0...1` for right and wrong and for agreement, `-1...1` for a difference.
    ///   - settled: Strata in which one label determines all others, such as for the difference of two models that
    ///     predict the same.
    ///   - level: The confidence of the interval, in 0..<1.
    /// - Returns: The estimate; nil without labels. A stratum that has candidates but no label counts with the mean of
    ///   the other strata, and in the interval with the whole range.
    /// - Complexity: O(*n* log *n*) in the cells and labels.
    public func mean(
        of labels: [(cell: Cell, value: Double)],
        in range: ClosedRange<Double> = 0...1,
        settled: Set<Int> = [],
        level: Double = 0.95
    ) -> Estimate? {
        guard !labels.isEmpty else { return nil }
        let groups = joined(labels)
        let all = groups.reduce(0.0) { $0 + $1.candidates }
        let known = groups.filter { !$0.values.isEmpty }
        // The mean of the known part; the rest is bounded only by the range.
        let part = known.reduce(0.0) { $0 + $1.candidates }
        let value = known.reduce(0.0) { $0 + $1.mean * $1.candidates } / part
        let strata = Dictionary(grouping: known, by: \.stratum).sorted { $0.key < $1.key }.map { stratum, groups in
            let values = groups.flatMap(\.values)
            // Variance of one label, over all days of the stratum.
            let variance = settled.contains(stratum) ? 0 : Self.variance(values, range)
            // The stratum's share of the variance of the mean.
            let share = groups.reduce(0.0) { $0 + square($1.candidates / part) / Double($1.values.count) }
            return (variance: variance * share, degrees: Double(max(1, values.count - 1)))
        }
        var variance = strata.reduce(0.0) { $0 + $1.variance }
        let parts = strata.reduce(0.0) { $0 + square($1.variance) / $1.degrees }
        let degrees = parts > 0 ? square(variance) / parts : .infinity
        // The shares of the strata are estimates too, because the candidates are a sample themselves.
        for group in known { variance += group.candidates / part * square(group.mean - value) / all }
        let limits = Self.limits(
            value,
            variance: variance * Self.correction(labels.count, degrees, level),
            of: labels.count,
            in: range,
            quantile: Reproducible.normalQuantile((1 + level) / 2)
        )
        let (share, rest) = (part / all, (all - part) / all)
        let interval = Interval(
            share * limits.lower + rest * range.lowerBound,
            share * limits.upper + rest * range.upperBound
        )
        return Estimate(value: value, interval: interval, cells: groups.count)
    }

    /// The squared factor by which an interval is wider because the variances of strata have fewer degrees of freedom
    /// than there are labels; 1 for a single stratum.
    private static func correction(_ labels: Int, _ degrees: Double, _ level: Double) -> Double {
        let all = Double(max(1, labels - 1))
        guard degrees < all else { return 1 }
        let side = (1 + level) / 2
        let ratio =
            Reproducible.studentQuantile(side, degrees: degrees) / Reproducible.studentQuantile(side, degrees: all)
        return square(ratio)
    }

    /// The variance of one label of a stratum, over all its days; a label at either end of the range is added, so that
    /// a few equal labels do not appear certain.
    private static func variance(_ values: [Double], _ range: ClosedRange<Double>) -> Double {
        let all = values + [range.lowerBound, range.upperBound]
        let mean = Statistics.mean(all)
        return all.reduce(0) { $0 + square($1 - mean) } / Double(all.count)
    }

    /// Wilson's score limits for a proportion with a given variance, that is, from p (1 − p) / variance effective
    /// labels; for a difference, the normal limits.
    private static func limits(
        _ value: Double,
        variance: Double,
        of labels: Int,
        in range: ClosedRange<Double>,
        quantile: Double
    ) -> Interval {
        guard range.lowerBound == 0, variance > 0 else {
            let reach = quantile * variance.squareRoot()
            return Interval(max(range.lowerBound, value - reach), min(range.upperBound, value + reach))
        }
        // The reciprocal of the effective number of labels, with the same two labels added as in the variance.
        let added = (value * Double(labels) + 1) / Double(labels + 2)
        let inverse = variance / (added * (1 - added))
        let square = quantile * quantile * inverse
        let middle = (value + square / 2) / (1 + square)
        let reach = (square * (value * (1 - value) + square / 4)).squareRoot() / (1 + square)
        return Interval(max(0, min(value, middle - reach)), min(1, max(value, middle + reach)))
    }

    /// Weights for labels, with mean 1: the number of candidates that each label represents, relative to the mean
    /// label.
    ///
    /// - Parameter cells: The cells of the labels.
    /// - Returns: The weights in the order of the labels. No label represents the candidates of strata without labels.
    public func weights(of cells: [Cell]) -> [Double] {
        let groups = joined(cells.map { ($0, 0) }).filter { !$0.values.isEmpty }
        let all = groups.reduce(0.0) { $0 + $1.candidates }
        return cells.map { cell in
            guard let group = groups.first(where: { $0.stratum == cell.stratum && $0.days.contains(cell.day) }) else {
                return 1
            }
            return group.candidates / all * Double(cells.count) / Double(group.values.count)
        }
    }

    /// The share of each stratum among all candidates, by stratum; a stratum of `labels` has at least as many candidates.
    public func shares(withLabels labels: [Cell]) -> [(stratum: Int, share: Double)] {
        let groups = joined(labels.map { ($0, 0) })
        let all = groups.reduce(0.0) { $0 + $1.candidates }
        return Dictionary(grouping: groups, by: \.stratum).sorted { $0.key < $1.key }
            .map { ($0.key, $0.value.reduce(0) { $0 + $1.candidates } / max(1, all)) }
    }

    // MARK: - Cells

    /// Neighbouring days of one stratum.
    private struct Group {
        let stratum: Int
        var days: ClosedRange<Int>
        var candidates: Double
        var values: [Double]

        var mean: Double { Statistics.mean(values) }

        mutating func join(_ later: Group) {
            days = days.lowerBound...later.days.upperBound
            candidates += later.candidates
            values += later.values
        }
    }

    private func joined(_ labels: [(cell: Cell, value: Double)]) -> [Group] {
        var values: [Cell: [Double]] = [:]
        for label in labels { values[label.cell, default: []].append(label.value) }
        let cells = Set(counts.keys).union(values.keys).sorted()
        var groups: [Group] = []
        for cell in cells {
            let cellValues = values[cell] ?? []
            let candidates = Double(max(counts[cell] ?? 0, cellValues.count))
            guard candidates > 0 else { continue }
            let group = Group(
                stratum: cell.stratum,
                days: cell.day...cell.day,
                candidates: candidates,
                values: cellValues
            )
            if let last = groups.last, last.stratum == cell.stratum, last.values.count < Self.minimumLabels {
                groups[groups.count - 1].join(group)
            } else {
                groups.append(group)
            }
        }
        // The last days of a stratum may still have too few labels: they are merged with the days before.
        var complete: [Group] = []
        for group in groups {
            if let last = complete.last, last.stratum == group.stratum, group.values.count < Self.minimumLabels {
                complete[complete.count - 1].join(group)
            } else {
                complete.append(group)
            }
        }
        return complete
    }
}

private func square(_ number: Double) -> Double { number * number }
