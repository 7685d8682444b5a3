public import Forms

extension RolloutPolicy: Formed {
    public static let standard: RolloutPolicy? = RolloutPolicy()

    public init<F: Fields<Self>>(fields f: inout F) throws(F.Failure) {
        let (count, rare) = (Count(1...1_000_000), Number(100...1e15))
        alpha = try f("alpha", \.alpha, Number(0.0001...0.5), "The chance to promote a challenger that is no better.")
        let shadow = Count(0...1_000_000)
        let live: StaticString =
            "Live predictions on audit samples that a challenger must have made before it is promoted."
        minimumShadow = try f("minimum_shadow", \.minimumShadow, shadow, absent: 10, live)
        tolerance = try f("tolerance", \.tolerance, Number(0...1), "A rise of negative feedback that is tolerated.")
        calibration = try f("calibration", \.calibration, count, "Feedback that teaches the first champion's rate.")
        falseAlarmEvery = try f("false_alarm_every", \.falseAlarmEvery, rare, "Feedback between two false roll-backs.")
        userCap = try f("user_cap", \.userCap, count, "Feedback of one bucket of users that counts in `user_window`.")
        userWindow = try f("user_window", \.userWindow, Span(), "The window of `user_cap`.")
        let needs: StaticString = "What the first trained model needs to go live where no incumbent is registered."
        first = try f("first", \.first, Nested(), implied: FirstModelPolicy(), needs)
        let bake: StaticString = "How long a version must have been live before `releases freeze` returns to it."
        bakeBeforeTrust = try f("bake_before_trust", \.bakeBeforeTrust, Span(), implied: 86_400_000, bake)
    }
}

extension FirstModelPolicy: Formed {
    public static let standard: FirstModelPolicy? = FirstModelPolicy()

    public init<F: Fields<Self>>(fields f: inout F) throws(F.Failure) {
        let count = Count(0...1_000_000)
        let training: StaticString = "Training labels in its dataset version."
        trainingLabels = try f("training_labels", \.trainingLabels, count, implied: 0, training)
        let test: StaticString = "Test labels in its dataset version that its trainer used."
        testLabels = try f("test_labels", \.testLabels, count, implied: 0, test)
        score = try f("score", \.score, Number(0...1), implied: 0, "The least mean score over the study's repeats.")
    }
}
