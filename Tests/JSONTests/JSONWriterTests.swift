import JSON
import Testing

/// SplitMix64; the tests of this module depend on no other module of this project.
struct TestGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
        return mixed ^ mixed >> 31
    }

    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
}

/// The text written again from its parsed form, or nil if it is refused.
func roundTrip(_ bytes: [UInt8], parser: JSONParser) -> [UInt8]? {
    try? parser.withDocument(of: bytes) {
        var writer = JSONWriter()
        writer.value($0)
        return writer.bytes
    }
}

@Suite struct JSONWriterTests {
    @Test("Members and elements are separated by commas, in the order of the calls")
    func structure() {
        var writer = JSONWriter()
        writer.object {
            $0.member("id", "s-1")
            $0.member("none", ifPresent: nil as String?)
            $0.object("empty") { _ in }
            $0.array("list") {
                $0.value(1)
                $0.array { _ in }
                $0.object { $0.member("x", 0.5) }
                $0.null()
                $0.value(encoded: Array(#"{"raw":1}"#.utf8))
                $0.value(true)
            }
            $0.array("p", of: [0.25, 1])
            $0.null("nothing")
            $0.key(named: "ключ")
            $0.value(false)
        }
        let expected =
            #"{"id":"s-1","empty":{},"list":[1,[],{"x":0.5},null,{"raw":1},true],"p":[0.25,1.0],"#
            + #""nothing":null,"ключ":false}"#
        #expect(writer.text == expected)
        writer.removeAll()
        writer.value("next")
        #expect(writer.text == "\"next\"")
    }

    @Test("Strings escape the characters that RFC 8259 requires, and no others")
    func escapes() {
        var writer = JSONWriter()
        writer.value("\"\\/\u{8}\u{c}\n\r\t\u{0}\u{1f}\u{7f}é😀\u{2028}")
        #expect(writer.text == "\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0000\\u001f\u{7f}é😀\u{2028}\"")
    }

    @Test(
        "Numbers are written with the fewest digits that restore them",
        arguments: [
            (0.0 as Double, "0.0"), (-0.0, "-0.0"), (1, "1.0"), (-1, "-1.0"), (0.1, "0.1"), (1e20, "1e+20"),
            (.leastNonzeroMagnitude, "5e-324"),
            (9_007_199_254_740_991, "9007199254740991.0"), (123_456, "123456.0"), (1.0 / 3.0, "0.3333333333333333"),
        ]
    )
    func doubles(number: Double, text: String) {
        var writer = JSONWriter()
        writer.value(number)
        #expect(writer.text == text)
    }

    @Test("Whole numbers agree with Swift's description", arguments: 0..<8 as Range<UInt64>)
    func wholeNumbers(seed: UInt64) {
        var generator = TestGenerator(state: seed)
        for _ in 0..<500 {
            let number = Double(Int64(bitPattern: generator.next()) >> Int64(11 + generator.below(50)))
            var writer = JSONWriter()
            writer.value(number)
            #expect(writer.text == number.description)
        }
    }

    @Test("The ends of the integer ranges are written")
    func integers() {
        var writer = JSONWriter()
        writer.array {
            $0.value(Int64.min)
            $0.value(Int64.max)
            $0.value(UInt64.max)
            $0.value(0)
            $0.value(10)
        }
        #expect(writer.text == "[-9223372036854775808,9223372036854775807,18446744073709551615,0,10]")
    }

    @Test("A random document, written, parsed and written again, is the same bytes", arguments: 0..<64 as Range<UInt64>)
    func property(seed: UInt64) throws {
        var generator = TestGenerator(state: seed)
        let parser = JSONParser()
        for _ in 0..<20 {
            var writer = JSONWriter()
            Self.writeRandom(into: &writer, depth: 0, using: &generator)
            #expect(roundTrip(writer.bytes, parser: parser) == writer.bytes, "\(writer.text)")
        }
    }

    @Test("A random double survives writing and parsing", arguments: 0..<8 as Range<UInt64>)
    func doublesSurvive(seed: UInt64) throws {
        var generator = TestGenerator(state: seed)
        var numbers: [Double] = []
        while numbers.count < 2_000 {
            let number = Double(bitPattern: generator.next())
            if number.isFinite { numbers.append(number) }
        }
        var writer = JSONWriter()
        writer.array { for number in numbers { $0.value(number) } }
        let read = try JSONParser().withDocument(of: writer.bytes) { try $0.array().doubles() }
        #expect(read.map(\.bitPattern) == numbers.map(\.bitPattern))
    }

    private static func writeRandom(into writer: inout JSONWriter, depth: Int, using generator: inout TestGenerator) {
        switch generator.below(depth < 6 ? 9 : 6) {
        case 0: writer.null()
        case 1: writer.value(generator.below(2) == 0)
        case 2: writer.value(Int64(bitPattern: generator.next()) >> Int64(generator.below(64)))
        case 3: writer.value(generator.next())
        case 4:
            let number = Double(bitPattern: generator.next())
            writer.value(number.isFinite ? number : 0.5)
        case 5: writer.value(randomText(using: &generator))
        case 6, 7:
            writer.beginArray()
            for _ in 0..<generator.below(6) { writeRandom(into: &writer, depth: depth + 1, using: &generator) }
            writer.endArray()
        default:
            writer.beginObject()
            for _ in 0..<generator.below(6) {
                writer.key(named: randomText(using: &generator))
                writeRandom(into: &writer, depth: depth + 1, using: &generator)
            }
            writer.endObject()
        }
    }

    private static func randomText(using generator: inout TestGenerator) -> String {
        var text = ""
        let bounds = [0x20, 0x80, 0x800, 0x11_0000]
        for _ in 0..<generator.below(12) {
            let scalar = UnicodeScalar(UInt32(generator.below(bounds[generator.below(4)])))
            if let scalar { text.unicodeScalars.append(scalar) }
        }
        return text
    }
}
