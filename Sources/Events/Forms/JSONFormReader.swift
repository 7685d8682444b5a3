internal import Forms
internal import JSON

/// Reads an object by a form. The first fault is thrown; members that the form does not name are ignored.
struct JSONFormReader<Root>: Fields {
    let object: JSONObject
    /// Number of unions that enclose the object.
    let level: Int

    init(_ object: JSONObject, level: Int = 0) {
        self.object = object
        self.level = level
    }

    private func member(_ field: Field, isSpan: Bool) -> JSONValue? {
        if let wire = field.wire { return object[wire] }
        return isSpan ? object.member(named: "\(field.key)_ms") : object[field.key]
    }

    private func missing<K: ValueKind>(_ field: Field, _ kind: K) -> JSONError {
        let key = field.wire.map { "\($0)" } ?? (K.isSpan ? "\(field.key)_ms" : "\(field.key)")
        return object.missing(key, kind.shape.expectation(inFile: false))
    }

    @inline(__always)
    mutating func field<K: ValueKind>(
        _ field: Field,
        _ get: (Root) -> K.Value,
        _ kind: K,
        defaults: Defaults<K.Value>,
        inFile: K?
    ) throws(JSONError) -> K.Value {
        guard let found = member(field, isSpan: K.isSpan) else {
            guard let absent = defaults.absent else { throw missing(field, kind) }
            return absent
        }
        if let absent = defaults.absent, found.isNull { return absent }
        return try kind.read(JSONFormValue(value: found, level: level))
    }

    @inline(__always)
    mutating func optional<K: ValueKind>(
        _ field: Field,
        _ get: (Root) -> K.Value?,
        _ kind: K
    ) throws(JSONError) -> K.Value? {
        guard let found = member(field, isSpan: K.isSpan), !found.isNull else { return nil }
        return try kind.read(JSONFormValue(value: found, level: level))
    }

    mutating func tag<C: ChoiceValue>(_ field: Field, _ get: (Root) -> C) throws(JSONError) -> C {
        let kind = Choice<C>()
        guard let found = object[field.key] else { throw missing(field, kind) }
        return try JSONFormValue(value: found, level: level).choice(kind)
    }

    mutating func flattened<T: Formed>(_ key: StaticString?, _ get: (Root) -> T) throws(JSONError) -> T {
        var fields = JSONFormReader<T>(try key.map { (key) throws(JSONError) in try object.object(key) } ?? object)
        return try T(fields: &fields)
    }

    mutating func require(_ rule: Rule, _ complaint: @autoclosure () -> String?) throws(JSONError) {
        guard !rule.isForFilesOnly, let complaint = complaint() else { return }
        throw object.failure(rule.key, complaint)
    }
}

/// A value that a form reads.
struct JSONFormValue: ValueSource {
    let value: JSONValue
    let level: Int

    private func outOfRange(_ expected: Shape, _ found: some CustomStringConvertible) -> JSONError {
        value.failure("expected \(expected.expectation(inFile: false)), found \(found)")
    }

    @inline(__always)
    func number(_ range: ClosedRange<Double>) throws(JSONError) -> Double {
        let number = try value.double()
        guard range.contains(number) else { throw outOfRange(.number(range), number) }
        return number
    }

    @inline(__always)
    func integer(_ range: ClosedRange<Int64>) throws(JSONError) -> Int64 {
        let number = try value.int64()
        guard range.contains(number) else { throw outOfRange(.integer(range), number) }
        return number
    }

    func span(_ range: ClosedRange<Int64>) throws(JSONError) -> Int64 { try integer(range) }

    func flag() throws(JSONError) -> Bool { try value.bool() }

    func text(_ bytes: ClosedRange<Int>) throws(JSONError) -> String {
        let text = try value.string()
        guard bytes.contains(text.utf8.count) else {
            throw failure(Text(bytes).expectation, found: "\(text.utf8.count)")
        }
        return text
    }

    func choice<C: ChoiceValue>(_ kind: Choice<C>) throws(JSONError) -> C {
        let text = try value.string()
        guard let choice = C(rawValue: text) else { throw failure(kind.expectation, found: "\"\(text.prefix(64))\"") }
        return choice
    }

    func position() throws(JSONError) -> Int { try value.int(in: 0...ByClass<Number>.limit - 1) }

    func list<K: ValueKind>(_ list: ListOf<K>) throws(JSONError) -> [K.Value] {
        let elements = try value.array()
        let count = elements.count
        guard list.counts.contains(count) else { throw failure(list.expectation, found: "\(count)") }
        var values: [K.Value] = []
        values.reserveCapacity(count)
        for element in elements {
            values.append(try list.kind.read(JSONFormValue(value: element, level: level)))
        }
        if let isDistinct = list.isDistinct, !isDistinct(values) { throw failure(list.expectation, found: "one twice") }
        return values
    }

    func entries<K: ValueKind>(_ entries: Entries<K>) throws(JSONError) -> [Entry<K.Value>] {
        var values: [Entry<K.Value>] = []
        for member in try value.object() {
            let bytes = member.name.utf8.count
            guard entries.nameBytes.contains(bytes) else {
                throw failure("names of \(Text(entries.nameBytes).expectation)", found: "\(bytes)")
            }
            let inner = JSONFormValue(value: member.value, level: level)
            values.append(Entry(member.name, try entries.kind.read(inner)))
        }
        let isDistinct = Set(values.map(\.name)).count == values.count
        guard isDistinct, entries.counts.contains(values.count) else {
            throw failure(entries.expectation, found: isDistinct ? "\(values.count)" : "one twice")
        }
        return values
    }

    func byClass<K: ValueKind>(_ values: ByClass<K>) throws(JSONError) -> [K.Value] {
        try list(ListOf(values.kind, 0...ByClass<K>.limit, of: "classes"))
    }

    func form<T: Formed>(_ type: T.Type) throws(JSONError) -> T {
        var fields = JSONFormReader<T>(try value.object(), level: level)
        return try T(fields: &fields)
    }

    func union<T: FormedUnion>(_ type: T.Type) throws(JSONError) -> T {
        guard level < T.depthLimit else {
            throw value.failure("expected at most \(T.depthLimit) levels of \(T.noun)s")
        }
        let members = Array(try value.object())
        guard members.count == 1, let only = members.first else {
            throw value.failure("expected one \(T.noun), found \(members.count)")
        }
        let inner = JSONFormValue(value: only.value, level: level + 1)
        var cases = CaseReader<T>(name: only.name, value: inner)
        T.cases(&cases)
        guard let result = cases.result else {
            let known = cases.known.joined(separator: ", ")
            throw value.failure("unknown \(T.noun) \"\(only.name.prefix(64))\", expected one of \(known)")
        }
        return try result.get()
    }

    func failure(_ expected: String, found: String?) -> JSONError {
        value.failure("expected \(expected)" + (found.map { ", found \($0)" } ?? ""))
    }

    private struct CaseReader<Root>: Cases {
        let name: String
        let value: JSONFormValue
        var result: Result<Root, JSONError>?
        var known: [String] = []

        init(name: String, value: JSONFormValue) {
            self.name = name
            self.value = value
        }

        mutating func callAsFunction<K: ValueKind>(
            _ name: StaticString,
            _ kind: K,
            embed: (K.Value) -> Root,
            extract: (Root) -> K.Value?,
            doc: StaticString
        ) {
            known.append("\(name)")
            guard known.last == self.name else { return }
            do throws(JSONError) {
                result = .success(embed(try kind.read(value)))
            } catch {
                result = .failure(error)
            }
        }
    }
}
