public import Flywheel

extension JournalEntry.Kind {
    /// The version of the kind's form, written as `v`: at least 1. An entry of a later version is refused, never guessed at.
    ///
    /// A kind that is added begins at 2: build 0.1.0 stops at a version that it does not know, but makes a dead letter of a
    /// kind that it does not know and goes on without the entry.
    public var formVersion: Int {
        switch self {
        case .configured, .candidate, .feedback, .annotation, .trainingResult, .versionSealed, .command, .tally, .tick,
            .engine:
            1
        }
    }
}
