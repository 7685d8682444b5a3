internal import Configuration
internal import Forms

/// Context of a value: the classes, which are the same for the whole file, and the value's depth in unions.
struct FileContext {
    /// Positions of classes by name.
    let classes: [String: Int]
    let classCount: Int
    var level = 0
}

/// Reads a map of a file by a form. Faults are recorded with the reader, a default replaces the value, and reading
/// continues.
struct FileFields<Root>: Fields {
    let reader: ConfigurationReader
    let context: FileContext
    let standard: Root?
    private(set) var faulty: Set<String> = []

    init(_ reader: ConfigurationReader, _ context: FileContext, standard: Root? = nil) {
        self.reader = reader
        self.context = context
        self.standard = standard
    }

    private mutating func read<K: ValueKind>(_ key: String, _ node: YAMLNode, _ kind: K) -> K.Value? {
        let before = reader.issueCount
        let value = try? kind.read(FileValue(reader: reader, key: key, node: node, context: context))
        if reader.issueCount > before { faulty.insert(key) }
        return value
    }

    mutating func field<K: ValueKind>(
        _ field: Field,
        _ get: (Root) -> K.Value,
        _ kind: K,
        defaults: Defaults<K.Value>,
        inFile: K?
    ) -> K.Value {
        let defaultValue = defaults.fallback ?? standard.map(get) ?? kind.standard ?? defaults.implied
        guard !field.isHiddenInFiles else { return defaultValue ?? kind.placeholder }
        let (key, kind) = ("\(field.key)", inFile ?? kind)
        guard let node = reader.node(key) else {
            if defaultValue == nil {
                reader.report(key, "expected \(kind.shape.expectation(inFile: true)), found nothing")
                faulty.insert(key)
            }
            return defaultValue ?? kind.placeholder
        }
        return read(key, node, kind) ?? defaultValue ?? kind.placeholder
    }

    mutating func optional<K: ValueKind>(_ field: Field, _ get: (Root) -> K.Value?, _ kind: K) -> K.Value? {
        guard let node = reader.node("\(field.key)") else { return standard.flatMap(get) }
        return read("\(field.key)", node, kind)
    }

    mutating func tag<C: ChoiceValue>(_ field: Field, _ get: (Root) -> C) -> C {
        self.field(field, get, Choice<C>(), defaults: Defaults(), inFile: nil)
    }

    mutating func flattened<T: Formed>(_ key: StaticString?, _ get: (Root) -> T) -> T {
        var fields = FileFields<T>(reader, context, standard: standard.map(get) ?? T.standard)
        let value = T(fields: &fields)
        faulty.formUnion(fields.faulty)
        return value
    }

    mutating func require(_ rule: Rule, _ complaint: @autoclosure () -> String?) {
        guard faulty.isDisjoint(with: rule.dependencies.map { "\($0)" }), let complaint = complaint() else { return }
        reader.report("\(rule.fileKey)", complaint)
    }
}
