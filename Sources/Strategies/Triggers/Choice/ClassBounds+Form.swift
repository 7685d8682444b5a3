internal import Forms
internal import Vocabulary

/// Bounds on the probability of the likeliest class, and the class that it must be; nil: any class.
struct ClassBounds: Formed {
    let label: ClassIndex?
    let bounds: TriggerBounds

    init(_ label: ClassIndex?, _ bounds: TriggerBounds) {
        self.label = label
        self.bounds = bounds
    }

    init<F: Fields<Self>>(fields f: inout F) throws(F.Failure) {
        label = try f.optional(
            "class",
            \.label,
            ClassPosition(),
            wire: "index",
            doc: "Class that must be the likeliest; without the key, any class."
        )
        bounds = try f.flattened(\.bounds)
    }
}

/// Bounds on the probability of a class.
struct NamedClassBounds: Formed {
    let label: ClassIndex
    let bounds: TriggerBounds

    init(_ label: ClassIndex, _ bounds: TriggerBounds) {
        self.label = label
        self.bounds = bounds
    }

    init<F: Fields<Self>>(fields f: inout F) throws(F.Failure) {
        label = try f("class", \.label, ClassPosition(), wire: "index", doc: "Class whose probability is meant.")
        bounds = try f.flattened(\.bounds)
    }
}
