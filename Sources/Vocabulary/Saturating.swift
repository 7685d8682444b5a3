/// Saturating arithmetic: results are clamped to the range of the type, so that numbers from outside cannot cause a
/// trap.
extension FixedWidthInteger {
    /// The sum, or the bound of the type that it exceeds.
    @inlinable
    public func adding(_ other: Self) -> Self {
        let (sum, overflows) = addingReportingOverflow(other)
        return overflows ? (other < 0 ? .min : .max) : sum
    }

    /// The difference, or the bound of the type that it exceeds.
    @inlinable
    public func subtracting(_ other: Self) -> Self {
        let (difference, overflows) = subtractingReportingOverflow(other)
        return overflows ? (other < 0 ? .max : .min) : difference
    }

    /// The product, or the bound of the type that it exceeds.
    @inlinable
    public func multiplied(by other: Self) -> Self {
        let (product, overflows) = multipliedReportingOverflow(by: other)
        return overflows ? ((self < 0) == (other < 0) ? .max : .min) : product
    }

    /// Absolute difference of two numbers.
    @inlinable
    public func distance(from other: Self) -> Self { self < other ? other.subtracting(self) : subtracting(other) }
}
