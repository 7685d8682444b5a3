public import Forms
public import Vocabulary

extension LoopPosition: Formed {
    @inlinable public init<F: Fields<Self>>(fields f: inout F) throws(F.Failure) {
        entryNumber = try f("entry_number", \.entryNumber, Whole.counted)
        time = try f("time_ms", \.time, Time())
        build = try f("build", \.build, Text.any)
        ticks = try f("ticks", \.ticks, Whole.counted)
    }
}

extension CyclePhaseTime: Formed {
    @inlinable public init<F: Fields<Self>>(fields f: inout F) throws(F.Failure) {
        count = try f("count", \.count, Whole.counted)
        total = try f("total_ms", \.total, Whole.counted)
        last = try f("last_ms", \.last, Whole.counted)
    }
}

extension UnregisteredTraffic: Formed {
    @inlinable public init<F: Fields<Self>>(fields f: inout F) throws(F.Failure) {
        predictions = try f("predictions", \.predictions, Whole.counted)
        feedback = try f("feedback", \.feedback, Whole.counted)
        since = try f("since_ms", \.since, Time())
        lastAt = try f("last_ms", \.lastAt, Time())
    }
}
