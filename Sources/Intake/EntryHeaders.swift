internal import EngineCore
internal import Events
internal import Flywheel
internal import StreamRuntime
internal import Vocabulary

/// Creates the key and headers of the entries that Intake writes; the parts that entries of one kind share are created
/// once.
struct EntryHeaders {
    /// Key and headers that all entries of one kind in one project have in common.
    private struct Template {
        let key: [UInt8]
        let headers: [RecordHeader]
        /// Indices in `headers` of the headers that differ: those with the record's id, and those with the time.
        let idIndices: [Int]
        let timeIndices: [Int]
    }

    private struct TemplateKey: Hashable {
        let project: ProjectID
        let kind: JournalEntry.Kind
    }

    private var templates: [TemplateKey: Template] = [:]
    private var time: (milliseconds: Int64, text: [UInt8])?
    /// Bounded, because projects are created and removed while a worker keeps running.
    private static let capacity = 4_096

    /// Returns the key and headers of an entry that is caused by the record `id`; `id` is the id of the entry, too.
    ///
    /// - Parameters:
    ///   - entry: The entry.
    ///   - id: Topic, partition and offset of the record, as UTF-8.
    ///   - milliseconds: Time of writing, in milliseconds since 1970.
    /// - Returns: The project's name as key, and the headers that `CloudEventHeaders.entry` returns.
    mutating func callAsFunction(_ entry: JournalEntry, at id: [UInt8], time milliseconds: Int64) -> (
        key: [UInt8], headers: [RecordHeader]
    ) {
        let template = template(of: entry)
        let time = text(of: milliseconds)
        var headers = template.headers
        for index in template.idIndices { headers[index] = RecordHeader(headers[index].name, id) }
        for index in template.timeIndices { headers[index] = RecordHeader(headers[index].name, time) }
        return (template.key, headers)
    }

    private mutating func template(of entry: JournalEntry) -> Template {
        let key = TemplateKey(project: entry.project, kind: entry.body.kind)
        if let known = templates[key] { return known }
        let headers = CloudEventHeaders.entry(entry, id: "", role: .intake, time: 0, causation: "").recordHeaders
        let template = Template(
            key: Array(entry.project.rawValue.utf8),
            headers: headers,
            idIndices: headers.indices.filter { ["ce_id", "ce_causationid"].contains(headers[$0].name) },
            timeIndices: headers.indices.filter { headers[$0].name == "ce_time" }
        )
        if templates.count >= Self.capacity { templates.removeAll() }
        templates[key] = template
        return template
    }

    private mutating func text(of milliseconds: Int64) -> [UInt8] {
        if let time, time.milliseconds == milliseconds { return time.text }
        let text = Array(RFC3339.text(milliseconds: milliseconds).utf8)
        time = (milliseconds, text)
        return text
    }
}
