internal import Acquisition
internal import Datasets
public import Forms
internal import Kinds
internal import Labeling
internal import Rollout
internal import Strategies
internal import Training
internal import Vocabulary

extension ProjectConfiguration: Formed {
    public init<F: Fields<Self>>(fields f: inout F) throws(F.Failure) {
        let tokens: StaticString =
            "Whether answers and training results must repeat the token of their task or request. Without the key, it is `true` in a project's first revision, and in a later one as in the revision before."
        let first: StaticString =
            "Number of classes that the project began with, written at the first apply; absent if no build has recorded it."
        let (revisions, partitions) = (Count(1...Int.max), Integer<Int32>(0...99_999))
        self.init(
            project: try f("project", \.project, .project, doc: "The project's name."),
            revision: try f.hidden(
                "revision",
                \.revision,
                revisions,
                inFile: 1,
                doc: "Number of the revision, from 1; the highest revision is in force."
            ),
            partition: try f.hidden(
                "partition",
                \.partition,
                partitions,
                inFile: 0,
                doc: "Partition of the project, assigned at the first apply."
            ),
            question: try f.flattened(\.question, wire: "label_schema"),
            acquisition: try f(
                "acquisition",
                \.acquisition,
                Nested(),
                doc: "Which samples are queried, how many, and how fast."
            ),
            labeling: try f(
                "labeling",
                \.labeling,
                Nested(),
                doc: "How many annotators answer a task, and when their answers are sufficient."
            ),
            datasets: try f("datasets", \.datasets, Nested(), doc: "When a dataset version is cut."),
            training: try f("training", \.training, Nested(), doc: "When models are trained, and what a study tries."),
            rollout: try f(
                "rollout",
                \.rollout,
                Nested(),
                doc: "When a model replaces another, and when it is rolled back."
            ),
            embedding: try f.optional("embedding", \.embedding, Nested(), doc: "The space of the samples' embeddings."),
            requireTokens: try f.optional("require_tokens", \.requireTokens, Flag(), doc: tokens),
            initialClasses: Self.nilIfZero(
                try f.hidden(
                    "initial_classes",
                    { $0.initialClasses ?? 0 },
                    Count(0...10_000),
                    implied: 0,
                    inFile: 0,
                    doc: first
                )
            )
        )
        try f.require("acquisition.triggers", triggerComplaint)
        try f.require("acquisition", choiceComplaint)
        try f.require("acquisition", onlyInFiles: true, budgetComplaint)
    }

    private static func nilIfZero(_ classes: Int) -> Int? { classes == 0 ? nil : classes }

    /// Complaint about the first trigger that names a missing class; nil if there is none.
    private var triggerComplaint: String? {
        for trigger in acquisition.triggers {
            if let complaint = trigger.complaint(classes: question.extent) { return complaint }
        }
        return nil
    }

    /// Complaint about a key that only projects of kind `choice` may have.
    private var choiceComplaint: String? {
        guard question.schema == nil, let key = acquisition.choiceKey else { return nil }
        return "\(key) compares classes, which kind \(question.kind.rawValue) does not choose among: leave it out"
    }

    /// Complaint about a budget that holds no task, though none of its parts is 0.
    private var budgetComplaint: String? {
        let most = acquisition.budget.mostTasks(votes: labeling.maximumVotes, cost: acquisition.voteCost)
        guard most == 0, acquisition.votes > 0, acquisition.time != 0, acquisition.money != 0 else { return nil }
        return
            "the budget (votes_per_window \(acquisition.votes), and time and money if given, with what carry_windows adds) must hold one task of labeling.maximum_votes (\(labeling.maximumVotes)) at vote_cost"
    }
}
