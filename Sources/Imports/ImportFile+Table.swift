internal import Events
internal import Vocabulary

/// Reading of tables.
extension ImportFile {
    /// Reads a header, and one row per sample or vote.
    mutating func readCSV(_ bytes: [UInt8], _ fields: ImportFields, _ isLabelled: Bool) {
        faults = Self.unused(fields, [.attribute: "only manifests of Ground Truth have attributes"])
        var reader = CSVReader(bytes)
        do throws(CSVReader.Fault) {
            guard let header = try reader.next() else {
                faults.append(
                    .init(line: 1, "expected a header with the names of the columns, found nothing", endsFile: true)
                )
                return
            }
            var columns: [String: Int] = [:]
            for (index, name) in header.fields.enumerated() where columns[name] == nil { columns[name] = index }
            let needed = [fields.id] + (isLabelled ? [fields.label] : []) + fields.named.map(\.name)
            var missing: [String] = []
            for name in needed where columns[name] == nil && !missing.contains(name) { missing.append(name) }
            // A given attribute has already been reported as unused above.
            if let attribute = fields.attribute { missing.removeAll { $0 == attribute } }
            guard missing.isEmpty else {
                let text = Self.absence(of: missing, among: header.fields)
                faults.append(.init(line: header.line, text, endsFile: true))
                return
            }
            let repeated = Self.repeated(header.fields, fields, isLabelled)
            guard repeated.isEmpty else {
                let text =
                    "column \(ImportNames.list(repeated)) occurs more than once: rename all but one"
                faults.append(.init(line: header.line, text, endsFile: true))
                return
            }
            while let row = try reader.next() {
                guard row.fields.count == header.fields.count else {
                    let (found, wanted) = (row.fields.count, header.fields.count)
                    faults.append(.init(line: row.line, "expected \(wanted) fields as in the header, found \(found)"))
                    continue
                }
                let value: (String) -> String? = { name in
                    columns[name].map { row.fields[$0] }.flatMap { $0.isEmpty ? nil : $0 }
                }
                addRow(line: row.line, isLabelled) {
                    try Self.row(line: row.line, fields: fields, isLabelled: isLabelled, value: value)
                }
            }
        } catch {
            faults.append(.init(line: error.line, "\(error.text): later rows cannot be recognized", endsFile: true))
        }
    }

    /// Names of columns that are read and occur in the header more than once.
    private static func repeated(_ columns: [String], _ fields: ImportFields, _ isLabelled: Bool) -> [String] {
        var read: Set = [fields.id, fields.uri, fields.text, fields.group, fields.embedding, fields.annotator]
        if isLabelled { read.insert(fields.label) }
        read.formUnion(fields.metadata)
        var counts: [String: Int] = [:]
        for name in columns where read.contains(name) { counts[name, default: 0] += 1 }
        return counts.filter { $0.value > 1 }.keys.sorted()
    }

    /// Builds the message for columns that are missing.
    private static func absence(of missing: [String], among columns: [String]) -> String {
        let text =
            "no column \(ImportNames.list(missing)) among \(ImportNames.list(columns)): name yours with --id, --label and so on"
        guard columns.count == 1, let only = columns.first else { return text }
        for (separator, name) in [(";", "semicolons"), ("\t", "tabs")] where only.contains(separator) {
            return "\(text); its columns seem to be separated by \(name): write it with commas"
        }
        return "\(text); it was read as CSV, since it begins with neither { nor [ (--format says otherwise)"
    }

    private static func row(
        line: Int,
        fields: ImportFields,
        isLabelled: Bool,
        value: (String) -> String?
    ) throws -> ImportRow {
        var embedding: [Float]?
        if let text = value(fields.embedding) {
            let parts = text.split { " ,;[]\t".contains($0) }
            let numbers = parts.compactMap { Float($0) }
            guard numbers.count == parts.count, !numbers.isEmpty, numbers.allSatisfy(\.isFinite) else {
                throw ImportFault(line: line, "\(fields.embedding): expected finite numbers")
            }
            embedding = numbers
        }
        var metadata: [SampleMetadata.Entry] = []
        for name in fields.metadata {
            if let text = value(name) { metadata.append(.init(key: name, value: text)) }
        }
        let sample = try sample(
            line,
            id: value(fields.id),
            uri: value(fields.uri),
            text: value(fields.text),
            group: value(fields.group),
            embedding: embedding,
            metadata: metadata,
            fields
        )
        let label = isLabelled ? value(fields.label) : nil
        let annotator = value(fields.annotator)
        return ImportRow(line: line, sample: sample, answers: label.map { [(annotator, $0)] } ?? [])
    }
}
