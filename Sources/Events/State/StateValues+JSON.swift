public import Acquisition
public import Datasets
public import Flywheel
public import JSON
public import Labeling
public import Vocabulary

extension Optional: JSONCodable where Wrapped: JSONCodable {
    public init(json: JSONValue) throws(JSONError) { self = json.isNull ? .none : .some(try Wrapped(json: json)) }

    public func write(to writer: inout JSONWriter) {
        if let self { self.write(to: &writer) } else { writer.null() }
    }
}

extension Int: JSONCodable {
    public init(json: JSONValue) throws(JSONError) { self = try json.int() }
    public func write(to writer: inout JSONWriter) { writer.value(self) }
}

extension Int64: JSONCodable {
    public init(json: JSONValue) throws(JSONError) { self = try json.int64() }
    public func write(to writer: inout JSONWriter) { writer.value(self) }
}

extension UInt64: JSONCodable {
    public init(json: JSONValue) throws(JSONError) { self = try json.uint64() }
    public func write(to writer: inout JSONWriter) { writer.value(self) }
}

extension TaskPurpose: JSONCodable {
    public init(json: JSONValue) throws(JSONError) {
        guard let purpose = TaskPurpose(rawValue: try json.string()) else { throw json.failure("unknown purpose") }
        self = purpose
    }
    public func write(to writer: inout JSONWriter) { writer.value(rawValue) }
}

extension LoopPosition: JSONCodable {
    public init(json: JSONValue) throws(JSONError) {
        let object = try json.object()
        self.init(
            entryNumber: try object.uint64("entry_number"),
            time: try object.time("time_ms"),
            build: try object.string("build"),
            ticks: try object.uint64("ticks")
        )
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("entry_number", entryNumber)
            writer.member("time_ms", time)
            writer.member("build", build)
            writer.member("ticks", ticks)
        }
    }
}

extension StageTime: JSONCodable {
    public init(json: JSONValue) throws(JSONError) {
        let object = try json.object()
        self.init(
            count: try object.int64("count"),
            total: try object.int64("total_ms"),
            last: try object.int64("last_ms")
        )
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("count", count)
            writer.member("total_ms", total)
            writer.member("last_ms", last)
        }
    }
}

extension PooledCandidate: JSONCodable {
    public init(json: JSONValue) throws(JSONError) {
        let object = try json.object()
        self.init(
            candidate: try object.value("candidate"),
            modelOrdinal: try object.int("model_ordinal"),
            propensity: try object.optionalDouble("propensity")
        )
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("candidate", candidate)
            writer.member("model_ordinal", modelOrdinal)
            writer.member("propensity", ifPresent: propensity)
        }
    }
}

extension Cadence: JSONCodable {
    public init(json: JSONValue) throws(JSONError) {
        let object = try json.object()
        self.init(
            lastBatchAt: try object.time("last_batch_at_ms"),
            lastBatchOrdinal: try object.int("last_batch_ordinal"),
            acquisitionTasks: try object.int("acquisition_tasks"),
            auditTasks: try object.int("audit_tasks"),
            waitingSince: try object.optionalTime("waiting_since_ms"),
            isExhaustionTold: try object.bool("exhaustion_told")
        )
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("last_batch_at_ms", lastBatchAt)
            writer.member("last_batch_ordinal", lastBatchOrdinal)
            writer.member("acquisition_tasks", acquisitionTasks)
            writer.member("audit_tasks", auditTasks)
            writer.member("waiting_since_ms", ifPresent: waitingSince?.milliseconds)
            writer.member("exhaustion_told", isExhaustionTold)
        }
    }
}

extension Selection: JSONCodable {
    public init(json: JSONValue) throws(JSONError) {
        let object = try json.object()
        self.init(
            sample: try object.value("sample"),
            purpose: try object.choice("purpose"),
            reason: try object.value("reason"),
            predictedAt: try object.time("predicted_at_ms"),
            voteCost: try object.optionalValue("vote_cost") ?? .free
        )
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("sample", sample)
            writer.member("purpose", purpose.rawValue)
            writer.member("reason", reason)
            writer.member("predicted_at_ms", predictedAt)
            if voteCost != .free { writer.member("vote_cost", voteCost) }
        }
    }
}

extension OpenTask: JSONCodable {
    public init(json: JSONValue) throws(JSONError) {
        let object = try json.object()
        self.init(
            selection: try object.value("selection"),
            votes: try object.values("votes"),
            declined: try object.strings("declined").map { AnnotatorID($0) },
            votesWanted: try object.int("votes_wanted"),
            votesReserved: try object.int("votes_reserved"),
            openedAt: try object.time("opened_at_ms"),
            expiresAt: try object.time("expires_at_ms"),
            aged: try object.optionalInt("aged") ?? 0,
            priorityGained: try object.optionalDouble("priority_gained") ?? 0
        )
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("selection", selection)
            writer.array("votes", ofValues: votes)
            writer.array("declined", of: declined.map(\.rawValue))
            writer.member("votes_wanted", votesWanted)
            writer.member("votes_reserved", votesReserved)
            writer.member("opened_at_ms", openedAt)
            writer.member("expires_at_ms", expiresAt)
            guard aged > 0 else { return }
            writer.member("aged", aged)
            writer.member("priority_gained", priorityGained)
        }
    }
}

extension ClosedTask: JSONCodable {
    public init(json: JSONValue) throws(JSONError) {
        let object = try json.object()
        self.init(
            closing: try object.choice("closing"),
            label: try object.optionalInt("index").map { ClassIndex($0) },
            annotators: try object.strings("annotators").map { AnnotatorID($0) }
        )
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("closing", closing.rawValue)
            writer.member("index", ifPresent: label?.rawValue)
            writer.array("annotators", of: annotators.map(\.rawValue))
        }
    }
}

extension AnnotatorReliability: JSONCodable {
    public init(json: JSONValue) throws(JSONError) {
        let object = try json.object()
        self.init(
            answers: try object.int("answers"),
            correct: try object.double("correct"),
            skips: try object.int("skips"),
            flags: try object.int("flags")
        )
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("answers", answers)
            writer.member("correct", correct)
            writer.member("skips", skips)
            writer.member("flags", flags)
        }
    }
}

extension LabelRow: JSONCodable {
    public init(json: JSONValue) throws(JSONError) {
        let object = try json.object()
        self.init(
            label: ClassIndex(try object.int("index")),
            split: try object.choice("split"),
            sequence: try object.int64("sequence")
        )
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("index", label.rawValue)
            writer.member("split", split.rawValue)
            writer.member("sequence", sequence)
        }
    }
}

extension LogPosition: JSONCodable {
    public init(json: JSONValue) throws(JSONError) {
        let object = try json.object()
        self.init(
            sequence: try object.int64("sequence"),
            ordinal: try object.int("ordinal"),
            training: try object.int("training"),
            validation: try object.int("validation"),
            test: try object.int("test"),
            newTraining: try object.int("new_training"),
            newLabels: try object.int("new_labels"),
            waitingSince: try object.optionalTime("waiting_since_ms"),
            newestSampleAt: try object.time("newest_sample_at_ms")
        )
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("sequence", sequence)
            writer.member("ordinal", ordinal)
            writer.member("training", training)
            writer.member("validation", validation)
            writer.member("test", test)
            writer.member("new_training", newTraining)
            writer.member("new_labels", newLabels)
            writer.member("waiting_since_ms", ifPresent: waitingSince?.milliseconds)
            writer.member("newest_sample_at_ms", newestSampleAt)
        }
    }
}

extension PendingCut: JSONCodable {
    public init(json: JSONValue) throws(JSONError) {
        let object = try json.object()
        self.init(cutAt: try object.time("cut_at_ms"), newestSampleAt: try object.time("newest_sample_at_ms"))
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("cut_at_ms", cutAt)
            writer.member("newest_sample_at_ms", newestSampleAt)
        }
    }
}
