public import JSON
public import Vocabulary

extension ImportedLabel: JSONCodable {
    public init(json: JSONValue) throws(JSONError) {
        let object = try json.object()
        let answer: Answer
        if let label = try object.optionalLabel() {
            answer = .label(label)
        } else {
            let votes: [Vote] = try object.values("votes")
            guard (1...Self.voteLimit).contains(votes.count) else {
                throw object.failure("votes", "expected 1 to \(Self.voteLimit), found \(votes.count)")
            }
            answer = .votes(votes)
        }
        let split: Split = try object.choice("split")
        guard split != .test else {
            throw object.failure(
                "split",
                "expected training or validation: test labels come from the audit sample alone"
            )
        }
        self.init(
            key: try object.uint64("key"),
            origin: ImportOrigin(source: try object.string("source"), id: try object.string("id")),
            sample: try object.value("sample"),
            answer: answer,
            isValidation: split == .validation,
            labeledAt: try object.optionalInt64("labeled_at_ms").map { StreamTime(milliseconds: $0) }
        )
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("key", key)
            writer.member("source", origin.source)
            writer.member("id", origin.id)
            writer.member("sample", sample)
            switch answer {
            case .label(let label): writer.member(label: label)
            case .votes(let votes): writer.array("votes", ofValues: votes)
            }
            writer.member("split", isValidation ? Split.validation.rawValue : Split.training.rawValue)
            writer.member("labeled_at_ms", ifPresent: labeledAt?.milliseconds)
        }
    }
}
