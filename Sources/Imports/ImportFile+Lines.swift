internal import Events
internal import JSON
internal import Vocabulary

/// Reading of JSON Lines.
extension ImportFile {
    /// Reads objects, one per line, searches each for the names, and converts it into a row by `read`.
    mutating func readLines(
        of bytes: [UInt8],
        names: inout ImportNames,
        isLabelled: Bool,
        _ read: (Int, JSONObject) throws -> ImportRow
    ) {
        let parser = JSONParser(maximumDepth: 64, maximumSize: 16 << 20)
        let text = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes.dropFirst(3) : bytes[...]
        for (index, line) in text.split(separator: 0x0A, omittingEmptySubsequences: false).enumerated() {
            guard line.contains(where: { $0 != 0x20 && $0 != 0x09 && $0 != 0x0D }) else { continue }
            addRow(line: index + 1, isLabelled) {
                guard line.first(where: { $0 != 0x20 && $0 != 0x09 }) == UInt8(ascii: "{") else {
                    throw ImportFault(
                        line: index + 1,
                        "expected a JSON object on one line, found \(Self.beginning(of: line))"
                    )
                }
                return try parser.withDocument(of: Array(line)) {
                    let object = try $0.object()
                    names.note(object)
                    return try read(index + 1, object)
                }
            }
        }
        faults += names.faults(in: "line")
    }

    /// Converts a line of JSON Lines into a row: a complete `sample` as in predictions, or its parts by the names of
    /// fields.
    static func row(
        line: Int,
        of object: JSONObject,
        fields: ImportFields,
        isLabelled: Bool
    ) throws -> ImportRow {
        let sample: Sample
        if let whole = object.optional("sample"), whole.objectView != nil {
            sample = try Sample(json: whole)
        } else {
            sample = try Self.sample(line, object, fields, id: scalar(object, fields.id))
        }
        guard isLabelled else { return ImportRow(line: line, sample: sample, answers: []) }
        let label = try label(line, object, fields.label)
        return ImportRow(
            line: line,
            sample: sample,
            answers: label.map { [(scalar(object, fields.annotator), $0)] } ?? []
        )
    }

    /// Creates a sample from the members with the names of `fields`; its id is given.
    static func sample(_ line: Int, _ object: JSONObject, _ fields: ImportFields, id: String?) throws -> Sample {
        try sample(
            line,
            id: id,
            uri: scalar(object, fields.uri),
            text: scalar(object, fields.text),
            group: scalar(object, fields.group),
            embedding: embedding(line, object, fields),
            metadata: metadata(object, fields),
            fields
        )
    }

    static func embedding(_ line: Int, _ object: JSONObject, _ fields: ImportFields) throws -> [Float]? {
        guard let value = object.member(named: fields.embedding), !value.isNull else { return nil }
        var numbers: [Float] = []
        try value.array().floats(into: &numbers)
        guard !numbers.isEmpty, numbers.allSatisfy(\.isFinite) else {
            throw ImportFault(line: line, "\(fields.embedding): expected finite numbers")
        }
        return numbers
    }

    static func metadata(_ object: JSONObject, _ fields: ImportFields) -> [SampleMetadata.Entry] {
        fields.metadata.compactMap { name in
            scalar(object, name).map { SampleMetadata.Entry(key: name, value: $0) }
        }
    }

    /// Reads a class: a scalar, or an object as in the events; nil if it is absent, null or empty.
    ///
    /// - Throws: `ImportFault` if it is anything else.
    static func label(_ line: Int, _ object: JSONObject, _ name: String) throws -> String? {
        guard let value = object.member(named: name) else { return nil }
        switch value.kind {
        case .string, .number, .bool, .null: return scalar(object, name)
        default: break
        }
        guard let label = value.objectView, label["kind"].flatMap({ try? $0.string() }) == "choice",
            let text = scalar(label, "class")
        else {
            let found = value.objectView == nil ? "an array" : "another object"
            throw ImportFault(
                line: line,
                "\(name): expected a class or {\"kind\":\"choice\",\"class\":…}, found \(found)"
            )
        }
        return text
    }

    /// Returns a text, or a number or truth value as JSON writes it; nil if it is absent, empty or anything else.
    static func scalar(_ object: JSONObject, _ name: String) -> String? {
        guard let value = object.member(named: name) else { return nil }
        switch value.kind {
        case .string:
            let text = try? value.string()
            return text?.isEmpty ?? true ? nil : text
        case .number, .bool:
            var writer = JSONWriter()
            writer.value(value)
            return writer.text
        default: return nil
        }
    }
}
