public import Forms

extension ScorePart: Formed {
    @inlinable public init<F: Fields<Self>>(fields f: inout F) throws(F.Failure) {
        name = try f("part", \.name, Choice())
        value = try f("value", \.value, Number.any)
        weight = try f("weight", \.weight, Number.any)
    }
}
