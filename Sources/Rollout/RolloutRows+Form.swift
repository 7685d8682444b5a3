public import Forms
public import Vocabulary

extension PairCounts: Formed {
    @inlinable public init<F: Fields<Self>>(fields f: inout F) throws(F.Failure) {
        labels = try f("labels", \.labels, Count.counted)
        challengerOnly = try f("challenger_only", \.challengerOnly, Count.counted)
        championOnly = try f("champion_only", \.championOnly, Count.counted)
        let lack = Number(0...0x1p53)
        challengerLack = try f("challenger_lack", \.challengerLack, lack, implied: 0)
        championLack = try f("champion_lack", \.championLack, lack, implied: 0)
    }
}

extension FeedbackWatch: Formed {
    @inlinable public init<F: Fields<Self>>(fields f: inout F) throws(F.Failure) {
        negative = try f("negative", \.negative, Count.counted)
        total = try f("total", \.total, Count.counted)
        expectedRate = try f.optional("expected_rate", \.expectedRate, Number.any)
        statistic = try f("statistic", \.statistic, Number.any)
        let buckets = ListOf(Count(0...RolloutState.bucketCount - 1), 0...RolloutState.alarmBuckets)
        negativeBuckets = try f("negative_buckets", \.negativeBuckets, buckets, implied: [])
    }
}

extension UserBucket: Formed {
    @inlinable public init<F: Fields<Self>>(fields f: inout F) throws(F.Failure) {
        windowStart = try f("window_start_ms", \.windowStart, Time())
        let number = Whole<Int32>(0...Int32.max)
        count = try f("count", \.count, number, implied: 0)
        serial = try f("serial", \.serial, number, implied: 0)
    }
}
