internal import Configuration
internal import Forms
internal import Telemetry

/// Error for a fault that the reader has recorded already.
struct ReportedFault: Error {}

/// A value of a file, with its location.
struct FileValue: ValueSource {
    let reader: ConfigurationReader
    let key: String
    let node: YAMLNode
    var context: FileContext

    private func mismatch(_ expected: String) -> ReportedFault {
        reader.mismatch(key, node, expected)
        return ReportedFault()
    }

    private func scalar<V>(_ shape: Shape, _ convert: (YAMLNode.Scalar) -> V?) throws(ReportedFault) -> V {
        if case .scalar(let scalar) = node.content, !node.isNull, let value = convert(scalar) { return value }
        throw mismatch(shape.expectation(inFile: true))
    }

    func number(_ range: ClosedRange<Double>) throws(ReportedFault) -> Double {
        try scalar(.number(range)) { scalar in
            guard scalar.isPlain, let number = Double(scalar.text), range.contains(number) else { return nil }
            return number
        }
    }

    func integer(_ range: ClosedRange<Int64>) throws(ReportedFault) -> Int64 {
        try scalar(.integer(range)) { scalar in
            guard scalar.isPlain, let number = Int64(scalar.text), range.contains(number) else { return nil }
            return number
        }
    }

    func span(_ range: ClosedRange<Int64>) throws(ReportedFault) -> Int64 {
        try scalar(.span(range)) { scalar in
            let digits = scalar.text.prefix { $0.isASCII && $0.isNumber }
            let name = scalar.text.dropFirst(digits.count).drop { $0 == " " }
            guard let number = Int64(digits), let unit = Span.units.first(where: { $0.name == name }) else {
                return nil
            }
            let (span, overflow) = number.multipliedReportingOverflow(by: unit.milliseconds)
            return !overflow && range.contains(span) ? span : nil
        }
    }

    func flag() throws(ReportedFault) -> Bool {
        try scalar(.flag) { $0.isPlain ? ["true": true, "false": false][$0.text] : nil }
    }

    func text(_ bytes: ClosedRange<Int>) throws(ReportedFault) -> String {
        let text = try scalar(.text(bytes, note: nil)) { $0.text }
        let count = text.utf8.count
        guard bytes.contains(count) else { throw failure(Text(bytes).expectation, found: "\(count)") }
        return text
    }

    func choice<C: ChoiceValue>(_ kind: Choice<C>) throws(ReportedFault) -> C {
        guard case .scalar(let scalar) = node.content, let choice = C(rawValue: scalar.text) else {
            throw mismatch(kind.expectation)
        }
        return choice
    }

    func position() throws(ReportedFault) -> Int {
        let name = try text(0...Int.max)
        guard let position = context.classes[name] else {
            reader.report(key, "there is no class \"\(name.prefix(64))\" in classes", line: node.line)
            throw ReportedFault()
        }
        return position
    }

    /// Returns the values of a list, each with its location.
    private func elements(_ shape: Shape) throws(ReportedFault) -> [FileValue] {
        guard case .list(let elements) = node.content else { throw mismatch(shape.expectation(inFile: true)) }
        return elements.enumerated().map { index, element in
            FileValue(reader: reader, key: "\(key)[\(index)]", node: element, context: context)
        }
    }

    private func map() throws(ReportedFault) -> ConfigurationReader {
        guard let map = reader.map(key, node) else { throw mismatch("a map") }
        return map
    }

    func list<K: ValueKind>(_ list: ListOf<K>) throws(ReportedFault) -> [K.Value] {
        let elements = try elements(list.shape)
        if !list.counts.contains(elements.count) { _ = failure(list.expectation, found: "\(elements.count)") }
        let values = elements.compactMap { try? list.kind.read($0) }
        if let isDistinct = list.isDistinct, !isDistinct(values) {
            _ = failure(list.expectation, found: "one twice")
        }
        return values
    }

    func entries<K: ValueKind>(_ entries: Entries<K>) throws(ReportedFault) -> [Entry<K.Value>] {
        let elements = try elements(entries.shape)
        if !entries.counts.contains(elements.count) { _ = failure(entries.expectation, found: "\(elements.count)") }
        var values: [Entry<K.Value>] = []
        for element in elements {
            guard let map = try? element.map() else { continue }
            var fields = FileFields<Entry<K.Value>>(map, context)
            let name = fields(entries.name, \.name, Text(entries.nameBytes))
            let value = fields(entries.value, \.value, entries.kind)
            if !fields.faulty.contains("\(entries.name)") { values.append(Entry(name, value)) }
        }
        if Set(values.map(\.name)).count < values.count { _ = failure(entries.expectation, found: "one twice") }
        return values
    }

    func byClass<K: ValueKind>(_ kind: ByClass<K>) throws(ReportedFault) -> [K.Value] {
        let map = try map()
        guard !map.keys.isEmpty else { return [] }
        var values = [K.Value](repeating: kind.other, count: context.classCount)
        for name in map.keys {
            guard let position = context.classes[name] else {
                map.report(name, "there is no class \"\(name.prefix(64))\" in classes")
                _ = map.node(name)
                continue
            }
            guard let node = map.node(name) else { continue }
            let value = FileValue(reader: map, key: name, node: node, context: context)
            values[position] = (try? kind.kind.read(value)) ?? kind.other
        }
        return values
    }

    func form<T: Formed>(_ type: T.Type) throws(ReportedFault) -> T {
        var fields = FileFields<T>(try map(), context, standard: T.standard)
        return T(fields: &fields)
    }

    func union<T: FormedUnion>(_ type: T.Type) throws(ReportedFault) -> T {
        let map = try map()
        var cases = FileCases<T>(map: map, context: context)
        T.cases(&cases)
        if let result = cases.result { return result }
        if !cases.isKnown {
            for key in map.keys { _ = map.node(key) }
            let found = map.keys.isEmpty ? "none" : map.keys.joined(separator: ", ")
            let complaint = "expected one \(T.noun) of \(cases.names.joined(separator: ", ")), found \(found)"
            if let first = map.keys.first {
                map.report(first, complaint)
            } else {
                reader.report(key, complaint, line: node.line)
            }
        }
        throw ReportedFault()
    }

    /// Returns the requirement that a name violates; nil if there is none. Names in a file are new, so the rules of
    /// Intake apply to them.
    func fault(ofName name: String) -> String? {
        ForeignName.fault(name).map { "\($0), found \"\(ForeignText.line(name, limit: 64))\"" }
    }

    func failure(_ expected: String, found: String?) -> ReportedFault {
        reader.report(key, "expected \(expected)" + (found.map { ", found \($0)" } ?? ""), line: node.line)
        return ReportedFault()
    }
}

/// Finds the case that a map of one key names.
private struct FileCases<Root: FormedUnion>: Cases {
    let map: ConfigurationReader
    let context: FileContext
    var result: Root?
    var isKnown = false
    var names: [String] = []

    mutating func callAsFunction<K: ValueKind>(
        _ name: StaticString,
        _ kind: K,
        embed: (K.Value) -> Root,
        extract: (Root) -> K.Value?,
        doc: StaticString
    ) {
        let name = "\(name)"
        names.append(name)
        guard map.keys == [name], let node = map.node(name) else { return }
        isKnown = true
        guard context.level < Root.depthLimit else {
            map.report(name, "expected at most \(Root.depthLimit) levels of \(Root.noun)s")
            return
        }
        var inner = FileValue(reader: map, key: name, node: node, context: context)
        inner.context.level += 1
        result = (try? kind.read(inner)).map(embed)
    }
}
