public import Vocabulary

// Which kind a value is of, and which type has the kind's rules. Nowhere but here, and among the codecs in
// `Events/Kinds/Codecs.swift`, is there a switch over kinds: a kind that is added adds a line to each.

/// Operation that is applied to the rules of a kind.
public protocol KindVisitor {
    associatedtype VisitResult
    associatedtype Failure: Error = Never
    mutating func visit<K: Kind>(_ kind: K.Type) throws(Failure) -> VisitResult
}

extension KindName {
    /// Calls a visitor with the rules of the kind: in place, without boxing the type.
    @inline(__always)
    public func dispatch<V: KindVisitor>(_ visitor: inout V) throws(V.Failure) -> V.VisitResult {
        switch self {
        case .choice: try visitor.visit(ChoiceKind.self)
        }
    }
}

extension Question {
    /// The kind of the question.
    public var kind: KindName {
        switch self {
        case .choice: .choice
        }
    }
}

extension Output {
    /// The kind of the output.
    public var kind: KindName {
        switch self {
        case .choice: .choice
        }
    }
}

extension Answer {
    /// The kind of the answer.
    public var kind: KindName {
        switch self {
        case .choice: .choice
        }
    }
}

extension Label {
    /// The kind of the label.
    public var kind: KindName {
        switch self {
        case .choice: .choice
        }
    }
}
