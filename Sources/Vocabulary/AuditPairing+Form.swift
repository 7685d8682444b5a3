public import Forms

extension AuditPairing: Formed {
    @inlinable public init<F: Fields<Self>>(fields f: inout F) throws(F.Failure) {
        self.init(
            enteredAt: try f("entered_at_ms", \.enteredAt, Time()),
            pair: try f.optional("pair", \.pair, Count.counted),
            fixedAt: try f("fixed_at_ms", \.fixedAt, Time(), implied: StreamTime(milliseconds: 0)),
            stratum: try f("stratum", \.stratum, Choice(), implied: AuditStratum.unknown),
            awaitedUntil: try f.optional("awaited_until_ms", \.awaitedUntil, Time())
        )
    }
}

extension AuditOrigin: Formed {
    @inlinable public init<F: Fields<Self>>(fields f: inout F) throws(F.Failure) {
        self.init(
            isDuel: try f("duel", \.isDuel, Flag()),
            stratum: try f("stratum", \.stratum, Choice()),
            day: try f("audit_day", \.day, Integer(-106_751_991_168...106_751_991_168))
        )
    }
}
