public import JSON

/// Why Intake refuses a record: a code for machines, a sentence for a person.
public struct Rejection: Error, Hashable, Sendable, CustomStringConvertible {
    /// The closed set of reasons. `docs/reference/reasons.md` lists each with its outcome.
    public enum Code: String, Hashable, Sendable, CaseIterable {
        case notJSON = "not_json"
        case truncated = "truncated_json"
        case invalidUTF8 = "invalid_utf8"
        case tooDeep = "too_deep"
        case tooLarge = "too_large"
        case empty = "empty_value"
        case schema = "schema"
        case unknownKind = "unknown_kind"
        case unknownProject = "unknown_project"
        case faultyProject = "faulty_project"
        case unknownClass = "unknown_class"
        case badProbabilities = "bad_probabilities"
        case badTime = "time_out_of_bounds"
        case badEnvelope = "bad_envelope"
        case unknownCommand = "unknown_command"
        case badToken = "bad_token"
        case missingToken = "missing_token"
        case entryBudget = "entry_budget"
        case wrongSpace = "wrong_space"
        case forbiddenArtifact = "forbidden_artifact"
        case poison = "poison"
    }

    public let code: Code
    public let text: String

    public init(_ code: Code, _ text: String) {
        self.code = code
        self.text = text
    }

    /// A refused text.
    public init(_ error: JSONError) {
        switch error.kind {
        case .truncated: self.init(.truncated, error.description)
        case .invalidUTF8: self.init(.invalidUTF8, error.description)
        case .tooDeep: self.init(.tooDeep, error.description)
        case .tooLarge: self.init(.tooLarge, error.description)
        case .syntax, .numberOutOfRange: self.init(.notJSON, error.description)
        case .missing, .wrongType, .invalidValue, .newerForm:
            let isKind = error.path == "kind" || error.path.hasSuffix(".kind")
            self.init(isKind && error.kind == .invalidValue ? .unknownKind : .schema, error.description)
        }
    }

    public var description: String { "\(code.rawValue): \(text)" }
}
