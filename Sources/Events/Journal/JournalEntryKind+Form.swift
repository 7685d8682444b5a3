public import Flywheel
internal import Vocabulary

extension JournalEntry.Kind {
    /// The latest version of the kind's form that this build knows, at least 1. An entry of a later version is refused,
    /// never interpreted by guesswork.
    ///
    /// A new kind begins at 2: build 0.1.0 stops at a version that it does not know, but writes a dead letter for a
    /// kind that it does not know and continues without the entry.
    public var formVersion: Int {
        switch self {
        case .command: 6
        case .importedLabel, .predicted: 2
        case .configured, .candidate, .feedback, .annotation, .trainingResult, .versionSealed, .tally, .tick, .engine: 1
        }
    }
}

extension JournalEntry.Body {
    /// The version of the form in which an entry is written, as `v`: the earliest version that can express it, so that
    /// earlier builds apply every entry that they can read.
    public var formVersion: Int {
        guard case .command(let command) = self else { return kind.formVersion }
        return switch command.action {
        case .rollBack, .hold, .releaseHold, .resume: 1
        case .register: 2
        case .revise, .retract, .move: 3
        case .freeze, .unfreeze: 4
        case .approve: 5
        case .suppress: 6
        }
    }
}
