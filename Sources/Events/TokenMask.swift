internal import JSON

/// Hides tokens in text for people: the record of a dead letter contains the token that was sent.
public enum TokenMask {
    /// Replaces the value of every member `token` by asterisks in a JSON text, or in a text that was meant to be JSON:
    /// at any depth, however its name is escaped, and also in JSON that is a string within JSON, as in the journal's
    /// `origin`.
    ///
    /// - Complexity: O(*n*) in its bytes.
    public static func masked(_ bytes: [UInt8]) -> [UInt8] { masked(bytes, depth: 0) }

    private static let depthLimit = 4
    private static let delimiters = Array(",{}[] \t\r\n".utf8)
    private static let quote = UInt8(ascii: "\"")
    private static let backslash = UInt8(ascii: "\\")

    private static func masked(_ bytes: [UInt8], depth: Int) -> [UInt8] {
        // A text without quotes contains no member `token`.
        guard bytes.contains(quote) else { return bytes }
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var position = 0
        while position < bytes.count {
            guard bytes[position] == quote else {
                result.append(bytes[position])
                position += 1
                continue
            }
            let end = endOfString(bytes, position)
            let inside = bytes[(position + 1)..<max(position + 1, end - 1)]
            if let value = valueStart(bytes, end), unescaped(inside) == Array("token".utf8) {
                result += bytes[position..<value]
                position = endOfValue(bytes, value)
                if position > value { result += Array("\"\(RequestToken.mask)\"".utf8) }
                continue
            }
            result += nested(bytes[position..<end], inside, depth)
            position = end
        }
        return result
    }

    /// Returns a string with its quotes; if the string contains JSON with a token, the token is masked.
    private static func nested(_ quoted: ArraySlice<UInt8>, _ inside: ArraySlice<UInt8>, _ depth: Int) -> [UInt8] {
        guard depth < depthLimit, inside.contains(backslash) else { return Array(quoted) }
        let text = unescaped(inside)
        let maskedText = masked(text, depth: depth + 1)
        guard maskedText != text else { return Array(quoted) }
        var writer = JSONWriter()
        writer.value(String(decoding: maskedText, as: UTF8.self))
        return writer.bytes
    }

    /// The index after the closing quote of the string that opens at `start`, or the end of a truncated text.
    private static func endOfString(_ bytes: [UInt8], _ start: Int) -> Int {
        var position = start + 1
        while position < bytes.count, bytes[position] != quote { position += bytes[position] == backslash ? 2 : 1 }
        return min(bytes.count, position + 1)
    }

    /// Start of the value of the member whose name ends before `end`; nil if the string is not the name of a member.
    private static func valueStart(_ bytes: [UInt8], _ end: Int) -> Int? {
        let colon = skipSpace(bytes, end)
        guard colon < bytes.count, bytes[colon] == UInt8(ascii: ":") else { return nil }
        return skipSpace(bytes, colon + 1)
    }

    private static func skipSpace(_ bytes: [UInt8], _ start: Int) -> Int {
        var position = start
        while position < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[position]) { position += 1 }
        return position
    }

    /// The index after a string, a bare word, an object or a list; the end of the text if the value is truncated.
    private static func endOfValue(_ bytes: [UInt8], _ start: Int) -> Int {
        guard start < bytes.count else { return start }
        if bytes[start] == quote { return endOfString(bytes, start) }
        var position = start
        if bytes[start] == UInt8(ascii: "{") || bytes[start] == UInt8(ascii: "[") {
            var depth = 0
            repeat {
                switch bytes[position] {
                case quote:
                    position = endOfString(bytes, position)
                    continue
                case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
                case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
                default: break
                }
                position += 1
            } while depth > 0 && position < bytes.count
            return position
        }
        while position < bytes.count, !delimiters.contains(bytes[position]) { position += 1 }
        return position
    }

    /// The unescaped text of a string without its quotes. An invalid escape stays unchanged.
    private static func unescaped(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        guard bytes.contains(backslash) else { return Array(bytes) }
        var units: [UInt16] = []
        var result: [UInt8] = []
        func flush() {
            result += Array(String(decoding: units, as: UTF16.self).utf8)
            units.removeAll()
        }
        var position = bytes.startIndex
        while position < bytes.endIndex {
            let next = position + 1
            guard bytes[position] == backslash, next < bytes.endIndex else {
                flush()
                result.append(bytes[position])
                position += 1
                continue
            }
            let digits = String(decoding: bytes[next...].dropFirst().prefix(4), as: UTF8.self)
            if bytes[next] == UInt8(ascii: "u"), let unit = UInt16(digits, radix: 16), digits.utf8.count == 4 {
                units.append(unit)
                position += 6
                continue
            }
            flush()
            switch bytes[next] {
            case UInt8(ascii: "n"): result.append(0x0A)
            case UInt8(ascii: "r"): result.append(0x0D)
            case UInt8(ascii: "t"): result.append(0x09)
            case UInt8(ascii: "b"): result.append(0x08)
            case UInt8(ascii: "f"): result.append(0x0C)
            default: result.append(bytes[next])
            }
            position += 2
        }
        flush()
        return result
    }
}
