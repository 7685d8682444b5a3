public import Statistics

extension SplitMix64 {
    /// Creates the generator of one iteration of a target; the same three values give the same input.
    public init(seed: UInt64, target: String, iteration: UInt64) {
        // FNV-1a, so that targets of one seed see different numbers.
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in target.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        // The values are mixed, not added: else an iteration would use the numbers of the previous one, shifted by one.
        var (first, second) = (SplitMix64(seed: seed ^ hash), SplitMix64(seed: iteration))
        self.init(seed: first.next() ^ second.next())
    }

    /// True with a probability of `part`, in `0...1`.
    public mutating func chance(_ part: Double) -> Bool { nextUnit() < part }

    /// A number in a range, each equally likely; the range spans less than `Int.max`.
    public mutating func between(_ range: ClosedRange<Int>) -> Int {
        range.lowerBound + next(below: range.upperBound - range.lowerBound + 1)
    }

    /// A number in `0..<limit`, small ones more likely: each power of two is as likely as the next; `limit` is above 0.
    public mutating func size(below limit: Int) -> Int {
        var bits = 1
        while bits < 40, 1 << bits < limit { bits += 1 }
        return min(next(below: 1 << between(0...bits)), limit - 1)
    }

    /// One of the elements, each equally likely; there must be at least one.
    public mutating func pick<C: RandomAccessCollection>(_ elements: C) -> C.Element where C.Index == Int {
        elements[elements.startIndex + next(below: elements.count)]
    }
}
