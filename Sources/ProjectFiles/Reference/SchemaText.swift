internal import Forms
internal import JSON

/// The JSON Schema of the record that a form reads and writes.
struct SchemaText {
    private var unions: [(name: String, write: (inout SchemaText, inout JSONWriter) -> Void)] = []

    static func document<T: Formed>(of type: T.Type) -> String {
        var schema = SchemaText()
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("$schema", "https://json-schema.org/draft/2020-12/schema")
        schema.form(type, to: &writer)
        writer.key("$defs")
        writer.beginObject()
        var written = 0
        while written < schema.unions.count {
            let union = schema.unions[written]
            writer.key(named: union.name)
            writer.beginObject()
            union.write(&schema, &writer)
            writer.endObject()
            written += 1
        }
        writer.endObject()
        writer.endObject()
        return writer.text
    }

    private mutating func form<T: Formed>(_ type: T.Type, to writer: inout JSONWriter) {
        let parts = formParts(of: type).filter { $0.wire != nil }
        writer.member("type", "object")
        properties(parts, to: &writer)
        let required = parts.filter(\.isRequired).compactMap(\.wire)
        if !required.isEmpty { writer.array("required", of: required) }
    }

    private mutating func union<T: FormedUnion>(_ type: T.Type, to writer: inout JSONWriter) {
        if !unions.contains(where: { $0.name == T.noun }) {
            unions.append(
                (
                    T.noun,
                    { schema, writer in
                        writer.member("type", "object")
                        writer.member("minProperties", 1)
                        writer.member("maxProperties", 1)
                        schema.properties(unionCases(of: type), to: &writer)
                    }
                )
            )
        }
        writer.member("$ref", "#/$defs/\(T.noun)")
    }

    private mutating func properties(_ parts: [FormPart], to writer: inout JSONWriter) {
        writer.key("properties")
        writer.beginObject()
        for part in parts {
            writer.key(named: part.wire ?? part.key)
            writer.beginObject()
            if !part.doc.isEmpty { writer.member("description", part.doc) }
            shape(part.shape, to: &writer, leavesOutEmpty: part.leavesOutEmpty)
            writer.endObject()
        }
        writer.endObject()
    }

    private mutating func elements(_ key: StaticString, _ shape: Shape, to writer: inout JSONWriter) {
        writer.key(key)
        writer.beginObject()
        self.shape(shape, to: &writer)
        writer.endObject()
    }

    private mutating func shape(_ shape: Shape, to writer: inout JSONWriter, leavesOutEmpty: Bool = false) {
        switch shape {
        case .number(let range):
            writer.member("type", "number")
            writer.member("minimum", range.lowerBound)
            writer.member("maximum", range.upperBound)
        case .integer(let range), .span(let range):
            writer.member("type", "integer")
            writer.member("minimum", range.lowerBound)
            writer.member("maximum", range.upperBound)
        case .position:
            writer.member("type", "integer")
            writer.member("minimum", 0)
            writer.member("maximum", ByClass<Number>.limit - 1)
        case .flag: writer.member("type", "boolean")
        case .alwaysTrue: writer.member("const", true)
        case .choice(let names) where names.count == 1: writer.member("const", names[0])
        case .choice(let names):
            writer.member("type", "string")
            writer.array("enum", of: names)
        case .text(let bytes, _):
            writer.member("type", "string")
            if bytes.lowerBound > 0 { writer.member("minLength", bytes.lowerBound) }
            if bytes.upperBound < .max { writer.member("maxLength", bytes.upperBound) }
        case .list(let element, let counts, _):
            writer.member("type", "array")
            elements("items", element, to: &writer)
            let least = leavesOutEmpty ? max(1, counts.lowerBound) : counts.lowerBound
            if least > 0 { writer.member("minItems", least) }
            if counts.upperBound < .max { writer.member("maxItems", counts.upperBound) }
        case .byClass(let element):
            writer.member("type", "array")
            elements("items", element, to: &writer)
            writer.member("maxItems", ByClass<Number>.limit)
        case .entries(_, _, let element, let counts, let names):
            writer.member("type", "object")
            elements("additionalProperties", element, to: &writer)
            writer.member("maxProperties", counts.upperBound)
            elements("propertyNames", .text(names, note: nil), to: &writer)
        case .form(let type): form(type, to: &writer)
        case .union(let type): union(type, to: &writer)
        }
    }
}
