public import JSON
public import Vocabulary

/// Origin of the query of an audit sample, as facts and lines of a dataset contain it.
extension AuditOrigin {
    /// Reads `duel`, `stratum` and `audit_day`; nil where there is no `duel`.
    ///
    /// - Parameter object: A fact.
    /// - Throws: `JSONError` for an invalid day or stratum.
    init?(members object: JSONObject) throws(JSONError) {
        guard object.optional("duel") != nil else { return nil }
        let text = try object.string("audit_day")
        guard let start = RFC3339.milliseconds(of: "\(text)T00:00:00Z") else {
            throw object.failure("audit_day", "expected a day, as in 2026-01-31")
        }
        self.init(
            isDuel: try object.bool("duel"),
            stratum: try object.choice("stratum"),
            day: Int(start / Self.dayLength)
        )
    }

    /// Writes `duel`, `stratum` and `audit_day`, the latter as in `2026-01-31`.
    public func writeMembers(to writer: inout JSONWriter) {
        writer.member("duel", isDuel)
        writer.member("stratum", stratum.rawValue)
        writer.member("audit_day", dayText)
    }

    /// The day as text, as in `2026-01-31`; years beyond 9999 are clamped.
    public var dayText: String {
        let (start, isBeyond) = Int64(day).multipliedReportingOverflow(by: Self.dayLength)
        let milliseconds = isBeyond ? (day < 0 ? Int64.min : Int64.max) : start
        return String(RFC3339.text(milliseconds: milliseconds).prefix(10))
    }

    /// Length of a day in milliseconds.
    private static let dayLength: Int64 = 86_400_000
}
