extension RandomAccessCollection where Index == Int {
    /// Finds the index at which a condition begins to hold, by bisection.
    ///
    /// - Parameter condition: False for every element before some index, true for every element from it on.
    /// - Returns: That index; `endIndex` if no element satisfies the condition.
    /// - Complexity: O(log *n*).
    @inlinable
    public func partitioningIndex(where condition: (Element) -> Bool) -> Int {
        var (low, high) = (startIndex, endIndex)
        while low < high {
            let middle = low + (high - low) / 2
            if condition(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
