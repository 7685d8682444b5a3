internal import Forms
public import JSON
public import Vocabulary

/// Members of a release for the models that serve beside the champion. A release without `state` has none of these
/// members.
extension Staging {
    init?(_ object: JSONObject) throws(JSONError) {
        guard object.optional("state") != nil else { return nil }
        let state: ReleaseState = try object.choice("state")
        guard state == .live || state == .canary || state == .paused else {
            throw object.failure("state", "expected live, canary or paused")
        }
        let pause: RolloutPause? = object.optional("paused") == nil ? nil : try object.choice("paused")
        self.init(
            state: state,
            pause: pause,
            canary: try object.optionalValue("canary"),
            holdback: try object.optionalValue("holdback"),
            shadows: try object.strings("shadows").map { ModelVersion($0) },
            unit: try object.choice("unit")
        )
    }

    func writeMembers(to writer: inout JSONWriter) {
        writer.member("state", state.rawValue)
        writer.member("paused", ifPresent: pause?.rawValue)
        writer.member("canary", ifPresent: canary)
        writer.member("holdback", ifPresent: holdback)
        writer.array("shadows", of: shadows.map(\.rawValue))
        writer.member("unit", unit.rawValue)
    }
}

extension Staging.Canary: JSONCodable {
    public init(json: JSONValue) throws(JSONError) {
        let object = try json.object()
        let (share, ring) = (try object.optionalShare(), try object.optionalValue("ring", RolloutRing.self))
        guard (share == nil) != (ring == nil) else { throw object.failure("share", "expected either share or ring") }
        self.init(
            version: try object.id("version"),
            artifact: try object.value("artifact"),
            share: share,
            ring: ring,
            step: try object.int("step", in: 1...Counting.limit)
        )
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("version", version)
            writer.member("artifact", artifact)
            writer.member("share", ifPresent: share)
            writer.member("ring", ifPresent: ring)
            writer.member("step", step)
        }
    }
}

extension Staging.Holdback: JSONCodable {
    public init(json: JSONValue) throws(JSONError) {
        let object = try json.object()
        self.init(
            version: try object.id("version"),
            artifact: try ArtifactReference(incumbent: object.required("artifact")),
            share: try object.optionalShare() ?? 0
        )
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("version", version)
            writer.member("artifact", artifact)
            writer.member("share", share)
        }
    }
}

extension StepFigures: JSONCodable {
    public init(json: JSONValue) throws(JSONError) {
        let object = try json.object()
        self.init(
            step: try object.int("step", in: 1...Counting.limit),
            share: try object.optionalShare(),
            ring: try object.optionalValue("ring"),
            from: try object.time("from_ms"),
            to: try object.time("to_ms"),
            voices: try object.count("voices"),
            negative: try object.count("negative"),
            logEAgainstOther: try object.optionalDouble("log_e_against_other"),
            logEAgainstPast: try object.optionalDouble("log_e_against_past"),
            logEByLabels: try object.optionalDouble("log_e_by_labels"),
            approvedBy: try object.optionalString("approved_by"),
            compared: try object.optionalCount("compared") ?? 0,
            differing: try object.optionalCount("differing") ?? 0
        )
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("step", step)
            writer.member("share", ifPresent: share)
            writer.member("ring", ifPresent: ring)
            writer.member("from_ms", from)
            writer.member("to_ms", to)
            writer.member("voices", voices)
            writer.member("negative", negative)
            writer.member("log_e_against_other", ifPresent: logEAgainstOther)
            writer.member("log_e_against_past", ifPresent: logEAgainstPast)
            writer.member("log_e_by_labels", ifPresent: logEByLabels)
            writer.member("approved_by", ifPresent: approvedBy)
            if compared > 0 {
                writer.member("compared", compared)
                writer.member("differing", differing)
            }
        }
    }
}

extension ComparedVoices {
    init(_ object: JSONObject) throws(JSONError) {
        self.init(
            other: try object.id("other"),
            blocks: try object.count("blocks"),
            total: try object.count("total"),
            negative: try object.count("negative"),
            otherTotal: try object.count("other_total"),
            otherNegative: try object.count("other_negative"),
            tolerance: try object.double("tolerance"),
            logE: try object.double("log_e"),
            threshold: try object.double("threshold")
        )
    }

    func writeMembers(to writer: inout JSONWriter) {
        writer.member("kind", "feedback_compared")
        writer.member("other", other)
        writer.member("blocks", blocks)
        writer.member("total", total)
        writer.member("negative", negative)
        writer.member("other_total", otherTotal)
        writer.member("other_negative", otherNegative)
        writer.member("tolerance", tolerance)
        writer.member("log_e", logE)
        writer.member("threshold", threshold)
    }
}

extension JSONObject {
    fileprivate func optionalShare() throws(JSONError) -> Double? {
        guard let share = try optionalDouble("share") else { return nil }
        guard (0...1).contains(share) else { throw failure("share", "expected a number in 0...1, found \(share)") }
        return share
    }
}
