/// A matrix of features with one row for each sample, stored row by row in single or double precision. The caller
/// scales the features.
///
/// All computations are in double precision: the numbers of a single-precision matrix are widened one row at a time.
public struct FeatureMatrix: Hashable, Sendable {
    private enum Storage: Hashable {
        case doubles([Double])
        case singles([Float])
    }

    /// The number of samples.
    public let rowCount: Int
    /// The number of features of a sample; at least 1.
    public let columnCount: Int
    private let storage: Storage

    /// Creates a matrix from `values`, split into rows of `columnCount`.
    ///
    /// - Throws: `LearnerError` if they do not fill whole rows, or one is not finite.
    public init(values: [Double], columnCount: Int) throws(LearnerError) {
        try Self.check(values.count, columnCount, values.firstIndex { !$0.isFinite })
        self.init(.doubles(values), values.count, columnCount)
    }

    /// Creates a matrix from `singles`, split into rows of `columnCount`; it shares their memory.
    ///
    /// - Throws: `LearnerError` if they do not fill whole rows, or one is not finite.
    public init(singles: [Float], columnCount: Int) throws(LearnerError) {
        try Self.check(singles.count, columnCount, singles.firstIndex { !$0.isFinite })
        self.init(.singles(singles), singles.count, columnCount)
    }

    private static func check(_ count: Int, _ columnCount: Int, _ fault: Int?) throws(LearnerError) {
        guard columnCount > 0, count % columnCount == 0 else {
            throw LearnerError(.shape, "expected rows of \(columnCount) features, found \(count) numbers")
        }
        guard let fault else { return }
        throw LearnerError(.value, "row \(fault / columnCount), feature \(fault % columnCount) is not finite")
    }

    private init(_ storage: Storage, _ count: Int, _ columnCount: Int) {
        self.storage = storage
        self.columnCount = columnCount
        rowCount = count / columnCount
    }

    /// The rows at `indices`, in that order; a repeated index repeats its row.
    public func rows(at indices: [Int]) -> FeatureMatrix {
        switch storage {
        case .doubles(let values):
            let selected = Self.select(indices, columnCount, values)
            return FeatureMatrix(.doubles(selected), selected.count, columnCount)
        case .singles(let values):
            let selected = Self.select(indices, columnCount, values)
            return FeatureMatrix(.singles(selected), selected.count, columnCount)
        }
    }

    private static func select<Value>(_ indices: [Int], _ columnCount: Int, _ values: [Value]) -> [Value] {
        var selected: [Value] = []
        selected.reserveCapacity(indices.count * columnCount)
        for index in indices { selected.append(contentsOf: values[index * columnCount..<(index + 1) * columnCount]) }
        return selected
    }

    /// The features of one sample.
    public func row(_ index: Int) -> ArraySlice<Double> {
        let indices = index * columnCount..<(index + 1) * columnCount
        return switch storage {
        case .doubles(let values): values[indices]
        case .singles(let values): values[indices].map(Double.init)[...]
        }
    }

    /// The rows of this matrix, followed by those of another.
    ///
    /// - Throws: `LearnerError` if the numbers of columns differ.
    public func appending(_ other: FeatureMatrix) throws(LearnerError) -> FeatureMatrix {
        guard other.columnCount == columnCount else {
            throw LearnerError(.shape, "expected rows of \(columnCount) features, found \(other.columnCount)")
        }
        if case .singles(let own) = storage, case .singles(let others) = other.storage {
            return FeatureMatrix(.singles(own + others), own.count + others.count, columnCount)
        }
        let values = doubles + other.doubles
        return FeatureMatrix(.doubles(values), values.count, columnCount)
    }

    private var doubles: [Double] {
        switch storage {
        case .doubles(let values): values
        case .singles(let values): values.map(Double.init)
        }
    }

    /// Calls `body` with access to the rows, which is valid only during the call.
    func withRows<R>(_ body: (RowReader) -> R) -> R {
        switch storage {
        case .doubles(let values): values.withUnsafeBufferPointer { body(RowReader(doubles: $0, columnCount)) }
        case .singles(let values):
            values.withUnsafeBufferPointer { singles in
                withUnsafeTemporaryAllocation(of: Double.self, capacity: columnCount) { row in
                    body(RowReader(singles: singles, row, columnCount))
                }
            }
        }
    }
}

/// Access to the rows of a matrix, one at a time, for the duration of a call.
struct RowReader {
    private let doubles: UnsafePointer<Double>?
    private let singles: UnsafePointer<Float>?
    private let widened: UnsafeMutablePointer<Double>?
    private let columnCount: Int

    init(doubles: UnsafeBufferPointer<Double>, _ columnCount: Int) {
        self.doubles = doubles.baseAddress
        singles = nil
        widened = nil
        self.columnCount = columnCount
    }

    init(singles: UnsafeBufferPointer<Float>, _ row: UnsafeMutableBufferPointer<Double>, _ columnCount: Int) {
        doubles = nil
        self.singles = singles.baseAddress
        widened = row.baseAddress
        self.columnCount = columnCount
    }

    /// The features of a sample; they are valid until the next row is requested.
    @inline(__always)
    func row(_ index: Int) -> UnsafePointer<Double>? {
        if let doubles { return doubles + index * columnCount }
        guard let singles, let widened else { return nil }
        let row = singles + index * columnCount
        for feature in 0..<columnCount { widened[feature] = Double(row[feature]) }
        return UnsafePointer(widened)
    }
}
