/// Rows of features, one sample a row, stored one row after the other. The caller scales them.
public struct FeatureMatrix: Hashable, Sendable {
    /// The number of samples.
    public let rowCount: Int
    /// The number of features of a sample; at least 1.
    public let columnCount: Int
    /// All numbers, row by row.
    public let values: [Double]

    /// A matrix of `values`, cut into rows of `columnCount`.
    ///
    /// - Throws: `LearnerError` if they do not fill whole rows, or one is not finite.
    public init(values: [Double], columnCount: Int) throws(LearnerError) {
        guard columnCount > 0, values.count % columnCount == 0 else {
            throw LearnerError(.shape, "expected rows of \(columnCount) features, found \(values.count) numbers")
        }
        for index in values.indices where !values[index].isFinite {
            throw LearnerError(.value, "row \(index / columnCount), feature \(index % columnCount) is not finite")
        }
        self.init(unchecked: values, columnCount: columnCount)
    }

    private init(unchecked values: [Double], columnCount: Int) {
        self.values = values
        self.columnCount = columnCount
        rowCount = values.count / columnCount
    }

    /// The rows at `indices`, in that order, repeated if an index is.
    public func rows(at indices: [Int]) -> FeatureMatrix {
        var selected: [Double] = []
        selected.reserveCapacity(indices.count * columnCount)
        for index in indices { selected.append(contentsOf: values[index * columnCount..<(index + 1) * columnCount]) }
        return FeatureMatrix(unchecked: selected, columnCount: columnCount)
    }

    /// The features of one sample.
    public func row(_ index: Int) -> ArraySlice<Double> {
        values[index * columnCount..<(index + 1) * columnCount]
    }

    /// The rows of both.
    ///
    /// - Throws: `LearnerError` if the numbers of columns differ.
    public func appending(_ other: FeatureMatrix) throws(LearnerError) -> FeatureMatrix {
        guard other.columnCount == columnCount else {
            throw LearnerError(.shape, "expected rows of \(columnCount) features, found \(other.columnCount)")
        }
        return FeatureMatrix(unchecked: values + other.values, columnCount: columnCount)
    }
}
