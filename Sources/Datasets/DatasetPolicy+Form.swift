public import Forms

extension DatasetPolicy: Formed {
    public static let standard: DatasetPolicy? = DatasetPolicy()

    public init<F: Fields<Self>>(fields f: inout F) throws(F.Failure) {
        cutEvery = try f("cut_every", \.cutEvery, Count(1...1_000_000), "New training labels that make a version.")
        cutAfter = try f("cut_after", \.cutAfter, Span(), "The longest that a new label waits for a version.")
    }
}
