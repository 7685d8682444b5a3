internal import Acquisition
public import Configuration
internal import Datasets
internal import Events
public import Flywheel
internal import Labeling
internal import Rollout
internal import Training
internal import Vocabulary

/// A project's file in YAML. All but `project`, `question` and `classes` have defaults; `docs/examples/project.yaml` shows them.
public enum ProjectFile {
    /// Reads a whole file.
    ///
    /// - Parameters:
    ///   - bytes: The text in UTF-8, at most 1 MB.
    ///   - file: The file's name, for messages.
    /// - Returns: The configuration, as revision 1 of partition 0.
    /// - Throws: `ConfigurationError` with all that is wrong, in the order of lines.
    public static func read(_ bytes: [UInt8], file: String) throws(ConfigurationError) -> ProjectConfiguration {
        let reader = try ConfigurationReader(yaml: bytes, file: file)
        let name = reader.requiredString("project")
        if ProjectID(checking: name) == nil, reader.contains("project") {
            reader.report(
                "project",
                "expected 1 to 64 of a-z, 0-9, '.', '_' and '-', a letter or digit first, found \"\(name)\""
            )
        }
        let schema = schema(reader)
        let acquisition = acquisition(reader.section("acquisition"), schema)
        let labeling = labeling(reader.section("labeling"))
        let most = acquisition.budget.mostTasks(votes: labeling.maximumVotes, cost: acquisition.voteCost)
        if most == 0, acquisition.votes > 0, acquisition.time != 0, acquisition.money != 0 {
            reader.report(
                "acquisition",
                "the budget (votes_per_window \(acquisition.votes), and time and money if given, with what carry_windows adds) must hold one task of labeling.maximum_votes (\(labeling.maximumVotes)) at vote_cost"
            )
        }
        let configuration = ProjectConfiguration(
            project: ProjectID(name),
            revision: 1,
            partition: 0,
            schema: schema,
            acquisition: acquisition,
            labeling: labeling,
            datasets: datasets(reader.section("datasets")),
            training: training(reader.section("training")),
            rollout: rollout(reader.section("rollout"))
        )
        try reader.finish()
        return configuration
    }

    private static func schema(_ reader: ConfigurationReader) -> LabelSchema {
        let question = reader.requiredString("question")
        if question.utf8.count > LabelSchema.longestQuestion {
            reader.report("question", "expected at most \(LabelSchema.longestQuestion) bytes")
        }
        let classes = reader.strings("classes")
        let isValid =
            (2...10_000).contains(classes.count) && Set(classes).count == classes.count
            && classes.allSatisfy { (1...LabelSchema.longestName).contains($0.utf8.count) }
        if !isValid {
            reader.report(
                "classes",
                "expected 2 to 10,000 distinct names of 1 to \(LabelSchema.longestName) bytes, found \(classes.count)"
            )
        }
        return LabelSchema(question: question, classes: classes)
    }

    static func milliseconds(_ duration: Duration) -> Int64 {
        let (seconds, attoseconds) = duration.components
        return seconds * 1_000 + attoseconds / 1_000_000_000_000_000
    }

    static func span(_ reader: ConfigurationReader, _ key: String, _ fallback: Int64) -> Int64 {
        milliseconds(
            reader.duration(
                key,
                default: .milliseconds(fallback),
                in: .milliseconds(1) ... .milliseconds(ProjectConfiguration.longestSpan)
            )
        )
    }

    private static func acquisition(_ reader: ConfigurationReader, _ schema: LabelSchema) -> AcquisitionPolicy {
        var policy = AcquisitionPolicy()
        policy.function = reader.choice("strategy", default: policy.function)
        policy.isDiverse = reader.bool("diverse", default: policy.isDiverse)
        policy.batchSize = reader.int("batch_size", default: policy.batchSize, in: 1...10_000)
        policy.preselection = reader.int("preselection", default: policy.preselection, in: 1...1_000)
        policy.poolCapacity = reader.int("pool_capacity", default: policy.poolCapacity, in: policy.batchSize...100_000)
        policy.openTaskLimit = reader.int(
            "open_task_limit",
            default: policy.openTaskLimit,
            in: policy.batchSize...1_000_000
        )
        policy.explorationShare = reader.double("exploration_share", default: policy.explorationShare, in: 0...1)
        policy.auditShare = reader.double("audit_share", default: policy.auditShare, in: 0...0.9)
        policy.auditCutoff = reader.double("audit_cutoff", default: policy.auditCutoff, in: 0...1)
        policy.votes = reader.int("votes_per_window", default: policy.votes, in: 0...1_000_000_000)
        policy.window = span(reader, "window", policy.window)
        policy.oversample = reader.double("oversample", default: policy.oversample, in: 1...100_000)
        policy.patience = span(reader, "patience", policy.patience)
        policy.temperature = reader.double("temperature", default: policy.temperature, in: 0.01...100)
        policy.batch = batch(reader.section("batch"), schema)
        readBudget(reader, into: &policy)
        readTriggers(reader, schema, into: &policy)
        return policy
    }

    private static func labeling(_ reader: ConfigurationReader) -> LabelingPolicy {
        var policy = LabelingPolicy()
        policy.minimumVotes = reader.int("minimum_votes", default: policy.minimumVotes, in: 1...100)
        policy.maximumVotes = reader.int(
            "maximum_votes",
            default: max(policy.maximumVotes, policy.minimumVotes),
            in: policy.minimumVotes...100
        )
        policy.confidence = reader.double("confidence", default: policy.confidence, in: 0.5...1)
        policy.lifetime = span(reader, "lifetime", policy.lifetime)
        policy.maximumSkips = reader.int("maximum_skips", default: policy.maximumSkips, in: 1...100)
        let longest = Duration.milliseconds(ProjectConfiguration.longestSpan)
        policy.ageingEvery = reader.optionalDuration("ageing_every", in: .milliseconds(1)...longest)
            .map { milliseconds($0) }
        policy.ageingBy = reader.double("ageing_by", default: policy.ageingBy, in: 0.01...1)
        return policy
    }

    private static func datasets(_ reader: ConfigurationReader) -> DatasetPolicy {
        var policy = DatasetPolicy()
        policy.cutEvery = reader.int("cut_every", default: policy.cutEvery, in: 1...1_000_000)
        policy.cutAfter = span(reader, "cut_after", policy.cutAfter)
        return policy
    }

    private static func training(_ reader: ConfigurationReader) -> TrainingPolicy {
        var policy = TrainingPolicy()
        policy.newLabels = reader.int("new_labels", default: policy.newLabels, in: 1...1_000_000)
        let trials = reader.sections("trials").map { trial in
            Recipe(
                inverseRegularization: trial.double("inverse_regularization", default: 1, in: 1e-9...1e9),
                warmStart: trial.bool("warm_start", default: true)
            )
        }
        if !trials.isEmpty { policy.trials = trials }
        policy.repeats = reader.int("repeats", default: policy.repeats, in: 1...1_000)
        if policy.trials.count * policy.repeats > TrainingPolicy.largestStudy {
            reader.report("trials", "expected at most \(TrainingPolicy.largestStudy) repeats of all trials together")
        }
        policy.deadline = span(reader, "deadline", policy.deadline)
        return policy
    }

    private static func rollout(_ reader: ConfigurationReader) -> RolloutPolicy {
        var policy = RolloutPolicy()
        policy.alpha = reader.double("alpha", default: policy.alpha, in: 0.0001...0.5)
        policy.minimumShadow = reader.int("minimum_shadow", default: policy.minimumShadow, in: 0...1_000_000)
        policy.tolerance = reader.double("tolerance", default: policy.tolerance, in: 0...1)
        policy.calibration = reader.int("calibration", default: policy.calibration, in: 1...1_000_000)
        policy.falseAlarmEvery = reader.double("false_alarm_every", default: policy.falseAlarmEvery, in: 100...1e15)
        policy.userCap = reader.int("user_cap", default: policy.userCap, in: 1...1_000_000)
        policy.userWindow = span(reader, "user_window", policy.userWindow)
        return policy
    }
}
