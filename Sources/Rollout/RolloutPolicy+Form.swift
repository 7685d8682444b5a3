public import Forms
internal import Vocabulary

extension RolloutPolicy: Formed {
    public static let standard: RolloutPolicy? = RolloutPolicy()

    public init<F: Fields<Self>>(fields f: inout F) throws(F.Failure) {
        let (count, rare) = (Count(1...1_000_000), Number(100...1e15))
        alpha = try f("alpha", \.alpha, Number(0.0001...0.5), doc: "What `bound` bounds.")
        let bounds: StaticString =
            "`share`: of a project's promotions, those without a better challenger; `any`: the chance of even one; `challenger`: that of one challenger alone."
        bound = try f("bound", \.bound, Choice(), implied: .challenger, doc: bounds)
        let shadow = Count(0...1_000_000)
        let live: StaticString =
            "Live predictions on audit samples that a challenger must have made before it is promoted."
        minimumShadow = try f("minimum_shadow", \.minimumShadow, shadow, absent: 10, doc: live)
        let (share, wait) = (Number(0...1), Span(0...Span.longest))
        let duel: StaticString = "Share of audit tasks that are asked where champion and challenger disagree."
        duels = try f("duels", \.duels, share, implied: 0, doc: duel)
        let early: StaticString = "Audit labels before which the newest model that leads serves without proof; 0: none."
        provisional = try f("provisional", \.provisional, shadow, implied: 0, doc: early)
        let spoken: StaticString = "How long an audit sample waits for the challenger's prediction before it is asked."
        shadowWait = try f("shadow_wait", \.shadowWait, wait, implied: 60_000, doc: spoken)
        let shadows: StaticString =
            "Share of samples that services run the challenger on: those whose draw of purpose `shadow` is below it."
        shadowShare = try f("shadow_share", \.shadowShare, share, implied: 1, doc: shadows)
        let blocks: StaticString =
            "Labels whose tasks opened within so long count as one, for traffic with days or weeks; 0: each by itself."
        block = try f("block", \.block, wait, implied: 0, doc: blocks)
        tolerance = try f(
            "tolerance",
            \.tolerance,
            Number(0...1),
            doc: "A rise of negative feedback that is tolerated."
        )
        calibration = try f("calibration", \.calibration, count, doc: "Voices that teach the first champion's rate.")
        let replaced: StaticString = "Without effect: `rollback_alpha` replaced it."
        falseAlarmEvery = try f("false_alarm_every", \.falseAlarmEvery, rare, doc: replaced)
        userCap = try f("user_cap", \.userCap, count, doc: "Without effect: a bucket has one voice in `user_window`.")
        let window: StaticString = "The time in which a bucket of users has one voice about a version."
        userWindow = try f("user_window", \.userWindow, Span(), doc: window)
        let needs: StaticString = "What the first trained model needs to go live where no incumbent is registered."
        first = try f("first", \.first, Nested(), implied: FirstModelPolicy(), doc: needs)
        let level: StaticString =
            "The chance that feedback ever rolls back a release that is rejected no more than tolerated."
        // If the key is absent, feedback is judged as before the key was introduced.
        rollbackAlpha = try f("rollback_alpha", \.rollbackAlpha, Number(0.0001...0.5), implied: 0, doc: level)
        let users: StaticString = "Buckets that users fall into by hash, each with one voice in `user_window`."
        userBuckets = try f("user_buckets", \.userBuckets, Count(1...65_536), implied: 4_096, doc: users)
        let tasks: StaticString = "Audit tasks that are asked before others while few users are behind an alarm."
        verification = try f("verification", \.verification, Count(0...1_000), implied: 40, doc: tasks)
        let bake: StaticString = "How long a version must have been live before `releases freeze` returns to it."
        bakeBeforeTrust = try f("bake_before_trust", \.bakeBeforeTrust, Span(), implied: 86_400_000, doc: bake)
        let many = ListOf(Nested<RolloutStep>(), 1...RolloutStep.limit, of: "steps")
        let way: StaticString =
            "What a promoted model passes on its way to all users; without it a promoted model serves all at once."
        steps = try f("steps", \.steps, many, implied: [.atOnce], doc: way)
        let held: StaticString = "Share of the users that the former champion goes on serving, to compare with."
        holdback = try f("holdback", \.holdback, Number(0...0.5), implied: 0, doc: held)
        let back: StaticString =
            "How long after it served a command returns to a former champion at once; later it passes the steps."
        rollbackWindow = try f("rollback_window", \.rollbackWindow, wait, implied: 14 * 86_400_000, doc: back)
        let whole: StaticString = "What is assigned to canary, hold-back or champion by its draw: `user` or `sample`."
        unit = try f("unit", \.unit, Choice(), implied: .user, doc: whole)
        let newest: StaticString = "Newest audit labels that test: two models are compared on them."
        self.window = try f("window", \.window, Count(1...100_000), implied: 500, doc: newest)
        let much: StaticString =
            "Feedback that enters the journal in an hour: of more, users are drawn, and all feedback of those drawn goes on."
        feedbackPerHour = try f(
            "feedback_per_hour",
            \.feedbackPerHour,
            Count(1...1_000_000_000),
            implied: 10_000,
            doc: much
        )
        let moves: StaticString =
            "Whether audit labels that are neither among the first 100 nor in `window` train from the next dataset version on; in `datasets.format` 2."
        move = try f("move", \.move, Flag(), implied: false, doc: moves)
        let trainers: StaticString =
            "Whether trainers predict audit samples for the challenger, by requests of kind `predict`, where services cannot shadow."
        predict = try f("predict", \.predict, Flag(), implied: false, doc: trainers)
        try f.require("steps", RolloutStep.fault(steps))
        try f.require("shadow_wait", predictFault)
    }
}

extension FirstModelPolicy: Formed {
    public static let standard: FirstModelPolicy? = FirstModelPolicy()

    public init<F: Fields<Self>>(fields f: inout F) throws(F.Failure) {
        let count = Count(0...1_000_000)
        let training: StaticString = "Training labels in its dataset version."
        trainingLabels = try f("training_labels", \.trainingLabels, count, implied: 0, doc: training)
        let test: StaticString = "Test labels in its dataset version that its trainer used."
        testLabels = try f("test_labels", \.testLabels, count, implied: 0, doc: test)
        score = try f(
            "score",
            \.score,
            Number(0...1),
            implied: 0,
            doc: "The least mean score over the study's repeats."
        )
    }
}
