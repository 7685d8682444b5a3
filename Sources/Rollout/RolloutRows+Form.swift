public import Forms
public import Vocabulary

extension AuditPrediction: Formed {
    @inlinable public init<F: Fields<Self>>(fields f: inout F) throws(F.Failure) {
        version = try f("version", \.version, ID())
        label = try f("index", \.label, ClassPosition())
    }
}

extension AuditRow: Formed {
    @inlinable public init<F: Fields<Self>>(fields f: inout F) throws(F.Failure) {
        draw = try f("draw", \.draw, Number.any)
        since = try f("since_ms", \.since, Time())
        label = try f.optional("index", \.label, ClassPosition())
        predictions = try f("predictions", \.predictions, ListOf(Nested()))
    }
}

extension PairCounts: Formed {
    @inlinable public init<F: Fields<Self>>(fields f: inout F) throws(F.Failure) {
        labels = try f("labels", \.labels, Count.counted)
        challengerOnly = try f("challenger_only", \.challengerOnly, Count.counted)
        championOnly = try f("champion_only", \.championOnly, Count.counted)
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
        count = try f("count", \.count, Count.counted)
    }
}
