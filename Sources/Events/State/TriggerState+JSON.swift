public import Acquisition
public import JSON

extension TriggeredCandidate: JSONCodable {
    public init(json: JSONValue) throws(JSONError) {
        let object = try json.object()
        self.init(
            pooled: try object.value("pooled"),
            triggers: try object.stringsIfPresent("triggers"),
            pendingTriggers: try object.stringsIfPresent("awaiting"),
            entryNumber: try object.entryNumber("entry_number"),
            disagrees: try object.optionalBool("disagrees"),
            isOverridden: try object.optionalBool("overridden")
        )
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("pooled", pooled)
            writer.array("triggers", of: triggers)
            writer.array("awaiting", of: pendingTriggers)
            writer.member("entry_number", entryNumber)
            writer.member("disagrees", ifPresent: disagrees)
            writer.member("overridden", ifPresent: isOverridden)
        }
    }
}
