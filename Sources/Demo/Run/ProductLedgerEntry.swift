internal import JSON

/// A line of the product service's ledger.
struct ProductLedgerEntry {
    let event: String
    let project: String
    let version: String
    let cause: String
    let replacedBroken: Bool
    let feedbacks: Int
    let at: Int64

    init?(_ line: [UInt8]) {
        let parsed = try? JSONParser().withDocument(of: line) { json in
            let object = try json.object()
            return (
                try object.string("event"), try object.optionalString("project") ?? "",
                try object.optionalString("version") ?? "", try object.optionalString("cause") ?? "",
                try object.optionalBool("replaced_broken") ?? false,
                try object.optionalInt("feedbacks_since_broken") ?? 0,
                try object.optionalInt64("at_ms") ?? 0
            )
        }
        guard let parsed else { return nil }
        (event, project, version, cause, replacedBroken, feedbacks, at) = parsed
    }
}
