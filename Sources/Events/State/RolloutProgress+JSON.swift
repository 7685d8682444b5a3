public import JSON
public import Rollout
internal import Vocabulary

extension RolloutProgress: JSONCodable {
    public init(json: JSONValue) throws(JSONError) {
        let object = try json.object()
        let released = try object.optionalObject("released")
        self.init(
            rollout: try object.optionalValue("rollout"),
            released: try released.flatMap { (object) throws(JSONError) in try Staging(object) },
            releasedAt: try object.optionalTime("released_at_ms"),
            otherReportedAt: try object.optionalTime("other_told_at_ms")
        )
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("rollout", ifPresent: rollout)
            if let released { writer.object("released") { writer in released.writeMembers(to: &writer) } }
            writer.member("released_at_ms", ifPresent: releasedAt?.milliseconds)
            writer.member("other_told_at_ms", ifPresent: otherReportedAt?.milliseconds)
        }
    }
}

extension StagedRollout: JSONCodable {
    public init(json: JSONValue) throws(JSONError) {
        let object = try json.object()
        let pause: RolloutPause? = object.optional("paused") == nil ? nil : try object.choice("paused")
        self.init(
            model: try object.value("model"),
            step: try object.int("step", in: 1...Counting.limit),
            since: try object.optionalTime("since_ms"),
            voices: try object.count("voices"),
            negative: try object.count("negative"),
            pause: pause,
            approvedBy: try object.optionalString("approved_by"),
            isApprovalRequested: try object.bool("asked"),
            passed: try object.values("passed"),
            isReturn: try object.bool("return"),
            evidenceThrough: try object.optionalCount("evidence_through").map { Int64($0) },
            isServed: try object.bool("served"),
            unserved: try object.count("unserved"),
            hasChampionPredicted: try object.optionalBool("champion_heard") ?? false,
            bake: try object.optionalValue("bake"),
            compared: try object.optionalCount("compared") ?? 0,
            differing: try object.optionalCount("differing") ?? 0
        )
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("model", model)
            writer.member("step", step)
            writer.member("since_ms", ifPresent: since?.milliseconds)
            writer.member("voices", voices)
            writer.member("negative", negative)
            writer.member("paused", ifPresent: pause?.rawValue)
            writer.member("approved_by", ifPresent: approvedBy)
            writer.member("asked", isApprovalRequested)
            writer.array("passed", ofValues: passed)
            writer.member("return", isReturn)
            writer.member("evidence_through", ifPresent: evidenceThrough)
            writer.member("served", isServed)
            writer.member("unserved", unserved)
            if hasChampionPredicted { writer.member("champion_heard", true) }
            writer.member("bake", ifPresent: bake)
            if compared > 0 { writer.member("compared", compared) }
            if differing > 0 { writer.member("differing", differing) }
        }
    }
}
