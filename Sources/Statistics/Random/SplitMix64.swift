/// A small, fast generator whose numbers are the same on every machine and in every release.
///
/// Suitable for sampling and shuffling, not for cryptography.
///
/// - SeeAlso: Steele, Lea, Flood (2014), *Fast splittable pseudorandom number generators*, doi:10.1145/2660193.2660195.
public struct SplitMix64: RandomNumberGenerator, Hashable, Sendable {
    /// The complete state: it determines all following numbers.
    public private(set) var state: UInt64

    /// Creates a generator from a seed.
    public init(seed: UInt64) {
        state = seed
    }

    /// Creates the generator of one journal entry, seeded by the project's hash and the entry's number.
    public init(projectHash: UInt64, entryNumber: UInt64) {
        state = Self.mix(Self.mix(projectHash &+ Self.increment) ^ entryNumber)
    }

    /// The next number, all 64 bits of it.
    public mutating func next() -> UInt64 {
        state &+= Self.increment
        return Self.mix(state)
    }

    /// The next number in `0..<1`: a multiple of 2⁻⁵³.
    public mutating func nextUnit() -> Double {
        Double(next() >> 11) * 0x1p-53
    }

    /// The next number in `0..<bound`, each equally likely.
    ///
    /// - Parameter bound: Above 0.
    /// - Returns: A number drawn without bias.
    /// - SeeAlso: Lemire (2019), *Fast random integer generation in an interval*, doi:10.1145/3230636.
    public mutating func next(below bound: Int) -> Int {
        precondition(bound > 0, "there is no number below \(bound)")
        let width = UInt64(bound)
        var product = next().multipliedFullWidth(by: width)
        if product.low < width {
            let threshold = (0 &- width) % width
            while product.low < threshold { product = next().multipliedFullWidth(by: width) }
        }
        return Int(product.high)
    }

    /// The next standard normal number.
    public mutating func nextNormal() -> Double {
        Reproducible.normalQuantile((Double(next() >> 12) + 0.5) * 0x1p-52)
    }

    private static let increment: UInt64 = 0x9e37_79b9_7f4a_7c15

    private static func mix(_ value: UInt64) -> UInt64 {
        var mixed = value
        mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
        return mixed ^ mixed >> 31
    }
}
