internal import JSON
public import Statistics

/// Target for the JSON module with its shim over simdjson: parsing, scanning, diagnosing and writing, in memory that
/// ends at the start of an inaccessible page.
public final class JSONTarget: FuzzTarget {
    public let name = "json"
    public let weight = 3.0
    private let corpus: Corpus
    private let mutator: JSONMutator
    private let memory: GuardedBytes
    private let parser = JSONParser(maximumDepth: 64, maximumSize: 1 << 20)
    /// Reads copies while the first parser's document is in use.
    private let copyParser = JSONParser(maximumDepth: 64, maximumSize: 1 << 22)
    private static let longest = 1 << 20

    public init(corpus: Corpus) throws {
        self.corpus = corpus
        mutator = JSONMutator(corpus: corpus.all, longest: 20_000)
        memory = try GuardedBytes(capacity: Self.longest)
    }

    public func run(_ generator: inout SplitMix64, _ recorder: InputRecorder, _ outcomes: inout FuzzOutcomes) throws {
        var bytes: [UInt8]
        if generator.chance(0.2) {
            bytes = numbers(&generator).bytes
        } else {
            var tree = generator.pick(corpus.all)
            if generator.chance(0.8) { mutator.mutate(&tree, &generator) }
            bytes = mutator.bytes(of: tree, &generator)
        }
        if bytes.count > Self.longest { bytes.removeLast(bytes.count - Self.longest) }
        let gap = generator.chance(0.5) ? 0 : generator.between(0...200)
        let filling = generator.pick([0, 0x20, 0x22, 0x31, 0x5C, 0x7D, 0xFF] as [UInt8])
        let scanSeed = generator.next()
        recorder.step([
            "text": .blob(bytes), "gap": .word("\(gap)"), "filling": .word("\(filling)"), "walk": .word("\(scanSeed)"),
        ])
        try check(bytes, gap: gap, filling: filling, scanSeed: scanSeed, into: &outcomes)
    }

    public func replay(_ steps: [JSONTree], _ outcomes: inout FuzzOutcomes) throws {
        for step in steps {
            guard let bytes = step["text"]?.blob else { throw FuzzFault("a step has no text") }
            let filling = UInt8(clamping: step["filling"]?.int ?? 0)
            let scanSeed = step["walk"]?.plain.flatMap { UInt64($0) } ?? 0
            try check(
                bytes,
                gap: min(4_096, max(0, step["gap"]?.int ?? 0)),
                filling: filling,
                scanSeed: scanSeed,
                into: &outcomes
            )
        }
    }

    private func numbers(_ generator: inout SplitMix64) -> JSONTree {
        .array(
            (0..<generator.between(1...40)).map { _ in
                if generator.chance(0.2) { return .word(generator.pick(Extremes.numbers)) }
                if generator.chance(0.3) { return .word("\(Double(bitPattern: generator.next()))") }
                var digits = generator.chance(0.7) ? "0." : "\(generator.next(below: 1_000))."
                for _ in 0..<generator.between(1...20) { digits += String(generator.next(below: 10)) }
                return .word(digits)
            }
        )
    }

    // MARK: - Laws

    private func check(
        _ bytes: [UInt8],
        gap: Int,
        filling: UInt8,
        scanSeed: UInt64,
        into outcomes: inout FuzzOutcomes
    ) throws {
        try memory.lend(bytes, gap: gap, filling: filling) { text in
            let isScanned = try scan(text, scanSeed)
            let parsed: JSONValue
            do throws(JSONError) {
                parsed = try parser.parse(text)
            } catch {
                outcomes.add("json", "\(error.kind)")
                guard error.description.utf8.count < 100_000 + bytes.count * 8 else {
                    throw FuzzFault("a message of \(error.description.utf8.count) bytes")
                }
                return
            }
            outcomes.add("json", isScanned ? "parsed and scanned" : "parsed")
            let isClosed = bytes.last { ![0x20, 0x0A, 0x0D, 0x09].contains($0) }
                .map { [UInt8(ascii: "}"), UInt8(ascii: "]"), UInt8(ascii: "\"")].contains($0) }
            guard isScanned || isClosed != true else { throw FuzzFault("a valid text has no structure") }
            try checkWriting(parsed)
        }
    }

    /// Checks that a value that was written and read again is written to the same bytes.
    private func checkWriting(_ value: JSONValue) throws {
        var writer = JSONWriter()
        writer.value(value)
        let first = writer.bytes
        var secondWriter = JSONWriter()
        try copyParser.withDocument(of: first) { secondWriter.value($0) }
        guard secondWriter.bytes == first else {
            throw FuzzFault("written, read and written again: \(String(decoding: first.prefix(200), as: UTF8.self))")
        }
        var left = 500
        try visit(value, &left)
    }

    /// Reads values as every type: each read answers or throws. Only the first `left` values are read, because an error
    /// searches for its path from the root.
    private func visit(_ value: JSONValue, _ left: inout Int) throws {
        guard left > 0 else { return }
        left -= 1
        _ = try? value.string()
        _ = try? value.int64()
        _ = try? value.uint64()
        _ = try? value.bool()
        if let number = try? value.double(), !number.isFinite { throw FuzzFault("a number that is not finite") }
        if let object = try? value.object() {
            for member in object { try visit(member.value, &left) }
        } else if let array = try? value.array() {
            guard array.count == array.reduce(0, { count, _ in count + 1 }) else { throw FuzzFault("a wrong count") }
            for element in array { try visit(element, &left) }
        }
    }

    /// Scans the structure by random operations, and then the numbers of an array in order.
    ///
    /// - Returns: Whether the text has a structure.
    private func scan(_ text: UnsafeRawBufferPointer, _ seed: UInt64) throws -> Bool {
        guard let start = parser.scan(text) else { return false }
        var generator = SplitMix64(seed: seed)
        var walk = start
        for _ in 0..<200 where !walk.isAtEnd {
            switch generator.next(below: 13) {
            case 0: _ = walk.string()
            case 1: _ = walk.raw()
            case 2: _ = walk.key()
            case 3:
                if let key = walk.quotedKey(), let first = key.baseAddress { _ = JSONScan.hasEscape(first, key.count) }
            case 4, 5:
                if let number = walk.double(), !number.isFinite {
                    throw FuzzFault("scanned a number that is not finite")
                }
            case 6: _ = walk.int64()
            case 7: _ = walk.null()
            case 8: _ = walk.skipNumbers()
            case 9: if generator.chance(0.2) { _ = generator.chance(0.5) ? walk.skip() : walk.skipUnchecked() }
            case 10: _ = walk.checkedRaw()
            default:
                let byte = walk.byte
                if byte != 0 { _ = walk.consume(byte) }
            }
        }
        try scanNumbers(start, text)
        return true
    }

    /// Checks that the numbers of an array equal the parser's, within one unit in the last place.
    private func scanNumbers(_ start: JSONScan, _ text: UnsafeRawBufferPointer) throws {
        var scan = start
        guard scan.consume(UInt8(ascii: "[")) else { return }
        let expected = try? copyParser.withDocument(of: text) { try $0.array().doubles() }
        guard let expected, !expected.isEmpty else { return }
        for number in expected {
            // The scan leaves a number with more digits than it can hold to the parser.
            guard let found = scan.double() else { return }
            let isNear = found == number || found == number.nextUp || found == number.nextDown
            guard isNear else { throw FuzzFault("the scan reads \(found), the parser \(number)") }
            _ = scan.more(until: UInt8(ascii: "]"))
        }
    }
}
