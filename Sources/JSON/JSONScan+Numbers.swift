internal import CSimdjson

/// Numbers that are not read, but checked.
extension JSONScan {
    /// Digits of an integer that 64 bits hold, whichever they are.
    @inlinable static var safeDigits: Int { 18 }

    /// Whether so many bytes are a number that 64 bits hold.
    @usableFromInline static func isNumber(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> Bool {
        var place = bytes[0] == UInt8(ascii: "-") ? 1 : 0
        let first = place
        let whole = skipDigits(bytes, &place, count)
        guard whole == 1 || whole > 1 && bytes[first] != UInt8(ascii: "0") else { return false }
        if place == count { return whole <= safeDigits }
        // With two digits of an exponent far from what is infinite.
        guard whole <= 200 else { return false }
        if bytes[place] == UInt8(ascii: ".") {
            place &+= 1
            guard skipDigits(bytes, &place, count) > 0 else { return false }
        }
        if place < count, bytes[place] | 0x20 == UInt8(ascii: "e") {
            place &+= 1
            if place < count, bytes[place] == UInt8(ascii: "-") || bytes[place] == UInt8(ascii: "+") { place &+= 1 }
            let digits = skipDigits(bytes, &place, count)
            guard digits == 1 || digits == 2 else { return false }
        }
        return place == count
    }

    @inline(__always)
    private static func skipDigits(_ bytes: UnsafePointer<UInt8>, _ place: inout Int, _ count: Int) -> Int {
        let first = place
        while place < count, bytes[place] &- UInt8(ascii: "0") <= 9 { place &+= 1 }
        return place &- first
    }

    /// Count of the numbers that were skipped, and a bound on the sum of their squares.
    public struct Numbers {
        /// How many they are.
        public let count: Int
        /// At least the sum of their squares, up to rounding.
        public let squares: Double

        @inlinable init(count: Int, squares: Double) {
            self.count = count
            self.squares = squares
        }
    }

    /// Moves past an array that holds numbers and nothing else, one at least, each of which 32 bits can hold, rounded.
    ///
    /// - Returns: Nil of any other array, and of what only the parser can tell.
    /// - Complexity: O(*n*) in its bytes, 64 at a time as a rule; no value is read but those with exponents, or with several
    ///   digits before the point.
    @inlinable public mutating func skipNumbers() -> Numbers? {
        guard take(UInt8(ascii: "[")), next + 1 < end else { return nil }
        if let numbers = skipPlainNumbers() { return numbers }
        let first = next
        var place = next
        let last = end - 1
        // Of fractions: squares in hundredths.
        var hundredths = 0
        var others = 0.0
        // A number and what stands behind it, until that is no comma.
        repeat {
            let (start, stop) = (Int(place[0]), Int(place[1]))
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
                // A tenth more than the first digit says.
                let most = Int(number.load(fromByteOffset: 2, as: UInt8.self)) &- 47
                hundredths &+= most &* most
            } else {
                let square = squareOfAny(start, stop)
                guard square >= 0 else { return nil }
                others += square
            }
            place += 2
            let behind = text[stop]
            guard behind == UInt8(ascii: ",") else {
                guard behind == UInt8(ascii: "]") else { return nil }
                next = place
                return Numbers(count: (place - first) / 2, squares: Double(hundredths) * 0.01 + others)
            }
        } while place < last
        return nil
    }

    /// Skips the numbers of an array, as `skipNumbers` does, from behind its opening bracket; nil for an array with
    /// white space, exponents or numbers of several digits before the point.
    @usableFromInline mutating func skipPlainNumbers() -> Numbers? {
        var found = flywheel_json_numbers()
        let start = Int(next.pointee)
        guard flywheel_json_list(text + start, &found) else { return nil }
        // Of the structure each number has a place, and so has what stands behind it.
        let last = next + (2 * found.count - 1)
        guard last < end, Int(last.pointee) == start + found.length else { return nil }
        next = last + 1
        return Numbers(count: found.count, squares: found.squares)
    }

    /// At least the square of a number between two places of the structure; below 0 of what is none, or of none that 32 bits
    /// can hold.
    @usableFromInline func squareOfAny(_ start: Int, _ stop: Int) -> Double {
        let sign = text[start] == UInt8(ascii: "-") ? 1 : 0
        let number = UnsafeRawPointer(text + (start &+ sign))
        let count = stop &- start &- sign &- 2
        if count > 8, number.loadUnaligned(as: UInt16.self).littleEndian == 0x2E30 {
            var isPlain = true
            var place = 0
            while place < count, isPlain {
                isPlain = Self.areDigits(
                    number.loadUnaligned(fromByteOffset: 2 &+ place, as: UInt64.self).littleEndian,
                    count: UInt64(truncatingIfNeeded: min(8, count &- place))
                )
                place &+= 8
            }
            if isPlain {
                let most = Double(Int(number.load(fromByteOffset: 2, as: UInt8.self)) &- 47)
                return most * most * 0.01
            }
        }
        let bytes = text + start
        guard Self.isNumber(bytes, trimmed(stop) &- start), let value = Self.number(bytes),
            Float(value).isFinite
        else { return -1 }
        return value * value
    }

    /// Whether the first `count` bytes of eight, 1 at least, are digits.
    @inlinable @inline(__always) static func areDigits(_ word: UInt64, count: UInt64) -> Bool {
        let nibbles = (word ^ 0x3030_3030_3030_3030) & (UInt64.max &>> (64 &- count &* 8))
        return ((nibbles &+ 0x7676_7676_7676_7676) | nibbles) & 0x8080_8080_8080_8080 == 0
    }
}
