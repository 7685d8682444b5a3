internal import Forms
internal import Vocabulary

/// The probability of the likeliest class, or of any.
struct ClassBounds: Formed {
    let label: ClassIndex?
    let bounds: TriggerBounds

    init(_ label: ClassIndex?, _ bounds: TriggerBounds) {
        self.label = label
        self.bounds = bounds
    }

    init<F: Fields<Self>>(fields f: inout F) throws(F.Failure) {
        label = try f.optional("class", \.label, ClassPosition(), wire: "index", doc: "The class; any if left out.")
        bounds = try f.beside(\.bounds)
    }
}

/// The probability of a class.
struct NamedClassBounds: Formed {
    let label: ClassIndex
    let bounds: TriggerBounds

    init(_ label: ClassIndex, _ bounds: TriggerBounds) {
        self.label = label
        self.bounds = bounds
    }

    init<F: Fields<Self>>(fields f: inout F) throws(F.Failure) {
        label = try f("class", \.label, ClassPosition(), wire: "index", doc: "The class.")
        bounds = try f.beside(\.bounds)
    }
}
