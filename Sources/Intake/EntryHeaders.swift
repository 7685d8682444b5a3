internal import EngineCore
internal import Events
internal import Flywheel
internal import StreamRuntime
internal import Vocabulary

/// Key and headers of the entries that Intake writes: what those of one kind have in common is made once.
struct EntryHeaders {
    /// Key and headers that all entries of one kind in one project have in common.
    private struct Template {
        let key: [UInt8]
        let headers: [RecordHeader]
        /// Positions in `headers` of what differs.
        let places: [Int]
        let times: [Int]
    }

    private struct Kind: Hashable {
        let project: ProjectID
        let name: JournalEntry.Kind
    }

    private var templates: [Kind: Template] = [:]
    private var time: (milliseconds: Int64, text: [UInt8])?
    /// Projects come and go; a worker does not.
    private static let capacity = 4_096

    /// Makes those of an entry that is written because of the record at `place`, which is its id, too.
    ///
    /// - Parameters:
    ///   - entry: The entry.
    ///   - place: Topic, partition and offset of the record, as UTF-8.
    ///   - milliseconds: The time of writing, since 1970.
    /// - Returns: The project's name, and what `CloudEventHeaders.entry` gives.
    mutating func callAsFunction(_ entry: JournalEntry, at place: [UInt8], time milliseconds: Int64) -> (
        key: [UInt8], headers: [RecordHeader]
    ) {
        let template = template(of: entry)
        let time = text(of: milliseconds)
        var headers = template.headers
        for index in template.places { headers[index] = RecordHeader(headers[index].name, place) }
        for index in template.times { headers[index] = RecordHeader(headers[index].name, time) }
        return (template.key, headers)
    }

    private mutating func template(of entry: JournalEntry) -> Template {
        let kind = Kind(project: entry.project, name: entry.body.kind)
        if let known = templates[kind] { return known }
        let headers = CloudEventHeaders.entry(entry, id: "", role: .intake, time: 0, causation: "").recordHeaders
        let template = Template(
            key: Array(entry.project.rawValue.utf8),
            headers: headers,
            places: headers.indices.filter { ["ce_id", "ce_causationid"].contains(headers[$0].name) },
            times: headers.indices.filter { headers[$0].name == "ce_time" }
        )
        if templates.count >= Self.capacity { templates.removeAll() }
        templates[kind] = template
        return template
    }

    private mutating func text(of milliseconds: Int64) -> [UInt8] {
        if let time, time.milliseconds == milliseconds { return time.text }
        let text = Array(RFC3339.text(milliseconds: milliseconds).utf8)
        time = (milliseconds, text)
        return text
    }
}
