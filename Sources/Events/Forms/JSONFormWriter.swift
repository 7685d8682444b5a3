internal import Forms
internal import JSON

/// Writes an object by a form.
struct JSONFormWriter<Root>: Fields {
    let root: Root
    var sink: JSONFormSink

    @inline(__always)
    private mutating func key(_ field: Field, isSpan: Bool) {
        if isSpan, field.wire == nil {
            sink.writer.key(named: "\(field.key)_ms")
        } else {
            sink.writer.key(field.wire ?? field.key)
        }
    }

    @inline(__always)
    mutating func field<K: ValueKind>(
        _ field: Field,
        _ get: (Root) -> K.Value,
        _ kind: K,
        defaults: Defaults<K.Value>,
        inFile: K?
    ) -> K.Value {
        let value = get(root)
        if let implied = defaults.implied, implied == value { return value }
        key(field, isSpan: K.isSpan)
        kind.write(value, to: &sink)
        return value
    }

    @inline(__always)
    mutating func optional<K: ValueKind>(_ field: Field, _ get: (Root) -> K.Value?, _ kind: K) -> K.Value? {
        guard let value = get(root) else { return nil }
        key(field, isSpan: K.isSpan)
        kind.write(value, to: &sink)
        return value
    }

    mutating func tag<C: ChoiceValue>(_ field: Field, _ get: (Root) -> C) -> C {
        let value = get(root)
        key(field, isSpan: false)
        sink.text(value.rawValue)
        return value
    }

    mutating func flattened<T: Formed>(_ key: StaticString?, _ get: (Root) -> T) -> T {
        let value = get(root)
        if let key {
            sink.writer.key(key)
            sink.form(value)
        } else {
            sink.members(value)
        }
        return value
    }

    mutating func require(_ rule: Rule, _ complaint: @autoclosure () -> String?) {}
}

/// The writer that forms write to, handed from form to form.
struct JSONFormSink: ValueSink {
    var writer: JSONWriter

    mutating func number(_ value: Double) { writer.value(value) }
    mutating func integer(_ value: Int64) { writer.value(value) }
    mutating func span(_ value: Int64) { writer.value(value) }
    mutating func flag(_ value: Bool) { writer.value(value) }
    mutating func text(_ value: String) { writer.value(value) }

    mutating func list<K: ValueKind>(_ values: [K.Value], _ kind: K) {
        writer.beginArray()
        for value in values { kind.write(value, to: &self) }
        writer.endArray()
    }

    mutating func entries<K: ValueKind>(_ values: [Entry<K.Value>], _ kind: K) {
        writer.beginObject()
        for entry in values {
            writer.key(named: entry.name)
            kind.write(entry.value, to: &self)
        }
        writer.endObject()
    }

    mutating func form<T: Formed>(_ value: T) {
        writer.beginObject()
        members(value)
        writer.endObject()
    }

    /// Writes the members of a value without braces.
    @inline(__always)
    mutating func members<T: Formed>(_ value: T) {
        // The writer is moved into the form and back: with two owners its bytes would be copied.
        var fields = JSONFormWriter<T>(root: value, sink: self)
        writer = JSONWriter(capacity: 0)
        _ = T(fields: &fields)
        self = fields.sink
    }

    mutating func union<T: FormedUnion>(_ value: T) {
        writer.beginObject()
        var cases = CaseWriter<T>(root: value, sink: self)
        writer = JSONWriter(capacity: 0)
        T.cases(&cases)
        self = cases.sink
        writer.endObject()
    }

    private struct CaseWriter<Root>: Cases {
        let root: Root
        var sink: JSONFormSink

        mutating func callAsFunction<K: ValueKind>(
            _ name: StaticString,
            _ kind: K,
            embed: (K.Value) -> Root,
            extract: (Root) -> K.Value?,
            doc: StaticString
        ) {
            guard let value = extract(root) else { return }
            sink.writer.key(name)
            kind.write(value, to: &sink)
        }
    }
}
