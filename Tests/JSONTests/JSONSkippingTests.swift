import CSimdjson
import JSON
import Statistics
import Testing

@Suite("Skipping JSON without reading it")
struct JSONSkippingTests {
    private let parser = JSONParser()

    private func isSkipped(_ bytes: [UInt8]) -> Bool {
        bytes.withUnsafeBytes { bytes in
            guard var scan = parser.scan(bytes) else { return false }
            return scan.skip() && scan.isAtEnd
        }
    }

    private func isParsed(_ bytes: [UInt8]) -> Bool {
        bytes.withUnsafeBytes { bytes in (try? parser.parse(bytes)) != nil }
    }

    /// A value of any kind, with white space now and then.
    private func value(_ depth: Int, using generator: inout SplitMix64) -> String {
        func space(_ generator: inout SplitMix64) -> String {
            ["", "", "", " ", "\n\t", " \r"][generator.next(below: 6)]
        }
        var text = space(&generator)
        switch generator.next(below: depth > 3 ? 6 : 9) {
        case 0: text += ["true", "false", "null"][generator.next(below: 3)]
        case 1: text += ["0", "-0", "12", "-345678901234567890", "123456789012345678"][generator.next(below: 5)]
        case 2: text += "\(generator.nextNormal())"
        case 3: text += ["1e5", "-2.5E-7", "0.123456789012345678901", "1e+99"][generator.next(below: 4)]
        case 4: text += ["\"\"", "\"é\"", #""\u00e9\n\\\"""#, #""\ud83d\ude00""#][generator.next(below: 4)]
        case 5: text += "\"" + String(repeating: "x", count: generator.next(below: 40)) + "\""
        case 6, 7:
            let members = (0..<generator.next(below: 5)).map { index in
                let key = ["\"a\(index)\"", #""\u0061""#, "\"\""][generator.next(below: 3)]
                return space(&generator) + key + space(&generator) + ":" + value(depth + 1, using: &generator)
            }
            text += "{" + members.joined(separator: ",") + (members.isEmpty ? space(&generator) : "") + "}"
        default:
            let elements = (0..<generator.next(below: 5)).map { _ in value(depth + 1, using: &generator) }
            text += "[" + elements.joined(separator: ",") + (elements.isEmpty ? space(&generator) : "") + "]"
        }
        return text + space(&generator)
    }

    @Test("Documents are skipped whole, and never if the parser refuses them", arguments: 0..<8 as Range<UInt64>)
    func documents(_ seed: UInt64) {
        var generator = SplitMix64(seed: seed)
        let marks = Array("{}[]:,\"\\ 0a-e.nu\n\u{0}\u{1}".utf8) + [0xC3, 0xFF]
        var (skipped, refused) = (0, 0)
        for _ in 0..<1_500 {
            var bytes = Array("[\(value(0, using: &generator)),\(value(0, using: &generator))]".utf8)
            #expect(isParsed(bytes) && isSkipped(bytes), "\(String(decoding: bytes, as: UTF8.self))")
            for _ in 0..<3 {
                let at = generator.next(below: bytes.count)
                switch generator.next(below: 3) {
                case 0 where bytes.count > 1: bytes.remove(at: at)
                case 1: bytes[at] = marks[generator.next(below: marks.count)]
                default: bytes.insert(marks[generator.next(below: marks.count)], at: at)
                }
                let (isSkipped, isParsed) = (isSkipped(bytes), isParsed(bytes))
                #expect(!isSkipped || isParsed, "\(bytes)")
                if isSkipped { skipped += 1 } else { refused += 1 }
            }
        }
        #expect(skipped > 200 && refused > 1_000)
    }

    @Test(
        "Values that only the parser can decide are left to it",
        arguments: ["1234567890123456789", "1e100", "1e-005", #""\ud83d""#, "\(String(repeating: "1", count: 201)).5"]
    )
    func rare(_ value: String) { #expect(!isSkipped(Array("[\(value)]".utf8))) }

    @Test("Skipped numbers are counted, and the sum of their squares is bounded", arguments: 0..<64 as Range<UInt64>)
    func numbers(_ seed: UInt64) throws {
        var generator = SplitMix64(seed: seed)
        var texts: [String] = []
        for _ in 0...generator.next(below: 30) {
            let number = generator.nextNormal() * [1e-6, 0.05, 0.3, 20][generator.next(below: 4)]
            texts.append([0, 1].randomElement(using: &generator) == 0 ? "\(number)" : "\(Float(number))")
        }
        let separator = seed % 2 == 0 ? "," : " ,\n "
        let bytes = Array("[\(texts.joined(separator: separator))]".utf8)
        let numbers = try bytes.withUnsafeBytes { try parser.parse($0).array().doubles() }
        let found = try #require(
            bytes.withUnsafeBytes { bytes -> JSONScan.Numbers? in
                guard var scan = parser.scan(bytes), let found = scan.skipNumbers(), scan.isAtEnd else { return nil }
                return found
            }
        )
        var squares = 0.0
        for number in numbers { squares += number * number }
        #expect(found.count == numbers.count)
        #expect(found.squares >= squares * (1 - 1e-12))
        // Below 0.1, below 1, below 10, and then as it is.
        var upperBound = 0.0
        for number in numbers {
            let size = number.magnitude
            upperBound += size < 0.1 ? 0.02 : size < 1 ? 1.01 : max(101.01, size * size * (1 + 1e-12))
        }
        #expect(found.squares <= upperBound * (1 + 1e-9))
    }

    @Test("Lists of any length are skipped, but none that the parser refuses", arguments: 0..<16 as Range<UInt64>)
    func lists(_ seed: UInt64) {
        var generator = SplitMix64(seed: seed)
        let marks = Array("0123456789.,-+eE] \u{0}".utf8)
        var (skipped, refused) = (0, 0)
        for length in 1...120 {
            let texts = (0..<length).map { _ -> String in
                let digits = 1 + generator.next(below: 12)
                let sign = generator.next(below: 2) == 0 ? "-" : ""
                let whole = generator.next(below: 8) == 0 ? "\(generator.next(below: 10))" : "0"
                let fraction = (0..<digits).map { _ in "\(generator.next(below: 10))" }.joined()
                return generator.next(below: 16) == 0 ? sign + whole : "\(sign)\(whole).\(fraction)"
            }
            var bytes = Array("{\"a\":[\(texts.joined(separator: ","))],\"b\":[1]}".utf8)
            #expect(skippedCount(bytes) == length)
            for _ in 0..<4 {
                bytes[6 + generator.next(below: bytes.count - 15)] = marks[generator.next(below: marks.count)]
                let count = skippedCount(bytes)
                if let count {
                    skipped += 1
                    let parsed = bytes.withUnsafeBytes { bytes in
                        try? parser.parse(bytes).object().doubles("a").count
                    }
                    #expect(parsed == count, "\(String(decoding: bytes, as: UTF8.self))")
                } else {
                    refused += 1
                }
            }
        }
        #expect(skipped > 30 && refused > 100, "\(skipped), \(refused)")
    }

    /// Number of elements of the list `a`, the first member, or nil if it or the rest of the document is not skipped.
    private func skippedCount(_ bytes: [UInt8]) -> Int? {
        bytes.withUnsafeBytes { bytes in
            guard var scan = parser.scan(bytes), scan.consume(UInt8(ascii: "{")), scan.key() != nil,
                let found = scan.skipNumbers(), scan.more(until: UInt8(ascii: "}")) == true, scan.key() != nil,
                scan.skip(), scan.more(until: UInt8(ascii: "}")) == false, scan.isAtEnd
            else { return nil }
            return found.count
        }
    }

    @Test(
        "Only lists of numbers that 32 bits hold are skipped as numbers",
        arguments: [
            "[]", "[1", "[null]", "[\"0.5\"]", "[[1]]", "[0.5,]", "[,0.5]", "[0.5 0.5]", "[0.5:1]", "[1e39]", "[-4e38]",
            "[0.5x]", "[0.12345678901x]", "[0.]", "[-]", "[00.5]", "[0.5,1}", "[12345678901234567890]", "[0.5,tru]",
            "{}",
        ]
    )
    func noNumbers(_ text: String) {
        let bytes = Array("{\"a\":\(text)}".utf8)
        let isSkipped = bytes.withUnsafeBytes { bytes -> Bool in
            guard var scan = parser.scan(bytes), scan.consume(UInt8(ascii: "{")), scan.key() != nil else {
                return false
            }
            return scan.skipNumbers() != nil
        }
        #expect(!isSkipped)
    }

    @Test(
        "The result for a list does not depend on how many bytes the processor reads at once",
        arguments: 0..<4 as Range<UInt64>
    )
    func widths(_ seed: UInt64) {
        var generator = SplitMix64(seed: seed)
        let marks = Array("0123456789.,-]e+ x".utf8)
        var lists = 0
        for _ in 0..<4_000 {
            let numbers = (0..<1 + generator.next(below: 40)).map { _ in
                ["0", "-0.5", "0.25", "1.125", "-9.75", "0.0078125", "3"][generator.next(below: 7)]
            }
            var bytes = Array((numbers.joined(separator: ",") + "]").utf8)
            for _ in 0..<generator.next(below: 3) {
                bytes[generator.next(below: bytes.count)] = marks[generator.next(below: marks.count)]
            }
            // Any bytes may follow a text, and an unterminated list ends there.
            bytes += [UInt8](repeating: UInt8(generator.next(below: 256)) & 0x5F, count: 64) + [0x7D]
            bytes += [UInt8](repeating: 0, count: 64)
            var (wide, narrow) = (flywheel_json_numbers(), flywheel_json_numbers())
            let isList = flywheel_json_list(bytes, &wide)
            #expect(flywheel_json_list_narrow(bytes, &narrow) == isList)
            lists += isList ? 1 : 0
            guard isList else { continue }
            #expect((wide.count, wide.length) == (narrow.count, narrow.length) && wide.squares == narrow.squares)
        }
        #expect(lists > 500)
    }
}
