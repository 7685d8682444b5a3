public import Acquisition
public import JSON
internal import Vocabulary

extension BudgetLedger: JSONCodable {
    public init(json: JSONValue) throws(JSONError) {
        let object = try json.object()
        self.init(
            windowStart: try object.time("window_start_ms"),
            votes: BudgetAccount(
                spent: try object.int64("spent"),
                reserved: try object.int64("reserved"),
                carried: try object.optionalInt64("carried") ?? 0,
                totalSpent: try object.int64("total_spent")
            ),
            time: try object.optionalValue("time") ?? BudgetAccount(),
            money: try object.optionalValue("money") ?? BudgetAccount()
        )
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("window_start_ms", windowStart)
            votes.writeMembers(to: &writer)
            // As older builds wrote it, for projects that count votes alone.
            if time != BudgetAccount() { writer.member("time", time) }
            if money != BudgetAccount() { writer.member("money", money) }
        }
    }
}

extension BudgetAccount: JSONCodable {
    public init(json: JSONValue) throws(JSONError) {
        let object = try json.object()
        self.init(
            spent: try object.int64("spent"),
            reserved: try object.int64("reserved"),
            carried: try object.optionalInt64("carried") ?? 0,
            totalSpent: try object.int64("total_spent")
        )
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in writeMembers(to: &writer) }
    }

    func writeMembers(to writer: inout JSONWriter) {
        writer.member("spent", spent)
        writer.member("reserved", reserved)
        if carried != 0 { writer.member("carried", carried) }
        writer.member("total_spent", totalSpent)
    }
}
