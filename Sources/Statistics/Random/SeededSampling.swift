/// Shuffles and samples that depend only on the generator; the algorithms of Swift's standard library may change
/// between releases.
public enum SeededSampling {
    /// Brings `elements` into random order, each order equally likely (Fisher, Yates; Durstenfeld's form).
    ///
    /// - Complexity: O(*n*).
    public static func shuffle<Element>(_ elements: inout [Element], using generator: inout SplitMix64) {
        var last = elements.count - 1
        while last > 0 {
            elements.swapAt(last, generator.next(below: last + 1))
            last -= 1
        }
    }

    /// The numbers `0..<count` in random order.
    public static func permutation(of count: Int, using generator: inout SplitMix64) -> [Int] {
        var indices = Array(0..<count)
        shuffle(&indices, using: &generator)
        return indices
    }

    /// `size` distinct numbers of `0..<count` in random order; all of them if there are fewer.
    ///
    /// - Complexity: O(*count*).
    public static func distinctIndices(_ size: Int, of count: Int, using generator: inout SplitMix64) -> [Int] {
        var indices = Array(0..<count)
        let wanted = min(size, count)
        for position in 0..<wanted {
            indices.swapAt(position, position + generator.next(below: count - position))
        }
        return Array(indices[..<wanted])
    }

    /// `size` numbers of `0..<count`, drawn with replacement: a bootstrap sample.
    ///
    /// - Parameters:
    ///   - size: The number of draws.
    ///   - count: Above 0, unless `size` is 0.
    ///   - generator: The random number generator.
    /// - Returns: The numbers in the order drawn.
    public static func bootstrapIndices(_ size: Int, of count: Int, using generator: inout SplitMix64) -> [Int] {
        var indices: [Int] = []
        indices.reserveCapacity(size)
        for _ in 0..<size { indices.append(generator.next(below: count)) }
        return indices
    }
}
