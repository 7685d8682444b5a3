public import JSON
public import Rollout
public import Training
internal import Vocabulary

extension RepeatResult: JSONCodable {
    public init(json: JSONValue) throws(JSONError) {
        let object = try json.object()
        self.init(
            trial: try object.int("trial"),
            repetition: try object.int("repeat"),
            artifact: try object.optionalValue("artifact"),
            score: try object.optionalDouble("score"),
            predictions: try object.optionalArray("predictions")?.decode { (element) throws(JSONError) in
                ClassIndex(try element.int(in: 0...9_999))
            }
        )
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("trial", trial)
            writer.member("repeat", repetition)
            writer.member("artifact", ifPresent: artifact)
            writer.member("score", ifPresent: score)
            if let predictions { writer.array("predictions", of: predictions.map(\.rawValue)) }
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
            studies: try object.int("studies"),
            trainedLabels: try object.int("trained_labels"),
            running: try object.optionalValue("running"),
            waiting: try object.optionalValue("waiting"),
            newest: try object.optionalValue("newest")
        )
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("studies", studies)
            writer.member("trained_labels", trainedLabels)
            writer.member("running", ifPresent: running)
            writer.member("waiting", ifPresent: waiting)
            writer.member("newest", ifPresent: newest)
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

extension RolloutPhase: JSONCodable {
    public init(json: JSONValue) throws(JSONError) {
        let object = try json.object()
        self.init(
            champion: try object.optionalValue("champion"),
            challenger: try object.optionalValue("challenger"),
            challengerSince: try object.time("challenger_since_ms"),
            history: try object.values("history"),
            quarantined: try object.strings("quarantined").map { ModelVersion($0) },
            isHeld: try object.bool("held"),
            heardFromChallenger: try object.int("heard_from_challenger")
        )
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("champion", ifPresent: champion)
            writer.member("challenger", ifPresent: challenger)
            writer.member("challenger_since_ms", challengerSince)
            writer.array("history", ofValues: history)
            writer.array("quarantined", of: quarantined.map(\.rawValue))
            writer.member("held", isHeld)
            writer.member("heard_from_challenger", heardFromChallenger)
        }
    }
}

extension AuditPrediction: JSONCodable {
    public init(json: JSONValue) throws(JSONError) {
        let object = try json.object()
        self.init(version: try object.id("version"), label: ClassIndex(try object.int("index")))
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("version", version)
            writer.member("index", label.rawValue)
        }
    }
}

extension AuditRow: JSONCodable {
    public init(json: JSONValue) throws(JSONError) {
        let object = try json.object()
        self.init(
            draw: try object.double("draw"),
            since: try object.time("since_ms"),
            label: try object.optionalInt("index").map { ClassIndex($0) },
            predictions: try object.values("predictions")
        )
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("draw", draw)
            writer.member("since_ms", since)
            writer.member("index", ifPresent: label?.rawValue)
            writer.array("predictions", ofValues: predictions)
        }
    }
}

extension PairCounts: JSONCodable {
    public init(json: JSONValue) throws(JSONError) {
        let object = try json.object()
        self.init(
            labels: try object.int("labels"),
            challengerOnly: try object.int("challenger_only"),
            championOnly: try object.int("champion_only")
        )
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("labels", labels)
            writer.member("challenger_only", challengerOnly)
            writer.member("champion_only", championOnly)
        }
    }
}

extension FeedbackWatch: JSONCodable {
    public init(json: JSONValue) throws(JSONError) {
        let object = try json.object()
        self.init(
            negative: try object.int("negative"),
            total: try object.int("total"),
            expectedRate: try object.optionalDouble("expected_rate"),
            statistic: try object.double("statistic")
        )
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("negative", negative)
            writer.member("total", total)
            writer.member("expected_rate", ifPresent: expectedRate)
            writer.member("statistic", statistic)
        }
    }
}

extension UserBucket: JSONCodable {
    public init(json: JSONValue) throws(JSONError) {
        let object = try json.object()
        self.init(windowStart: try object.time("window_start_ms"), count: try object.int("count"))
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("window_start_ms", windowStart)
            writer.member("count", count)
        }
    }
}
