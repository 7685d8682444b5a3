/// Lines that a later version withdraws.
extension TrainingRows {
    /// Whether the line whose fault is reported with its text is among those withdrawn: the fault text of the next
    /// faulty line is not known.
    ///
    /// - Parameter withdrawn: Numbers of lines, ascending.
    /// - Returns: False if no line has a fault in itself.
    func losesFault(_ withdrawn: [Int64]) -> Bool {
        guard let row = firstFaultRow else { return false }
        return !rows(of: [sequences[row]], among: withdrawn).isEmpty
    }

    /// Removes the rows of lines that are no longer valid.
    ///
    /// - Parameter withdrawn: Numbers of lines, ascending; those of other splits, and of lines not read yet, are
    ///   ignored.
    /// - Returns: Number of rows removed.
    /// - Complexity: O(*n*) in the rows and their embeddings.
    mutating func remove(_ withdrawn: [Int64]) -> Int {
        let removed = rows(of: withdrawn, among: sequences)
        guard !removed.isEmpty else { return 0 }
        compact(without: removed)
        return removed.count
    }

    /// Returns the positions in `all`, which is ascending, of the numbers that it contains.
    private func rows(of numbers: [Int64], among all: [Int64]) -> [Int] {
        numbers.compactMap { number in
            var (low, high) = (0, all.count)
            while low < high {
                let middle = (low + high) / 2
                if all[middle] < number { low = middle + 1 } else { high = middle }
            }
            return low < all.count && all[low] == number ? low : nil
        }
    }
}

extension Array {
    /// Removes elements by their positions, which ascend.
    ///
    /// - Complexity: O(*n*).
    mutating func remove(at positions: [Int]) {
        guard let first = positions.first else { return }
        var (write, next) = (first, 0)
        for read in first..<count {
            if next < positions.count, positions[next] == read {
                next += 1
            } else {
                self[write] = self[read]
                write += 1
            }
        }
        removeLast(count - write)
    }
}
