/// Sums that stop at the ends of the type: for numbers from outside, none of which is to stop whoever adds to it.
extension FixedWidthInteger {
    /// The sum, or the bound of the type that it exceeds.
    @inlinable
    public func adding(_ other: Self) -> Self {
        let (sum, isOver) = addingReportingOverflow(other)
        return isOver ? (other < 0 ? .min : .max) : sum
    }

    /// The difference, or the bound of the type that it exceeds.
    @inlinable
    public func subtracting(_ other: Self) -> Self {
        let (difference, isOver) = subtractingReportingOverflow(other)
        return isOver ? (other < 0 ? .max : .min) : difference
    }

    /// The product, or the bound of the type that it exceeds.
    @inlinable
    public func multiplied(by other: Self) -> Self {
        let (product, isOver) = multipliedReportingOverflow(by: other)
        return isOver ? ((self < 0) == (other < 0) ? .max : .min) : product
    }

    /// Absolute difference of two numbers.
    @inlinable
    public func distance(from other: Self) -> Self { self < other ? other.subtracting(self) : subtracting(other) }
}
