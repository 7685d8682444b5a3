internal import Events
internal import JSON
internal import Vocabulary

/// Files of labelling tools.
extension ImportFile {
    // MARK: - Label Studio

    /// A list of tasks, each with `data` and its `annotations`; of an annotation the first result of the kind `choices` counts.
    /// An annotation that was cancelled, or made by no one choice, is no answer.
    mutating func readExport(_ bytes: [UInt8], _ fields: ImportFields, _ isLabelled: Bool) {
        let parser = JSONParser(maximumDepth: 64, maximumSize: Swift.max(16 << 20, bytes.count))
        do {
            try parser.withDocument(of: bytes) { json in
                for (index, element) in try json.array().enumerated() {
                    take(line: index + 1, isLabelled) {
                        try Self.task(index + 1, element.object(), fields, isLabelled)
                    }
                }
            }
        } catch {
            faults.append(ImportFault(line: 1, "expected a JSON export of Label Studio, a list of tasks: \(error)"))
        }
    }

    private static func task(
        _ place: Int,
        _ task: JSONObject,
        _ fields: ImportFields,
        _ isLabelled: Bool
    ) throws -> ImportRow {
        let data = try task.object("data")
        var wanted = fields
        if scalar(data, wanted.uri) == nil {
            // As its templates name them.
            for name in ["image", "audio", "video", "url"] where scalar(data, name) != nil { wanted.uri = name }
        }
        let parts = try parts(place, data, wanted)
        guard let id = scalar(data, fields.id) ?? scalar(task, "id") else {
            throw ImportFault(
                line: place,
                "expected the sample's id in data.\(fields.id), or the task's, found neither"
            )
        }
        let sample = try Self.sample(
            place,
            id: id,
            uri: parts.uri,
            text: parts.text,
            embedding: nil,
            metadata: parts.metadata,
            fields
        )
        var answers: [(annotator: String?, label: String)] = []
        for element in isLabelled ? try task.optionalArray("annotations").map(Array.init) ?? [] : [] {
            let annotation = try element.object()
            if try annotation.optionalBool("was_cancelled") ?? false { continue }
            guard let label = try choice(place, annotation) else { continue }
            answers.append((annotator(annotation), label))
        }
        return ImportRow(line: place, sample: sample, answers: answers)
    }

    private static func parts(
        _ place: Int,
        _ data: JSONObject,
        _ fields: ImportFields
    ) throws -> (uri: String?, text: String?, metadata: [SampleMetadata.Entry]) {
        let metadata = fields.metadata.compactMap { name in
            scalar(data, name).map { SampleMetadata.Entry(key: name, value: $0) }
        }
        return (scalar(data, fields.uri), scalar(data, fields.text), metadata)
    }

    private static func choice(_ place: Int, _ annotation: JSONObject) throws -> String? {
        for element in try annotation.array("result") {
            let result = try element.object()
            guard try result.string("type") == "choices" else { continue }
            let choices = try result.object("value").strings("choices")
            guard choices.count == 1 else {
                throw ImportFault(
                    line: place,
                    "expected one choice, found \(choices.count): tasks of several are not built yet"
                )
            }
            return choices[0]
        }
        return nil
    }

    /// Who answered: the address or the number that the export has.
    private static func annotator(_ annotation: JSONObject) -> String? {
        if let person = try? annotation.optionalObject("completed_by") {
            return scalar(person, "email") ?? scalar(person, "id")
        }
        return scalar(annotation, "completed_by")
    }

    // MARK: - Ground Truth

    /// A line of an augmented manifest: `source-ref` or `source`, the label's attribute, and beside it its `-metadata` with the
    /// name of the class.
    static func manifestRow(
        _ line: Int,
        _ object: JSONObject,
        _ fields: ImportFields,
        _ isLabelled: Bool
    ) throws -> ImportRow {
        let (uri, text) = (scalar(object, "source-ref"), scalar(object, "source"))
        guard uri != nil || text != nil else {
            throw ImportFault(line: line, "expected source-ref or source, found neither")
        }
        guard let id = scalar(object, fields.id) ?? uri else {
            throw ImportFault(line: line, "\(fields.id): expected the sample's id beside source, found nothing")
        }
        let sample = try Self.sample(line, id: id, uri: uri, text: uri == nil ? text : nil, embedding: nil, fields)
        guard isLabelled else { return ImportRow(line: line, sample: sample, answers: []) }
        let suffix = "-metadata"
        let attributes = object.map(\.name).filter { $0.hasSuffix(suffix) }.map { String($0.dropLast(suffix.count)) }
        if fields.attribute == nil, attributes.count > 1 {
            let names = attributes.joined(separator: ", ")
            throw ImportFault(
                line: line,
                "several attributes have labels (\(names)): choose one with --label-attribute"
            )
        }
        guard let attribute = fields.attribute ?? attributes.first else {
            return ImportRow(line: line, sample: sample, answers: [])
        }
        let metadata = object.member(named: attribute + suffix)?.objectView
        // A job that failed for this object has no name; a class map gives names to numbers elsewhere.
        let label = metadata.flatMap { scalar($0, "class-name") } ?? scalar(object, attribute)
        return ImportRow(line: line, sample: sample, answers: label.map { [(nil, $0)] } ?? [])
    }
}
