import Statistics
import Testing

@Suite struct PostStratificationTests {
    private typealias Cell = PostStratification.Cell

    private static func labels(_ cell: PostStratification.Cell, right: Int, of count: Int)
        -> [(cell: PostStratification.Cell, value: Double)]
    { (0..<count).map { (cell, $0 < right ? 1 : 0) } }

    @Test("The weight of each cell is its share of all candidates, labelled or not")
    func weights() throws {
        let (agree, disagree) = (Cell(stratum: 0, day: 1), Cell(stratum: 1, day: 1))
        let figures = PostStratification(candidates: [(agree, 900), (disagree, 60), (disagree, 40)])
        let labels = Self.labels(agree, right: 9, of: 10) + Self.labels(disagree, right: 12, of: 30)
        let estimate = try #require(figures.mean(of: labels))
        #expect((estimate.value - (0.9 * 0.9 + 0.1 * 0.4)).magnitude < 1e-12)
        #expect(estimate.interval.contains(estimate.value) && estimate.cells == 2)
        let weights = figures.weights(of: labels.map(\.cell))
        #expect((weights[0] - 0.9 / 10 * 40).magnitude < 1e-12 && (weights[39] - 0.1 / 30 * 40).magnitude < 1e-12)
        #expect((weights.reduce(0, +) - 40).magnitude < 1e-9)
        let shares = figures.shares(withLabels: labels.map(\.cell))
        #expect(shares.map(\.stratum) == [0, 1] && (shares[0].share - 0.9).magnitude < 1e-12)
    }

    @Test("For a single stratum and day the interval is Wilson's")
    func wilson() throws {
        let cell = Cell(stratum: 0, day: 1)
        let figures = PostStratification(candidates: [(cell, 1_000_000)])
        for (right, count) in [(100, 100), (0, 30), (45, 50), (7, 12)] {
            let found = try #require(figures.mean(of: Self.labels(cell, right: right, of: count))).interval
            let (p, n, z) = (Double(right) / Double(count), Double(count), 1.959963984540054)
            let middle = (p + z * z / (2 * n)) / (1 + z * z / n)
            let reach = z / (1 + z * z / n) * (p * (1 - p) / n + z * z / (4 * n * n)).squareRoot()
            #expect((found.lower - (middle - reach)).magnitude < 1e-9, "\(right) of \(count)")
            #expect((found.upper - (middle + reach)).magnitude < 1e-9, "\(right) of \(count)")
        }
    }

    @Test("Neighbouring days are merged until they have five labels, and the last days with earlier ones")
    func joining() throws {
        let candidates = (1...9).map { (cell: Cell(stratum: 0, day: $0), count: 100) }
        let figures = PostStratification(candidates: candidates)
        func cells(_ counts: [Int: Int]) throws -> Int {
            let labels = counts.sorted { $0.key < $1.key }.flatMap { day, count in
                Self.labels(Cell(stratum: 0, day: day), right: count, of: count)
            }
            return try #require(figures.mean(of: labels)).cells
        }
        #expect(try cells([1: 5, 2: 5, 3: 5]) == 3)
        #expect(try cells([1: 3, 2: 2, 5: 1, 9: 4]) == 2)
        #expect(try cells([4: 4]) == 1)
        #expect(try cells([1: 50]) == 1)
        // A label on a day without counts makes a candidate of that day.
        #expect(try cells([1: 5, 40: 5]) == 2)
    }

    @Test("A stratum without labels gets the mean of the others, and widens the interval")
    func unknownStratum() throws {
        let (known, unknown) = (Cell(stratum: 0, day: 1), Cell(stratum: 1, day: 1))
        let figures = PostStratification(candidates: [(known, 80), (unknown, 20)])
        let labels = Self.labels(known, right: 40, of: 40)
        let estimate = try #require(figures.mean(of: labels))
        #expect((estimate.value - 1).magnitude < 1e-12)
        #expect(estimate.interval.lower < 0.8)
        #expect(figures.mean(of: []) == nil)
    }

    @Test(
        "With duels the estimate contains the truth, and the plain share of right answers does not",
        arguments: [0.0, 0.75]
    )
    func coverage(duels: Double) throws {
        var (covered, plainCovered) = (0, 0)
        for seed in 0..<400 as Range<UInt64> {
            var generator = SplitMix64(seed: seed)
            var counts: [Cell: Int] = [:]
            var labels: [(cell: Cell, value: Double)] = []
            for day in 1...10 {
                // Days differ, and so do their shares of disagreement.
                let (agreeing, right) = day % 2 == 0 ? (0.95, 0.95) : (0.75, 0.8)
                for _ in 0..<200 {
                    let stratum = generator.nextUnit() < agreeing ? 0 : 1
                    counts[Cell(stratum: stratum, day: day), default: 0] += 1
                }
                for _ in 0..<20 {
                    let isDuel = generator.nextUnit() < duels
                    let stratum = isDuel || generator.nextUnit() >= agreeing ? 1 : 0
                    let isRight = generator.nextUnit() < (stratum == 0 ? right : 0.5)
                    labels.append((Cell(stratum: stratum, day: day), isRight ? 1 : 0))
                }
            }
            let truth = 0.5 * (0.95 * 0.95 + 0.05 * 0.5) + 0.5 * (0.75 * 0.8 + 0.25 * 0.5)
            let figures = PostStratification(candidates: counts.map { ($0.key, $0.value) })
            let estimate = try #require(figures.mean(of: labels))
            if estimate.interval.contains(truth) { covered += 1 }
            let share = Statistics.mean(labels.map(\.value))
            let reach = 1.96 * (share * (1 - share) / 200).squareRoot()
            if Interval(share - reach, share + reach).contains(truth) { plainCovered += 1 }
        }
        #expect(covered >= 376, "\(covered) of 400")
        #expect(duels == 0 || plainCovered < 200, "\(plainCovered) of 400")
    }

    @Test("The interval of a difference of two models contains the truth, and is narrower if agreement is known")
    func differences() throws {
        var covered = 0
        for seed in 0..<400 as Range<UInt64> {
            var generator = SplitMix64(seed: seed)
            let (agree, disagree) = (Cell(stratum: 0, day: 1), Cell(stratum: 1, day: 1))
            let figures = PostStratification(candidates: [(agree, 2_700), (disagree, 300)])
            var labels: [(cell: Cell, value: Double)] = (0..<40).map { _ in (agree, 0) }
            for _ in 0..<60 {
                let unit = generator.nextUnit()
                labels.append((disagree, unit < 0.5 ? 1 : unit < 0.8 ? -1 : 0))
            }
            let estimate = try #require(figures.mean(of: labels, in: -1...1, settled: [0]))
            if estimate.interval.contains(0.02) { covered += 1 }
            let open = try #require(figures.mean(of: labels, in: -1...1))
            #expect(open.interval.width > estimate.interval.width && open.value == estimate.value)
        }
        #expect(covered >= 370, "\(covered) of 400")
    }
}
