public import Forms
public import Vocabulary

extension ServiceTime: Formed {
    @inlinable public init<F: Fields<Self>>(fields f: inout F) throws(F.Failure) {
        version = try f("version", \.version, ID())
        since = try f.optional("since_ms", \.since, Time())
        before = try f("before_ms", \.before, Integer.counted, implied: 0)
        until = try f.optional("until_ms", \.until, Time())
    }
}

extension ReleaseTrust: Formed {
    @inlinable public init<F: Fields<Self>>(fields f: inout F) throws(F.Failure) {
        isFrozen = try f("frozen", \.isFrozen, Flag(), implied: false)
        served = try f("served", \.served, ListOf(Nested<ServiceTime>(), 0...ReleaseTrust.capacity))
    }
}
