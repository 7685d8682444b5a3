/// The kinds of answers that projects request. A project is of one kind, permanently. The raw values are in files, on
/// the wire and in the state.
///
/// The values of a kind are held by one case of each of the four enumerations below; their meaning is defined in
/// `Kinds`. Code that handles any kind passes these values on and calls `Kinds` for their meaning. An enumeration of
/// one case needs no memory of its own.
public enum KindName: String, Hashable, Sendable, CaseIterable {
    /// Exactly one class.
    case choice
}

/// The question put to annotators, and the answers it allows.
public enum Question: Hashable, Sendable {
    case choice(LabelSchema)
}

/// Output of a model for a sample.
public enum Output: Hashable, Sendable {
    case choice(ClassDistribution)
}

/// Answer of one person about a sample. It need not be a label: it may support several.
public enum Answer: Hashable, Sendable {
    case choice(ClassIndex)
}

/// Label that results from answers, and that a dataset line assigns to its sample.
public enum Label: Hashable, Sendable {
    case choice(ClassIndex)
}
