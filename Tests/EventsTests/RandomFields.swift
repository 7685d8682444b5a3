import Forms

/// The error of a draw that yields no value, because a rule over several parts refused it.
struct NoValue: Error {}

/// Random numbers from a seed (xorshift).
final class Draws {
    private var state: UInt64

    init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }

    func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }

    /// A random number in `0..<count`.
    func below(_ count: Int) -> Int { Int(next() >> 33) % count }

    /// A random number in `0..<1`.
    func unit() -> Double { Double(next() >> 11) / 0x1p53 }
}

/// Fields that draw the parts of a form at random.
struct RandomFields<Root>: Fields {
    let value: RandomValue

    mutating func field<K: ValueKind>(
        _ field: Field,
        _ get: (Root) -> K.Value,
        _ kind: K,
        defaults: Defaults<K.Value>,
        inFile: K?
    ) throws(NoValue) -> K.Value {
        if let absent = defaults.absent, value.draws.below(4) == 0 { return absent }
        return try kind.read(value)
    }

    mutating func optional<K: ValueKind>(
        _ field: Field,
        _ get: (Root) -> K.Value?,
        _ kind: K
    ) throws(NoValue) -> K.Value? {
        value.draws.below(2) == 0 ? nil : try kind.read(value)
    }

    mutating func tag<C: ChoiceValue>(_ field: Field, _ get: (Root) -> C) throws(NoValue) -> C {
        value.choice(Choice<C>())
    }

    mutating func flattened<T: Formed>(_ key: StaticString?, _ get: (Root) -> T) throws(NoValue) -> T {
        try value.form(T.self)
    }

    mutating func require(_ rule: Rule, _ complaint: @autoclosure () -> String?) throws(NoValue) {
        if !rule.isForFilesOnly, complaint() != nil { throw NoValue() }
    }
}

/// A source that draws values of any kind at random; the ends of ranges are frequent.
struct RandomValue: ValueSource {
    typealias Failure = NoValue

    let draws: Draws
    var level = 0

    func number(_ range: ClosedRange<Double>) -> Double {
        switch draws.below(8) {
        case 0: return range.lowerBound
        case 1: return range.upperBound
        default:
            let (low, high) = (max(range.lowerBound, -1e9), min(range.upperBound, 1e9))
            return min(high, low + draws.unit() * (high - low))
        }
    }

    func integer(_ range: ClosedRange<Int64>) -> Int64 {
        switch draws.below(8) {
        case 0: return range.lowerBound
        case 1: return range.upperBound
        default:
            let (width, overflow) = range.upperBound.subtractingReportingOverflow(range.lowerBound)
            return overflow
                ? Int64(bitPattern: draws.next()) : range.lowerBound + Int64(draws.next() >> 1) % max(1, width)
        }
    }

    func span(_ range: ClosedRange<Int64>) -> Int64 { integer(range) }
    func flag() -> Bool { draws.below(2) == 0 }

    func text(_ bytes: ClosedRange<Int>) -> String {
        var text = String((0..<1 + draws.below(12)).map { _ in "abcdefghijklmnopqrstuvwxyz".randomElement(draws) })
        if bytes.upperBound < .max, bytes.upperBound >= 20 { text += "é\"\\\n" }
        return String(text.prefix(bytes.upperBound))
    }

    func choice<C: ChoiceValue>(_ kind: Choice<C>) -> C {
        let all = Array(C.allCases)
        return all[draws.below(all.count)]
    }

    func position() -> Int { draws.below(2) }

    func list<K: ValueKind>(_ list: ListOf<K>) throws(NoValue) -> [K.Value] {
        let most = min(3, list.counts.upperBound - list.counts.lowerBound)
        var values: [K.Value] = []
        for _ in 0..<list.counts.lowerBound + draws.below(most + 1) { values.append(try list.kind.read(self)) }
        if let isDistinct = list.isDistinct, !isDistinct(values) { throw NoValue() }
        return values
    }

    func entries<K: ValueKind>(_ entries: Entries<K>) throws(NoValue) -> [Entry<K.Value>] {
        var values: [Entry<K.Value>] = []
        for number in 0..<draws.below(4) {
            values.append(Entry("\(number)\(text(0...20))", try entries.kind.read(self)))
        }
        return values
    }

    func byClass<K: ValueKind>(_ kind: ByClass<K>) throws(NoValue) -> [K.Value] {
        try list(ListOf(kind.kind, 0...3))
    }

    func form<T: Formed>(_ type: T.Type) throws(NoValue) -> T {
        var fields = RandomFields<T>(value: self)
        return try T(fields: &fields)
    }

    func union<T: FormedUnion>(_ type: T.Type) throws(NoValue) -> T {
        guard level < T.depthLimit else { throw NoValue() }
        var inner = self
        inner.level += 1
        var counter = OneCase<T>(value: inner, wanted: .max)
        T.cases(&counter)
        var chosen = OneCase<T>(value: inner, wanted: draws.below(counter.seen))
        T.cases(&chosen)
        guard let result = chosen.result else { throw NoValue() }
        return result
    }

    func failure(_ expected: String, found: String?) -> NoValue { NoValue() }
}

private struct OneCase<Root>: Cases {
    let value: RandomValue
    let wanted: Int
    var seen = 0
    var result: Root?

    mutating func callAsFunction<K: ValueKind>(
        _ name: StaticString,
        _ kind: K,
        embed: (K.Value) -> Root,
        extract: (Root) -> K.Value?,
        doc: StaticString
    ) {
        if seen == wanted, let part = try? kind.read(value) { result = embed(part) }
        seen += 1
    }
}

extension String {
    fileprivate func randomElement(_ draws: Draws) -> Character {
        self[index(startIndex, offsetBy: draws.below(count))]
    }
}
