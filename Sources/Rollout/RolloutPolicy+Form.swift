public import Forms
internal import Vocabulary

extension RolloutPolicy: Formed {
    public static let standard: RolloutPolicy? = RolloutPolicy()

    public init<F: Fields<Self>>(fields f: inout F) throws(F.Failure) {
        let (count, rare) = (Count(1...1_000_000), Number(100...1e15))
        alpha = try f("alpha", \.alpha, Number(0.0001...0.5), doc: "Upper bound on the quantity that `bound` names.")
        let boundDoc: StaticString =
            "Quantity that `alpha` bounds. `share`: the share of a project's promotions without a better challenger; `any`: the probability of even one such promotion; `challenger`: the probability that one given challenger that is no better is promoted."
        bound = try f("bound", \.bound, Choice(), implied: .challenger, doc: boundDoc)
        let shadow = Count(0...1_000_000)
        let shadowDoc: StaticString =
            "Number of live predictions on audit samples that a challenger must have made before it is promoted."
        minimumShadow = try f("minimum_shadow", \.minimumShadow, shadow, absent: 10, doc: shadowDoc)
        let (share, wait) = (Number(0...1), Span(0...Span.longest))
        let duelsDoc: StaticString =
            "Share of the audit tasks that are queried because champion and challenger disagree."
        duels = try f("duels", \.duels, share, implied: 0, doc: duelsDoc)
        let provisionalDoc: StaticString =
            "Number of audit labels below which the newest model that leads serves without proof, in a project without a registered incumbent; 0: no model ever does."
        provisional = try f("provisional", \.provisional, shadow, implied: 0, doc: provisionalDoc)
        let waitDoc: StaticString =
            "How long an audit sample waits for the challenger's prediction before it is queried."
        shadowWait = try f("shadow_wait", \.shadowWait, wait, implied: 60_000, doc: waitDoc)
        let shareDoc: StaticString =
            "Share of the samples that services run the challenger on: the samples whose draw of purpose `shadow` is below this share."
        shadowShare = try f("shadow_share", \.shadowShare, share, implied: 1, doc: shareDoc)
        let blockDoc: StaticString =
            "Length of a block of time: labels whose tasks opened in the same block count as one label. Use it if the traffic changes with the day or the week. 0: each label counts by itself."
        block = try f("block", \.block, wait, implied: 0, doc: blockDoc)
        tolerance = try f(
            "tolerance",
            \.tolerance,
            Number(0...1),
            doc: "Rise of the share of negative feedback that is tolerated."
        )
        calibration = try f(
            "calibration",
            \.calibration,
            count,
            doc: "Number of voices from which the rate of negative feedback of the first champion is learnt."
        )
        let replacedDoc: StaticString = "No effect: `rollback_alpha` has replaced it."
        falseAlarmEvery = try f("false_alarm_every", \.falseAlarmEvery, rare, doc: replacedDoc)
        userCap = try f("user_cap", \.userCap, count, doc: "No effect: a bucket has one voice in `user_window`.")
        let window: StaticString = "Time in which a bucket of users has one voice about a version."
        userWindow = try f("user_window", \.userWindow, Span(), doc: window)
        let firstDoc: StaticString =
            "Requirements for the first trained model to go live if no incumbent is registered."
        first = try f("first", \.first, Nested(), implied: FirstModelPolicy(), doc: firstDoc)
        let alphaDoc: StaticString =
            "Maximum probability that feedback ever rolls back a release that users reject no more than is tolerated."
        // If the key is absent, feedback is judged as before the key was introduced.
        rollbackAlpha = try f("rollback_alpha", \.rollbackAlpha, Number(0.0001...0.5), implied: 0, doc: alphaDoc)
        let bucketsDoc: StaticString =
            "Number of buckets that users are hashed into; each bucket has one voice in `user_window`."
        userBuckets = try f("user_buckets", \.userBuckets, Count(1...65_536), implied: 4_096, doc: bucketsDoc)
        let verificationDoc: StaticString =
            "Maximum number of audit tasks that are queried before others while a version is under suspicion: few buckets of users have caused an alarm."
        verification = try f("verification", \.verification, Count(0...1_000), implied: 40, doc: verificationDoc)
        let bakeDoc: StaticString = "How long a version must have been live before `releases freeze` returns to it."
        bakeBeforeTrust = try f("bake_before_trust", \.bakeBeforeTrust, Span(), implied: 86_400_000, doc: bakeDoc)
        let stepList = ListOf(Nested<RolloutStep>(), 1...RolloutStep.limit, of: "steps")
        let stepsDoc: StaticString =
            "Steps that a promoted model completes before it serves all users; without the key it serves all users at once."
        steps = try f("steps", \.steps, stepList, implied: [.atOnce], doc: stepsDoc)
        let holdbackDoc: StaticString =
            "Share of the users that the former champion continues to serve, for comparison."
        holdback = try f("holdback", \.holdback, Number(0...0.5), implied: 0, doc: holdbackDoc)
        let returnDoc: StaticString =
            "Time after a former champion last served, within which a command returns to it at once; later it has to complete the steps."
        rollbackWindow = try f("rollback_window", \.rollbackWindow, wait, implied: 14 * 86_400_000, doc: returnDoc)
        let unitDoc: StaticString =
            "Unit that is assigned as a whole, by its draw, to canary, hold-back or champion: `user` or `sample`."
        unit = try f("unit", \.unit, Choice(), implied: .user, doc: unitDoc)
        let windowDoc: StaticString = "Number of the newest audit labels on which two models are compared."
        self.window = try f("window", \.window, Count(1...100_000), implied: 500, doc: windowDoc)
        let feedbackDoc: StaticString =
            "Maximum number of the project's feedback events that enter the journal in an hour. If there are more, users are selected by hash, and all feedback of the selected users is forwarded."
        feedbackPerHour = try f(
            "feedback_per_hour",
            \.feedbackPerHour,
            Count(1...1_000_000_000),
            implied: 10_000,
            doc: feedbackDoc
        )
        let moveDoc: StaticString =
            "Whether audit labels that are neither among the first 100 nor in `window` move to training with the next dataset version; effective with `datasets.format` 2 only."
        move = try f("move", \.move, Flag(), implied: false, doc: moveDoc)
        let predictDoc: StaticString =
            "Whether trainers predict audit samples for the challenger, on requests of kind `predict`; for projects whose services cannot run the challenger."
        predict = try f("predict", \.predict, Flag(), implied: false, doc: predictDoc)
        try f.require("steps", RolloutStep.fault(steps))
        try f.require("shadow_wait", predictFault)
    }
}

extension FirstModelPolicy: Formed {
    public static let standard: FirstModelPolicy? = FirstModelPolicy()

    public init<F: Fields<Self>>(fields f: inout F) throws(F.Failure) {
        let count = Count(0...1_000_000)
        let training: StaticString = "Minimum number of training labels in the model's dataset version."
        trainingLabels = try f("training_labels", \.trainingLabels, count, implied: 0, doc: training)
        let test: StaticString = "Minimum number of test labels in the model's dataset version that its trainer used."
        testLabels = try f("test_labels", \.testLabels, count, implied: 0, doc: test)
        score = try f(
            "score",
            \.score,
            Number(0...1),
            implied: 0,
            doc: "Minimum mean score over the study's repeats."
        )
    }
}
