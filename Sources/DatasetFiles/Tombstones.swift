package import EngineCore

/// Sequence numbers of lines that are no longer valid, ascending; 8 bytes each.
package struct Tombstones {
    package private(set) var sequences: [Int64] = []

    package init() {}

    /// Returns the bytes of a file of tombstones.
    static func bytes(_ sequences: some Collection<Int64>) -> [UInt8] {
        var bytes: [UInt8] = []
        for sequence in sequences { bytes += Array("{\"sequence\":\(sequence)}\n".utf8) }
        return bytes
    }

    /// Adds the tombstones of a file.
    ///
    /// - Throws: `EngineError` for a line of another form, for numbers that do not ascend, or for numbers that differ
    ///   from the entry.
    mutating func append(_ bytes: [UInt8], _ entry: DatasetEntry, file: String) throws(EngineError) {
        let start = sequences.count
        var number = 0
        for line in bytes.split(separator: 0x0A) {
            number += 1
            guard let sequence = Self.sequence(line),
                sequences.count == start || sequence > sequences[sequences.count - 1]
            else {
                throw DatasetForm.damage(
                    "line \(number): expected {\"sequence\":N} with a number above the one before",
                    in: file
                )
            }
            sequences.append(sequence)
        }
        guard number == entry.records, sequences[start...].first == entry.sequences?.lowerBound,
            sequences.last == entry.sequences?.upperBound
        else { throw DatasetForm.damage("it does not hold the \(entry.records) numbers that its page says", in: file) }
    }

    /// Sorts all tombstones.
    ///
    /// - Throws: `EngineError` if a number is in two files: no line is withdrawn twice.
    package mutating func sort(_ manifest: String) throws(EngineError) {
        sequences.sort()
        for (sequence, next) in zip(sequences, sequences.dropFirst()) where sequence == next {
            throw DatasetForm.damage("line \(sequence) is withdrawn twice", in: manifest)
        }
    }

    /// Index of the first tombstone that is not below `sequence`.
    ///
    /// - Complexity: O(log *n*).
    func position(of sequence: Int64) -> Int {
        var (low, high) = (0, sequences.count)
        while low < high {
            let middle = (low + high) / 2
            if sequences[middle] < sequence { low = middle + 1 } else { high = middle }
        }
        return low
    }

    private static func sequence(_ line: ArraySlice<UInt8>) -> Int64? {
        let (head, tail) = (Array("{\"sequence\":".utf8), UInt8(ascii: "}"))
        guard line.starts(with: head), line.last == tail else { return nil }
        let digits = line.dropFirst(head.count).dropLast()
        guard digits.first != UInt8(ascii: "0"), (1...18).contains(digits.count) else { return nil }
        var value: Int64 = 0
        for digit in digits {
            guard (0x30...0x39).contains(digit) else { return nil }
            value = value * 10 + Int64(digit - 0x30)
        }
        return value
    }
}
