import Statistics
import Tables
import Testing

@Suite struct ForemostTests {
    /// The rank of a row: its value, then its key; the lower one is first.
    struct Rank: Comparable, Sendable {
        let value: Int
        let key: Int

        static func < (a: Self, b: Self) -> Bool { (a.value, a.key) < (b.value, b.key) }
    }

    @Test(
        "The first row is always correct, whatever was followed, changed directly, restored or undone",
        arguments: 0..<40 as Range<UInt64>
    )
    func first(seed: UInt64) {
        var generator = SplitMix64(seed: seed)
        var table = Table<Int, Int>()
        var topK = TopK<Rank>()
        // In some runs there are more rows than `TopK` holds.
        let keys = seed % 2 == 0 ? 40 : 2_000
        for step in 0..<4_000 {
            let key = generator.next(below: keys)
            let old = table[key].map { Rank(value: $0, key: key) }
            switch generator.next(below: 100) {
            case 0..<55:
                let value = generator.next(below: 1_000)
                topK.set(key, value, in: &table, from: old, to: Rank(value: value, key: key))
            case 55..<70: topK.set(key, nil, in: &table, from: old, to: nil)
            case 70..<95:
                // The row to be evicted is the first by rank.
                let first = topK.first(of: table) { Rank(value: $1, key: $0) }
                let isFirst = first == table.smallest(1) { Rank(value: $1, key: $0) }.first
                guard isFirst else {
                    Issue.record("seed \(seed), step \(step): \(String(describing: first)) is not the first")
                    return
                }
                if let first { topK.set(first.key, nil, in: &table, from: first, to: nil) }
            case 95: table[key] = generator.next(below: 1_000)
            case 96: table.undo()
            case 97: table.restore(key, generator.next(below: 1_000))
            default: table.commit()
            }
        }
    }
}

@Suite struct BoxedTests {
    @Test("Boxed values are equal if their contents are, whether or not they share storage")
    func equality() {
        let shared = Boxed([1, 2])
        let copy = shared
        #expect(shared == copy)
        #expect(shared == Boxed([1, 2]))
        #expect(shared != Boxed([1, 3]))
        #expect(shared.hashValue == Boxed([1, 2]).hashValue)
        #expect(copy.value == [1, 2])
    }
}
