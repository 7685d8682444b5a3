/// Skipping of values that are not read but are nevertheless checked: whether a record is refused must not depend on
/// which of its members are read.
///
/// Each of these methods accepts only what the parser accepts, too. Rare text (deep nesting, integers of 19
/// digits, exponents of three) is not accepted here and is left to the parser.
extension JSONScan {
    /// Maximum levels of nesting that are skipped: four less than the parser accepts, because a reader skips values
    /// inside at most four levels.
    @inlinable static var maximumDepth: Int { 60 }
    /// Moves past a value of any kind, and checks it.
    ///
    /// - Returns: False for a text that is not a value, and for one that only the parser can judge.
    /// - Complexity: O(*n*) in its bytes.
    @inlinable public mutating func skip() -> Bool {
        guard next < end else { return false }
        // Brackets of both kinds differ in one bit: { [ and } ].
        guard text[Int(next.pointee)] | 0x20 == UInt8(ascii: "{") else {
            // The last element of the structure can only be a string here.
            guard next + 1 < end else { return string() != nil }
            guard isScalar(Int(next[0]), Int(next[1])) else { return false }
            next += 1
            return true
        }
        return skipContainer()
    }

    /// Moves past an object or array that is read completely later: counts brackets, and checks nothing.
    ///
    /// The later read finds its faults, and ends at the same position.
    ///
    /// - Complexity: O(*n*) in the number of values in it, about a nanosecond each.
    @inlinable public mutating func skipUnchecked() -> Bool {
        guard next < end, text[Int(next.pointee)] | 0x20 == UInt8(ascii: "{") else { return false }
        var index = next
        var depth = 0
        while index < end {
            let byte = text[Int(index.pointee)]
            index += 1
            // Brackets differ from each other in three bits only; no other first byte of a value has the remaining
            // bits.
            guard byte | 0x26 == 0x7F else { continue }
            // A closing bracket is two more than the opening one: 0x5B and 0x5D, or 0x7B and 0x7D.
            depth &+= byte & 0x02 != 0 ? 1 : -1
            if depth == 0 {
                next = index
                return true
            }
        }
        return false
    }

    @usableFromInline mutating func skipContainer() -> Bool {
        var index = next
        var depth = 0
        // One bit per level: whether it is an object.
        var kinds: UInt64 = 0
        // The last bracket of the text closes the value that a reader opened, or the value that is skipped: no check is
        // needed after it.
        let last = end - 1
        while index < last {
            // Here a value begins.
            let byte = text[Int(index.pointee)]
            var isEmpty = false
            if byte | 0x20 == UInt8(ascii: "{") {
                guard depth < Self.maximumDepth else { return false }
                depth &+= 1
                kinds = kinds &<< 1 | (byte == UInt8(ascii: "{") ? 1 : 0)
                index += 1
                // The closing bracket is two more than the one that opens.
                isEmpty = text[Int(index.pointee)] == byte &+ 2
                if !isEmpty {
                    if kinds & 1 == 1, !skipKey(&index, last) { return false }
                    continue
                }
            } else {
                guard isScalar(Int(index[0]), Int(index[1])) else { return false }
                index += 1
            }
            // Here a value has ended, or an empty container ends.
            while true {
                guard index <= last else { return false }
                let byte = text[Int(index.pointee)]
                index += 1
                if byte == UInt8(ascii: ","), !isEmpty {
                    if kinds & 1 == 1, !skipKey(&index, last) { return false }
                    break
                }
                guard byte == (kinds & 1 == 1 ? UInt8(ascii: "}") : UInt8(ascii: "]")) else { return false }
                isEmpty = false
                kinds = kinds &>> 1
                depth &-= 1
                if depth == 0 {
                    next = index
                    return true
                }
            }
        }
        return false
    }

    @inline(__always)
    private func skipKey(_ index: inout UnsafePointer<UInt32>, _ last: UnsafePointer<UInt32>) -> Bool {
        guard index < last, text[Int(index[0])] == UInt8(ascii: "\""), text[Int(index[1])] == UInt8(ascii: ":"),
            isScalar(Int(index[0]), Int(index[1]))
        else { return false }
        index += 2
        return true
    }

    /// Whether there is a scalar between two positions of the structure, followed only by white space.
    @usableFromInline func isScalar(_ start: Int, _ stop: Int) -> Bool {
        let count = trimmed(stop) &- start
        let bytes = UnsafeRawPointer(text + start)
        switch text[start] {
        case UInt8(ascii: "\""):
            return count >= 2 && text[start &+ count &- 1] == UInt8(ascii: "\"")
                && Self.areEscapesValid(bytes + 1, count &- 2)
        case UInt8(ascii: "t"): return count == 4 && Self.word(bytes) == 0x6575_7274
        case UInt8(ascii: "n"): return count == 4 && Self.word(bytes) == 0x6C6C_756E
        case UInt8(ascii: "f"): return count == 5 && Self.word(bytes + 1) == 0x6573_6C61
        default: return Self.isNumber(bytes.assumingMemoryBound(to: UInt8.self), count)
        }
    }

    @inline(__always)
    private static func word(_ start: UnsafeRawPointer) -> UInt32 { start.loadUnaligned(as: UInt32.self).littleEndian }

    /// Returns the end of the text before a position of the structure: there may be white space between.
    @inlinable @inline(__always) func trimmed(_ stop: Int) -> Int {
        var end = stop
        while end > 0, Self.isSpace(text[end &- 1]) { end &-= 1 }
        return end
    }

    @inlinable @inline(__always) static func isSpace(_ byte: UInt8) -> Bool {
        byte <= 0x20 && (byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09)
    }

    // MARK: - Strings

    /// Whether all escapes between two quotes, if there are any, represent a character.
    ///
    /// - Complexity: O(*n*), eight bytes at a time if there are none.
    @inlinable @inline(__always) static func areEscapesValid(_ start: UnsafeRawPointer, _ count: Int) -> Bool {
        !hasEscape(start, count) || areAllEscapesValid(UnsafeRawBufferPointer(start: start, count: count))
    }

    @inline(never) @usableFromInline static func areAllEscapesValid(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var index = 0
        while index < bytes.count {
            guard bytes[index] == UInt8(ascii: "\\") else {
                index &+= 1
                continue
            }
            guard index &+ 1 < bytes.count else { return false }
            switch bytes[index &+ 1] {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
                UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
                index &+= 2
            case UInt8(ascii: "u"):
                guard let unit = codeUnit(bytes, index &+ 2) else { return false }
                index &+= 6
                guard unit & 0xF800 == 0xD800 else { break }
                // The first half of a surrogate pair must be followed by the second half.
                guard unit < 0xDC00, index &+ 1 < bytes.count, bytes[index] == UInt8(ascii: "\\"),
                    bytes[index &+ 1] == UInt8(ascii: "u"), let other = codeUnit(bytes, index &+ 2),
                    other & 0xFC00 == 0xDC00
                else { return false }
                index &+= 6
            default: return false
            }
        }
        return true
    }

    private static func codeUnit(_ bytes: UnsafeRawBufferPointer, _ index: Int) -> UInt32? {
        guard index &+ 4 <= bytes.count else { return nil }
        var unit: UInt32 = 0
        for byte in bytes[index..<(index &+ 4)] {
            let digit: UInt8
            switch byte {
            case 0x30...0x39: digit = byte &- 0x30
            case 0x41...0x46: digit = byte &- 0x37
            case 0x61...0x66: digit = byte &- 0x57
            default: return nil
            }
            unit = unit &<< 4 | UInt32(digit)
        }
        return unit
    }

    /// Returns the bytes of a string between its quotes, including its escapes, which are checked; nil for anything
    /// else.
    ///
    /// The decoded string has at most as many bytes.
    ///
    /// - Complexity: O(*n*), eight bytes at a time where there are no escapes.
    @inlinable @inline(__always) public mutating func checkedRaw() -> UnsafeRawBufferPointer? {
        guard let bytes = raw(), let start = bytes.baseAddress, Self.areEscapesValid(start, bytes.count) else {
            return nil
        }
        return bytes
    }
}
