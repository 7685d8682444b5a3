import Foundation
import Statistics
import Testing

/// Results of SciPy and statsmodels for the same samples; see Golden/make_comparisons.py.
private struct GoldenComparisons: Decodable {
    struct Discordant: Decodable {
        let wins: Int
        let losses: Int
        let exact: Double
        let statistic: Double?
        let asymptotic: Double?
        let correctedStatistic: Double?
        let corrected: Double?
        /// Odds ratio with its limits; the upper limit is null if it is infinite.
        let odds: [Double?]?
    }

    struct Bootstrap: Decodable {
        let differences: [Double]
        let seed: UInt64
        let mean: Double
        let standardError: Double
        /// Intervals at 95 % and at 90 %.
        let percentile: [[Double]]
        let biasCorrected: [[Double]]
    }

    struct Permutation: Decodable {
        let differences: [Double]
        let both: Double
        let greater: Double
        let less: Double
    }

    struct Unpaired: Decodable {
        struct Welch: Decodable {
            let statistic: Double
            let degrees: Double
            let pValue: Double
            let interval: [Double]
        }

        struct Whitney: Decodable {
            let statistic: Double
            let pValue: Double
            let isExact: Bool
        }

        let first: [Double]
        let second: [Double]
        let welch: Welch
        let whitney: Whitney
        let cliffsDelta: Double
        let cohensD: Double
    }

    struct Student: Decodable {
        let t: Double
        let degrees: Double
        let tails: Double
    }

    struct StudentQuantile: Decodable {
        let p: Double
        let degrees: Double
        let quantile: Double
    }

    let mcnemar: [Discordant]
    let bootstrap: [Bootstrap]
    let permutation: [Permutation]
    let unpaired: [Unpaired]
    let student: [Student]
    let studentQuantile: [StudentQuantile]

    static func read() throws -> GoldenComparisons {
        let folder = try #require(Bundle.module.resourceURL)
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(
            GoldenComparisons.self,
            from: Data(contentsOf: folder.appending(path: "Golden/comparisons.json"))
        )
    }
}

@Suite struct GoldenComparisonTests {
    private static func expect(_ found: Double?, _ golden: Double?, _ what: String, relatively: Bool = false) {
        guard let found, let golden else {
            #expect(found == golden, "\(what)")
            return
        }
        let scale = relatively ? abs(golden) : max(1, abs(golden))
        #expect(abs(found - golden) <= 1e-9 * scale, "\(what): \(found), the library says \(golden)")
    }

    @Test("McNemar's test and the odds ratio's limits equal those of statsmodels and SciPy")
    func mcNemar() throws {
        let golden = try GoldenComparisons.read().mcnemar
        #expect(golden.count > 10)
        for row in golden {
            let (test, what) = (McNemar(wins: row.wins, losses: row.losses), "\(row.wins) against \(row.losses)")
            Self.expect(test.exact, row.exact, "exact, \(what)", relatively: true)
            let odds = EffectSize.oddsRatio(wins: row.wins, losses: row.losses)
            guard row.wins + row.losses > 0 else {
                #expect(odds == nil && test.asymptotic == 1 && test.midP == 1)
                continue
            }
            Self.expect(test.statistic, row.statistic, "statistic, \(what)")
            Self.expect(test.asymptotic, row.asymptotic, "asymptotic, \(what)", relatively: true)
            Self.expect(test.correctedStatistic, row.correctedStatistic, "corrected statistic, \(what)")
            Self.expect(test.corrected, row.corrected, "corrected, \(what)", relatively: true)
            Self.expect(odds?.interval.lower, row.odds?.first ?? nil, "lower odds, \(what)")
            let upper = odds?.interval.upper ?? 0
            Self.expect(upper.isFinite ? upper : nil, row.odds?.last ?? nil, "upper odds, \(what)")
        }
    }

    @Test("Bootstrap intervals equal SciPy's for the same resamples")
    func bootstrap() throws {
        let golden = try GoldenComparisons.read().bootstrap
        #expect(golden.count > 5)
        for row in golden {
            let bootstrap = PairedBootstrap(row.differences, resamples: 999, seed: row.seed)
            let what = "\(row.differences.count) differences"
            Self.expect(bootstrap.mean, row.mean, "mean of \(what)")
            Self.expect(bootstrap.standardError, row.standardError, "standard error of \(what)")
            for (index, level) in [0.95, 0.9].enumerated() {
                let percentile = bootstrap.percentile(level: level)
                Self.expect(percentile.lower, row.percentile[index][0], "percentile of \(what)")
                Self.expect(percentile.upper, row.percentile[index][1], "percentile of \(what)")
                let corrected = try #require(bootstrap.biasCorrected(level: level))
                Self.expect(corrected.lower, row.biasCorrected[index][0], "BCa of \(what)")
                Self.expect(corrected.upper, row.biasCorrected[index][1], "BCa of \(what)")
            }
        }
    }

    @Test("Exact permutation tests equal SciPy's")
    func permutation() throws {
        let golden = try GoldenComparisons.read().permutation
        #expect(golden.count > 3)
        for row in golden {
            let (test, what) = (PairedPermutation(row.differences), "\(row.differences)")
            #expect(test.isExact)
            Self.expect(test.pValue, row.both, "two-sided, \(what)", relatively: true)
            Self.expect(test.greater, row.greater, "greater, \(what)", relatively: true)
            Self.expect(test.less, row.less, "less, \(what)", relatively: true)
        }
    }

    @Test("Welch, Mann–Whitney and effect sizes equal SciPy's")
    func unpaired() throws {
        let golden = try GoldenComparisons.read().unpaired
        #expect(golden.count > 5)
        #expect(golden.contains { $0.whitney.isExact } && golden.contains { !$0.whitney.isExact })
        for row in golden {
            let what = "\(row.first.count) and \(row.second.count) numbers"
            let welch = try #require(Welch(row.first, row.second))
            Self.expect(welch.statistic, row.welch.statistic, "t of \(what)")
            Self.expect(welch.degrees, row.welch.degrees, "degrees of \(what)")
            Self.expect(welch.pValue, row.welch.pValue, "p of \(what)", relatively: true)
            Self.expect(welch.interval().lower, row.welch.interval[0], "lower limit of \(what)")
            Self.expect(welch.interval().upper, row.welch.interval[1], "upper limit of \(what)")
            let whitney = try #require(MannWhitney(row.first, row.second))
            #expect(whitney.isExact == row.whitney.isExact)
            Self.expect(whitney.statistic, row.whitney.statistic, "U of \(what)")
            Self.expect(whitney.pValue, row.whitney.pValue, "p of U of \(what)", relatively: true)
            Self.expect(EffectSize.cliffsDelta(row.first, row.second), row.cliffsDelta, "delta of \(what)")
            Self.expect(EffectSize.cohensD(row.first, row.second), row.cohensD, "d of \(what)")
        }
    }

    @Test("Student's distribution and its inverse equal SciPy's")
    func student() throws {
        let golden = try GoldenComparisons.read()
        #expect(golden.student.count > 30 && golden.studentQuantile.count > 30)
        for row in golden.student {
            let found = Reproducible.studentTails(row.t, degrees: row.degrees)
            Self.expect(found, row.tails, "tails at \(row.t), \(row.degrees)", relatively: true)
        }
        for row in golden.studentQuantile {
            let found = Reproducible.studentQuantile(row.p, degrees: row.degrees)
            Self.expect(found, row.quantile, "quantile of \(row.p), \(row.degrees)", relatively: true)
        }
    }
}
