public import Forms
internal import Statistics

extension VoiceComparison: Formed {
    public init<F: Fields<Self>>(fields f: inout F) throws(F.Failure) {
        blocks = try f("blocks", \.blocks, Count.counted)
        kept = try f("kept", \.kept, Count(0...RolloutState.voiceCapacity), implied: 0)
        negative = try f("negative", \.negative, Count.counted, implied: 0)
        otherNegative = try f("other_negative", \.otherNegative, Count.counted, implied: 0)
        let value = Number(0...RisingRate.maximumEvidence)
        evidence = RisingRate.Evidence(
            slight: try f("slight", \.evidence.slight, value, implied: 0),
            clear: try f("clear", \.evidence.clear, value, implied: 0),
            gross: try f("gross", \.evidence.gross, value, implied: 0)
        )
        waiting = try f.optional("waiting", \.waiting, Nested())
        otherWaiting = try f.optional("other_waiting", \.otherWaiting, Flag())
        guess = try f("guess", \.guess, Nested(), implied: RateGuess())
        unanswered = try f("unanswered", \.unanswered, Count.counted, implied: 0)
    }
}

extension RateGuess: Formed {
    public init<F: Fields<Self>>(fields f: inout F) throws(F.Failure) {
        negative = try f("negative", \.negative, Count(0...Self.most))
        total = try f("total", \.total, Count(0...Self.most))
    }
}

extension VoiceBlock: Formed {
    public init<F: Fields<Self>>(fields f: inout F) throws(F.Failure) {
        bucket = try f("bucket", \.bucket, Count(0...RolloutState.maximumBuckets - 1))
        isNegative = try f("negative", \.isNegative, Flag())
        isOtherNegative = try f("other_negative", \.isOtherNegative, Flag())
    }
}
