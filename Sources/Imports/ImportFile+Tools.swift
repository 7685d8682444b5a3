internal import Events
internal import JSON
internal import Vocabulary

/// Reading of the files of labelling tools.
extension ImportFile {
    // MARK: - Label Studio

    /// Reads a list of tasks, each with `data` and `annotations`. The first result of type `choices` of an annotation
    /// counts, and must have exactly one choice; an annotation that was cancelled, or has no such result, is no answer.
    mutating func readExport(_ bytes: [UInt8], _ fields: ImportFields, _ isLabelled: Bool) {
        unit = .task
        let reasons: [ImportFields.Option: String] = [
            .label: "an export of Label Studio has its labels in its annotations",
            .annotator: "an export of Label Studio names annotators in completed_by",
            .attribute: "only manifests of Ground Truth have attributes",
        ]
        faults = Self.unused(fields, reasons)
        var names = ImportNames(fields, without: Set(reasons.keys))
        let parser = JSONParser(maximumDepth: 64, maximumSize: Swift.max(16 << 20, bytes.count))
        do {
            try parser.withDocument(of: bytes) { json in
                let tasks = try json.array()
                if let fault = Self.formatFault(tasks) {
                    faults.append(ImportFault(file: fault))
                    return
                }
                for (index, element) in tasks.enumerated() {
                    addRow(line: index + 1, isLabelled) {
                        let task = try element.object()
                        let data = try task.object("data")
                        names.note(data)
                        if Self.scalar(task, "id") != nil { names.note("id", of: .id) }
                        return try Self.task(at: index + 1, task, data: data, fields: fields, isLabelled: isLabelled)
                    }
                }
            }
            faults += names.faults(in: "task's data")
        } catch let error as JSONError where Self.isNotJSON(error) {
            let found = "found \(Self.beginning(of: bytes)), which is not JSON: \(error)"
            faults.append(ImportFault(file: "expected a JSON export of Label Studio, a list of tasks, \(found)"))
        } catch {
            faults.append(ImportFault(file: "expected a JSON export of Label Studio, a list of tasks: \(error)"))
        }
    }

    /// Describes the fault of a list whose first element is not a task, reported once instead of for every element;
    /// nil otherwise.
    private static func formatFault(_ tasks: JSONArray) -> String? {
        guard let first = tasks.first(where: { _ in true })?.objectView, first["data"] == nil else { return nil }
        if first["annotation_id"] != nil || first["lead_time"] != nil || first["annotator"] != nil {
            return
                "this is Label Studio's JSON_MIN export, in which a task's data and its answers cannot be told apart: export JSON"
        }
        return
            "expected an export of Label Studio, whose tasks have data, found a list of other objects: write JSON Lines, an object a line (jq -c '.[]')"
    }

    private static func task(
        at line: Int,
        _ task: JSONObject,
        data: JSONObject,
        fields: ImportFields,
        isLabelled: Bool
    ) throws -> ImportRow {
        var wanted = fields
        if scalar(data, wanted.uri) == nil {
            // Names that the templates of Label Studio use.
            for name in ["image", "audio", "video", "url"] where scalar(data, name) != nil { wanted.uri = name }
        }
        guard let id = scalar(data, fields.id) ?? scalar(task, "id") else {
            throw ImportFault(
                line: line,
                "expected the sample's id in data.\(fields.id), or the task's, found neither"
            )
        }
        let sample = try Self.sample(line, data, wanted, id: id)
        var answers: [(annotator: String?, label: String)] = []
        for element in isLabelled ? try task.optionalArray("annotations").map(Array.init) ?? [] : [] {
            let annotation = try element.object()
            if try annotation.optionalBool("was_cancelled") ?? false { continue }
            guard let label = try choice(line, annotation) else { continue }
            answers.append((annotator(annotation), label))
        }
        return ImportRow(line: line, sample: sample, answers: answers)
    }

    private static func choice(_ line: Int, _ annotation: JSONObject) throws -> String? {
        for element in try annotation.array("result") {
            let result = try element.object()
            guard try result.string("type") == "choices" else { continue }
            let choices = try result.object("value").strings("choices")
            guard choices.count == 1 else {
                throw ImportFault(
                    line: line,
                    "expected one choice, found \(choices.count): tasks with several choices are not supported"
                )
            }
            return choices[0]
        }
        return nil
    }

    /// Returns the annotator as stated by the export: the e-mail address, or if there is none, the id.
    private static func annotator(_ annotation: JSONObject) -> String? {
        if let person = try? annotation.optionalObject("completed_by") {
            return scalar(person, "email") ?? scalar(person, "id")
        }
        return scalar(annotation, "completed_by")
    }

    // MARK: - Ground Truth

    /// Reads an augmented manifest, one object per line.
    mutating func readManifest(_ bytes: [UInt8], _ fields: ImportFields, _ isLabelled: Bool) {
        let reasons: [ImportFields.Option: String] = [
            .label: "the labels of a manifest are in its attribute (--label-attribute)",
            .annotator: "a manifest does not say who labelled",
            .uri: "a manifest has its content in source-ref or source",
            .text: "a manifest has its content in source-ref or source",
        ]
        faults = Self.unused(fields, reasons)
        var names = ImportNames(fields, without: Set(reasons.keys).union([.attribute]))
        var attributes: [String] = []
        var hasAttribute = fields.attribute == nil
        readLines(of: bytes, names: &names, isLabelled: isLabelled) { line, object in
            if let attribute = fields.attribute, !hasAttribute {
                let found = Self.attributes(of: object)
                hasAttribute = found.contains(attribute) || object.member(named: attribute) != nil
                for name in found where attributes.count < ImportNames.limit && !attributes.contains(name) {
                    attributes.append(name)
                }
            }
            return try Self.manifestRow(line: line, of: object, fields: fields, isLabelled: isLabelled)
        }
        if let attribute = fields.attribute, !hasAttribute {
            let there = attributes.isEmpty ? "none has any" : "there are \(ImportNames.list(attributes))"
            faults.append(ImportFault(file: "--label-attribute: no line has labels in \"\(attribute)\"; \(there)"))
        }
    }

    /// Names of attributes with labels: each has a matching `-metadata` member.
    private static func attributes(of object: JSONObject) -> [String] {
        let suffix = "-metadata"
        return object.map(\.name).filter { $0.hasSuffix(suffix) }.map { String($0.dropLast(suffix.count)) }
    }

    /// Converts a line of an augmented manifest into a row: the line has `source-ref` or `source`, the label's
    /// attribute, and beside it the attribute's `-metadata` with the name of the class.
    private static func manifestRow(
        line: Int,
        of object: JSONObject,
        fields: ImportFields,
        isLabelled: Bool
    ) throws -> ImportRow {
        let (uri, text) = (scalar(object, "source-ref"), scalar(object, "source"))
        guard uri != nil || text != nil else {
            throw ImportFault(line: line, "expected source-ref or source, found neither")
        }
        guard let id = scalar(object, fields.id) ?? uri else {
            throw ImportFault(line: line, "\(fields.id): expected the sample's id beside source, found nothing")
        }
        let sample = try Self.sample(
            line,
            id: id,
            uri: uri,
            text: uri == nil ? text : nil,
            group: scalar(object, fields.group),
            embedding: embedding(line, object, fields),
            metadata: metadata(object, fields),
            fields
        )
        guard isLabelled else { return ImportRow(line: line, sample: sample, answers: []) }
        let attributes = attributes(of: object)
        if fields.attribute == nil, attributes.count > 1 {
            throw ImportFault(
                line: line,
                "several attributes have labels (\(attributes.joined(separator: ", "))): choose one with --label-attribute"
            )
        }
        guard let attribute = fields.attribute ?? attributes.first else {
            return ImportRow(line: line, sample: sample, answers: [])
        }
        let attributeMetadata = object.member(named: attribute + "-metadata")?.objectView
        // A job that failed for this object has no name; a class map gives names to numbers elsewhere.
        let name = attributeMetadata.flatMap { scalar($0, "class-name") }
        let label = try name ?? Self.label(line, object, attribute)
        return ImportRow(line: line, sample: sample, answers: label.map { [(nil, $0)] } ?? [])
    }
}
