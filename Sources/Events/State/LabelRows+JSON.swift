public import Datasets
public import JSON
public import Labeling
public import Rollout
public import Vocabulary

// Rows that hold labels and answers, of any kind.

extension Vote: JSONCodable {
    public init(json: JSONValue) throws(JSONError) {
        let object = try json.object()
        self.init(annotator: try object.id("annotator"), answer: try object.answer())
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("annotator", annotator)
            writer.member(answer: answer)
        }
    }
}

extension LabelRow: JSONCodable {
    public init(json: JSONValue) throws(JSONError) {
        let object = try json.object()
        self.init(
            label: try object.label(),
            split: try object.choice("split"),
            sequence: try object.count64("sequence"),
            importKey: try object.optional("import_key").map { (key) throws(JSONError) in try key.uint64() },
            standing: object.optional("standing") == nil ? .accepted : try object.choice("standing")
        )
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member(label: label)
            writer.member("split", split.rawValue)
            writer.member("sequence", sequence)
            writer.member("import_key", ifPresent: importKey)
            if standing != .accepted { writer.member("standing", standing.rawValue) }
        }
    }
}

extension ClosedTask: JSONCodable {
    public init(json: JSONValue) throws(JSONError) {
        let object = try json.object()
        self.init(
            closing: try object.choice("closing"),
            label: try object.optionalLabel(),
            annotators: try object.ids("annotators")
        )
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("closing", closing.rawValue)
            writer.member(label: label)
            writer.array("annotators", of: annotators.map(\.rawValue))
        }
    }
}

extension AuditPrediction: JSONCodable {
    public init(json: JSONValue) throws(JSONError) {
        let object = try json.object()
        self.init(
            version: try object.id("version"),
            label: try object.label(),
            isByTrainer: try object.optionalBool("by_trainer") ?? false
        )
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("version", version)
            writer.member(label: label)
            if isByTrainer { writer.member("by_trainer", true) }
        }
    }
}

extension AuditRow: JSONCodable {
    public init(json: JSONValue) throws(JSONError) {
        let object = try json.object()
        self.init(
            draw: try object.double("draw"),
            since: try object.time("since_ms"),
            label: try object.optionalLabel(),
            predictions: try object.values("predictions"),
            pair: try object.optionalValue("pair"),
            opening: try object.optionalCount("opening"),
            isDuel: try object.optionalBool("duel") ?? false,
            stratum: try object.optional("stratum") == nil ? nil : object.choice("stratum"),
            isQueried: try object.optionalBool("asked") ?? false,
            verdicts: try object.optional("verdicts") == nil ? [] : object.values("verdicts")
        )
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("draw", draw)
            writer.member("since_ms", since)
            writer.member(label: label)
            writer.array("predictions", ofValues: predictions)
            writer.member("pair", ifPresent: pair)
            writer.member("opening", ifPresent: opening)
            if isDuel { writer.member("duel", true) }
            writer.member("stratum", ifPresent: stratum?.rawValue)
            if isQueried { writer.member("asked", true) }
            if !verdicts.isEmpty { writer.array("verdicts", ofValues: verdicts) }
        }
    }
}

extension Verification: JSONCodable {
    public init(json: JSONValue) throws(JSONError) {
        let object = try json.object()
        let buckets = try object.array("buckets").int64s().map { Int($0) }
        let most = RolloutState.maximumBuckets
        guard (1...RolloutState.verdictCapacity).contains(buckets.count),
            buckets.allSatisfy({ (0..<most).contains($0) })
        else {
            throw object.failure(
                "buckets",
                "expected 1 to \(RolloutState.verdictCapacity) numbers in 0..<\(most), found \(buckets)"
            )
        }
        self.init(
            version: try object.id("version"),
            buckets: buckets,
            prediction: try object.optionalLabel(),
            isQueried: try object.optionalBool("asked") ?? false
        )
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("version", version)
            writer.array("buckets", of: buckets)
            writer.member(label: prediction)
            if isQueried { writer.member("asked", true) }
        }
    }
}

extension AuditOpening: JSONCodable {
    public init(json: JSONValue) throws(JSONError) {
        let object = try json.object()
        self.init(
            sample: try object.id("sample"),
            pair: try object.count("pair"),
            champion: try object.value("champion"),
            challenger: try object.optionalValue("challenger"),
            isDuel: try object.optionalBool("duel") ?? false,
            openedAt: try object.time("opened_at_ms"),
            isClosed: try object.optionalBool("closed") ?? false,
            label: try object.optionalLabel()
        )
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("sample", sample)
            writer.member("pair", pair)
            writer.member("champion", champion)
            writer.member("challenger", ifPresent: challenger)
            if isDuel { writer.member("duel", true) }
            writer.member("opened_at_ms", openedAt)
            if isClosed { writer.member("closed", true) }
            writer.member(label: label)
        }
    }
}
