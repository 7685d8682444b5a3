/// Parties that work with the topics: the roles of workers, and parties outside.
public enum Party: String, Hashable, Sendable, CaseIterable {
    case intake, loop, materializer, trainer
    /// Serves health, metrics and their index page; does not access Kafka.
    case console
    /// Sends predictions, and feedback of its users.
    case productService = "product-service"
    /// Shows tasks to annotators, and sends their answers.
    case labelTool = "label-tool"
    /// A trainer that replaces or complements the built-in one.
    case outsideTrainer = "outside-trainer"
    /// Reads inputs and decisions, with `explain`, `replay`, `dataset log` or other tools.
    case analyst
    /// Creates the topics, applies projects, sends commands, reads status and dead letters.
    case `operator`
    /// Redrives dead letters.
    case redrive
}

extension Topic {
    /// Parties that write records to it.
    public var writers: [Party] {
        switch self {
        case .predictions: [.productService, .operator, .redrive]
        case .feedback: [.productService, .redrive]
        case .annotations: [.labelTool, .redrive]
        case .trainingResults: [.trainer, .outsideTrainer, .redrive]
        case .commands, .imports: [.operator, .redrive]
        case .projects: [.operator]
        case .tallies: [.intake]
        case .journal: [.intake, .loop]
        case .state, .labelingTasks, .datasetLog, .trainingRequests, .modelReleases, .releaseLog, .notices:
            [.loop]
        case .datasetVersions: [.materializer, .redrive]
        case .deadLetters: [.intake, .loop, .redrive]
        }
    }

    /// Parties that read its records.
    public var readers: [Party] {
        switch self {
        case .predictions: [.intake, .analyst]
        case .feedback, .annotations, .commands, .imports: [.intake]
        // A party that reports a study first reads back the results that it has already reported, before it continues.
        case .trainingResults: [.intake, .trainer, .outsideTrainer]
        // The materializer seals versions and first reads back those that are already announced.
        case .datasetVersions: [.intake, .materializer, .analyst]
        case .projects: [.intake, .analyst, .operator]
        case .tallies, .journal: [.loop, .analyst]
        case .state: [.intake, .loop, .analyst, .operator]
        case .labelingTasks: [.labelTool, .analyst]
        case .datasetLog: [.materializer, .analyst]
        case .trainingRequests: [.trainer, .outsideTrainer, .analyst]
        case .modelReleases: [.productService, .analyst, .operator]
        case .releaseLog: [.analyst, .operator]
        case .notices: [.analyst]
        case .deadLetters: [.operator, .redrive]
        }
    }

    /// The topics that a party reads or writes, in the catalogue's order.
    public static func all(of party: Party) -> [Topic] {
        allCases.filter { $0.readers.contains(party) || $0.writers.contains(party) }
    }
}
