import Foundation
import JSON
import Testing

@Suite("Scanning JSON without parsing it")
struct JSONScanTests {
    private func scan<R>(_ text: String, _ body: (inout JSONScan) -> R) -> R? {
        let parser = JSONParser()
        return Array(text.utf8).withUnsafeBytes { bytes in
            guard var scan = parser.scan(bytes) else { return nil }
            return body(&scan)
        }
    }

    private func text(_ bytes: UnsafeRawBufferPointer?) -> String? { bytes.map { String(decoding: $0, as: UTF8.self) } }

    @Test("Members are read in order, and a skipped value is skipped completely")
    func members() {
        let document = #" {"a" : "x", "b":[1,{"c":[]},"}"], "d": -2.5e3 ,"e":12, "f": null}  "#
        var found: [String] = []
        let ended = scan(document) { scan -> Bool in
            guard scan.consume(UInt8(ascii: "{")) else { return false }
            while let name = text(scan.string()), scan.consume(UInt8(ascii: ":")) {
                switch name {
                case "a": found.append("a=\(text(scan.string()) ?? "?")")
                case "b": found.append("b skipped: \(scan.skip())")
                case "d": found.append("d=\(scan.double() ?? 0)")
                case "e": found.append("e=\(scan.int64() ?? 0)")
                default: found.append("\(name) null: \(scan.null())")
                }
                guard scan.more(until: UInt8(ascii: "}")) == true else { return scan.isAtEnd }
            }
            return false
        }
        #expect(ended == true)
        #expect(found == ["a=x", "b skipped: true", "d=-2500.0", "e=12", "f null: true"])
    }

    @Test("Strings of every length are found, wherever their quotes are", arguments: 0...40)
    func lengths(_ length: Int) {
        let word = String(repeating: "ä", count: length / 2) + String(repeating: "x", count: length % 2)
        #expect(scan("\"\(word)\"") { text($0.string()) } == word)
        #expect(scan("[\"\(word)\",1]") { scan in scan.consume(UInt8(ascii: "[")) ? text(scan.string()) : nil } == word)
    }

    /// Before: the digits overflowed 64 bits, and another fraction was read.
    @Test(
        "A fraction of more digits than 64 bits hold is left to the parser, and never read as another number",
        arguments: 1...40
    )
    func longFractions(_ digits: Int) throws {
        for (zeros, sign) in [(0, ""), (0, "-"), (3, ""), (30, "-")] {
            for digit in ["9", "2", "29547132875867625041"] {
                let repeated = String(repeating: digit, count: digits).prefix(digits)
                let number = "\(sign)0.\(String(repeating: "0", count: zeros))\(repeated)"
                let found = scan("[\(number) ,1]") { scan in scan.consume(UInt8(ascii: "[")) ? scan.double() : nil }
                let parser = JSONParser()
                let expected = try parser.withDocument(of: Array("[\(number)]".utf8)) { try $0.array().doubles()[0] }
                guard let value = found ?? nil else {
                    #expect(digits > 19, "\(number)")
                    continue
                }
                #expect(value == expected || value.nextUp == expected || value.nextDown == expected, "\(number)")
            }
        }
    }

    @Test("A string with escapes is left to the parser", arguments: [#""\"""#, #""abcdefgh\n""#, #""1234567\u0041""#])
    func escapes(_ document: String) {
        #expect(scan(document) { $0.string() == nil } == true)
    }

    @Test(
        "The text before a colon is returned with its quotes and the bytes after them",
        arguments: [
            (#"{"a":1}"#, #""a""#), (#"{"a" :1}"#, #""a" "#), (#"{ "a":1}"#, #""a""#), (#"{"a\"b":1}"#, #""a\"b""#),
            ("{1:2}", "1"), (#"{"":0}"#, #""""#),
        ]
    )
    func quotedKeys(_ document: String, _ key: String) {
        let found = scan(document) { scan in scan.consume(UInt8(ascii: "{")) ? text(scan.quotedKey()) : nil }
        #expect(found == key)
        let atBracket = scan(document) { $0.quotedKey() == nil }
        #expect(atBracket == true)
    }

    @Test("A text may end at the end of mapped memory and begin anywhere", arguments: [0, 1, 7, 8, 31, 63, 64, 65])
    func edges(_ padding: Int) throws {
        let page = 4_096
        let flags = MAP_PRIVATE | MAP_ANONYMOUS
        let memory = try #require(mmap(nil, 2 * page, PROT_READ | PROT_WRITE, flags, -1, 0))
        defer { munmap(memory, 2 * page) }
        #expect(mprotect(memory + page, page, PROT_NONE) == 0)
        let document = Array(
            #"{"long-name-of-a-member":0.123456789,"x":"\#(String(repeating: "y", count: 90))","n":0.5}"#.utf8
        )
        let start = memory + page - document.count - padding
        start.copyMemory(from: document, byteCount: document.count)
        let parser = JSONParser()
        var scan = try #require(parser.scan(UnsafeRawBufferPointer(start: start, count: document.count)))
        let isObject = scan.consume(UInt8(ascii: "{"))
        let (first, number, more) = (text(scan.quotedKey()), scan.double(), scan.more(until: UInt8(ascii: "}")))
        #expect(isObject && first == #""long-name-of-a-member""# && more == true)
        #expect(abs((number ?? 0) - 0.123456789) < 1e-15)
        let (second, word, another) = (text(scan.quotedKey()), text(scan.string()), scan.more(until: UInt8(ascii: "}")))
        #expect(second == #""x""# && word?.count == 90 && another == true)
        let (third, last, end) = (text(scan.key()), scan.double(), scan.more(until: UInt8(ascii: "}")))
        #expect(third == "n" && last == 0.5 && end == false && scan.isAtEnd)
    }

    @Test("Trailing white space is ignored; a number at the end of a text is left to the parser")
    func ends() {
        let isWhole = scan("[1] \n\t\r ") { $0.skip() && $0.isAtEnd }
        #expect(isWhole == true)
        for document in ["1", "0.5", "true", " ", "", "{\"a\":1"] {
            let found = scan(document) { $0.isAtEnd }
            #expect(found == nil)
        }
    }

    @Test("Brackets that do not match are not skipped", arguments: ["[}", "{]", "[[}]", #"{"a":[}}"#, "]", "}"])
    func mismatch(_ document: String) {
        let isSkipped = scan(document) { $0.skip() }
        #expect(isSkipped != true)
    }

    @Test(
        "Numbers are read as the parser reads them, or left to it",
        arguments: [
            "0", "-0", "0.5", "0.1", "0.12345678", "0.123456789", "0.123456789012345", "0.1234567890123456",
            "0.1234567890123456789", "0.00000001", "0.", "0.5x", "0.5e1", "0.123456789x", "0.1234567 ", "1e-7", "1E+2",
            "123456789012345678", "4.9e-324", "2.2250738585072011e-308",
            "1e400", "01", "1.", ".5", "-", "1x", "1e", "+1", "tru", "0x10", "Infinity", "NaN",
        ]
    )
    func numbers(_ number: String) throws {
        let parser = JSONParser()
        let parsed = Array("[\(number)]".utf8).withUnsafeBytes { bytes -> Double? in
            guard let value = try? parser.parse(bytes), let element = try? value.array()[0] else { return nil }
            return try? element.double()
        }
        let scanned = scan("[\(number)]") { scan in scan.consume(UInt8(ascii: "[")) ? scan.double() : nil } ?? nil
        #expect((scanned == nil) == (parsed == nil))
        if let scanned, let parsed { #expect(abs(scanned - parsed) <= parsed.ulp) }
    }

    @Test(
        "Only numbers written as integers are read as integers",
        arguments: [
            ("0", 0), ("-17", -17), ("123456789012345678", 123_456_789_012_345_678), ("1234567890123456789", nil),
            ("1.0", nil), ("1e3", nil), ("007", nil), ("\"1\"", nil), ("true", nil), ("-", nil),
        ] as [(String, Int64?)]
    )
    func integers(_ document: String, _ expected: Int64?) {
        #expect(
            (scan("[\(document)]") { scan in scan.consume(UInt8(ascii: "[")) ? scan.int64() : nil } ?? nil) == expected
        )
    }

    @Test(
        "A value with unmatched brackets, or one that ends too early, is not skipped",
        arguments: ["[1,2", "{\"a\":[1}", "[}", "{\"a\":{\"b\":1}]", "]", ",", ":", ""]
    )
    func mismatches(_ document: String) {
        #expect((scan(document) { scan in scan.skip() } ?? false) == false)
    }

    @Test("Nesting is skipped up to four levels less than the parser accepts, and no further")
    func depth() {
        func nested(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        #expect(scan(nested(60)) { $0.skip() && $0.isAtEnd } == true)
        #expect(scan(nested(61)) { $0.skip() } == false)
    }

    @Test("A text that is not UTF-8, or has an unterminated string, is not scanned")
    func refused() {
        let parser = JSONParser()
        for bytes: [UInt8] in [[0x22, 0xFF, 0x22], Array("\"abc".utf8), Array("{\"a\":\"b".utf8)] {
            #expect(bytes.withUnsafeBytes { parser.scan($0) == nil })
        }
    }

    @Test("A text larger than the limit is not scanned; one larger than any earlier text is")
    func sizes() {
        let parser = JSONParser(maximumSize: 100_000)
        for size in [10, 50_000, 99_998] {
            let bytes = Array("\"\(String(repeating: "a", count: size))\"".utf8)
            #expect(
                bytes.withUnsafeBytes {
                    parser.scan($0).flatMap {
                        var scan = $0; return scan.string()?.count
                    }
                } == size
            )
        }
        #expect([UInt8](repeating: 0x20, count: 100_001).withUnsafeBytes { parser.scan($0) == nil })
    }

    @Test("Plain ASCII excludes escapes, DEL and all higher bytes, at every index of every length", arguments: 0...33)
    func plainASCII(_ length: Int) {
        func isPlain(_ text: [UInt8]) -> (plain: Bool, escape: Bool) {
            // The bytes after a text must not affect the result.
            (text + [UInt8](repeating: 0xFF, count: 8)).withUnsafeBytes {
                guard let start = $0.baseAddress else { return (false, false) }
                return (JSONScan.isPlainASCII(start, length), JSONScan.hasEscape(start, length))
            }
        }
        let plain = [UInt8](repeating: 0x61, count: length)
        #expect(isPlain(plain) == (true, false))
        for index in 0..<length {
            for byte in UInt8.min...UInt8.max {
                var text = plain
                text[index] = byte
                let found = isPlain(text)
                #expect(found.plain == (byte < 0x7F && byte != 0x5C), "byte \(byte) at \(index) of \(length)")
                #expect(found.escape == (byte == 0x5C), "byte \(byte) at \(index) of \(length)")
            }
        }
    }
}
