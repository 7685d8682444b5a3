/// Finds the fault in a text, and its position; runs only after the parser, which reports neither, has refused the
/// text.
struct JSONDiagnosis {
    private let bytes: UnsafeBufferPointer<UInt8>
    private let maximumDepth: Int
    private var position = 0

    /// The fault of a text that is not JSON, or not within the limits.
    static func fault(of bytes: UnsafeBufferPointer<UInt8>, maximumDepth: Int) -> JSONError {
        firstFault(of: bytes, maximumDepth: maximumDepth) ?? JSONError(.syntax, reason: "not valid JSON")
    }

    /// The first fault of a text, or nil if this strict reader finds none.
    static func firstFault(of bytes: UnsafeBufferPointer<UInt8>, maximumDepth: Int) -> JSONError? {
        var reader = JSONDiagnosis(bytes: bytes, maximumDepth: maximumDepth)
        do throws(JSONError) {
            try reader.readDocument()
            return nil
        } catch {
            return error
        }
    }

    private init(bytes: UnsafeBufferPointer<UInt8>, maximumDepth: Int) {
        self.bytes = bytes
        self.maximumDepth = maximumDepth
    }

    private var current: UInt8? { position < bytes.count ? bytes[position] : nil }

    private func syntax(_ expected: String) -> JSONError {
        guard let byte = current else {
            return JSONError(.truncated, offset: position, reason: "expected \(expected), found the end")
        }
        let isPlain = (0x21...0x7e).contains(byte)
        let found = isPlain ? "'\(Character(UnicodeScalar(byte)))'" : "byte \(byte)"
        return JSONError(.syntax, offset: position, reason: "expected \(expected), found \(found)")
    }

    private mutating func skipSpace() {
        while let byte = current, byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 { position += 1 }
    }

    /// Reads the whole text without recursion; a stack states for each open container whether it is an object.
    private mutating func readDocument() throws(JSONError) {
        var open: [Bool] = []
        repeat {
            skipSpace()
            // Here a value begins.
            if let byte = current, byte == UInt8(ascii: "{") || byte == UInt8(ascii: "[") {
                let start = position
                let isObject = byte == UInt8(ascii: "{")
                position += 1
                skipSpace()
                if current == (isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) {
                    position += 1
                } else {
                    guard open.count < maximumDepth else {
                        throw JSONError(.tooDeep, offset: start, reason: "nested deeper than \(maximumDepth)")
                    }
                    open.append(isObject)
                    if isObject { try readKey() }
                    continue
                }
            } else {
                try readScalar()
            }
            // Here a value has ended.
            while let isObject = open.last {
                skipSpace()
                if current == UInt8(ascii: ",") {
                    position += 1
                    skipSpace()
                    if isObject { try readKey() }
                    break
                }
                guard current == (isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) else {
                    throw syntax(isObject ? "',' or '}'" : "',' or ']'")
                }
                position += 1
                open.removeLast()
            }
        } while !open.isEmpty
        skipSpace()
        guard position == bytes.count else { throw syntax("the end") }
    }

    private mutating func readKey() throws(JSONError) {
        guard current == UInt8(ascii: "\"") else { throw syntax("a key") }
        try readString()
        skipSpace()
        guard current == UInt8(ascii: ":") else { throw syntax("':'") }
        position += 1
    }

    private mutating func readScalar() throws(JSONError) {
        switch current {
        case UInt8(ascii: "\""): try readString()
        case UInt8(ascii: "t"): try readWord("true")
        case UInt8(ascii: "f"): try readWord("false")
        case UInt8(ascii: "n"): try readWord("null")
        default: try readNumber()
        }
        if let byte = current, byte >= 0x80 || isWordByte(byte) { throw syntax("',' or the end of the value") }
    }

    private func isWordByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."): true
        default: false
        }
    }

    private mutating func readWord(_ word: StaticString) throws(JSONError) {
        for index in 0..<word.utf8CodeUnitCount {
            guard current == word.utf8Start[index] else { throw syntax("\(word)") }
            position += 1
        }
    }

    private mutating func readDigits() throws(JSONError) {
        guard let first = current, (0x30...0x39).contains(first) else { throw syntax("a digit") }
        while let byte = current, (0x30...0x39).contains(byte) { position += 1 }
    }

    private mutating func readNumber() throws(JSONError) {
        let start = position
        if current == UInt8(ascii: "-") {
            position += 1
        } else if let byte = current, !(0x30...0x39).contains(byte) {
            throw syntax("a value")
        }
        let leading = current
        let digitsStart = position
        try readDigits()
        if leading == 0x30, position > digitsStart + 1 {
            position = digitsStart + 1
            throw syntax("no digit after a leading zero")
        }
        var isInteger = true
        if current == UInt8(ascii: ".") {
            isInteger = false
            position += 1
            try readDigits()
        }
        if current == UInt8(ascii: "e") || current == UInt8(ascii: "E") {
            isInteger = false
            position += 1
            if current == UInt8(ascii: "+") || current == UInt8(ascii: "-") { position += 1 }
            try readDigits()
        }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        let fits = isInteger ? Int64(text) != nil || UInt64(text) != nil : Double(text)?.isFinite == true
        guard fits else {
            let type = isInteger ? "a 64-bit integer" : "a finite number"
            throw JSONError(.numberOutOfRange, offset: start, reason: "expected \(type), found \(text.prefix(40))")
        }
    }
}

extension JSONDiagnosis {
    private mutating func readString() throws(JSONError) {
        position += 1
        while true {
            guard let byte = current else { throw syntax("'\"'") }
            switch byte {
            case UInt8(ascii: "\""):
                position += 1
                return
            case UInt8(ascii: "\\"): try readEscape()
            case 0..<0x20: throw syntax("no control character in a string")
            case 0x20..<0x80: position += 1
            default: try readMultibyte()
            }
        }
    }

    private mutating func readEscape() throws(JSONError) {
        let start = position
        position += 1
        switch current {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            position += 1
        case UInt8(ascii: "u"):
            let unit = try readCodeUnit()
            guard (0xd800..<0xe000).contains(unit) else { return }
            let half = JSONError(.invalidUTF8, offset: start, reason: "half a surrogate pair")
            guard unit < 0xdc00, current == UInt8(ascii: "\\") else { throw half }
            position += 1
            guard current == UInt8(ascii: "u") else { throw half }
            guard (0xdc00..<0xe000).contains(try readCodeUnit()) else { throw half }
        default: throw syntax("an escape")
        }
    }

    /// Reads `uXXXX`.
    private mutating func readCodeUnit() throws(JSONError) -> UInt32 {
        position += 1
        var unit: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = current, let digit = Character(UnicodeScalar(byte)).hexDigitValue, byte < 0x80 else {
                throw syntax("a hexadecimal digit")
            }
            unit = unit << 4 | UInt32(digit)
            position += 1
        }
        return unit
    }

    /// Reads one scalar of two to four bytes, by table 3-7 of the Unicode standard.
    private mutating func readMultibyte() throws(JSONError) {
        let start = position
        let lead = bytes[position]
        let length: Int
        var second: ClosedRange<UInt8> = 0x80...0xbf
        switch lead {
        case 0xc2...0xdf: length = 2
        case 0xe0...0xef:
            length = 3
            if lead == 0xe0 { second = 0xa0...0xbf }
            if lead == 0xed { second = 0x80...0x9f }
        case 0xf0...0xf4:
            length = 4
            if lead == 0xf0 { second = 0x90...0xbf }
            if lead == 0xf4 { second = 0x80...0x8f }
        default: throw JSONError(.invalidUTF8, offset: start, reason: "not UTF-8")
        }
        for index in 1..<length {
            position = start + index
            guard let byte = current else { throw syntax("the rest of a character") }
            guard (index == 1 ? second : 0x80...0xbf).contains(byte) else {
                throw JSONError(.invalidUTF8, offset: start, reason: "not UTF-8")
            }
        }
        position = start + length
    }
}
