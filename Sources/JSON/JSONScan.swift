internal import CSimdjson

/// A cursor over a text whose structure is known: it reads the requested values and skips the rest.
///
/// For readers that need few members of large texts. Every method returns nil or false if the text does not match the
/// request, or if reading it needs more than a simple check (escapes): such a text is parsed, which determines the
/// fault. Skipped text is checked, too: if all of a text was read or skipped, `parse` does not refuse it.
///
/// The cursor is valid as long as the text is, and until the parser reads its next one.
public struct JSONScan {
    @usableFromInline let text: UnsafePointer<UInt8>
    @usableFromInline var next: UnsafePointer<UInt32>
    @usableFromInline let end: UnsafePointer<UInt32>

    init(_ index: flywheel_json_index) {
        text = index.text
        next = index.structure
        end = index.structure + index.count
    }

    /// The first byte of the next element of the structure; 0 at the end.
    @inlinable @inline(__always) public var byte: UInt8 { next < end ? text[Int(next.pointee)] : 0 }

    /// Whether everything was read.
    @inlinable public var isAtEnd: Bool { next >= end }

    /// Moves past a bracket, colon or comma; false if something else comes next.
    @inlinable @inline(__always) public mutating func consume(_ expected: UInt8) -> Bool {
        guard byte == expected else { return false }
        next += 1
        return true
    }

    /// The bytes of a string without its quotes; nil for anything else, and for a string with escapes.
    ///
    /// - Complexity: O(*n*), eight bytes at a time.
    @inlinable public mutating func string() -> UnsafeRawBufferPointer? {
        guard byte == UInt8(ascii: "\"") else { return nil }
        let start = UnsafeRawPointer(text + Int(next.pointee) + 1)
        var length = 0
        while true {
            // Every string ends, and the text is padded: this never reads beyond the readable memory.
            let word = start.loadUnaligned(fromByteOffset: length, as: UInt64.self).littleEndian
            let stops =
                Self.bytes(equalTo: UInt8(ascii: "\""), in: word) | Self.bytes(equalTo: UInt8(ascii: "\\"), in: word)
            if stops == 0 {
                length += 8
                continue
            }
            length += stops.trailingZeroBitCount >> 3
            guard start.load(fromByteOffset: length, as: UInt8.self) == UInt8(ascii: "\"") else { return nil }
            next += 1
            return UnsafeRawBufferPointer(start: start, count: length)
        }
    }

    /// Returns the bytes of a string as they are between its quotes, escapes included; nil for anything else.
    ///
    /// For comparison with names that need no escapes: such a name is found unescaped, or not at all. At least eight
    /// more readable bytes follow it.
    ///
    /// - Complexity: O(1), unless there is white space after the string.
    @inlinable @inline(__always) public mutating func raw() -> UnsafeRawBufferPointer? {
        guard next + 1 < end, byte == UInt8(ascii: "\"") else { return nil }
        let start = Int(next.pointee) + 1
        // The next element of the structure begins after the closing quote.
        var stop = Int(next[1]) - 1
        if text[stop] != UInt8(ascii: "\"") { stop = trimmed(stop) - 1 }
        guard stop >= start, text[stop] == UInt8(ascii: "\"") else { return nil }
        next += 1
        return UnsafeRawBufferPointer(start: text + start, count: stop - start)
    }

    /// Returns the bytes of a key as in the text between its quotes, escapes included, and moves past its colon;
    /// nil for anything else.
    @inlinable @inline(__always) public mutating func key() -> UnsafeRawBufferPointer? {
        guard let name = raw(), consume(UInt8(ascii: ":")) else { return nil }
        return name
    }

    /// Returns the bytes before the next colon, usually a key with its quotes, and moves past that colon; nil if no
    /// colon follows.
    ///
    /// The bytes are for comparison with names in their quotes; bytes that equal none of these need not be a key. At
    /// least eight more readable bytes follow them.
    ///
    /// - Complexity: O(1).
    @inlinable @inline(__always) public mutating func quotedKey() -> UnsafeRawBufferPointer? {
        guard next + 1 < end else { return nil }
        let (start, colon) = (Int(next[0]), Int(next[1]))
        guard text[colon] == UInt8(ascii: ":") else { return nil }
        next += 2
        return UnsafeRawBufferPointer(start: text + start, count: colon &- start)
    }

    /// Whether `count` bytes, which are followed by at least seven readable ones, contain a backslash.
    ///
    /// - Complexity: O(*n*), eight bytes at a time.
    @inlinable @inline(__always) public static func hasEscape(_ start: UnsafeRawPointer, _ count: Int) -> Bool {
        var index = 0
        while index < count {
            let word = eightBytes(start, index, count)
            if has(UInt8(ascii: "\\"), in: word) { return true }
            index &+= 8
        }
        return false
    }

    /// Whether `count` bytes, which are followed by at least seven readable ones, are all ASCII and contain neither a
    /// backslash nor DEL.
    ///
    /// - Complexity: O(*n*), eight bytes at a time.
    @inlinable @inline(__always) public static func isPlainASCII(_ start: UnsafeRawPointer, _ count: Int) -> Bool {
        var index = 0
        while index < count {
            let word = eightBytes(start, index, count)
            // The highest bit of a byte is set if the byte is not ASCII, is DEL, or is a backslash. Sums carry only out
            // of bytes that are marked themselves.
            let marks =
                word | (word &+ 0x0101_0101_0101_0101)
                | ~((word ^ 0x5C5C_5C5C_5C5C_5C5C) &+ 0x7F7F_7F7F_7F7F_7F7F)
            // Names are short: the loop is left at once, so that the compiler does not vectorize it.
            if marks & 0x8080_8080_8080_8080 != 0 { return false }
            index &+= 8
        }
        return true
    }

    /// Returns eight bytes from `index` on; if fewer are left, they are the upper bytes, above zeros.
    @inlinable @inline(__always)
    static func eightBytes(_ start: UnsafeRawPointer, _ index: Int, _ count: Int) -> UInt64 {
        let unused = UInt64(truncatingIfNeeded: max(0, index &+ 8 &- count) &* 8)
        return start.loadUnaligned(fromByteOffset: index, as: UInt64.self).littleEndian &<< unused
    }

    /// Marks the lowest byte that is equal to `byte` by its highest bit; bits above the lowest mark mean nothing.
    @inlinable @inline(__always) static func bytes(equalTo byte: UInt8, in word: UInt64) -> UInt64 {
        let difference = word ^ (0x0101_0101_0101_0101 &* UInt64(byte))
        return (difference &- 0x0101_0101_0101_0101) & ~difference & 0x8080_8080_8080_8080
    }

    /// Whether any of eight bytes is `byte`, which is not 0.
    @inlinable @inline(__always) public static func has(_ byte: UInt8, in word: UInt64) -> Bool {
        bytes(equalTo: byte, in: word) != 0
    }

    /// Returns a finite number, within one unit in the last place of the value that the parser reads.
    ///
    /// - Complexity: O(*n*); a fraction of up to 15 digits without exponent is read eight digits at a time, the others
    ///   as the parser reads them.
    @inlinable @inline(__always) public mutating func double() -> Double? {
        guard next + 1 < end else { return anyDouble() }
        let start = UnsafeRawPointer(text + Int(next[0]))
        // The next element of the structure begins after the last digit, unless there is white space.
        let digits = Int(next[1]) &- Int(next[0]) &- 2
        guard start.loadUnaligned(as: UInt16.self).littleEndian == 0x2E30, digits &- 1 < 8, digits > 0,
            let value = Self.digits(
                start.loadUnaligned(fromByteOffset: 2, as: UInt64.self).littleEndian,
                count: UInt64(truncatingIfNeeded: digits)
            )
        else { return anyDouble() }
        next += 1
        // A product rounds twice where a quotient would round once, and takes a fraction of its time.
        return Double(Int64(bitPattern: value)) * 1e-8
    }

    @usableFromInline mutating func anyDouble() -> Double? {
        guard next < end else { return nil }
        let start = UnsafeRawPointer(text + Int(next.pointee))
        if next + 1 < end, start.loadUnaligned(as: UInt16.self).littleEndian == 0x2E30 {
            let more = Int(next[1]) &- Int(next[0]) &- 10
            if more > 0, more < 8,
                let first = Self.digits(start.loadUnaligned(fromByteOffset: 2, as: UInt64.self).littleEndian, count: 8),
                let rest = Self.digits(
                    start.loadUnaligned(fromByteOffset: 10, as: UInt64.self).littleEndian,
                    count: UInt64(more)
                )
            {
                next += 1
                return Double(Int64(bitPattern: first &* 10_000_000 &+ rest / 10)) * 1e-15
            }
        }
        guard let value = Self.number(start) else { return nil }
        next += 1
        return value
    }

    /// Returns the first `count` of eight bytes, followed by zeros, as an eight-digit number; nil unless they are
    /// digits.
    @inlinable @inline(__always) static func digits(_ word: UInt64, count: UInt64) -> UInt64? {
        let nibbles = (word ^ 0x3030_3030_3030_3030) & (UInt64.max &>> (64 &- count &* 8))
        guard ((nibbles &+ 0x7676_7676_7676_7676) | nibbles) & 0x8080_8080_8080_8080 == 0 else { return nil }
        let pairs = nibbles &* 10 &+ nibbles &>> 8
        let value =
            ((pairs & 0x0000_00FF_0000_00FF) &* 0x000F_4240_0000_0064
                &+ ((pairs &>> 16) & 0x0000_00FF_0000_00FF) &* 0x0000_2710_0000_0001) &>> 32
        return value & 0xFFFF_FFFF
    }

    /// Returns a number of at most 19 digits after leading zeros; for a longer number, simdjson 3.0.1 returns another
    /// value here than its parser does.
    @usableFromInline static func number(_ start: UnsafeRawPointer) -> Double? {
        var value = 0.0
        var digits = 0
        var index = 0
        while true {
            let byte = start.load(fromByteOffset: index, as: UInt8.self)
            guard byte &- UInt8(ascii: "0") <= 9 || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "-") else {
                break
            }
            if byte > UInt8(ascii: "0") || digits > 0 && byte == UInt8(ascii: "0") { digits &+= 1 }
            index &+= 1
        }
        guard digits <= 19, flywheel_json_double(start.assumingMemoryBound(to: UInt8.self), &value), value.isFinite
        else {
            return nil
        }
        return value
    }

    /// Returns an integer of at most 18 digits, written without point and exponent; nil for anything else.
    @inlinable public mutating func int64() -> Int64? {
        guard next < end else { return nil }
        let start = text + Int(next.pointee)
        let isNegative = start.pointee == UInt8(ascii: "-")
        var digit = isNegative ? start + 1 : start
        let first = digit
        var value: Int64 = 0
        while digit.pointee &- UInt8(ascii: "0") <= 9, digit - first < 18 {
            value = value &* 10 &+ Int64(digit.pointee &- UInt8(ascii: "0"))
            digit += 1
        }
        guard digit > first, digit - first == 1 || first.pointee != UInt8(ascii: "0"), Self.endsScalar(digit.pointee)
        else {
            return nil
        }
        next += 1
        return isNegative ? -value : value
    }

    /// Moves past `null`; false if something else comes next.
    @inlinable public mutating func null() -> Bool {
        guard byte == UInt8(ascii: "n") else { return false }
        let start = UnsafeRawPointer(text + Int(next.pointee))
        guard start.loadUnaligned(as: UInt32.self).littleEndian == 0x6C6C_756E,
            Self.endsScalar(start.load(fromByteOffset: 4, as: UInt8.self))
        else { return false }
        next += 1
        return true
    }

    @inlinable @inline(__always) static func endsScalar(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: ","), UInt8(ascii: "}"), UInt8(ascii: "]"), 0x20, 0x0A, 0x0D, 0x09: true
        default: false
        }
    }

    /// Moves past the comma between two members or elements, or past `closing`; nil if neither comes next.
    ///
    /// - Returns: Whether another one follows.
    @inlinable @inline(__always) public mutating func more(until closing: UInt8) -> Bool? {
        switch byte {
        case UInt8(ascii: ","):
            next += 1
            return true
        case closing:
            next += 1
            return false
        default: return nil
        }
    }
}
