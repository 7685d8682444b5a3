/// Welch's t-test: whether two samples of numbers, each with its own variance, come from populations with the same
/// mean.
///
/// - SeeAlso: Welch (1947), *The generalization of "Student's" problem when several different population variances are
///   involved*, doi:10.1093/biomet/34.1-2.28; Satterthwaite (1946) for the degrees of freedom.
public struct Welch: Hashable, Sendable {
    /// The first mean minus the second.
    public let difference: Double
    /// The t statistic: the difference divided by its standard error.
    public let statistic: Double
    /// Satterthwaite's degrees of freedom.
    public let degrees: Double
    /// The two-sided p-value, in 0...1.
    public let pValue: Double
    private let standardError: Double

    /// Tests two samples; nil unless both have at least two numbers, and at least one of them has two different
    /// numbers.
    ///
    /// - Complexity: O(*n*).
    public init?(_ first: [Double], _ second: [Double]) {
        guard first.count > 1, second.count > 1 else { return nil }
        func squaredError(_ numbers: [Double]) -> Double {
            let deviation = Statistics.standardDeviation(numbers)
            return deviation * deviation / Double(numbers.count)
        }
        let (firstError, secondError) = (squaredError(first), squaredError(second))
        guard firstError + secondError > 0 else { return nil }
        difference = Statistics.mean(first) - Statistics.mean(second)
        standardError = (firstError + secondError).squareRoot()
        statistic = difference / standardError
        let parts =
            firstError * firstError / Double(first.count - 1) + secondError * secondError / Double(second.count - 1)
        degrees = (firstError + secondError) * (firstError + secondError) / parts
        pValue = Reproducible.studentTails(statistic, degrees: degrees)
    }

    /// An interval for the difference of the means.
    ///
    /// - Parameter level: The confidence, in 0...1.
    /// - Returns: Student's limits at the degrees of freedom.
    public func interval(level: Double = 0.95) -> Interval {
        let reach = Reproducible.studentQuantile((1 + level) / 2, degrees: degrees) * standardError
        return Interval(difference - reach, difference + reach)
    }
}
