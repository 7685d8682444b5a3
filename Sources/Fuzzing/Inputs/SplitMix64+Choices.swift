public import Statistics

extension SplitMix64 {
    /// The generator of one iteration of a target: the same input for the same three values.
    public init(seed: UInt64, target: String, iteration: UInt64) {
        // FNV-1a, so that targets of one seed see different numbers.
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in target.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        // Mixed, not added: else the numbers of an iteration would be those of the one before, one further on.
        var (first, second) = (SplitMix64(seed: seed ^ hash), SplitMix64(seed: iteration))
        self.init(seed: first.next() ^ second.next())
    }

    /// True with a probability of `part`, in `0...1`.
    public mutating func chance(_ part: Double) -> Bool { nextUnit() < part }

    /// A number in a range, each equally likely; the range spans less than `Int.max`.
    public mutating func between(_ range: ClosedRange<Int>) -> Int {
        range.lowerBound + next(below: range.upperBound - range.lowerBound + 1)
    }

    /// A number in `0..<limit`, small ones more likely: each power of two is as likely as the next. `limit` is at least 1.
    public mutating func size(below limit: Int) -> Int {
        var bits = 1
        while bits < 40, 1 << bits < limit { bits += 1 }
        return min(next(below: 1 << between(0...bits)), limit - 1)
    }

    /// One of the elements, which are not empty.
    public mutating func pick<C: RandomAccessCollection>(_ elements: C) -> C.Element where C.Index == Int {
        elements[elements.startIndex + next(below: elements.count)]
    }
}
