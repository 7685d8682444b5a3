import Synchronization

/// Counter of events; it only grows.
public final class Counter: Sendable {
    private let count = Atomic<UInt64>(0)

    init() {}

    /// Number of events counted so far.
    public var value: UInt64 { count.load(ordering: .relaxed) }

    /// Counts `amount` more, which must not be negative.
    public func increment(by amount: Int = 1) {
        precondition(amount >= 0, "a counter only grows")
        count.wrappingAdd(UInt64(amount), ordering: .relaxed)
    }
}

/// Metric that shows the current value of a quantity.
public final class Gauge: Sendable {
    private let bits = Atomic<UInt64>(0)

    init() {}

    /// The current value.
    public var value: Double { Double(bitPattern: bits.load(ordering: .relaxed)) }

    /// Shows another number.
    public func set(_ value: Double) { bits.store(value.bitPattern, ordering: .relaxed) }

    /// Shows another number.
    public func set(_ value: Int) { set(Double(value)) }

    /// Adds an amount to the value.
    public func add(_ amount: Double) {
        var old = bits.load(ordering: .relaxed)
        while true {
            let new = (Double(bitPattern: old) + amount).bitPattern
            let result = bits.weakCompareExchange(expected: old, desired: new, ordering: .relaxed)
            if result.exchanged { return }
            old = result.original
        }
    }
}

/// Metric that counts numbers by size, in buckets.
public final class Histogram: Sendable {
    /// Bounds for durations in seconds, from a millisecond to a minute.
    public static let secondBounds = [
        0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
    ]

    /// Counts of a histogram at one time.
    public struct Snapshot: Sendable, Hashable {
        /// The upper bounds of the buckets, ascending.
        public let bounds: [Double]
        /// Number of values in each bucket; the last element is the number of values above all bounds.
        public fileprivate(set) var counts: [UInt64]
        /// The sum of all numbers.
        public fileprivate(set) var sum: Double
        /// Number of all values.
        public var count: UInt64 { counts.reduce(0, +) }
    }

    private let state: Mutex<Snapshot>

    init(bounds: [Double]) {
        for index in bounds.indices.dropFirst() {
            precondition(bounds[index - 1] < bounds[index], "the bounds of a histogram rise")
        }
        precondition(bounds.allSatisfy(\.isFinite), "the bounds of a histogram are finite")
        let counts = [UInt64](repeating: 0, count: bounds.count + 1)
        state = Mutex(Snapshot(bounds: bounds, counts: counts, sum: 0))
    }

    /// Counts so far.
    public var snapshot: Snapshot { state.withLock { $0 } }

    /// Counts a number; NaN is left out.
    public func observe(_ number: Double) {
        guard !number.isNaN else { return }
        state.withLock { state in
            let bucket = state.bounds.firstIndex { number <= $0 } ?? state.bounds.count
            state.counts[bucket] += 1
            state.sum += number
        }
    }
}
