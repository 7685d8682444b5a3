public import JSON

/// The reason why Intake refuses a record: a code for machines, and a sentence for people.
public struct RecordRejection: Error, Hashable, Sendable, CustomStringConvertible {
    /// The closed set of reasons. `docs/reference/reasons.md` lists each with its outcome. `badTime` occurs only in
    /// dead letters of builds before 0.5.0: now an invalid time is left out, and the record is accepted.
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

    /// The rejection of a text that is not valid JSON.
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

    /// The rejection of a text that is not valid JSON, with the name of its framing if the first bytes identify one.
    public init(_ error: JSONError, of value: UnsafeRawBufferPointer) {
        guard [.syntax, .truncated, .invalidUTF8].contains(error.kind),
            let framing = ForeignFraming.description(of: value)
        else {
            self.init(error)
            return
        }
        self.init(.notJSON, framing)
    }

    public var description: String { "\(code.rawValue): \(text)" }
}

/// Recognizes values whose first bytes belong to a framing other than plain JSON.
enum ForeignFraming {
    private static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]

    /// Describes the framing and its remedy; nil for an unknown framing.
    static func description(of value: UnsafeRawBufferPointer) -> String? {
        if value.starts(with: byteOrderMark) {
            return
                "the value begins with a byte order mark (EF BB BF), which is no JSON: encode as UTF-8 without one (in Python utf-8, not utf-8-sig)"
        }
        if value.starts(with: [0xFF, 0xFE]) || value.starts(with: [0xFE, 0xFF]) {
            return "the value is UTF-16, by its byte order mark: encode as UTF-8"
        }
        if value.starts(with: [0x1F, 0x8B]) {
            return
                "the value is compressed by gzip: send it as it is, and let the producer compress batches (compression.type)"
        }
        // The framing is a byte 0, the schema's number in four big-endian bytes, and the value.
        guard value.count > 5, value[0] == 0 else { return nil }
        let schema = UInt32(bigEndian: value.loadUnaligned(fromByteOffset: 1, as: UInt32.self))
        let isJSON = value[5...].first { ![0x20, 0x09, 0x0A, 0x0D].contains($0) } == UInt8(ascii: "{")
        let advice =
            isJSON
            ? "leave out these five bytes: use a plain JSON serializer in place of the registry's"
            : "what follows them is Avro or Protobuf: send JSON, by a plain serializer"
        return
            "the value is in the frame of a Confluent schema registry (byte 0, then schema id \(schema) in four bytes), which Flywheel does not read; \(advice)"
    }
}
