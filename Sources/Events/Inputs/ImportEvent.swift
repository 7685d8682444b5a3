public import JSON
public import Vocabulary

/// A label that was assigned elsewhere, as its importer sends it.
public struct ImportEvent: Hashable, Sendable {
    public let project: ProjectID
    public let origin: ImportOrigin
    public let sample: Sample
    public let answer: ImportedLabel.Answer
    public let isValidation: Bool
    public var labeledAt: Int64?
    /// Members that were read otherwise than they were written, or left out.
    public var remarks = Remarks()

    /// Maximum number of bytes of an annotator's name; the source and the name together form an annotator's id.
    public static let longestAnnotator = 128

    public init(
        project: ProjectID,
        origin: ImportOrigin,
        sample: Sample,
        answer: ImportedLabel.Answer,
        isValidation: Bool = false,
        labeledAt: Int64? = nil
    ) {
        self.project = project
        self.origin = origin
        self.sample = sample
        self.answer = answer
        self.isValidation = isValidation
        self.labeledAt = labeledAt
    }

    /// Reads an event whose project and question are known.
    ///
    /// - Throws: `RecordRejection` if a member that affects decisions is missing or wrong.
    public init(_ object: JSONObject, project: ProjectID, question: Question) throws(RecordRejection) {
        var remarks = Remarks()
        let split: Split
        do throws(JSONError) {
            self.project = project
            let source = try object.id("source", TaskID.self).rawValue
            guard source.utf8.count <= ImportOrigin.longestSource else {
                throw object.failure("source", "expected 1 to \(ImportOrigin.longestSource) bytes")
            }
            origin = ImportOrigin(source: source, id: try object.id("id", TaskID.self).rawValue)
            sample = try Sample(object.required("sample"), &remarks)
            split = object.optional("split") == nil ? .training : try object.choice("split")
            guard split != .test else {
                throw object.failure(
                    "split",
                    "expected training or validation: test labels come from the audit sample alone"
                )
            }
            labeledAt = object.informativeMilliseconds("labeled_at_ms", &remarks)
        } catch {
            throw RecordRejection(error)
        }
        isValidation = split == .validation
        let label = try question.label(of: object, at: "label")
        let votes = try Self.votes(object, question, origin.source)
        switch (label, votes) {
        case (let label?, nil): answer = .label(label)
        case (nil, let votes?): answer = .votes(votes)
        case (nil, nil): throw RecordRejection(.schema, "label: expected a label or votes, found neither")
        default: throw RecordRejection(.schema, "votes: expected a label or votes, found both")
        }
        self.remarks = remarks
    }

    private static func votes(
        _ object: JSONObject,
        _ question: Question,
        _ source: String
    ) throws(RecordRejection) -> [Vote]? {
        var votes: [Vote] = []
        do throws(JSONError) {
            guard let array = try object.optionalArray("votes") else { return nil }
            guard (1...ImportedLabel.voteLimit).contains(array.count) else {
                throw object.failure("votes", "expected 1 to \(ImportedLabel.voteLimit), found \(array.count)")
            }
        } catch {
            throw RecordRejection(error)
        }
        let elements: [JSONObject]
        do throws(JSONError) {
            elements = try object.array("votes").decode { (element) throws(JSONError) in try element.object() }
        } catch {
            throw RecordRejection(error)
        }
        for element in elements {
            let name: String
            do throws(JSONError) {
                name = try element.id("annotator", AnnotatorID.self).rawValue
                guard name.utf8.count <= longestAnnotator else {
                    throw element.failure("annotator", "expected 1 to \(longestAnnotator) bytes")
                }
            } catch {
                throw RecordRejection(error)
            }
            guard case .answer(let answer)? = try question.answer(of: element, at: "answer") else {
                throw RecordRejection(.schema, "votes.answer: expected an answer, found none")
            }
            // The source is added, because names of another tool are not the ids of this project's annotators.
            let annotator = AnnotatorID("\(source)/\(name)")
            guard !votes.contains(where: { $0.annotator == annotator }) else {
                throw RecordRejection(.schema, "votes: annotator \"\(name.prefix(64))\" stands twice")
            }
            votes.append(Vote(annotator: annotator, answer: answer))
        }
        return votes
    }

    public func write(to writer: inout JSONWriter, question: Question) {
        writer.object { writer in
            writer.member("project", project)
            writer.member("source", origin.source)
            writer.member("id", origin.id)
            writer.member("sample", sample)
            switch answer {
            case .label(let label): writer.member("label", label, under: question)
            case .votes(let votes):
                writer.array("votes") { writer in
                    for vote in votes {
                        writer.object { writer in
                            let prefix = origin.source.utf8.count + 1
                            let name = String(decoding: vote.annotator.rawValue.utf8.dropFirst(prefix), as: UTF8.self)
                            writer.member("annotator", name)
                            writer.member("answer", vote.answer, under: question)
                        }
                    }
                }
            }
            if isValidation { writer.member("split", Split.validation.rawValue) }
            writer.member("labeled_at_ms", ifPresent: labeledAt)
        }
    }
}
