internal import JSON
internal import Kinds
internal import Vocabulary

// The types that write and read the values of a kind. Only this file and `Kinds/Dispatch.swift` contain a switch over
// kinds.

/// An operation on the codec of a kind.
protocol CodecVisitor {
    associatedtype VisitResult
    associatedtype Failure: Error = Never
    mutating func visit<K: KindCodec>(_ kind: K.Type) throws(Failure) -> VisitResult
}

extension KindName {
    /// Applies a visitor to the codec of the kind: in place, without a box around the type.
    @inline(__always)
    func dispatch<V: CodecVisitor>(codec visitor: inout V) throws(V.Failure) -> V.VisitResult {
        switch self {
        case .choice: try visitor.visit(ChoiceKind.self)
        }
    }

    /// Whether values of the kind are written inside without their kind. True only for `choice`, which is older than
    /// kinds.
    var isUntagged: Bool { self == .choice }

    /// The kind of a value in the journal, in the state or on the dataset log, which states it unless it is `choice`.
    ///
    /// - Throws: `.newerForm` for a kind that this build does not know.
    @inline(__always)
    init(ofInternal json: JSONValue) throws(JSONError) {
        guard let object = json.objectView, let kind = object.optional("kind") else {
            self = .choice
            return
        }
        try self.init(known: kind)
    }

    /// The kind that a record written by Flywheel states.
    ///
    /// - Throws: `.newerForm` for a kind that this build does not know.
    init(of object: JSONObject) throws(JSONError) {
        try self.init(known: try object.required("kind"))
    }

    /// The kind of a name.
    ///
    /// - Throws: `.newerForm` of one that this build does not know.
    init(known json: JSONValue) throws(JSONError) {
        let name = try json.string()
        guard let kind = KindName(rawValue: name) else {
            throw JSONError(
                .newerForm,
                path: json.failure("").path,
                reason:
                    "kind \"\(name.prefix(64))\" of answers is not known, a newer build wrote it; upgrade this worker"
            )
        }
        self = kind
    }
}
