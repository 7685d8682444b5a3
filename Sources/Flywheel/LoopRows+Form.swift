public import Forms
public import Vocabulary

extension LoopPosition: Formed {
    @inlinable public init<F: Fields<Self>>(fields f: inout F) throws(F.Failure) {
        entryNumber = try f("entry_number", \.entryNumber, Integer.counted)
        time = try f("time_ms", \.time, Time())
        build = try f("build", \.build, Text.any)
        ticks = try f("ticks", \.ticks, Integer.counted)
    }
}

extension CyclePhaseTime: Formed {
    @inlinable public init<F: Fields<Self>>(fields f: inout F) throws(F.Failure) {
        count = try f("count", \.count, Integer.counted)
        total = try f("total_ms", \.total, Integer.counted)
        last = try f("last_ms", \.last, Integer.counted)
    }
}

extension UnregisteredTraffic: Formed {
    @inlinable public init<F: Fields<Self>>(fields f: inout F) throws(F.Failure) {
        predictions = try f("predictions", \.predictions, Integer.counted)
        feedback = try f("feedback", \.feedback, Integer.counted)
        since = try f("since_ms", \.since, Time())
        lastAt = try f("last_ms", \.lastAt, Time())
    }
}
