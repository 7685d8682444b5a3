public import JSON
public import Rollout
public import Training
internal import Vocabulary

extension RepeatResult: JSONCodable {
    public init(json: JSONValue) throws(JSONError) {
        let object = try json.object()
        self.init(
            trial: try object.count("trial"),
            repetition: try object.count("repeat"),
            artifact: try object.optionalValue("artifact"),
            score: try object.optionalDouble("score"),
            predictions: object.optional("predictions") == nil ? nil : try object.values("predictions"),
            reason: try object.optionalString("reason"),
            leftOut: try object.optionalValue("left_out"),
            verified: try object.optionalBool("verified"),
            validation: try object.optionalValue("validation")
        )
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("trial", trial)
            writer.member("repeat", repetition)
            writer.member("artifact", ifPresent: artifact)
            writer.member("score", ifPresent: score)
            writer.member("validation", ifPresent: validation)
            if let predictions { writer.array("predictions", ofValues: predictions) }
            writer.member("reason", ifPresent: reason)
            writer.member("left_out", ifPresent: leftOut)
            writer.member("verified", ifPresent: verified)
        }
    }
}

extension Study: JSONCodable {
    public init(json: JSONValue) throws(JSONError) {
        let object = try json.object()
        self.init(
            request: try object.value("request"),
            newestSampleAt: try object.time("newest_sample_at_ms"),
            startedAt: try object.time("started_at_ms"),
            results: try object.values("results")
        )
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("request", request)
            writer.member("newest_sample_at_ms", newestSampleAt)
            writer.member("started_at_ms", startedAt)
            writer.array("results", ofValues: results)
        }
    }
}

extension WaitingVersion: JSONCodable {
    public init(json: JSONValue) throws(JSONError) {
        let object = try json.object()
        self.init(version: try object.value("dataset"), newestSampleAt: try object.time("newest_sample_at_ms"))
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("dataset", version)
            writer.member("newest_sample_at_ms", newestSampleAt)
        }
    }
}

extension TrainingProgress: JSONCodable {
    public init(json: JSONValue) throws(JSONError) {
        let object = try json.object()
        self.init(
            studies: try object.count("studies"),
            trainedLabels: try object.int("trained_labels", in: 0...Int.max),
            running: try object.optionalValue("running"),
            waiting: try object.optionalValue("waiting"),
            newest: try object.optionalValue("newest"),
            trainedThrough: try object.optionalCount("trained_through").map { Int64($0) }
        )
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("studies", studies)
            writer.member("trained_labels", trainedLabels)
            writer.member("running", ifPresent: running)
            writer.member("waiting", ifPresent: waiting)
            writer.member("newest", ifPresent: newest)
            writer.member("trained_through", ifPresent: trainedThrough)
        }
    }
}

extension FormerChampion: JSONCodable {
    public init(json: JSONValue) throws(JSONError) {
        let object = try json.object()
        self.init(model: try object.value("model"), expectedRate: try object.optionalDouble("expected_rate"))
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("model", model)
            writer.member("expected_rate", ifPresent: expectedRate)
        }
    }
}

extension ModelRoles: JSONCodable {
    public init(json: JSONValue) throws(JSONError) {
        let object = try json.object()
        self.init(
            champion: try object.optionalValue("champion"),
            challenger: try object.optionalValue("challenger"),
            challengerSince: try object.time("challenger_since_ms"),
            waiting: try object.optionalValue("waiting"),
            history: try object.values("history"),
            quarantined: try object.strings("quarantined").map { ModelVersion($0) },
            isHeld: try object.bool("held"),
            challengerLivePredictions: try object.optionalCount("heard_from_challenger") ?? 0,
            livePredictionsWithoutChallenger: try object.optionalCount("heard_without_challenger") ?? 0,
            silenceReportedAt: try object.optionalTime("silence_told_at_ms"),
            evidenceThrough: try object.optionalCount("evidence_through").map { Int64($0) },
            changedEvidence: try object.optionalCount("changed_evidence") ?? 0
        )
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("champion", ifPresent: champion)
            writer.member("challenger", ifPresent: challenger)
            writer.member("challenger_since_ms", challengerSince)
            writer.member("waiting", ifPresent: waiting)
            writer.array("history", ofValues: history)
            writer.array("quarantined", of: quarantined.map(\.rawValue))
            writer.member("held", isHeld)
            writer.member("heard_from_challenger", challengerLivePredictions)
            if livePredictionsWithoutChallenger > 0 {
                writer.member("heard_without_challenger", livePredictionsWithoutChallenger)
            }
            writer.member("silence_told_at_ms", ifPresent: silenceReportedAt?.milliseconds)
            writer.member("evidence_through", ifPresent: evidenceThrough)
            if changedEvidence > 0 { writer.member("changed_evidence", changedEvidence) }
        }
    }
}
