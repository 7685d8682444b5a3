import CBoostMath
import Statistics
import Testing

/// Distance of `value` from the reference, in units in the last place of the reference.
func unitsInTheLastPlace(_ value: Double, _ reference: flywheel_reference) -> Double {
    if value == reference.high || (value.isNaN && reference.high.isNaN) {
        return reference.low.magnitude / reference.high.ulp
    }
    return ((value - reference.high) - reference.low).magnitude / reference.high.ulp
}

/// Relative error of `value`; subnormal references count as the smallest normal number.
func relativeError(_ value: Double, _ reference: flywheel_reference) -> Double {
    guard value.isFinite == reference.high.isFinite else { return .infinity }
    if value == reference.high || (value.isNaN && reference.high.isNaN) { return 0 }
    return (value - reference.high).magnitude / max(reference.high.magnitude, 0x1p-1022)
}

/// The largest of many errors, and where it occurred.
struct LargestError {
    private(set) var error = 0.0
    private(set) var location = ""

    mutating func add(_ error: Double, _ location: @autoclosure () -> String) {
        guard !(error <= self.error) else { return }
        self.error = error.isNaN ? .infinity : error
        self.location = location()
    }
}

extension SplitMix64 {
    /// The next number of a uniform distribution over `range`.
    mutating func next(in range: ClosedRange<Double>) -> Double {
        range.lowerBound + nextUnit() * (range.upperBound - range.lowerBound)
    }

    /// The next number between both ends, with a uniformly distributed logarithm.
    mutating func nextLogarithmic(in range: ClosedRange<Double>) -> Double {
        Reproducible.exp(next(in: Reproducible.log(range.lowerBound)...Reproducible.log(range.upperBound)))
    }
}
