public import Forms

extension Hyperparameters: Formed {
    public static let standard: Hyperparameters? = Hyperparameters()

    public init<F: Fields<Self>>(fields f: inout F) throws(F.Failure) {
        let inverse = Number(1e-9...1e9)
        inverseRegularization = try f(
            "inverse_regularization",
            \.inverseRegularization,
            inverse,
            doc: "Inverse of the strength of the L2 penalty."
        )
        warmStart = try f(
            "warm_start",
            \.warmStart,
            Flag(),
            doc: "Whether training starts from the weights of the parent model."
        )
    }
}
