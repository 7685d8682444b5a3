public import Forms
internal import Statistics

extension VoiceComparison: Formed {
    public init<F: Fields<Self>>(fields f: inout F) throws(F.Failure) {
        blocks = try f("blocks", \.blocks, Count.counted)
        kept = try f("kept", \.kept, Count(0...RolloutState.voiceCapacity), implied: 0)
        total = try f("total", \.total, Count.counted, implied: 0)
        negative = try f("negative", \.negative, Count.counted, implied: 0)
        otherTotal = try f("other_total", \.otherTotal, Count.counted, implied: 0)
        otherNegative = try f("other_negative", \.otherNegative, Count.counted, implied: 0)
        let value = Number(0...RisingRate.maximumEvidence)
        evidence = RisingRate.Evidence(
            slight: try f("slight", \.evidence.slight, value, implied: 0),
            clear: try f("clear", \.evidence.clear, value, implied: 0),
            gross: try f("gross", \.evidence.gross, value, implied: 0)
        )
        let lengths = 0...BlockSize.maximum
        waiting = try f("waiting", \.waiting, ListOf(Nested<Voice>(), lengths), implied: [])
        otherWaiting = try f("other_waiting", \.otherWaiting, ListOf(Flag(), lengths), implied: [])
        guess = try f("guess", \.guess, Nested(), implied: RateGuess())
        unanswered = try f("unanswered", \.unanswered, Count.counted, implied: 0)
    }
}

extension RateGuess: Formed {
    public init<F: Fields<Self>>(fields f: inout F) throws(F.Failure) {
        negative = try f("negative", \.negative, Count(0...Self.maximumTotal))
        total = try f("total", \.total, Count(0...Self.maximumTotal))
    }
}

extension VoiceBlock: Formed {
    public init<F: Fields<Self>>(fields f: inout F) throws(F.Failure) {
        let bucket = Count(0...RolloutState.maximumBuckets - 1)
        buckets = try f("buckets", \.buckets, ListOf(bucket, 1...BlockSize.maximum))
        rejecting = try f("rejecting", \.rejecting, Count(0...1 << BlockSize.maximum - 1), implied: 0)
        otherTotal = try f("others", \.otherTotal, Count(1...BlockSize.maximum), implied: 1)
        otherNegative = try f("others_rejecting", \.otherNegative, Count(0...BlockSize.maximum), implied: 0)
        weight = try f("weight", \.weight, Number(0...1), implied: 1)
    }
}
