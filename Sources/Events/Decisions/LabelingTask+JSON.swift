public import JSON
public import Vocabulary

extension LabelingTask: JSONCodable {
    public init(json: JSONValue) throws(JSONError) {
        let object = try json.object()
        let state: State
        switch try object.string("state") {
        case "open": state = .open
        case "closed": state = .closed(try object.choice("closing"))
        case let text: throw object.failure("state", "expected open or closed, found \"\(text)\"")
        }
        self.init(
            id: try object.id("task"),
            sample: try object.value("sample"),
            question: try Question(ofTask: object.object("question")),
            state: state,
            votesWanted: try object.int("votes_wanted", in: 0...1_000),
            votes: try object.int("votes", in: 0...1_000),
            priority: try object.double("priority"),
            purpose: try object.choice("purpose"),
            reason: try object.value("reason"),
            openedAt: try object.time("opened_at_ms"),
            expiresAt: try object.time("expires_at_ms")
        )
    }

    public func write(to writer: inout JSONWriter) { write(to: &writer, project: nil) }

    /// The record on `labeling-tasks`: the sample's content, never its embedding.
    public func write(to writer: inout JSONWriter, project: ProjectID?) {
        writer.object { writer in
            writer.member("project", ifPresent: project)
            writer.member("task", id)
            switch state {
            case .open: writer.member("state", "open")
            case .closed(let closing):
                writer.member("state", "closed")
                writer.member("closing", closing.rawValue)
            }
            writer.key("sample")
            sample.write(to: &writer, withEmbedding: false)
            writer.key("question")
            question.writeToTask(&writer)
            writer.member("votes_wanted", votesWanted)
            writer.member("votes", votes)
            writer.member("priority", priority)
            writer.member("purpose", purpose.published.rawValue)
            writer.member("reason", reason)
            writer.member("opened_at_ms", openedAt)
            writer.member("expires_at_ms", expiresAt)
        }
    }
}
