/// A number that is finite and in `0...1`.
public struct Probability: Hashable, Comparable, Sendable {
    public let value: Double

    /// Fails unless `value` is finite and in `0...1`.
    public init?(_ value: Double) {
        guard value.isFinite, (0...1).contains(value) else { return nil }
        self.value = value
    }

    /// The probability nearest to `value`; 0 for NaN.
    public init(clamping value: Double) { self.value = value >= 1 ? 1 : (value > 0 ? value : 0) }

    public static func < (a: Self, b: Self) -> Bool { a.value < b.value }
}
