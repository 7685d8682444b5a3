internal import Statistics

/// How candidates lie to each other and to what was asked for before.
struct Neighbourhood {
    let points: PointMatrix
    /// The squared distance of each point to the nearest sample known; infinite where none is.
    let distances: [Float]

    init(_ points: PointMatrix, known: PointMatrix?) {
        self.points = points
        distances = points.nearest(in: known)
    }

    /// How far each lies from all that is known: `1 - exp(-d² / median d²)`, in `0...1`; 1 where nothing is known.
    var novelty: [Double] {
        guard let first = distances.first, first.isFinite else { return [Double](repeating: 1, count: points.count) }
        let median = Double(distances.sorted()[distances.count / 2])
        guard median > 0 else { return distances.map { $0 > 0 ? 1 : 0 } }
        return distances.map { 1 - Reproducible.exp(-Double($0) / median) }
    }

    /// How much of the window is near each: the mean of `exp(-d² / spread)` over all others, in `0...1`; 1 where all coincide.
    ///
    /// - SeeAlso: Settles, Craven (2008), *An Analysis of Active Learning Strategies for Sequence Labeling Tasks*, EMNLP:
    ///   information density, here with a Gaussian kernel.
    /// - Complexity: O(*n*² · *d*).
    var density: [Double] {
        let spread = points.spread
        guard spread > 0, points.count > 1 else { return [Double](repeating: 1, count: points.count) }
        var sums = [Double](repeating: 0, count: points.count)
        for index in 0..<points.count {
            for other in 0..<index {
                let near = Reproducible.exp(-Double(points.squaredDistance(index, other)) / spread)
                sums[index] += near
                sums[other] += near
            }
        }
        return sums.map { $0 / Double(points.count - 1) }
    }

    /// Which points lie nearer than a share of the spread to what is known, or to an earlier point that is no duplicate itself.
    ///
    /// - Complexity: O(*n*² · *d*).
    func duplicates(within share: Double) -> [Bool] {
        var isDuplicate = [Bool](repeating: false, count: points.count)
        guard share > 0 else { return isDuplicate }
        let limit = Float(share * share * points.spread)
        var kept: [Int] = []
        for index in 0..<points.count {
            if distances[index] <= limit {
                isDuplicate[index] = true
                continue
            }
            for other in kept where points.squaredDistance(index, other) <= limit {
                isDuplicate[index] = true
                break
            }
            if !isDuplicate[index] { kept.append(index) }
        }
        return isDuplicate
    }
}
