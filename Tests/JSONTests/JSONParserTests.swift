import JSON
import Testing

/// The error that parsing `text` gives, or nil.
func parseError(_ bytes: [UInt8], parser: JSONParser = JSONParser()) -> JSONError? {
    do {
        try parser.withDocument(of: bytes) { _ in }
        return nil
    } catch let error as JSONError {
        return error
    } catch {
        Issue.record("an error of another type: \(error)")
        return nil
    }
}

func parseError(_ text: String, parser: JSONParser = JSONParser()) -> JSONError? {
    parseError(Array(text.utf8), parser: parser)
}

@Suite struct JSONParserTests {
    @Test(
        "A text that is not JSON is refused with kind and position",
        arguments: [
            ("", JSONError.Kind.truncated, 0 as Int?), ("  ", .truncated, 2), ("{", .truncated, 1),
            ("[1,", .truncated, 3),
            ("\"abc", .truncated, 4), ("tru", .truncated, 3), ("[1 2]", .syntax, 3), ("{\"a\" 1}", .syntax, 5),
            ("{a:1}", .syntax, 1), ("[1,]", .syntax, 3), ("{\"a\":1,}", .syntax, 7), ("NaN", .syntax, 0),
            ("Infinity", .syntax, 0), ("[-Infinity]", .syntax, 2), ("01", .syntax, 1), ("1.", .truncated, 2),
            (".5", .syntax, 0), ("+1", .syntax, 0), ("1 2", .syntax, 2), ("truex", .syntax, 4), ("'a'", .syntax, 0),
            ("[1]]", .syntax, 3), ("[1}", .syntax, 2), ("\"\\x\"", .syntax, 2), ("\"\\u12G4\"", .syntax, 5),
            ("\"\\ud800\"", .invalidUTF8, 1), ("\"\\ud800\\u0041\"", .invalidUTF8, 1), ("\"a\u{1}\"", .syntax, 2),
            ("1e999", .numberOutOfRange, 0), ("[18446744073709551616]", .numberOutOfRange, 1),
            ("-9223372036854775809", .numberOutOfRange, 0), ("\u{feff}1", .syntax, 0), ("1\u{0}", .syntax, 1),
        ]
    )
    func refusals(text: String, kind: JSONError.Kind, offset: Int?) {
        let error = parseError(text)
        #expect(error?.kind == kind, "\(String(describing: error))")
        #expect(error?.offset == offset, "\(String(describing: error))")
    }

    @Test(
        "Bytes that are not UTF-8 are refused where they begin",
        arguments: [
            [0xff], [0xc0, 0x80], [0xe0, 0x80, 0x80], [0xed, 0xa0, 0x80], [0xf5, 0x80, 0x80, 0x80], [0xc3, 0x28],
            [0xf4, 0x90, 0x80, 0x80], [0x80],
        ] as [[UInt8]]
    )
    func invalidUTF8(bytes: [UInt8]) {
        let error = parseError(Array("[\"é".utf8) + bytes + Array("\"]".utf8))
        #expect(error?.kind == .invalidUTF8)
        #expect(error?.offset == 4)
    }

    @Test("The depth limit is exact", arguments: [1, 2, 64, 1024])
    func depth(limit: Int) {
        let parser = JSONParser(maximumDepth: limit)
        func arrays(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + "1" + String(repeating: "]", count: depth)
        }
        func objects(_ depth: Int) -> String {
            String(repeating: "{\"a\":", count: depth) + "1" + String(repeating: "}", count: depth)
        }
        #expect(parseError("1", parser: parser) == nil)
        for make in [arrays, objects] {
            #expect(parseError(make(limit), parser: parser) == nil)
            #expect(parseError(make(limit + 1), parser: parser)?.kind == .tooDeep)
        }
    }

    @Test("Ten thousand nested arrays are refused, open or closed")
    func deep() {
        let open = String(repeating: "[", count: 10_000)
        #expect(parseError(open)?.kind == .tooDeep)
        #expect(parseError(open)?.offset == 64)
        #expect(parseError(open + String(repeating: "]", count: 10_000))?.kind == .tooDeep)
    }

    @Test("The size limit is exact")
    func size() {
        let parser = JSONParser(maximumSize: 4)
        #expect(parseError("1234", parser: parser) == nil)
        #expect(parseError("12345", parser: parser)?.kind == .tooLarge)
    }

    @Test("A text truncated anywhere is refused, and the parser remains usable")
    func truncation() throws {
        let text = Array(#"{"id":"s-1 é\n\ud83d\ude00","n":[1,-2.5e3,true,false,null,{"k":{}}],"b":[]}"#.utf8)
        let parser = JSONParser()
        for count in 0..<text.count {
            let error = try #require(parseError(Array(text[..<count]), parser: parser), "cut at \(count)")
            #expect([.truncated, .syntax, .invalidUTF8].contains(error.kind), "cut at \(count): \(error)")
        }
        #expect(parseError(text, parser: parser) == nil)
    }

    @Test("Texts with one byte changed at random never crash", arguments: 0..<16 as Range<UInt64>)
    func mutations(seed: UInt64) {
        let text = Array(#"{"a":[1,2.5,"xé\u00e9"],"b":{"c":null,"d":true},"e":-0.0,"f":18446744073709551615}"#.utf8)
        var generator = TestGenerator(state: seed)
        let parser = JSONParser()
        for _ in 0..<2_000 {
            var mutated = text
            mutated[Int(generator.next() % UInt64(text.count))] = UInt8(truncatingIfNeeded: generator.next())
            if let error = parseError(mutated, parser: parser) {
                #expect(error.offset != nil, "\(String(decoding: mutated, as: UTF8.self)): \(error)")
            } else {
                #expect(roundTrip(mutated, parser: parser) != nil)
            }
        }
    }

    @Test("Among several members with one name, the first is read")
    func duplicates() throws {
        let (first, all) = try JSONParser().withDocument(of: Array(#"{"a":1,"a":2}"#.utf8)) {
            let object = try $0.object()
            return (try object.int64("a"), try object.map { try $0.value.int64() })
        }
        #expect(first == 1)
        #expect(all == [1, 2])
    }

    @Test("A parser reads large and small texts alternately")
    func reuse() throws {
        let parser = JSONParser()
        for count in [1, 100_000, 2, 300_000, 3] {
            let text = "[" + Array(repeating: "1.5", count: count).joined(separator: ",") + "]"
            let read = try parser.withDocument(of: Array(text.utf8)) { try $0.array().doubles() }
            #expect(read == [Double](repeating: 1.5, count: count))
        }
    }
}
