internal import Forms

/// A part of a form, for schemas and tables.
struct FormPart {
    let key: String
    /// The key in a record; nil if a record contains the part in another form.
    var wire: String?
    let shape: Shape
    let doc: String
    /// Whether a record must contain the part.
    var isRequired = true
    /// The default in a file, as it is written there; nil if the key is required.
    var standard: String?
    /// Whether a record is written without the part if its value is empty.
    var leavesOutEmpty = false
    /// Whether files have the key.
    var isInFiles = true

    init<K: ValueKind>(_ field: Field, _ kind: K) {
        key = "\(field.key)"
        wire = field.wire.map { "\($0)" } ?? "\(field.key)" + (K.isSpan ? "_ms" : "")
        shape = kind.shape
        doc = "\(field.doc)"
        isInFiles = !field.isHiddenInFiles
    }

    init(key: String, shape: Shape, doc: String = "") {
        self.key = key
        wire = key
        self.shape = shape
        self.doc = doc
    }
}

/// Runs a form, once for each case of its tag, and collects its parts.
private struct Describer<Root>: Fields {
    let standard: Root?
    var parts: [FormPart] = []
    var run = 0
    var runs = 1

    mutating func add(_ part: FormPart) {
        if !parts.contains(where: { $0.key == part.key }) { parts.append(part) }
    }

    mutating func field<K: ValueKind>(
        _ field: Field,
        _ get: (Root) -> K.Value,
        _ kind: K,
        defaults: Defaults<K.Value>,
        inFile: K?
    ) -> K.Value {
        let defaultValue = defaults.fallback ?? standard.map(get) ?? kind.standard ?? defaults.implied
        var part = FormPart(field, kind)
        part.isRequired = defaults.absent == nil
        part.standard = defaultValue.map { FileText.of($0, kind) }
        part.leavesOutEmpty = defaults.implied.map { FileText.of($0, kind) == FileText.nothing } ?? false
        add(part)
        return kind.placeholder
    }

    mutating func optional<K: ValueKind>(_ field: Field, _ get: (Root) -> K.Value?, _ kind: K) -> K.Value? {
        var part = FormPart(field, kind)
        part.isRequired = false
        part.standard = FileText.nothing
        add(part)
        return nil
    }

    mutating func tag<C: ChoiceValue>(_ field: Field, _ get: (Root) -> C) -> C {
        runs = C.allCases.count
        _ = self.field(field, get, Choice<C>(), defaults: Defaults(), inFile: nil)
        return Array(C.allCases)[run]
    }

    mutating func flattened<T: Formed>(_ key: StaticString?, _ get: (Root) -> T) -> T {
        for var part in formParts(of: T.self) where key == nil || part.isInFiles {
            if key != nil { part.wire = nil }
            add(part)
        }
        if let key {
            var part = FormPart(key: "\(key)", shape: .form(T.self))
            part.isInFiles = false
            add(part)
        }
        return Nested<T>().placeholder
    }

    mutating func require(_ rule: Rule, _ complaint: @autoclosure () -> String?) {}
}

/// The parts of a form, in order, including those of all cases of its tag.
func formParts<T: Formed>(of type: T.Type) -> [FormPart] {
    var describer = Describer<T>(standard: T.standard)
    while describer.run < describer.runs {
        _ = T(fields: &describer)
        describer.run += 1
    }
    return describer.parts
}

private struct CaseDescriber<Root>: Cases {
    var parts: [FormPart] = []

    mutating func callAsFunction<K: ValueKind>(
        _ name: StaticString,
        _ kind: K,
        embed: (K.Value) -> Root,
        extract: (Root) -> K.Value?,
        doc: StaticString
    ) {
        parts.append(FormPart(key: "\(name)", shape: kind.shape, doc: "\(doc)"))
    }
}

/// The cases of a union, in order.
func unionCases<T: FormedUnion>(of type: T.Type) -> [FormPart] {
    var describer = CaseDescriber<T>()
    T.cases(&describer)
    return describer.parts
}

/// Text of a value as it is written in a file.
struct FileText: ValueSink {
    /// Text of a value that is empty or absent.
    static let nothing = "none"
    private var text = ""

    static func of<K: ValueKind>(_ value: K.Value, _ kind: K) -> String {
        var sink = FileText()
        kind.write(value, to: &sink)
        return sink.text
    }

    mutating func number(_ value: Double) { text += value == value.rounded() ? "\(Int64(value))" : "\(value)" }
    mutating func integer(_ value: Int64) { text += "\(value)" }
    mutating func span(_ value: Int64) { text += Span.text(value) }
    mutating func flag(_ value: Bool) { text += "\(value)" }
    mutating func text(_ value: String) { text += value }
    mutating func list<K: ValueKind>(_ values: [K.Value], _ kind: K) {
        let elements = values.map { $0 == kind.standard ? "{}" : FileText.of($0, kind) }
        text += values.isEmpty ? FileText.nothing : "[\(elements.joined(separator: ", "))]"
    }
    mutating func entries<K: ValueKind>(_ values: [Entry<K.Value>], _ kind: K) {
        text += values.isEmpty ? FileText.nothing : "[…]"
    }
    mutating func form<T: Formed>(_ value: T) { text += value == T.standard ?? value ? "{}" : "{…}" }
    mutating func union<T: FormedUnion>(_ value: T) { text += "{…}" }
}
