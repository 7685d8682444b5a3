import Statistics

/// A scenario with a rare class about which a model that has not seen it is confident and wrong.
///
/// Three common classes lie around a centre; the rare one lies behind the first of them, away from every boundary of
/// the common ones. Features are normal with a standard deviation of 1 around the means.
enum RareScenario {
    /// Coordinates of a sample.
    static let dimension = 8
    /// Distance of the common means from their centre.
    private static let radius = 2.5
    /// Distance of the rare mean behind that of the first class.
    private static let behind = 3.0
    /// Number of rows in the pool; the audit sample has as many.
    static let pool = 230

    /// Generates a data set with `rare` rows of the rare class in the pool and as many in the audit sample; three
    /// tenths of all rows are test rows.
    static func data(rare: Int, seed: UInt64) -> LabelledData {
        var generator = SplitMix64(seed: seed &* 0x9E37_79B9_7F4A_7C15 ^ 0x7261_7265)
        let rareRows = Int((Double(2 * rare) / 0.7).rounded())
        let commonRows = Int((Double(2 * (pool - rare)) / 0.7).rounded())
        let corners = [(1.0, 0.0), (-0.5, 0.75.squareRoot()), (-0.5, -(0.75.squareRoot()))]
        var features: [[Double]] = []
        var labels: [Int] = []
        for row in 0..<(commonRows + rareRows) {
            let label = row < commonRows ? row % 3 : 3
            let corner = corners[label % 3]
            var point = (0..<dimension).map { _ in generator.nextNormal() }
            let distance = radius + (label == 3 ? behind : 0)
            point[0] += corner.0 * distance
            point[1] += corner.1 * distance
            features.append(point)
            labels.append(label)
        }
        return LabelledData(features: features, labels: labels, classes: ["a", "b", "c", "rare"])
    }
}
