public import Forms
internal import Statistics
internal import Vocabulary

extension VoiceWatch: Formed {
    public init<F: Fields<Self>>(fields f: inout F) throws(F.Failure) {
        serial = try f("serial", \.serial, Integer<Int32>(0...Int32.max))
        arm = try f("arm", \.arm, Count(0...RolloutState.servingArms - 1), implied: 0)
        negative = try f("negative", \.negative, Count.counted)
        total = try f("total", \.total, Count.counted)
        tolerated = try f.optional("tolerated", \.tolerated, Number(0...1))
        judged = try f("judged", \.judged, Count.counted, implied: 0)
        kept = try f("kept", \.kept, Count(0...RolloutState.voiceCapacity), implied: 0)
        let value = Number(0...RisingRate.maximumEvidence)
        evidence = RisingRate.Evidence(
            slight: try f("slight", \.evidence.slight, value, implied: 0),
            clear: try f("clear", \.evidence.clear, value, implied: 0),
            gross: try f("gross", \.evidence.gross, value, implied: 0)
        )
        suspicions = try f("suspicions", \.suspicions, Count.counted, implied: 0)
        compared = try f.optional("compared", \.compared, Nested())
    }
}

extension Voice: Formed {
    public init<F: Fields<Self>>(fields f: inout F) throws(F.Failure) {
        bucket = try f("bucket", \.bucket, Count(0...RolloutState.maximumBuckets - 1))
        isNegative = try f("negative", \.isNegative, Flag())
        weight = try f("weight", \.weight, Number(0...1), implied: 1)
    }
}

extension FeedbackPast: Formed {
    public init<F: Fields<Self>>(fields f: inout F) throws(F.Failure) {
        negative = try f("negative", \.negative, Count.counted)
        total = try f("total", \.total, Count.counted)
        let bounded = Count(0...Self.maximumTotal)
        newestNegative = try f("newest_negative", \.newestNegative, bounded, implied: 0)
        newestTotal = try f("newest_total", \.newestTotal, bounded, implied: 0)
        watches = try f("watches", \.watches, Integer<Int32>(0...Int32.max - 1))
    }
}

extension Suspicion: Formed {
    public init<F: Fields<Self>>(fields f: inout F) throws(F.Failure) {
        since = try f("since_ms", \.since, Time())
        accuracy = try f("accuracy", \.accuracy, Number(0...1))
        labels = try f("labels", \.labels, Count.counted)
        right = try f("right", \.right, Number(0...0x1p53))
        queried = try f("asked", \.queried, Count.counted)
        withoutLabel = try f("without_label", \.withoutLabel, Count.counted, implied: 0)
        disputedQueried = try f("disputed_asked", \.disputedQueried, Count.counted, implied: 0)
        disputed = try f("disputed", \.disputed, Count.counted, implied: 0)
        disputedWrong = try f("disputed_wrong", \.disputedWrong, Count.counted, implied: 0)
    }
}
