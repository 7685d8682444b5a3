import Forms
import Testing

private enum Colour: String, CaseIterable, Sendable { case red, green }

private struct Inner: Formed {
    var weight: Double
    static let standard: Inner? = Inner(weight: 2)

    init(weight: Double) { self.weight = weight }
    init<F: Fields<Self>>(fields f: inout F) throws(F.Failure) {
        weight = try f("weight", \.weight, Number(0...10), absent: 1, doc: "Its weight.")
    }
}

private struct Outer: Formed {
    var colour: Colour
    var least: Int
    var most: Int
    var wait: Int64?
    var inner: Inner
    var beside: Inner

    init<F: Fields<Self>>(fields f: inout F) throws(F.Failure) {
        colour = try f.tag("colour", \.colour, doc: "Its colour.")
        least = try f("least", \.least, Count(1...9), doc: "The least.")
        most = try f("most", \.most, Count(least...9), default: max(3, least), doc: "The most.")
        wait = colour == .red ? try f.optional("wait", \.wait, Span(), doc: "How long.") : nil
        inner = try f("inner", \.inner, Nested(), implied: Inner(weight: 7), doc: "Another.")
        beside = try f.flattened(\.beside)
        try f.require("most", least + most > 12 ? "too many" : nil)
    }
}

/// Records the fields that a form reads, and returns given numbers for them.
private struct FieldRecorder<Root>: Fields {
    var lines: [String] = []
    var numbers: [String: Int] = [:]

    mutating func field<K: ValueKind>(
        _ field: Field,
        _ get: (Root) -> K.Value,
        _ kind: K,
        defaults: Defaults<K.Value>,
        inFile: K?
    ) -> K.Value {
        let meaning = [("absent", defaults.absent), ("implied", defaults.implied), ("default", defaults.fallback)]
            .compactMap { name, value in value.map { "\(name) \($0)" } }
        lines.append("\(field.key): \(kind.shape.expectation(inFile: true)) \(meaning.joined(separator: ", "))")
        return numbers["\(field.key)"].flatMap { $0 as? K.Value } ?? kind.placeholder
    }

    mutating func optional<K: ValueKind>(_ field: Field, _ get: (Root) -> K.Value?, _ kind: K) -> K.Value? {
        lines.append("\(field.key)?: \(kind.shape.expectation(inFile: true))")
        return nil
    }

    mutating func tag<C: ChoiceValue>(_ field: Field, _ get: (Root) -> C) -> C {
        lines.append("\(field.key): tag")
        return numbers["\(field.key)"] == nil ? Choice<C>().placeholder : Array(C.allCases)[1]
    }

    mutating func flattened<T: Formed>(_ key: StaticString?, _ get: (Root) -> T) -> T {
        lines.append("beside \(T.self)")
        return Nested<T>().placeholder
    }

    mutating func require(_ rule: Rule, _ complaint: @autoclosure () -> String?) {
        if let complaint = complaint() { lines.append("\(rule.key): \(complaint)") }
    }
}

@Suite("Forms")
struct FormTests {
    private func lines(_ numbers: [String: Int] = [:]) -> [String] {
        var recorder = FieldRecorder<Outer>(numbers: numbers)
        _ = Outer(fields: &recorder)
        return recorder.lines
    }

    @Test("A form names its parts in order, with their values when absent, left out or not in a file")
    func order() {
        #expect(
            lines() == [
                "colour: tag", "least: an integer in 1...9 ", "most: an integer in 1...9 default 3",
                "wait?: a duration as in 500ms, 10s, 5m, 2h, in 1ms...3650d",
                "inner: a map absent Inner(weight: 7.0), implied Inner(weight: 7.0)", "beside Inner",
            ]
        )
    }

    @Test("Ranges, defaults, parts and rules may depend on the values of other parts")
    func dependencies() {
        let found = lines(["colour": 1, "least": 5, "most": 9])
        #expect(found.contains("most: an integer in 5...9 default 5"))
        #expect(!found.contains { $0.hasPrefix("wait") })
        #expect(found.last == "most: too many")
    }

    @Test("A span is shown in its largest whole unit")
    func spans() {
        let shown = [0, 1, 999, 1_000, 90_000, 3_600_000, 86_400_000, Span.longest].map { Span.text($0) }
        #expect(shown == ["0ms", "1ms", "999ms", "1s", "90s", "1h", "1d", "3650d"])
    }

    @Test("A form's sample consists of samples of its parts, and a nested form has its own standard value")
    func samples() {
        #expect(Nested<Inner>().placeholder == Inner(weight: 0))
        #expect(Nested<Inner>().standard == Inner(weight: 2) && Nested<Outer>().standard == nil)
        #expect(Nested<Outer>().placeholder.most == 1)
    }

    @Test("A choice with a single value names it, with the note why there are no others")
    func choices() {
        enum One: String, CaseIterable, Sendable { case only }
        #expect(Choice<One>(note: "; more are planned").expectation == "only; more are planned")
        #expect(Choice<Colour>().expectation == "one of red, green")
    }
}
