public import Forms

extension StreamPolicy: Formed {
    public static let standard: StreamPolicy? = StreamPolicy()

    public init<F: Fields<Self>>(fields f: inout F) throws(F.Failure) {
        let labels = 1_000_000
        strategy = try f("strategy", \.strategy, Choice(), doc: "The rule.")
        share = try f("share", \.share, .share, doc: "Share of candidates that may be asked for, in whole millionths.")
        burst = try f("burst", \.burst, Count(0...labels), absent: 0, doc: "Labels that may run ahead of the share.")
        savings = try f.optional("savings", \.savings, Count(1...labels), doc: "Labels that an unused share saves up.")
    }
}
