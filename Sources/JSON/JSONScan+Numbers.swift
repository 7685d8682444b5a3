internal import CSimdjson

/// Numbers that are checked but not read.
extension JSONScan {
    /// Number of digits up to which every integer fits into 64 bits.
    @inlinable static var safeDigits: Int { 18 }

    /// Whether `count` bytes are a number that 64 bits can hold.
    @usableFromInline static func isNumber(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> Bool {
        var index = bytes[0] == UInt8(ascii: "-") ? 1 : 0
        let first = index
        let integerDigits = skipDigits(bytes, &index, count)
        guard integerDigits == 1 || integerDigits > 1 && bytes[first] != UInt8(ascii: "0") else { return false }
        if index == count { return integerDigits <= safeDigits }
        // Even with a two-digit exponent, the number is far from infinite.
        guard integerDigits <= 200 else { return false }
        if bytes[index] == UInt8(ascii: ".") {
            index &+= 1
            guard skipDigits(bytes, &index, count) > 0 else { return false }
        }
        if index < count, bytes[index] | 0x20 == UInt8(ascii: "e") {
            index &+= 1
            if index < count, bytes[index] == UInt8(ascii: "-") || bytes[index] == UInt8(ascii: "+") { index &+= 1 }
            let digits = skipDigits(bytes, &index, count)
            guard digits == 1 || digits == 2 else { return false }
        }
        return index == count
    }

    @inline(__always)
    private static func skipDigits(_ bytes: UnsafePointer<UInt8>, _ index: inout Int, _ count: Int) -> Int {
        let first = index
        while index < count, bytes[index] &- UInt8(ascii: "0") <= 9 { index &+= 1 }
        return index &- first
    }

    /// Count of the numbers that were skipped, and a bound on the sum of their squares.
    public struct Numbers {
        /// Count of the numbers.
        public let count: Int
        /// Upper bound on the sum of their squares, up to rounding.
        public let squares: Double

        @inlinable init(count: Int, squares: Double) {
            self.count = count
            self.squares = squares
        }
    }

    /// Moves past an array that contains only numbers, at least one, each of which 32 bits can hold, rounded.
    ///
    /// - Returns: Nil for any other array, and for a text that only the parser can judge.
    /// - Complexity: O(*n*) in its bytes, usually 64 at a time; only values with exponents, or with several digits
    ///   before the point, are read.
    @inlinable public mutating func skipNumbers() -> Numbers? {
        guard consume(UInt8(ascii: "[")), next + 1 < end else { return nil }
        if let numbers = skipPlainNumbers() { return numbers }
        let first = next
        var index = next
        let last = end - 1
        // Sum of squares of fractions, in hundredths.
        var hundredths = 0
        var others = 0.0
        // Each pass reads a number and the byte after it; the last pass ends at a byte that is not a comma.
        repeat {
            let (start, stop) = (Int(index[0]), Int(index[1]))
            let sign = text[start] == UInt8(ascii: "-") ? 1 : 0
            let number = UnsafeRawPointer(text + (start &+ sign))
            let digits = stop &- start &- sign &- 2
            if number.loadUnaligned(as: UInt16.self).littleEndian == 0x2E30,
                UInt64(truncatingIfNeeded: digits &- 1) < 8,
                Self.areDigits(
                    number.loadUnaligned(fromByteOffset: 2, as: UInt64.self).littleEndian,
                    count: UInt64(truncatingIfNeeded: digits)
                )
            {
                // Upper bound on the number, in tenths: its first digit plus 1.
                let upperBound = Int(number.load(fromByteOffset: 2, as: UInt8.self)) &- 47
                hundredths &+= upperBound &* upperBound
            } else {
                let square = squareUpperBound(start, stop)
                guard square >= 0 else { return nil }
                others += square
            }
            index += 2
            let behind = text[stop]
            guard behind == UInt8(ascii: ",") else {
                guard behind == UInt8(ascii: "]") else { return nil }
                next = index
                return Numbers(count: (index - first) / 2, squares: Double(hundredths) * 0.01 + others)
            }
        } while index < last
        return nil
    }

    /// Skips the numbers of an array, as `skipNumbers` does, after its opening bracket; nil for an array with white
    /// space, exponents or numbers of several digits before the point.
    @usableFromInline mutating func skipPlainNumbers() -> Numbers? {
        var found = flywheel_json_numbers()
        let start = Int(next.pointee)
        guard flywheel_json_list(text + start, &found) else { return nil }
        // Each number has an index in the structure, and so does the byte behind it.
        let last = next + (2 * found.count - 1)
        guard last < end, Int(last.pointee) == start + found.length else { return nil }
        next = last + 1
        return Numbers(count: found.count, squares: found.squares)
    }

    /// Returns an upper bound on the square of a number between two positions of the structure; below 0 if it is not a
    /// number, or not one that 32 bits can hold.
    @usableFromInline func squareUpperBound(_ start: Int, _ stop: Int) -> Double {
        let sign = text[start] == UInt8(ascii: "-") ? 1 : 0
        let number = UnsafeRawPointer(text + (start &+ sign))
        let count = stop &- start &- sign &- 2
        if count > 8, number.loadUnaligned(as: UInt16.self).littleEndian == 0x2E30 {
            var isPlain = true
            var index = 0
            while index < count, isPlain {
                isPlain = Self.areDigits(
                    number.loadUnaligned(fromByteOffset: 2 &+ index, as: UInt64.self).littleEndian,
                    count: UInt64(truncatingIfNeeded: min(8, count &- index))
                )
                index &+= 8
            }
            if isPlain {
                let upperBound = Double(Int(number.load(fromByteOffset: 2, as: UInt8.self)) &- 47)
                return upperBound * upperBound * 0.01
            }
        }
        let bytes = text + start
        guard Self.isNumber(bytes, trimmed(stop) &- start), let value = Self.number(bytes),
            Float(value).isFinite
        else { return -1 }
        return value * value
    }

    /// Whether the first `count` of eight bytes are digits; `count` is at least 1.
    @inlinable @inline(__always) static func areDigits(_ word: UInt64, count: UInt64) -> Bool {
        let nibbles = (word ^ 0x3030_3030_3030_3030) & (UInt64.max &>> (64 &- count &* 8))
        return ((nibbles &+ 0x7676_7676_7676_7676) | nibbles) & 0x8080_8080_8080_8080 == 0
    }
}
